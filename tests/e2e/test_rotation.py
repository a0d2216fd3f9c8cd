"""Rotation under workloads that read their mounted Secret anew for each request, as the kubelet refreshes it."""

from collections.abc import Callable

from tests.support.asking import Asking
from tests.support.pods import Pods
from tests.support.rotations import request_rotations, until_rotated
from tests.support.tenants import Tenant

CREDENTIALS = [f"credential-{number}" for number in range(5)]
ROUNDS = 10
PER_SECOND = 50
# Much longer than this kubelet takes to refresh a mounted Secret, which is a few seconds.
OVERLAP = "60s"


def test_fifty_rotations_fail_no_request(tenant: Tenant, pods: Pods, tell: Callable[[str], None]) -> None:
    """Five credentials, ten rounds; a round ends when the workload has read every new secret from its files."""
    for name in CREDENTIALS:
        tenant.issue(name, rotation={"overlap": OVERLAP})
    asking = Asking.begin(pods, PER_SECOND, *CREDENTIALS)
    for number in range(ROUNDS):
        request_rotations(tenant, *CREDENTIALS)
        until_rotated(tenant, *CREDENTIALS)
        asking.until_it_has_seen(number + 2)
    told = asking.told()
    tell(f"{ROUNDS * len(CREDENTIALS)} rotations: {told.asked} requests, failed: {told.failed or 'none'}")
    assert told.failed == {}
    assert told.served > 0
