"""Several processes of the token service on one port are one service, and none of them is left behind."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from devcluster.cluster import ControlPlane
from devcluster.ports import ReservedPort
from devcluster.programs import OPERATOR, TOKEN_SERVICE, Programs
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import SECONDS, eventually
from tests.support.workload import ask, is_refused, is_served
from token_service.processes import LOOK_SECONDS, MOST_SILENT_LOOKS

PROCESSES = 3
BURST = 40
SILENT_SECONDS = LOOK_SECONDS * MOST_SILENT_LOOKS


@pytest.fixture(scope="module")
def metrics() -> Iterator[ReservedPort]:
    """Where the metrics are, apart from everything else."""
    port = ReservedPort()
    yield port
    port.release()


@pytest.fixture(scope="module")
def programs(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory, metrics: ReservedPort) -> Iterator[Programs]:
    """With a low limit, so that it can be reached."""
    settings = {
        "AGENTIDP_PROCESSES": str(PROCESSES),
        "AGENTIDP_CLIENT_REQUESTS_PER_SECOND": "0.01",
        "AGENTIDP_CLIENT_BURST": str(BURST),
        "AGENTIDP_METRICS_LISTEN": f"127.0.0.1:{metrics.number}",
    }
    chosen = [OPERATOR, TOKEN_SERVICE]
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("programs"), settings, chosen) as programs:
        yield programs


def children(pid: int) -> list[int]:
    """The processes that it has started."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ready(programs: Programs) -> bool:
    """All of them."""
    return httpx.get(f"{programs.token_url}/readyz").is_success


def asked(metrics: ReservedPort, outcome: str) -> float:
    """How many token requests ended like this, by the metrics of whichever process answers."""
    text = httpx.get(f"http://127.0.0.1:{metrics.number}/metrics").raise_for_status().text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    labels = {"route": "token", "outcome": outcome}
    return sum(one.value for one in samples if one.name == "agentidp_requests_total" and one.labels == labels)


def test_limits_and_metrics_are_those_of_one_service(programs: Programs, metrics: ReservedPort, objects: Objects) -> None:
    """Each request comes by a new connection, so to whichever process is idle."""
    eventually("all are ready", lambda: ready(programs))
    pair = Tenant.new(objects).issue()
    before = {outcome: asked(metrics, outcome) for outcome in ("ok", "rate_limited")}
    statuses = Counter(ask(pair).status_code for _ in range(BURST + 20))
    assert statuses == {200: BURST, 429: 20}
    assert asked(metrics, "ok") - before["ok"] == BURST
    assert asked(metrics, "rate_limited") - before["rate_limited"] == 20
    assert {asked(metrics, "ok") for _ in range(10)} == {before["ok"] + BURST}


def test_metrics_are_where_they_were_told_to_be_and_nowhere_else(programs: Programs, metrics: ReservedPort) -> None:
    """Whoever asks for tokens could tell by them what answers do not say. And no process answers anything else there."""
    assert {httpx.get(f"{programs.token_url}/metrics").status_code for _ in range(10)} == {404}
    paths = ("/api/v1/token", "/readyz", "/internal/usage")
    assert {httpx.get(f"http://127.0.0.1:{metrics.number}{path}").status_code for path in paths} == {404}


def test_a_process_that_ends_is_started_again(programs: Programs, objects: Objects) -> None:
    """Meanwhile the service is not ready, and the others serve."""
    eventually("all are ready", lambda: ready(programs))
    pair = Tenant.new(objects).issue()
    parent = programs.process(TOKEN_SERVICE.name).pid
    victim, *others = children(parent)
    os.kill(victim, signal.SIGKILL)
    eventually("it is replaced", lambda: len(children(parent)) == PROCESSES and victim not in children(parent))
    assert set(others) < set(children(parent))
    eventually("all are ready", lambda: ready(programs))
    assert all(is_served(pair) for _ in range(20))


def test_a_process_that_hangs_is_replaced(programs: Programs, objects: Objects) -> None:
    """Half a minute after its last sign of life. Meanwhile the service is not ready, and the others serve."""
    eventually("all are ready", lambda: ready(programs))
    pair = Tenant.new(objects).issue()
    parent = programs.process(TOKEN_SERVICE.name).pid
    victim, *others = children(parent)
    os.kill(victim, signal.SIGSTOP)
    eventually("it is missed", lambda: not ready(programs))
    assert all(is_served(pair) for _ in range(10))
    assert victim in children(parent)
    gone = lambda: len(children(parent)) == PROCESSES and victim not in children(parent)  # noqa: E731
    eventually("it is replaced", gone, within=SILENT_SECONDS + SECONDS)
    assert set(others) < set(children(parent))
    eventually("all are ready", lambda: ready(programs))
    assert all(is_served(pair) for _ in range(20))


def test_a_revocation_reaches_all_processes(programs: Programs, objects: Objects) -> None:
    """Each has a watch of its own."""
    tenant = Tenant.new(objects)
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    tenant.change("AgentCredential", state="Revoked")
    eventually("it is refused", lambda: is_refused(pair))
    time.sleep(1)
    assert all(is_refused(pair) for _ in range(30))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_none_is_left_behind(programs: Programs, end: signal.Signals) -> None:
    """Whether the parent is told to stop or killed."""
    parent = programs.process(TOKEN_SERVICE.name).pid
    started = children(parent)
    assert len(started) == PROCESSES
    (programs.stop if end is signal.SIGTERM else programs.kill)(TOKEN_SERVICE.name)
    eventually("all are gone", lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))
    programs.start(TOKEN_SERVICE.name)
