"""Leader election: who may write, and when a Lease is taken and given back. Real replicas run in `integration/resilience`."""

import time
from typing import Any

import pytest

from agent_operator.leadership.leader_election import Election, Leadership, NotLeading
from agent_operator.leadership.single_operator import LEASES, Lease
from tests.support.lease_cluster import HOME, NAME, LeaseCluster, account


def election(cluster: LeaseCluster, leadership: Leadership) -> Election:
    """An election in HOME."""
    kube: Any = cluster
    return Election(kube, HOME, NAME, leadership)


def test_leadership_is_trusted_for_less_than_the_lease_lasts() -> None:
    """A process that was frozen finds its time over before a successor leads (decision 7)."""
    leadership = Leadership()
    with pytest.raises(NotLeading):
        leadership.require()
    leadership.trust(time.monotonic())
    leadership.require()
    leadership.trust(time.monotonic() - 10)
    assert not leadership.held
    leadership.trust(time.monotonic())
    leadership.end()
    assert not leadership.held


async def test_leader_election_takes_a_free_lease_and_gives_it_back() -> None:
    """The Lease names the ServiceAccount of the operator while it works."""
    cluster, leadership = LeaseCluster(), Leadership()
    seen: list[Lease] = []

    async def work() -> None:
        leadership.require()
        seen.extend(cluster.all(LEASES))

    await election(cluster, leadership).lead(work)
    assert not leadership.held
    (during,), (after,) = seen, cluster.all(LEASES)
    assert list(during.metadata.annotations.values()) == [account(HOME)]
    assert during.spec.holder_identity
    assert after.spec.holder_identity is None


async def test_leader_election_counts_the_changes_of_the_holder() -> None:
    """`leaseTransitions` grows by one for each new holder, and a released Lease is taken at once."""
    cluster = LeaseCluster()
    await cluster.add_lease(HOME, holder=None)

    async def work() -> None:
        """Do nothing."""

    for _ in range(2):
        await election(cluster, Leadership()).lead(work)
    assert (await cluster.get(LEASES, HOME, NAME)).spec.lease_transitions == 2


async def test_leader_election_is_not_settled_before_it_has_seen_a_leader() -> None:
    """The readiness probe fails until then."""
    candidate = election(LeaseCluster(), Leadership())
    assert candidate.leader is None
    assert not candidate.is_settled
