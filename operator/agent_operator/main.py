"""`agentidp-operator`: reads its settings, waits for its lease, and runs until it is told to stop."""

import argparse
import asyncio
import os
import signal
import sys

import structlog
import uvloop

from agent_operator.agents import AgentReconciler
from agent_operator.credentials import CredentialReconciler
from agent_operator.events import registry, run_kopf
from agent_operator.executor import Executor
from agent_operator.hashing import SecretMaker
from agent_operator.leader import Election, Leadership, NotLeading
from agent_operator.metrics import Metrics
from agent_operator.observation import Observer
from agent_operator.organizations import OrganizationReconciler
from agent_operator.probes import Probes
from agent_operator.resync import first_sync, keep_in_sync
from agent_operator.revocations import RevocationReconciler
from agent_operator.settings import OperatorSettings
from agent_operator.signing_keys import SigningKeysReconciler
from agent_operator.work import Reconcile, Topic, Work
from agent_operator.world import World
from agent_operator.writes import Writes
from agentidp.domain import delivery
from agentidp.domain.resources import Name
from agentidp.kube.cluster import Cluster
from agentidp.kube.events import EventRecorder
from agentidp.kube.kinds import SECRETS, TOKEN_REVOCATIONS
from agentidp.kube.reflector import Reflector
from agentidp.runtime.logs import configure_logs
from agentidp.runtime.settings import InvalidSettings, describe_settings, read_settings

NAME = "agentidp-operator"
LEASE = "agentidp-operator"

log = structlog.get_logger()


class Operator:
    """All parts, put together."""

    def __init__(self, settings: OperatorSettings, cluster: Cluster) -> None:
        self._settings = settings
        self._cluster = cluster
        self._work = Work()
        self._world = World(self._work)
        self._leadership = Leadership()
        self._election = Election(cluster, settings.namespace, LEASE, self._leadership)
        self._metrics = Metrics(self._world, self._work, self._leadership)
        self._probes = Probes(self._election, self._work, self._metrics)
        self._events = EventRecorder(cluster, NAME)
        self._secrets = Reflector(cluster, SECRETS, self._world.secrets, field_selector=f"type={delivery.SECRET_TYPE}")
        self._revocations = Reflector(cluster, TOKEN_REVOCATIONS, self._world.revocations, namespace=settings.namespace)

    async def run(self) -> None:
        """Lead, for ever. Raises NotLeading when another operator has taken over."""
        async with self._probes.serve(self._settings.probe_listen):
            await self._election.lead(self._lead)

    async def _lead(self) -> None:
        """Kopf runs in the foreground: it takes the signals to stop, and then the rest stops too."""
        async with asyncio.TaskGroup() as tasks:
            behind = [tasks.create_task(one.run()) for one in (self._events, self._secrets, self._revocations)]
            await self._secrets.listed.wait()
            await first_sync(self._cluster, self._world)
            self._work.wake(Topic.SIGNING_KEYS, Name(self._settings.namespace, self._settings.signing_keys_secret))
            working = self._work.run(self._reconcilers(), self._settings.workers, self._metrics.reconciled)
            behind.append(tasks.create_task(working))
            behind.append(tasks.create_task(keep_in_sync(self._cluster, self._world, self._settings.resync)))
            await run_kopf(registry(self._world))
            for task in behind:
                task.cancel()

    def _reconcilers(self) -> dict[Topic, Reconcile]:
        settings, cluster, world = self._settings, self._cluster, self._world
        writes = Writes(cluster, world, self._leadership, self._events)
        maker = SecretMaker(settings.hashing_threads, settings.bcrypt_cost)
        observer = Observer(cluster, world, settings.endpoints)
        executor = Executor(writes, maker, settings.endpoints)
        return {
            Topic.AGENT: AgentReconciler(cluster, world, writes).reconcile,
            Topic.CREDENTIAL: CredentialReconciler(cluster, world, observer, executor, writes).reconcile,
            Topic.REVOCATION: RevocationReconciler(world, writes).reconcile,
            Topic.ORGANIZATION: OrganizationReconciler(cluster, world, writes).reconcile,
            Topic.SIGNING_KEYS: SigningKeysReconciler(cluster, writes, settings.key_policy).reconcile,
        }


async def serve(settings: OperatorSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    cluster = await Cluster.connect(NAME)
    running = asyncio.current_task()
    assert running  # noqa: S101 there is one: this runs in it
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, running.cancel)
    try:
        await Operator(settings, cluster).run()
    finally:
        await cluster.close()


def main() -> None:
    """The console script. Exit status 0 when told to stop, 1 when the lease was lost, 2 when the settings are not valid."""
    parser = argparse.ArgumentParser(
        NAME,
        description="Reconcile Agents and AgentCredentials: issue, rotate and revoke client credentials.",
        epilog=describe_settings(OperatorSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    try:
        settings = read_settings(OperatorSettings, os.environ)
    except InvalidSettings as wrong:
        sys.exit(_refuse(wrong))
    configure_logs(NAME, settings.log_level, settings.log_format)
    try:
        uvloop.run(serve(settings))
    except* NotLeading as lost:
        log.error("stopped: this operator does not lead any more", why=str(lost.exceptions[0]))  # noqa: TRY400
        sys.exit(1)
    except* asyncio.CancelledError:
        log.info("stopped")


def _refuse(wrong: InvalidSettings) -> int:
    print(f"{NAME}: {wrong}", file=sys.stderr)  # noqa: T201 logs are not set up yet
    return 2
