"""What a workload notices while pods are replaced, and while the operator's are killed."""

from collections.abc import Callable

from tests.support.asking import Asking
from tests.support.killing import killed_at_random
from tests.support.pods import Pods
from tests.support.releases import OPERATOR, TOKEN_SERVICE, Release
from tests.support.tenants import Tenant

CREDENTIALS = [f"credential-{number}" for number in range(4)]
PER_SECOND = 80
REQUESTS = 5000
ROLLOUT_SECONDS = "300s"


def test_rolling_updates_fail_no_request_though_the_operator_is_killed(
    tenant: Tenant, pods: Pods, release: Release, tell: Callable[[str], None]
) -> None:
    """Every pod of the token service is replaced until enough was asked; meanwhile pods of the operator die without notice."""
    for name in CREDENTIALS:
        tenant.issue(name)
    asking = Asking.begin(pods, PER_SECOND, *CREDENTIALS)
    updates = 0
    with killed_at_random(release, OPERATOR) as killed:
        while asking.told().asked < REQUESTS or updates < 1:
            release.kubectl("rollout", "restart", f"deployment/{TOKEN_SERVICE}")
            release.kubectl("rollout", "status", f"deployment/{TOKEN_SERVICE}", f"--timeout={ROLLOUT_SECONDS}")
            updates += 1
    told = asking.told()
    tell(f"{updates} rolling updates; of the operator {killed}: {told.asked} requests, failed: {told.failed or 'none'}")
    assert told.failed == {}, asking.pod.logs()
    assert told.served >= REQUESTS
    assert killed.pods
    release.kubectl("rollout", "status", f"deployment/{OPERATOR}", f"--timeout={ROLLOUT_SECONDS}")
    tenant.issue("issued-afterwards")
