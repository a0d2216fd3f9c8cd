"""How many tokens a second one, two and three replicas of the token service give, by the Service, on one machine."""

import os
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

import msgspec
import pytest

from benchmarks.measure.http_load import Job, Outcome, form_request
from benchmarks.stage.workload import ClientCredentials
from devcluster.node.node import Node
from tests.e2e.conftest import Cluster
from tests.support.node_meter import NodeMeter, Spent
from tests.support.pods import Pod, Pods
from tests.support.releases import TOKEN_SERVICE, Release
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

CLIENTS = [f"client-{number}" for number in range(8)]
CONNECTIONS = 48
WARM_UP_SECONDS, SECONDS = 1.0, 8.0
WORTH_TELLING = 0.05
GENERATOR = "benchmarks.measure.http_generator"


@pytest.fixture
def generator(tenant: Tenant, pods: Pods) -> Pod:
    """A pod that waits until it is told what to send."""
    tenant.create("Agent")
    pod = pods.start("generator", "-c", "import signal; signal.pause()")
    pod.until_it_runs()
    return pod


def test_replicas_share_the_load(
    tenant: Tenant, generator: Pod, release: Release, cluster: Cluster, tell: Callable[[str], None]
) -> None:
    """The figures are printed, not judged: generator, replicas and control plane share the machine's cores."""
    issued = [tenant.issue(name) for name in CLIENTS]
    pairs, url = [ClientCredentials(pair.client_id, pair.client_secret) for pair in issued], issued[0].token_endpoint
    for replicas in (1, 2, 3):
        release.install(f"--set=tokenService.replicas={replicas}", "--set=tokenService.settings.clientRequestsPerSecond=0")
        only = eventually("only so many are left", partial(uids, release), partial(are, replicas))
        load(generator, pairs, url, WARM_UP_SECONDS)
        meter = NodeMeter(cluster, {"replicas": only, "generator": [generator.uid()]}) if isinstance(cluster, Node) else None
        outcome = load(generator, pairs, url, SECONDS)
        tell(f"replicas: {replicas}, cores: {os.cpu_count()}, {in_words(outcome)}")
        if meter:
            tell(spent_in_words(meter.read()))
        assert outcome.statuses.keys() == {200}
        assert outcome.lost == 0


def uids(release: Release) -> list[str]:
    """Of the replicas that there are, those that are ending included."""
    return [pod["metadata"]["uid"] for pod in release.pods(TOKEN_SERVICE)]


def are(count: int, found: list[str]) -> bool:
    """Whether there are so many."""
    return len(found) == count


def load(generator: Pod, pairs: list[ClientCredentials], url: str, seconds: float) -> Outcome:
    """What became of requests in a closed loop."""
    requests, address = tuple(form_request(url, pair) for pair in pairs), urlsplit(url)
    job = Job(address.hostname or "", address.port or 80, requests, CONNECTIONS, seconds)
    told = generator.run("python", "-m", GENERATOR, given=msgspec.json.encode(job).decode())
    return msgspec.json.decode(told, type=Outcome)


def in_words(outcome: Outcome) -> str:
    """Rate and latencies."""
    return (
        f"{outcome.served_per_second:.0f} tokens/s, median {1000 * outcome.percentile(50):.1f} ms,"
        f" 99 % {1000 * outcome.percentile(99):.1f} ms"
    )


def spent_in_words(spent: Spent) -> str:
    """CPU seconds of each, the most first, beside what the machine has."""
    shares = {**spent.cpu, "everything else": spent.others}
    told = ", ".join(
        f"{name} {cpu:.1f}" for name, cpu in sorted(shares.items(), key=lambda one: -one[1]) if cpu >= WORTH_TELLING
    )
    return f"of {spent.seconds * (os.cpu_count() or 1):.0f} CPU seconds: {told}"
