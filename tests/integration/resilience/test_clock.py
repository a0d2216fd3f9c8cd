"""The clock of the operator's machine is set, forward and back: nothing is rotated twice, and nothing stops working."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from devcluster.programs import OPERATOR, Programs
from tests.support.clocks import ProgramClock
from tests.support.objects import Objects
from tests.support.rotations import moment_of, request_rotations, until_rotated
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import is_served

QUIET_SECONDS = 2.0  # after that, nothing but the clock makes the operator look at it
AN_HOUR, A_MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(scope="module")
def module_clock(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> ProgramClock:
    """The operator's own."""
    clock = ProgramClock(tmp_path_factory.mktemp("clock"))
    programs.restart(OPERATOR.name, clock.environment)
    return clock


@pytest.fixture
def clock(module_clock: ProgramClock) -> Iterator[ProgramClock]:
    """Right at the beginning and at the end."""
    yield module_clock
    module_clock.set()


def test_a_clock_that_is_set_back_changes_nothing_that_is_right(clock: ProgramClock, tenant: Tenant, objects: Objects) -> None:
    """What was issued in its future works, is not issued again, and its next rotation stays when it was."""
    pair = tenant.issue(rotation={"every": "2h", "overlap": "1h"})
    before, secret = tenant.get("AgentCredential")["status"], tenant.version("Secret")
    clock.set(-AN_HOUR)
    has_looked_at_all(tenant)
    assert tenant.get("AgentCredential")["status"] == before
    assert tenant.version("Secret") == secret
    assert is_served(pair)


def test_a_secret_that_is_lost_while_the_clock_is_behind_is_issued_at_once(clock: ProgramClock, tenant: Tenant) -> None:
    """It is the youngest all the same."""
    before = tenant.issue()
    made = tenant.get("AgentCredential")["status"]["createdAt"]
    clock.set(-AN_HOUR)
    tenant.remove("Secret")
    after = tenant.another_pair(before)
    eventually("it is served", lambda: is_served(after))
    eventually("it is recorded", lambda: tenant.get("AgentCredential")["status"].get("rotatedAt"))
    assert moment_of(tenant.get("AgentCredential")["status"]["rotatedAt"]) > moment_of(made)


def test_a_rotation_requested_while_the_clock_is_behind_is_done_when_it_is_right(clock: ProgramClock, tenant: Tenant) -> None:
    """Until then it is one for later. It is done once."""
    tenant.issue(rotation={"overlap": "1h"})
    clock.set(-AN_HOUR)
    request_rotations(tenant)
    has_looked_at_all(tenant)
    assert hash_count(tenant) == 1
    clock.set()
    until_rotated(tenant)
    assert hash_count(tenant) == 2


def test_a_clock_that_goes_ahead_and_comes_back_rotates_once(clock: ProgramClock, tenant: Tenant) -> None:
    """On schedule; afterwards the next rotation is counted from that one."""
    tenant.issue(rotation={"every": "1h", "overlap": "30m"})
    clock.set(AN_HOUR + A_MINUTE)
    rotated = eventually("it is rotated", lambda: tenant.get("AgentCredential")["status"].get("rotatedAt"))
    assert moment_of(rotated) > datetime.now(UTC) + AN_HOUR
    clock.set()
    tenant.issue("by-the-right-clock")
    status = tenant.get("AgentCredential")["status"]
    assert (status["rotatedAt"], len(status["secretHashes"])) == (rotated, 2)
    assert moment_of(status["nextRotationAt"]) == moment_of(rotated) + AN_HOUR
    assert is_served(tenant.pair())


def test_after_a_rotation_by_a_clock_that_was_ahead_one_can_be_requested(clock: ProgramClock, tenant: Tenant) -> None:
    """At once, and it is done once: nobody waits until the time has come at which the last one seems to have been."""
    before = tenant.issue(rotation={"every": "1h"})
    clock.set(AN_HOUR + A_MINUTE)
    by_schedule = tenant.another_pair(before)
    eventually("it is recorded", lambda: tenant.get("AgentCredential")["status"].get("rotatedAt"))
    clock.set()
    request_rotations(tenant)
    requested = tenant.another_pair(by_schedule)
    asked_for = tenant.get("AgentCredential")["spec"]["rotation"]["requestedAt"]
    served = lambda: tenant.get("AgentCredential")["status"].get("rotationRequestedAt")  # noqa: E731
    eventually("it is recorded", served, lambda moment: moment and moment_of(moment) == moment_of(asked_for))
    tenant.issue("by-the-right-clock")
    assert tenant.pair() == requested
    assert is_served(requested)


def test_a_credential_that_expired_by_a_wrong_clock_comes_back(clock: ProgramClock, tenant: Tenant) -> None:
    """With a fresh secret under the same client id, as if its end had been moved on."""
    before = tenant.issue(expiresAt=(datetime.now(UTC) + AN_HOUR).strftime("%Y-%m-%dT%H:%M:%SZ"))
    clock.set(AN_HOUR + A_MINUTE)
    tenant.until("AgentCredential", "CredentialExpired")
    eventually("its Secret is gone", lambda: tenant.find("Secret") is None)
    eventually("its agent knows", lambda: tenant.get("Agent")["status"]["credentials"]["active"] == 0)
    time.sleep(QUIET_SECONDS)
    clock.set()
    after = tenant.another_pair(before)
    assert after.client_id == before.client_id
    eventually("it is served", lambda: is_served(after))


def has_looked_at_all(tenant: Tenant) -> None:
    """Make it look at the credential, and at a new one by its wrong clock, which comes after that."""
    annotations = {"metadata": {"annotations": {"tool.example/touched": "now"}}}
    tenant.objects.change("AgentCredential", NAME, annotations, tenant.namespace)
    tenant.issue("another")
    assert moment_of(tenant.get("AgentCredential", "another")["status"]["createdAt"]) < datetime.now(UTC) - AN_HOUR / 2


def hash_count(tenant: Tenant) -> int:
    """How many secrets are accepted."""
    return len(tenant.get("AgentCredential")["status"]["secretHashes"])
