"""Wiring: builds every part of the operator once, and runs them before and while it leads."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.last_used import ANSWER_TIMEOUT_SECONDS, DailyLimitEvents, LastUsedPoller, LastUsedRecord, bearer_token
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.leader_election import Election, Leadership
from agent_operator.limits import LIMITS
from agent_operator.reconcilers.agent import AgentReconciler
from agent_operator.reconcilers.credential import CredentialReconciler
from agent_operator.reconcilers.executor import Executor
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.reconcilers.organization import OrganizationReconciler
from agent_operator.reconcilers.signing_keys import SigningKeysReconciler, keys_in
from agent_operator.reconcilers.token_revocation import RevocationReconciler
from agent_operator.settings import OperatorSettings
from agent_operator.telemetry.metrics import LoopLag, Metrics
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


class Operator:
    """The operator: its parts, and the order in which they run."""

    def __init__(self, settings: OperatorSettings, cluster: KubeClient) -> None:
        self._settings = settings
        self._cluster = cluster
        self._work = WorkQueue(settings.workers)
        self._cache = ClusterCache(self._work)
        self._leadership = Leadership()
        self._election = Election(cluster, settings.namespace, LEASE, self._leadership)
        self._lag = LoopLag()
        self._metrics = Metrics(self._cache, self._work, self._leadership, self._lag)
        self._probes = Probes(self._election, self._work, self._metrics)
        self._events = EventRecorder(cluster, NAME, TokenBuckets(LIMITS.events_per_second, LIMITS.max_events_at_once).take)
        self._secrets = Reflector(cluster, SECRETS, self._cache.secrets, field_selector=f"type={delivery.SECRET_TYPE}")
        self._signing_keys = NamespacedName(settings.namespace, settings.signing_keys_secret)
        self._last_used = LastUsedRecord()
        self._poller = self._usage_poller(settings.token_service_url) if settings.token_service_url else None
        self._revocations = Reflector(cluster, TOKEN_REVOCATIONS, self._cache.revocations, namespace=settings.namespace)

    async def run(self) -> None:
        """Lead, without end. Raises NotLeading when another operator has taken the Lease."""
        measuring = asyncio.create_task(self._lag.measure())
        try:
            async with self._probes.serve(self._settings.probe_listen):
                await self._election.lead(self._lead)
        finally:
            measuring.cancel()

    async def _lead(self) -> None:
        """Run all parts; when Kopf ends, the other parts end as well."""
        async with asyncio.TaskGroup() as tasks:
            behind = [tasks.create_task(one.run()) for one in (self._events, self._revocations)]
            versions = await first_sync(self._cluster, self._cache)
            behind.append(tasks.create_task(self._secrets.run()))  # after the credentials, which decide what is kept
            await self._secrets.listed.wait()
            spare_what_is_loaded()
            self._work.enqueue(RequestKind.SIGNING_KEYS, self._signing_keys)
            if self._poller:
                await self._poller.begin()
                behind.append(tasks.create_task(self._poller.run(self._settings.usage_poll)))
            working = self._work.run(self._reconcilers(), self._metrics.reconciled, self._cache.on_clock_set_back)
            behind.append(tasks.create_task(working))
            behind.append(tasks.create_task(keep_in_sync(self._cluster, self._cache, self._settings.resync)))
            await run_kopf(self._cluster, registry(self._cache, self._cluster.identity), versions)
            for task in behind:
                task.cancel()

    def _usage_poller(self, urls: Sequence[str]) -> LastUsedPoller:
        daily_limits = DailyLimitEvents(self._cache.agent_of, self._tell_of_agent)
        return LastUsedPoller(urls, self._last_used, self._authorize, self._secrets_were_used, daily_limits)

    def _tell_of_agent(self, agent: Agent, reason: Reason, note: str) -> None:
        self._events.record(AGENTS, agent, reason.value, note, action="Issue", warning=True, transition=True)

    async def _authorize(self) -> str:
        """Return a token for the token service, signed with the signing keys."""
        keys = keys_in(await self._cluster.find(SECRETS, *self._signing_keys))
        return bearer_token(keys, str(self._settings.issuer), OPERATOR, USAGE_SCOPE)

    def _secrets_were_used(self, credential_ids: Iterable[str]) -> None:
        for credential_id in credential_ids:
            credential = self._cache.credential_of(credential_id)
            self._last_used.keep(credential_id, credential.status.secret_hashes if credential else ())
            if credential:
                self._work.enqueue(RequestKind.CREDENTIAL, credential.key)
        self._last_used.forget_gone(self._cache.credential_of, len(self._cache.credentials))

    def _reconcilers(self) -> dict[RequestKind, Reconcile]:
        settings, cluster, cache = self._settings, self._cluster, self._cache
        writer = FencedWriter(cluster, cache, self._leadership, self._events)
        uses_lag = settings.usage_poll + 2 * timedelta(seconds=ANSWER_TIMEOUT_SECONDS)
        generator = SecretGenerator(settings.hashing_threads, settings.bcrypt_cost)
        gatherer = Gatherer(cluster, cache, settings.endpoints, self._last_used, settings.credentials_per_agent, uses_lag)
        executor = Executor(writer, generator, settings.endpoints)
        return {
            RequestKind.AGENT: AgentReconciler(cluster, cache, writer).reconcile,
            RequestKind.CREDENTIAL: CredentialReconciler(cluster, cache, gatherer, executor, writer).reconcile,
            RequestKind.REVOCATION: RevocationReconciler(cache, writer).reconcile,
            RequestKind.ORGANIZATION: OrganizationReconciler(cluster, cache, writer).reconcile,
            RequestKind.SIGNING_KEYS: SigningKeysReconciler(cluster, writer, settings.key_policy).reconcile,
        }
