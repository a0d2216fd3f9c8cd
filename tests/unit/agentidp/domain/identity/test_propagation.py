"""Propagation: when a change is in effect in all replicas, by what they answer."""

import pytest

from agentidp.domain.identity.clients import client_credential
from agentidp.domain.identity.propagation import ReplicaState, accepting, is_in_effect, youngest_of
from agentidp.domain.secrets.last_used import fingerprint
from tests.support.worlds import HOUR, NOW, a_hash, an_issued_credential, respecified

OLD, NEW = a_hash(1, made=-HOUR), a_hash(2)
CREDENTIAL = an_issued_credential(OLD, NEW)
NEWEST = fingerprint(NEW.hash)


def state(*accepts: str, serving: bool = True) -> ReplicaState:
    """The answer of a replica."""
    return ReplicaState(serving=serving, caught_up=True, accepts=accepts)


@pytest.mark.parametrize(
    ("states", "youngest", "expected"),
    {
        "all accept the newest secret": ([state(NEWEST, "old"), state(NEWEST)], NEWEST, True),
        "one does not yet": ([state(NEWEST), state("old")], NEWEST, False),
        "one that does not serve does not count": ([state(NEWEST), state(serving=False)], NEWEST, True),
        "none accepts a revoked one": ([state(), state()], None, True),
        "one still accepts it": ([state(), state("old")], None, False),
    }.values(),
)
def test_change_is_in_effect_when_all_serving_replicas_have_it(
    states: list[ReplicaState], youngest: str | None, expected: bool
) -> None:
    """What a 200 of the management API promises (decision 15)."""
    assert is_in_effect(states, youngest) is expected


def test_accepting_has_fingerprints_of_current_hashes_youngest_first() -> None:
    """None of a credential that has ended, or is not known."""
    now = NOW.timestamp()
    assert accepting(client_credential(CREDENTIAL), now) == (NEWEST, fingerprint(OLD.hash))
    assert youngest_of(CREDENTIAL, now) == NEWEST
    assert accepting(None, now) == ()
    expired = respecified(CREDENTIAL, expires_at=NOW - HOUR)
    assert accepting(client_credential(expired), now) == ()
    assert youngest_of(expired, now) is None
