"""The revocation quota: what one client may revoke, and all clients of a namespace together."""

import pytest

from agentidp.cache.revocations import RevocationIndex, RevokedToken
from agentidp.domain.tokens.oauth_errors import OAuthError
from tests.support.clocks import ManualClock
from token_service.limits import LIMITS, Limits
from token_service.rate_limits.revocation_quota import RevocationQuota

FACTOR, BURST = LIMITS.namespace_revocation_factor, LIMITS.revocations_burst


def takes(quota: RevocationQuota, client_id: str, namespace: str) -> bool:
    """Whether one more revocation is within the quota."""
    try:
        quota.take(client_id, namespace)
    except OAuthError:
        return False
    return True


def test_revocation_quota_bounds_the_clients_of_a_namespace_together() -> None:
    """However many clients one of them can make, and wherever they revoked. Other namespaces' clients do not notice."""
    revoked = RevocationIndex()
    for number in range(FACTOR * 20):
        revoked.put(RevokedToken(f"{number}", f"{number // 10}", "full"))
    quota = RevocationQuota(revoked, Limits(max_revocations=20), ManualClock())
    with pytest.raises(OAuthError, match="clients of this namespace") as refusal:
        quota.take("new", "full")
    assert (refusal.value.status, refusal.value.retry_after) == (429, 60)
    assert takes(quota, "new", "another")


def test_revocation_quota_bounds_one_client() -> None:
    """Until its revoked tokens have expired and are swept."""
    revoked = RevocationIndex()
    for number in range(20):
        revoked.put(RevokedToken(f"{number}", "client", "full"))
    quota = RevocationQuota(revoked, Limits(max_revocations=20), ManualClock())
    with pytest.raises(OAuthError, match="this client"):
        quota.take("client", "full")
    assert takes(quota, "other", "full")


def test_revocation_quota_bounds_the_rate_of_a_namespace() -> None:
    """Many clients of a namespace revoke no more at once than some: each client's own bound is not reached."""
    quota = RevocationQuota(RevocationIndex(), LIMITS, ManualClock())
    taken = [takes(quota, f"client-{number}", "one") for number in range(2 * FACTOR * BURST)]
    assert sum(taken) == FACTOR * BURST
    assert takes(quota, "client", "another")
