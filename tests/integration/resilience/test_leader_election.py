"""Two operators at once: one leads and writes, the other stands by, and takes over when the first is gone."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import OPERATOR, Programs
from tests.support.objects import Objects
from tests.support.operator_metrics import leads, operator_metric
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.wires import Wire

TAKEN_OVER_WITHIN = 15.0  # the promise: a lease of 10 s, and a follower that looks every second

Tell = Callable[[str], None]


class Replica:
    """One of the two."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self.process = programs.process(OPERATOR.name)

    @property
    def leads(self) -> bool:
        """Whether it says so."""
        return self.process.running and leads(self._programs)

    @property
    def leader(self) -> str:
        """Who leads, as far as it knows."""
        return str(httpx.get(f"{self._programs.url(OPERATOR.name)}/readyz").json()["leader"])

    def metric(self, name: str) -> float | None:
        """A value that it tells Prometheus."""
        return operator_metric(self._programs, name)

    def start(self) -> None:
        """Start it, unless it runs."""
        if not self.process.running:
            self._programs.start(OPERATOR.name)
            self.process = self._programs.process(OPERATOR.name)

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        self._programs.stop(OPERATOR.name)

    def kill(self) -> None:
        """SIGKILL."""
        self._programs.kill(OPERATOR.name)


@pytest.fixture(scope="module")
def both(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory, operator: Programs) -> Iterator[list[Replica]]:
    """The operator, and a second one with the same settings."""
    issuer = {"AGENTIDP_ISSUER": operator.token_url}
    directory = tmp_path_factory.mktemp("second-operator")
    with Programs.launch(cluster.access, directory, issuer, chosen=[OPERATOR]) as second:
        yield [Replica(operator), Replica(second)]


@pytest.fixture
def replicas(both: list[Replica]) -> tuple[Replica, Replica]:
    """Both run: the one that leads, and the one that does not."""
    for replica in both:
        replica.start()
    leader = eventually("one leads", lambda: next((one for one in both if one.leads), None))
    assert leader
    (follower,) = (one for one in both if one is not leader)
    return leader, follower


def test_only_one_leads_and_writes(replicas: tuple[Replica, Replica], tenant: Tenant, objects: Objects) -> None:
    """The one that the Lease names; the other is ready and looks at nothing."""
    leader, follower = replicas
    tenant.issue()
    assert [one.metric("agentidp_operator_leading") for one in replicas] == [1, 0]
    done = 'agentidp_operator_reconciliations_total{kind="credential",outcome="done"}'
    assert leader.metric(done)
    assert follower.metric(done) is None
    lease = objects.get("Lease", OPERATOR.name, NAMESPACE)
    assert leader.leader == follower.leader == lease["spec"]["holderIdentity"]


def test_a_stopped_leader_hands_over(replicas: tuple[Replica, Replica], tenant: Tenant, tell: Tell) -> None:
    """It gives its lease back, so nobody waits for that to run out."""
    leader, follower = replicas
    started = time.monotonic()
    leader.stop()
    eventually("the other leads", lambda: follower.leads)
    tell(f"a leader that is told to stop is replaced after {time.monotonic() - started:.1f} s")
    tenant.issue()


def test_a_killed_leader_is_replaced(replicas: tuple[Replica, Replica], tenant: Tenant, tell: Tell) -> None:
    """With `kill -9`; what was declared in between is done."""
    leader, follower = replicas
    started = time.monotonic()
    leader.kill()
    tenant.create("Agent")
    tenant.create("AgentCredential")
    eventually("the other leads", lambda: follower.leads, within=TAKEN_OVER_WITHIN)
    tell(f"a leader that is killed is replaced after {time.monotonic() - started:.1f} s")
    tenant.until("AgentCredential", "Issued")


def test_a_frozen_leader_writes_nothing_when_it_wakes_up(
    replicas: tuple[Replica, Replica], objects: Objects, tell: Tell
) -> None:
    """SIGSTOP, another takes over, SIGCONT: although it sees changes that it would have acted on, it ends."""
    frozen, follower = replicas
    tenants = [Tenant.new(objects) for _ in range(5)]
    frozen.process.signal(signal.SIGSTOP)
    started = time.monotonic()
    for tenant in tenants:
        tenant.create("Agent")
        tenant.create("AgentCredential")
    eventually("the other leads", lambda: follower.leads)
    tell(f"a leader that is frozen is replaced after {time.monotonic() - started:.1f} s")
    for tenant in tenants:
        tenant.until("AgentCredential", "Issued")
    eventually("everything is at rest", lambda: all(map(is_counted, tenants)))
    before = [versions(tenant) for tenant in tenants]
    frozen.process.signal(signal.SIGCONT)
    eventually("it has ended", lambda: not frozen.process.running)
    assert "does not lead any more" in frozen.process.last_lines()
    assert [versions(tenant) for tenant in tenants] == before
    assert follower.leads


def test_a_leader_that_was_cut_off_ends_when_it_is_back(
    replicas: tuple[Replica, Replica], cluster: ControlPlane, operator: Programs, tmp_path: Path
) -> None:
    """Another has led meanwhile: started again it can stand by, which one that has led before does not."""
    for one in replicas:
        one.stop()
    issuer = {"AGENTIDP_ISSUER": operator.token_url}
    with Wire(cluster.server) as wire:
        access = wire.access(tmp_path / "wire", cluster.access)
        with Programs.launch(access, tmp_path / "cut-off", issuer, chosen=[OPERATOR]) as programs:
            lonely, other = Replica(programs), replicas[0]
            eventually("it leads", lambda: lonely.leads)
            other.start()
            with wire.cut():
                eventually("the other leads", lambda: other.leads)
            eventually("it has ended", lambda: not lonely.process.running)
            assert "does not lead any more" in lonely.process.last_lines()
            assert other.leads


def is_counted(tenant: Tenant) -> bool:
    """Whether the agent's status knows of its credential, which is the last thing to be written."""
    return bool(tenant.get("Agent")["status"].get("credentials", {}).get("active"))


def versions(tenant: Tenant) -> list[str]:
    """Of all that an operator writes."""
    return [tenant.version(kind, NAME) for kind in ("Agent", "AgentCredential", "Secret")]
