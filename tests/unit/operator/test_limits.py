"""Limits of the operator."""

import msgspec

from agent_operator.leadership.leader_election import LEASE_SECONDS, RENEW_EVERY, TRUSTED_SECONDS
from agent_operator.limits import LIMITS
from agentidp.kube.client import REQUEST_TIMEOUT


def test_limits_fit_together() -> None:
    """A back-off grows, and a request that times out is not a stuck worker."""
    assert LIMITS.first_backoff < LIMITS.max_backoff
    assert (REQUEST_TIMEOUT.total or 0) < LIMITS.stuck_seconds
    assert all(msgspec.structs.astuple(LIMITS))


def test_leader_trusts_its_lease_for_less_time_than_a_follower_waits() -> None:
    """Decision 7: a lease of 10 s, renewed every 2 s, trusted for 7 s."""
    assert RENEW_EVERY < TRUSTED_SECONDS < LEASE_SECONDS
