"""How one status follows from another: which hashes are kept, and what is recorded of a refusal."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from agentidp.domain.lifecycle import MAX_HASHES, IssueSecret, RemoveSecret, Step, with_fresh_hash, with_write_refused
from agentidp.domain.lifecycle.status import with_hashes_retired, with_issue_recorded, with_provided_hash, with_room
from agentidp.domain.resources import (
    AgentCredential,
    CredentialPhase,
    CredentialStatus,
    ProvidedHash,
    Reissues,
    Rotation,
    SecretHash,
)
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED, condition
from agentidp.domain.resources.reasons import Reason
from tests.support.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_condition,
    a_credential,
    a_fake_hash,
    a_hash,
    a_provided_hash,
    a_rotation,
    a_value,
    an_issued_credential,
    restated,
)


def holding(*hashes: SecretHash) -> CredentialStatus:
    """A status with these hashes, of which the first without an end was recorded as in use."""
    return an_issued_credential(*hashes).status


def numbers(status: CredentialStatus) -> list[int]:
    """Which hashes of `a_hash(1)` to `a_hash(9)` are there, in their order."""
    known = {a_fake_hash(a_value(number)): number for number in range(1, 10)}
    return [known[one.hash] for one in status.secret_hashes]


ROOM: dict[str, tuple[list[SecretHash], SecretHash | None, list[int]]] = {
    "there is room": ([a_hash(1), a_hash(2), a_hash(3), a_hash(4)], a_hash(1), [1, 2, 3, 4]),
    "a value that nobody was told goes before one that still works": (
        [a_hash(1, ends=HOUR), a_hash(2, ends=DAY), a_hash(3), a_hash(4), a_hash(5)],
        a_hash(3),
        [1, 2, 3, 5],
    ),
    "of those that were used, the one goes that ends first": (
        [a_hash(1, ends=2 * HOUR), a_hash(2, ends=HOUR), a_hash(3, ends=DAY), a_hash(4, ends=DAY), a_hash(5)],
        a_hash(5),
        [1, 3, 4, 5],
    ),
    "the hash that the Secret needs stays": (
        [a_hash(1), a_hash(2), a_hash(3), a_hash(4), a_hash(5)],
        a_hash(1),
        [1, 3, 4, 5],
    ),
    "where the Secret is gone, what was in use stays, for those that have it still": (
        [a_hash(1), *(a_hash(number, made=-MINUTE) for number in (2, 3, 4, 5))],
        None,
        [1, 3, 4, 5],
    ),
}


@pytest.mark.parametrize(("hashes", "held", "left"), ROOM.values(), ids=ROOM)
def test_room_for_one_more_hash(hashes: list[SecretHash], held: SecretHash | None, left: list[int]) -> None:
    """Four at most, so that a status never has more than five."""
    assert numbers(with_room(holding(*hashes), held)) == left
    assert len(left) < MAX_HASHES


def test_without_an_overlap_older_hashes_end_at_once() -> None:
    """Younger ones stay: their value may be on its way into the Secret."""
    status = holding(a_hash(1), a_hash(2), a_hash(3))
    assert numbers(with_hashes_retired(status, a_hash(2), Rotation(), NOW)) == [2, 3]


def test_with_an_overlap_older_hashes_are_given_an_end_once() -> None:
    """Counted from when the new secret was found in use; an end that was given does not move."""
    status = holding(a_hash(1, ends=MINUTE), a_hash(2), a_hash(3))
    retired = with_hashes_retired(status, a_hash(3), Rotation(overlap="1h"), NOW)
    assert [one.not_after for one in retired.secret_hashes] == [NOW + MINUTE, NOW + HOUR, None]
    assert with_hashes_retired(retired, a_hash(3), Rotation(overlap="1h"), NOW + SECOND) == retired


def test_a_hash_ends_at_the_moment_that_it_names() -> None:
    """Not one later: the token service refuses it from then on."""
    status = holding(a_hash(1, ends=HOUR), a_hash(2))
    assert numbers(with_hashes_retired(status, a_hash(2), Rotation(overlap="24h"), NOW + HOUR - SECOND)) == [1, 2]
    assert numbers(with_hashes_retired(status, a_hash(2), Rotation(overlap="24h"), NOW + HOUR)) == [2]


def test_a_fresh_hash_is_the_youngest_also_when_the_clock_was_set_back() -> None:
    """Order and times say the same."""
    fresh = with_fresh_hash(holding(a_hash(1, made=DAY)), "hash", "hint", NOW).secret_hashes[-1]
    assert fresh == SecretHash(hash="hash", hint="hint", created_at=NOW + DAY + timedelta(milliseconds=1))
    assert with_fresh_hash(CredentialStatus(), "hash", None, NOW).secret_hashes[-1].created_at == NOW


def test_the_first_secret_is_no_rotation() -> None:
    """The next one is."""
    first = with_issue_recorded(CredentialStatus(), a_hash(1), a_rotation(every="1h"))
    assert (first.created_at, first.rotated_at, first.next_rotation_at) == (NOW - HOUR, None, NOW)
    second = with_issue_recorded(first, a_hash(2, made=-MINUTE), Rotation())
    assert (second.created_at, second.rotated_at, second.next_rotation_at) == (NOW - HOUR, NOW - MINUTE, None)


PROVIDED: dict[str, tuple[list[SecretHash], ProvidedHash, str, list[int]]] = {
    "it is published": ([], a_provided_hash(5), "", [5]),
    "what was used before ends at once": ([a_hash(1)], a_provided_hash(5), "", [5]),
    "or after the overlap": ([a_hash(1)], a_provided_hash(5), "1h", [1, 5]),
    "the one before it goes on for as long": ([a_hash(4), a_hash(5)], a_provided_hash(6), "1h", [4, 5, 6]),
    "it stays": ([a_hash(4, ends=HOUR), a_hash(5)], a_provided_hash(5), "1h", [4, 5]),
    "the one before it is provided again": ([a_hash(5, ends=HOUR), a_hash(6)], a_provided_hash(5), "1h", [6, 5]),
    "it is provided again while a secret was on its way": ([a_hash(5), a_hash(1)], a_provided_hash(5), "", [5]),
    "it gets another hint": ([a_hash(5)], a_provided_hash(5, hint=False), "1h", [5]),
    "there are many": (
        [*(a_hash(number, ends=number * HOUR) for number in (1, 2, 3, 4)), a_hash(5)],
        a_provided_hash(6),
        "1h",
        [2, 3, 4, 5, 6],
    ),
}


@pytest.mark.parametrize(("hashes", "provided", "overlap", "left"), PROVIDED.values(), ids=PROVIDED)
def test_a_provided_hash_is_the_youngest(
    hashes: list[SecretHash], provided: ProvidedHash, overlap: str, left: list[int]
) -> None:
    """It alone has no end, and its hint is the one that was provided."""
    before = holding(*hashes) if hashes else CredentialStatus()
    after = with_provided_hash(before, provided, Rotation(overlap=overlap or None), NOW)
    youngest = after.secret_hashes[-1]
    assert numbers(after) == left
    assert (youngest.hash, youngest.hint, youngest.not_after) == (provided.hash, provided.hint, None)
    assert all(one.not_after for one in after.secret_hashes[:-1])


def test_a_hash_that_is_provided_again_is_a_rotation() -> None:
    """Whoever changes back to the former secret has changed it."""
    status = with_provided_hash(
        holding(a_hash(5, ends=HOUR), a_hash(6, made=-MINUTE)), a_provided_hash(5), Rotation(overlap="1h"), NOW
    )
    assert with_issue_recorded(status, status.secret_hashes[-1], Rotation()).rotated_at == NOW


ISSUE = IssueSecret(Reason.NOT_ISSUED, CredentialStatus())
REMOVE = RemoveSecret(Reason.SECRET_REMOVED, "screener-key")


def refused(credential: AgentCredential, step: Step = ISSUE) -> tuple[CredentialStatus, list[tuple[str, str]]]:
    """The status after a refusal, and what its conditions say."""
    status = with_write_refused(credential, step, Reason.API_FORBIDDEN, "secrets is forbidden", NOW)
    return status, [(one.type, one.reason) for one in status.conditions]


FORBIDDEN = (SECRET_DELIVERED, "Forbidden")
UNREADY = restated(a_credential(), conditions=(a_condition(READY, Reason.AGENT_NOT_READY, holds=False),))
ENDED = restated(
    an_issued_credential(),
    phase=CredentialPhase.REVOKED,
    secret_hashes=(),
    conditions=(a_condition(READY, Reason.CREDENTIAL_REVOKED, holds=False),),
)

REFUSALS: dict[str, tuple[AgentCredential, Step, list[tuple[str, str]]]] = {
    "a credential that never worked is not ready because of it": (a_credential(), ISSUE, [FORBIDDEN, (READY, "Forbidden")]),
    "nor is one that waited for something else before": (UNREADY, ISSUE, [(READY, "Forbidden"), FORBIDDEN]),
    "nor one that had got as far as a hash": (
        restated(UNREADY, secret_hashes=(a_hash(1),)),
        ISSUE,
        [(READY, "Forbidden"), FORBIDDEN],
    ),
    "one that works stays ready": (an_issued_credential(), ISSUE, [(READY, "Issued"), FORBIDDEN]),
    "one that has ended goes on saying why": (ENDED, REMOVE, [(READY, "CredentialRevoked"), FORBIDDEN]),
    "and one that is issued again does not": (ENDED, ISSUE, [(READY, "Forbidden"), FORBIDDEN]),
}


@pytest.mark.parametrize(("credential", "step", "conditions"), REFUSALS.values(), ids=REFUSALS)
def test_a_refused_write_is_told_in_conditions(
    credential: AgentCredential, step: Step, conditions: list[tuple[str, str]]
) -> None:
    """In the API server's words, and only where they explain something."""
    status, told = refused(credential, step)
    assert told == conditions
    delivered = condition(status.conditions, SECRET_DELIVERED)
    assert delivered
    assert delivered.message == "secrets is forbidden"
    assert status.phase is (credential.status.phase or CredentialPhase.PENDING)


