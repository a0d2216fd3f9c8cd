"""How many tokens a second one, two and three replicas of the token service give, by the Service, on one machine."""

import os
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
import pytest

from benchmarks.measure.http_load import Job, Outcome, form_request
from benchmarks.stage.workload import Pair
from tests.support.pods import Pod, Pods
from tests.support.releases import Release
from tests.support.tenants import Tenant

CLIENTS = [f"client-{number}" for number in range(8)]
CONNECTIONS = 48
SECONDS = 8.0
GENERATOR = "benchmarks.measure.http_generator"


@pytest.fixture
def generator(tenant: Tenant, pods: Pods) -> Pod:
    """A pod that waits until it is told what to send."""
    tenant.create("Agent")
    pod = pods.start("generator", "-c", "import signal; signal.pause()")
    pod.until_it_runs()
    return pod


def test_replicas_share_the_load(tenant: Tenant, generator: Pod, release: Release, tell: Callable[[str], None]) -> None:
    """The figures are printed, not judged: generator, replicas and control plane share the machine's cores."""
    pairs = [tenant.issue(name) for name in CLIENTS]
    for replicas in (1, 2, 3):
        release.install(f"--set=tokenService.replicas={replicas}", "--set=tokenService.settings.clientRequestsPerSecond=0")
        outcome = load(generator, [Pair(pair.client_id, pair.client_secret) for pair in pairs], pairs[0].token_endpoint)
        tell(
            f"{replicas} replicas on {os.cpu_count()} cores: {outcome.served_per_second:.0f} tokens/s,"
            f" median {1000 * outcome.percentile(50):.1f} ms, 99 % {1000 * outcome.percentile(99):.1f} ms"
        )
        assert outcome.statuses.keys() == {200}
        assert outcome.lost == 0


def load(generator: Pod, pairs: list[Pair], url: str) -> Outcome:
    """What became of requests in a closed loop, after a second of the same in which each secret was seen."""
    requests, address = tuple(form_request(url, pair) for pair in pairs), urlsplit(url)
    for seconds in (1.0, SECONDS):
        job = Job(address.hostname or "", address.port or 80, requests, CONNECTIONS, seconds)
        told = generator.run("python", "-m", GENERATOR, given=msgspec.json.encode(job).decode())
    return msgspec.json.decode(told, type=Outcome)
