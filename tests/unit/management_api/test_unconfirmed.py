"""How a change that nobody confirmed is undone: only while the credential is still as the change has left it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.domain.resources import AgentCredential, CredentialState, ProvidedHash
from management_api.changes import rules
from management_api.changes.unconfirmed import UnconfirmedChange, What, taken_back, unconfirmed_change, undone
from management_api.failures import Failure
from management_api.registry.credentials import MAX_MARK, UNCONFIRMED
from tests.support.worlds import NOW, an_issued_credential

OLD, NEW, OTHER = (f"$2b$10${letter * 53}" for letter in "abc")
GENERATED = UnconfirmedChange(what=What.GENERATE, request_id="r", since=NOW, hash=NEW)
ROTATED = UnconfirmedChange(
    what=What.ROTATE, request_id="r", since=NOW, hash=NEW, previous=ProvidedHash(hash=OLD, hint="0a0a0a0a"), previous_expiry=NOW
)
WITHOUT_MARK = {"metadata": {"annotations": {UNCONFIRMED: None}}}


def left_by(change: UnconfirmedChange, hashed: str = NEW, **spec: Any) -> AgentCredential:
    """A credential that carries the mark of a change."""
    credential = an_issued_credential()
    meta = replace(credential.metadata, annotations=change.annotation())
    return replace(
        credential, metadata=meta, spec=replace(credential.spec, secret_hash=ProvidedHash(hash=hashed, hint="1b1b1b1b"), **spec)
    )


def unmarked(credential: AgentCredential) -> AgentCredential:
    """The same without any mark."""
    return replace(credential, metadata=replace(credential.metadata, annotations={}))


ROTATED_BACK = "what was rotated has its hash from before"
UNDONE: dict[str, tuple[AgentCredential, UnconfirmedChange, dict[str, Any]]] = {
    "what was generated is revoked": (left_by(GENERATED), GENERATED, WITHOUT_MARK | {"spec": {"state": "Revoked"}}),
    ROTATED_BACK: (
        left_by(ROTATED),
        ROTATED,
        WITHOUT_MARK | {"spec": {"secretHash": {"hash": OLD, "hint": "0a0a0a0a"}, "expiresAt": NOW.isoformat()}},
    ),
    "what has another hash by now keeps it": (left_by(ROTATED, OTHER), ROTATED, WITHOUT_MARK),
    "what was revoked meanwhile stays so": (left_by(ROTATED, state=CredentialState.REVOKED), ROTATED, WITHOUT_MARK),
    "what carries another change's mark is not touched": (left_by(GENERATED), ROTATED, {}),
    "what was confirmed is not touched": (an_issued_credential(), ROTATED, {}),
}


@pytest.mark.parametrize("what", UNDONE)
def test_undoing(what: str) -> None:
    """As the row says."""
    credential, change, patch = UNDONE[what]
    assert undone(credential, change) == patch


MARKED = [what for what in UNDONE if what.startswith("what was") and "confirmed" not in what]


@pytest.mark.parametrize("what", MARKED)
def test_what_nobody_will_be_told_is_undone_though_it_was_confirmed(what: str) -> None:
    """It is as if the mark were there still."""
    credential, change, patch = UNDONE[what]
    assert taken_back(credential, change) == patch
    confirmed = {part: changes for part, changes in patch.items() if part == "spec"}
    assert taken_back(unmarked(credential), change) == confirmed


CONFIRMED: dict[str, tuple[AgentCredential, dict[str, Any] | None]] = {
    "the mark goes": (left_by(ROTATED), WITHOUT_MARK),
    "where it has gone already, nothing is to be done": (unmarked(left_by(ROTATED)), {}),
    "what has another hash by now does not stand": (left_by(ROTATED, OTHER), None),
    "what was revoked meanwhile does not stand": (left_by(ROTATED, state=CredentialState.REVOKED), None),
}


@pytest.mark.parametrize("what", CONFIRMED)
def test_confirming(what: str) -> None:
    """As the row says: whoever got no answer may ask again."""
    credential, patch = CONFIRMED[what]
    if patch is None:
        with pytest.raises(Failure):
            rules.confirmed(credential, ROTATED)
    else:
        assert rules.confirmed(credential, ROTATED) == patch


@pytest.mark.parametrize("change", [GENERATED, ROTATED])
def test_a_mark_says_all_that_it_takes(change: UnconfirmedChange) -> None:
    """Another process undoes the change by the annotation alone."""
    assert unconfirmed_change(change.annotation()[UNCONFIRMED]) == change


NO_MARKS = {
    "nothing": None,
    "nothing in it": "",
    "too little": "{}",
    "no JSON": "no JSON",
    "another kind of change": '{"what": "Else"}',
    "JSON that is deeper than decoders go": "[" * 120_000,
    "a part that is deeper than decoders go": f'{GENERATED.annotation()[UNCONFIRMED][:-1]},"more":{"[" * 120_000}',
    "a time before the calendar": GENERATED.annotation()[UNCONFIRMED].replace("2026", "0000"),
    "what this API would write otherwise": GENERATED.annotation()[UNCONFIRMED].replace(":", ": "),
}


@pytest.mark.parametrize("text", NO_MARKS.values(), ids=NO_MARKS)
def test_what_is_no_mark(text: str | None) -> None:
    """Somebody else wrote it, or nobody."""
    assert unconfirmed_change(text) is None


zones = st.integers(-1439, 1439).map(lambda minutes: timedelta(minutes=minutes))
moments = st.builds(lambda naive, zone: f"{naive.isoformat()}{offset(zone)}", st.datetimes(), zones)
forged = st.builds(
    lambda what, since, expiry: f'{{"what":"{what}","requestId":"x","since":"{since}","hash":"x"{expiry}}}',
    st.sampled_from(What),
    moments,
    st.just("") | moments.map(lambda expiry: f',"previous":{{"hash":"y"}},"previousExpiry":"{expiry}"'),
)


def offset(zone: timedelta) -> str:
    """As RFC 3339 writes it."""
    hours, minutes = divmod(abs(zone) // timedelta(minutes=1), 60)
    return f"{'-' if zone < timedelta() else '+'}{hours:02}:{minutes:02}"


@given(forged | st.text())
def test_whatever_a_tenant_has_written_can_be_judged(text: str) -> None:
    """It is no mark, or one that has an age and can be undone."""
    change = unconfirmed_change(text)
    if change:
        assert change.is_older_than(timedelta(seconds=40)) == (datetime.now(UTC) - change.since > timedelta(seconds=40))
        assert UNCONFIRMED in undone(left_by(change, change.hash), change)["metadata"]["annotations"]


def test_a_mark_of_this_api_is_never_too_long() -> None:
    """Longer ones are not kept."""
    last = datetime.max.replace(tzinfo=UTC)
    longest = replace(ROTATED, request_id="r" * 64, since=last, previous_expiry=last)
    assert len(longest.annotation()[UNCONFIRMED]) <= MAX_MARK