def test_a_refused_write_is_not_a_contest() -> None:
    """Nobody undid it."""
    status, _ = refused(restated(an_issued_credential(), reissues=Reissues(count=4, since=NOW)))
    assert status.reissues is None
    assert status.secret_hashes == (a_hash(1),)


def test_the_same_refusal_is_written_once() -> None:
    """Else each try would change the status, and each change would be another try."""
    once, _ = refused(an_issued_credential())
    assert refused(replace(an_issued_credential(), status=once))[0] == once


def test_end_overlaps_at_ends_what_was_made_before_it() -> None:
    """Also what retires later, as soon as it does; an overlap that begins afterwards is as declared (rotation.md)."""
    ends = NOW - MINUTE
    rotation = Rotation(overlap="1h", end_overlaps_at=ends)
    older, former, later = a_hash(1, made=-DAY, ends=DAY), a_hash(2, made=-HOUR), a_hash(3, made=-SECOND)
    assert numbers(with_hashes_retired(holding(older, former, later), later, rotation, NOW)) == [3]
    assert numbers(with_hashes_retired(holding(older, former), former, rotation, NOW)) == [2]
    youngest = a_hash(4, made=timedelta())
    retired = with_hashes_retired(holding(later, youngest), youngest, rotation, NOW)
    assert [one.not_after for one in retired.secret_hashes] == [NOW + HOUR, None]
