"""How a change that nobody confirmed is undone: only while the credential is still as the change has left it."""

from typing import Any

import pytest
from msgspec.structs import replace

from agentidp.domain.resources import AgentCredential, CredentialState, ProvidedHash
from management_api.changes.unconfirmed import UnconfirmedChange, What, unconfirmed_change, undone
from management_api.registry.credentials import UNCONFIRMED
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


UNDONE: dict[str, tuple[AgentCredential, UnconfirmedChange, dict[str, Any]]] = {
    "what was generated is revoked": (left_by(GENERATED), GENERATED, WITHOUT_MARK | {"spec": {"state": "Revoked"}}),
    "what was rotated has its hash from before": (
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


@pytest.mark.parametrize("change", [GENERATED, ROTATED])
def test_a_mark_says_all_that_it_takes(change: UnconfirmedChange) -> None:
    """Another process undoes the change by the annotation alone."""
    assert unconfirmed_change(change.annotation()[UNCONFIRMED]) == change


@pytest.mark.parametrize("text", [None, "", "{}", "no JSON", '{"what": "Else"}'])
def test_what_is_no_mark(text: str | None) -> None:
    """Somebody else wrote it, or nobody."""
    assert unconfirmed_change(text) is None
