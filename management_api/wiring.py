"""All parts of the management API, put together: what reflectors feed, and what answers from it."""

from datetime import timedelta
from functools import partial
from typing import Any

from agentidp.cache.freshness import Freshness
from agentidp.cache.organizations import CLIENT_ORGANIZATIONS
from agentidp.cache.revocations import REVOKED_TOKENS
from agentidp.domain.resources import AgentCredential
from agentidp.kube.client import KubeClient
from agentidp.kube.issuer_discovery import IssuerDiscovery
from agentidp.kube.issuer_keys import IssuerKeys
from agentidp.kube.kinds import CREDENTIALS
from agentidp.kube.pager import Source
from agentidp.kube.reflector import WATCH_SECONDS, Reflector, Store
from management_api.auth.authentication import BearerAuthentication
from management_api.cache import agents, credentials
from management_api.cache.agents import DATED_AGENTS, REGISTERED_AGENTS, AgentWithManagedFields
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import REGISTERED_CREDENTIALS
from management_api.metrics import Metrics
from management_api.operations.agents import AgentChanges
from management_api.operations.credentials import CredentialChanges
from management_api.operations.optimistic_writer import OptimisticWriter
from management_api.operations.pending_changes import PendingChanges
from management_api.operations.propagation import Propagation
from management_api.operations.propagation_check import PropagationCheck
from management_api.operations.retention import Retention
from management_api.operations.rollback_sweep import sweep
from management_api.operations.secret_generator import BoundedGenerator
from management_api.rate_limits import ObjectLimit, RateLimit
from management_api.request_context import Limits, RequestContexts
from management_api.settings import ManagementApiSettings

GIVEN_UP_AFTER = timedelta(seconds=30)
"""How much longer than it may take a change is left to the process that made it."""


class ManagementApi:
    """What the application serves from."""

    def __init__(self, settings: ManagementApiSettings, cluster: KubeClient, barrier: PropagationCheck) -> None:
        self.registry = ClusterCache()
        self.metrics = Metrics()
        self.reflectors = _reflectors(settings, cluster, self.registry, self.metrics)
        self.freshness = Freshness(self.reflectors, settings.max_staleness_seconds)
        maker = BoundedGenerator(settings.hashing_threads, settings.bcrypt_cost, settings.hashing_queue)
        effects = Propagation(self.registry, settings.confirm_seconds, barrier)
        agent_writer = OptimisticWriter(cluster, DATED_AGENTS, self._agent_written)
        credential_writer = OptimisticWriter(cluster, CREDENTIALS, self._credential_written)
        self.agents = AgentChanges(agent_writer, self.registry, settings.confirm_seconds)
        self.pending = PendingChanges(cluster, settings.namespace)
        self.credentials = CredentialChanges(credential_writer, self.pending, maker, effects)
        self.retention = Retention(self.registry, agent_writer, credential_writer, settings.ended_records_kept)
        self.cluster_keys = IssuerKeys(IssuerDiscovery(cluster))
        bearers = BearerAuthentication(settings, cluster, self.registry, self.cluster_keys)
        self.reception = RequestContexts(bearers, _limits(settings, self.registry), self.freshness)
        self._given_up = timedelta(seconds=settings.confirm_seconds) + GIVEN_UP_AFTER
        self.metrics.add_gauge("staleness_seconds", "Time since the last word from the API server.", self.freshness.staleness)
        self.metrics.add_gauge("secrets_in_the_making", "Secrets that are being hashed.", lambda: maker.in_the_making)

    async def sweep(self) -> None:
        """Roll back what nobody confirms any more, for ever."""
        await sweep(self.pending, self.credentials.roll_back, self._given_up)

    def _agent_written(self, agent: AgentWithManagedFields) -> None:
        """Known before the watch tells: whoever wrote it reads it next."""
        self.registry.agents.put(agents.registered(agent))

    def _credential_written(self, credential: AgentCredential) -> None:
        self.registry.credentials.put(credentials.registered(credential))


def _limits(settings: ManagementApiSettings, registry: ClusterCache) -> Limits:
    message = "Too many requests of this caller."
    requests = RateLimit(settings.caller_requests_per_second, settings.caller_burst, message)
    message = "Too many changes by the callers of this namespace. Nothing was done."
    changes = RateLimit(settings.namespace_writes_per_second, settings.namespace_write_burst, message)
    return Limits(requests, changes, ObjectLimit(registry.objects_in, settings.objects_per_namespace))


def _reflectors(
    settings: ManagementApiSettings, cluster: KubeClient, registry: ClusterCache, metrics: Metrics
) -> list[Reflector[Any]]:
    """A watch ends twice within the time after which this would be stale, so that it is heard of in time."""
    watch_seconds = min(WATCH_SECONDS, settings.max_staleness_seconds / 2)

    def reflector(source: Source[Any], view: Store[Any], namespace: str = "") -> Reflector[Any]:
        failed = partial(metrics.watch_failed, source.plural)
        return Reflector(cluster, source, view, namespace=namespace, watch_seconds=watch_seconds, failed=failed)

    return [
        reflector(REGISTERED_AGENTS, registry.agents),
        reflector(REGISTERED_CREDENTIALS, registry.credentials),
        reflector(CLIENT_ORGANIZATIONS, registry.organizations),
        reflector(REVOKED_TOKENS, registry.revocations, settings.namespace),
    ]
