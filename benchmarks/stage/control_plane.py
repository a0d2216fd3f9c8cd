"""A control plane in which AgentIdP is installed, for the time of one benchmark."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agentidp.domain.secrets.secret_delivery import Endpoints
from agentidp.kube.client import KubeClient
from benchmarks.run import Run
from benchmarks.stage.connection import connected
from devcluster.cluster import ControlPlane
from devcluster.components import API_SERVER, ETCD
from devcluster.install import install
from devcluster.programs import OPERATOR, TOKEN_SERVICE, Program, Programs

TOKEN_PATH = "/api/v1/token"  # noqa: S105 a path


@dataclass(frozen=True)
class Stage:
    """The parts; `admin` is the benchmark's own way in."""

    run: Run
    cluster: ControlPlane
    programs: Programs
    admin: KubeClient

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints in Secrets: the operator finds nothing to repair in those that were created here."""
        issuer = self.programs.token_url
        return Endpoints(token_endpoint=issuer + TOKEN_PATH, issuer=issuer)

    @property
    def operator_url(self) -> str:
        """Where the operator serves its probes."""
        return self.programs.url(OPERATOR.name)

    @property
    def operator_pid(self) -> int:
        """Return the process id of the running operator."""
        return self.programs.process(OPERATOR.name).pid

    def processes(self, *programs: Program) -> dict[str, int]:
        """The control plane and these programs, by name."""
        parts = {name: self.cluster.component(name).pid for name in (API_SERVER, ETCD)}
        return parts | {program.name: self.programs.process(program.name).pid for program in programs}

    async def api_server_metrics(self) -> str:
        """Return the metrics of kube-apiserver."""
        return (await self.admin.request("GET", "/metrics")).decode()


@asynccontextmanager
async def staged(run: Run, chosen: Sequence[Program] = (OPERATOR, TOKEN_SERVICE)) -> AsyncIterator[Stage]:
    """The chosen programs run, each under its own identity; everything ends with the block."""
    run.say("starting the control plane")
    with ControlPlane.launch(run.directory / "cluster") as cluster:
        install(cluster.access)
        logs = run.directory / "programs"
        logs.mkdir()
        with Programs.launch(cluster.access, logs, chosen=chosen) as programs:
            async with connected(cluster.kubeconfig) as admin:
                yield Stage(run, cluster, programs, admin)
