"""Rotation under workloads that read their mounted Secret anew for each request, as the kubelet refreshes it."""

from collections.abc import Callable

from tests.support.asking import Asking
from tests.support.killing import killed_at_random
from tests.support.pods import Pods
from tests.support.releases import OPERATOR, Release
from tests.support.rotations import request_rotations, until_rotated
from tests.support.tenants import Tenant

CREDENTIALS = [f"credential-{number}" for number in range(5)]
ROUNDS = 10
MOST_ROUNDS = 30
PER_SECOND = 50
# Much longer than this kubelet takes to refresh a mounted Secret, which is a few seconds.
OVERLAP = "60s"
LONGEST_PAUSE_SECONDS = 12.0
# Who takes over waits until the Lease is over; then a pod may have to start first, and be killed again.
TAKEN_OVER_SECONDS = 120.0


def test_fifty_rotations_fail_no_request_though_the_operator_is_killed(
    tenant: Tenant, pods: Pods, release: Release, tell: Callable[[str], None]
) -> None:
    """Five credentials, ten rounds or more, until a leader was among the killed; the workload reads every new secret."""
    for name in CREDENTIALS:
        tenant.issue(name, rotation={"overlap": OVERLAP})
    asking, rounds = Asking.begin(pods, PER_SECOND, *CREDENTIALS), 0
    with killed_at_random(release, OPERATOR, LONGEST_PAUSE_SECONDS) as killed:
        while rounds < ROUNDS or (not killed.leaders and rounds < MOST_ROUNDS):
            rotate_all(tenant, asking, rounds + 2)
            rounds += 1
    told = asking.told()
    rotations = rounds * len(CREDENTIALS)
    tell(f"{rotations} rotations; of the operator {killed}: {told.asked} requests, failed: {told.failed or 'none'}")
    assert told.failed == {}, asking.pod.logs()
    assert told.served > 0
    assert killed.leaders


def rotate_all(tenant: Tenant, asking: Asking, values: int) -> None:
    """Each credential once, until the workload has seen so many values of each secret."""
    request_rotations(tenant, *CREDENTIALS)
    until_rotated(tenant, *CREDENTIALS, within=TAKEN_OVER_SECONDS)
    asking.until_it_has_seen(values)
