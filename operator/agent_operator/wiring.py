"""All parts of the operator, put together; what runs before it leads, and what while it leads."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

from agent_operator.access_token import bearer_token
from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.last_used import SECONDS_FOR_AN_ANSWER, DailyLimitEvents, LastUsedPoller, LastUsedRecord
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.leader_election import Election, Leadership
from agent_operator.reconcilers.agent import AgentReconciler
from agent_operator.reconcilers.credential import CredentialReconciler
from agent_operator.reconcilers.executor import Executor
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.reconcilers.organization import OrganizationReconciler
from agent_operator.reconcilers.signing_keys import SigningKeysReconciler, keys_in
from agent_operator.reconcilers.token_revocation import RevocationReconciler
from agent_operator.settings import OperatorSettings
from agent_operator.telemetry.loop_lag import LoopLag
from agent_operator.telemetry.metrics import Metrics
from agent_operator.telemetry.probes import Probes
from agent_operator.watch.handlers import registry, run_kopf
from agent_operator.watch.resync import first_sync, keep_in_sync
from agent_operator.work_queue import Reconcile, RequestKind, WorkQueue
from agentidp.domain.resources import Agent, NamespacedName
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets import secret_delivery as delivery
from agentidp.domain.secrets.last_used import OPERATOR, USAGE_SCOPE
from agentidp.kube.client import KubeClient
from agentidp.kube.events import EventRecorder
from agentidp.kube.kinds import AGENTS, SECRETS, TOKEN_REVOCATIONS
from agentidp.kube.reflector import Reflector
from agentidp.runtime.garbage_collection import spare_what_is_loaded
from agentidp.runtime.pools.secret_generator import SecretGenerator
from agentidp.runtime.token_buckets import TokenBuckets

NAME = delivery.FIELD_MANAGER
LEASE = "agentidp-operator"
EVENTS_PER_SECOND, MAX_EVENTS_AT_ONCE = 0.5, 1_000
"""Of each namespace, and of its warnings apart: as the API server keeps events for an hour, 2,800 of each in etcd at most."""


class Operator:
    """All parts, put together."""

    def __init__(self, settings: OperatorSettings, cluster: KubeClient) -> None:
        self._settings = settings
        self._cluster = cluster
        self._work = WorkQueue(settings.workers)
        self._world = ClusterCache(self._work)
        self._leadership = Leadership()
        self._election = Election(cluster, settings.namespace, LEASE, self._leadership)
        self._lag = LoopLag()
        self._metrics = Metrics(self._world, self._work, self._leadership, self._lag)
        self._probes = Probes(self._election, self._work, self._metrics)
        self._events = EventRecorder(cluster, NAME, TokenBuckets(EVENTS_PER_SECOND, MAX_EVENTS_AT_ONCE).take)
        self._secrets = Reflector(cluster, SECRETS, self._world.secrets, field_selector=f"type={delivery.SECRET_TYPE}")
        self._signing_keys = NamespacedName(settings.namespace, settings.signing_keys_secret)
        self._book = LastUsedRecord()
        self._poller = self._usage_poller(settings.token_service_url) if settings.token_service_url else None
        self._revocations = Reflector(cluster, TOKEN_REVOCATIONS, self._world.revocations, namespace=settings.namespace)

    async def run(self) -> None:
        """Lead, for ever. Raises NotLeading when another operator has taken over."""
        measuring = asyncio.create_task(self._lag.measure())
        try:
            async with self._probes.serve(self._settings.probe_listen):
                await self._election.lead(self._lead)
        finally:
            measuring.cancel()

    async def _lead(self) -> None:
        """Kopf runs in the foreground: it takes the signals to stop, and then the rest stops too."""
        async with asyncio.TaskGroup() as tasks:
            behind = [tasks.create_task(one.run()) for one in (self._events, self._revocations)]
            versions = await first_sync(self._cluster, self._world)
            behind.append(tasks.create_task(self._secrets.run()))  # now that it is known which of them credentials name
            await self._secrets.listed.wait()
            spare_what_is_loaded()
            self._work.wake(RequestKind.SIGNING_KEYS, self._signing_keys)
            if self._poller:
                await self._poller.begin()
                behind.append(tasks.create_task(self._poller.run(self._settings.usage_poll)))
            working = self._work.run(self._reconcilers(), self._metrics.reconciled, self._world.clock_was_set_back)
            behind.append(tasks.create_task(working))
            behind.append(tasks.create_task(keep_in_sync(self._cluster, self._world, self._settings.resync)))
            await run_kopf(self._cluster, registry(self._world, self._cluster.identity), versions)
            for task in behind:
                task.cancel()

    def _usage_poller(self, urls: Sequence[str]) -> LastUsedPoller:
        daily_limits = DailyLimitEvents(self._world.agent_of, self._tell_of_agent)
        return LastUsedPoller(urls, self._book, self._authorize, self._secrets_were_used, daily_limits)

    def _tell_of_agent(self, agent: Agent, reason: Reason, note: str) -> None:
        self._events.record(AGENTS, agent, reason.value, note, action="Issue", warning=True, transition=True)

    async def _authorize(self) -> str:
        """A token of our own for the token service: whoever has the signing keys may sign one."""
        keys = keys_in(await self._cluster.find(SECRETS, *self._signing_keys))
        return bearer_token(keys, str(self._settings.issuer), OPERATOR, USAGE_SCOPE)

    def _secrets_were_used(self, credential_ids: Iterable[str]) -> None:
        for credential_id in credential_ids:
            known = self._world.credential_of(credential_id)
            self._book.keep(credential_id, known.status.secret_hashes if known else ())
            if known:
                self._work.wake(RequestKind.CREDENTIAL, known.key)
        self._book.forget_gone(self._world.credential_of, len(self._world.credentials))

    def _reconcilers(self) -> dict[RequestKind, Reconcile]:
        settings, cluster, world = self._settings, self._cluster, self._world
        writes = FencedWriter(cluster, world, self._leadership, self._events)
        uses_lag = settings.usage_poll + 2 * timedelta(seconds=SECONDS_FOR_AN_ANSWER)
        maker = SecretGenerator(settings.hashing_threads, settings.bcrypt_cost)
        observer = Gatherer(cluster, world, settings.endpoints, self._book, settings.credentials_per_agent, uses_lag)
        executor = Executor(writes, maker, settings.endpoints)
        return {
            RequestKind.AGENT: AgentReconciler(cluster, world, writes).reconcile,
            RequestKind.CREDENTIAL: CredentialReconciler(cluster, world, observer, executor, writes).reconcile,
            RequestKind.REVOCATION: RevocationReconciler(world, writes).reconcile,
            RequestKind.ORGANIZATION: OrganizationReconciler(cluster, world, writes).reconcile,
            RequestKind.SIGNING_KEYS: SigningKeysReconciler(cluster, writes, settings.key_policy).reconcile,
        }
