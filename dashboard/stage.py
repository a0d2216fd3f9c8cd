"""Everything that the dashboard tells of, on this machine: two replicas of what has two by default, and a Prometheus."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import MANAGEMENT_API, OPERATOR, TOKEN_SERVICE, Program, Programs
from devcluster.prometheus.configuration import Configuration, Target
from devcluster.prometheus.server import Prometheus

SCRAPED = {
    OPERATOR: (OPERATOR.name, "probes"),
    TOKEN_SERVICE: (f"{TOKEN_SERVICE.name}-metrics", "metrics"),
    MANAGEMENT_API: (f"{MANAGEMENT_API.name}-metrics", "metrics"),
}
"""The Services, and the port of each, at which the chart's ServiceMonitors have the programs scraped."""


@dataclass(frozen=True)
class Stage:
    """Each of the replicas is an operator and a token service; the management API asks both token services."""

    cluster: ControlPlane
    replicas: Sequence[Programs]
    api: Programs
    prometheus: Prometheus

    @property
    def token_endpoints(self) -> list[str]:
        """Return the token endpoint of each replica."""
        return [f"{one.token_url}/api/v1/token" for one in self.replicas]

    @property
    def api_url(self) -> str:
        """Return the URL of the management API."""
        return self.api.url(MANAGEMENT_API.name)

    @property
    def all_programs(self) -> list[Programs]:
        """Whatever may end, and has to be started again."""
        return [*self.replicas, self.api]


@contextmanager
def staged(cluster: ControlPlane, directory: Path, scraped_every: int, rules: Path | None = None) -> Iterator[Stage]:
    """On a cluster in which AgentIdP is installed. Everything runs while the block does."""
    with ExitStack() as stack:

        def launch(name: str, settings: dict[str, str], *chosen: Program) -> Programs:
            return stack.enter_context(Programs.launch(cluster.access, directory / name, settings, chosen))

        first = launch("first", {}, OPERATOR, TOKEN_SERVICE)
        issuer = {"AGENTIDP_ISSUER": first.token_url}
        second = launch("second", issuer, OPERATOR, TOKEN_SERVICE)
        asked = {"AGENTIDP_TOKEN_SERVICE_URL": f"{first.token_url},{second.token_url}"}
        api = launch("api", issuer | asked, MANAGEMENT_API)
        configuration = Configuration(targets((first, second), api), scraped_every, rules)
        prometheus = stack.enter_context(Prometheus.launch(directory / "prometheus", configuration))
        yield Stage(cluster, (first, second), api, prometheus)


def targets(replicas: Sequence[Programs], api: Programs) -> list[Target]:
    """All programs, with the labels that a ServiceMonitor of the chart gives them."""
    found = [(one, program, place) for place, one in enumerate(replicas, 1) for program in (OPERATOR, TOKEN_SERVICE)]
    return [_target(*one) for one in [*found, (api, MANAGEMENT_API, 1)]]


def _target(programs: Programs, program: Program, place: int) -> Target:
    service, port = SCRAPED[program]
    labels = {
        "namespace": NAMESPACE,
        "job": service,
        "service": service,
        "endpoint": port,
        "container": program.name.removeprefix("agentidp-"),
        "pod": f"{program.name}-{place}",
    }
    return Target(programs.url(program.name), labels)
