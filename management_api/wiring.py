"""All parts of the management API, each built once: reflectors feed the cluster cache, endpoints answer from it."""

from datetime import timedelta
from functools import partial
from typing import Any

from agentidp.authentication.issuer_keys import IssuerDiscovery, IssuerKeys
from agentidp.cache.freshness import Freshness
from agentidp.cache.organizations import CLIENT_ORGANIZATIONS
from agentidp.cache.revocations import REVOKED_TOKENS
from agentidp.domain.resources import AgentCredential
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import CREDENTIALS
from agentidp.kube.pager import Source
from agentidp.kube.reflector import WATCH_SECONDS, Reflector, Store
from management_api.auth.authentication import BearerAuthentication
from management_api.cache.agents import AGENTS_WITH_MANAGED_FIELDS, CACHED_AGENTS, AgentWithManagedFields, cached_agent
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import CACHED_CREDENTIALS, cached_credential
from management_api.http.rate_limits import ObjectLimit, RateLimit, RateLimits
from management_api.limits import Limits
from management_api.metrics import Metrics
from management_api.operations import rollback
from management_api.operations.agents import AgentOperations
from management_api.operations.credentials import CredentialOperations
from management_api.operations.optimistic_writer import OptimisticWriter
from management_api.operations.pending_changes import PendingChanges
from management_api.operations.propagation import Publication, Replicas
from management_api.operations.retention import Retention
from management_api.operations.secret_generator import BoundedGenerator
from management_api.request_context import ChangeTasks
from management_api.settings import ManagementApiSettings


class ManagementApi:
    """The parts that the application serves from."""

    def __init__(self, settings: ManagementApiSettings, cluster: KubeClient, replicas: Replicas, limits: Limits) -> None:
        self.cache = ClusterCache()
        self.metrics = Metrics()
        self.reflectors = _reflectors(settings, cluster, self.cache, self.metrics)
        self.freshness = Freshness(self.reflectors, settings.max_staleness_seconds)
        self.cluster_keys = IssuerKeys(IssuerDiscovery(cluster))
        self.authentication = BearerAuthentication(settings, cluster, self.cache, self.cluster_keys, limits)
        self.rate_limits = _rate_limits(settings, self.cache)
        self.change_tasks = ChangeTasks()
        generator = BoundedGenerator(settings.hashing_threads, settings.bcrypt_cost, settings.hashing_queue)
        publication = Publication(self.cache, settings.confirm_seconds)
        agent_writer = OptimisticWriter(cluster, AGENTS_WITH_MANAGED_FIELDS, self._cache_agent, limits)
        credential_writer = OptimisticWriter(cluster, CREDENTIALS, self._cache_credential, limits)
        pending = PendingChanges(cluster, settings.namespace)
        self.agents = AgentOperations(agent_writer, self.cache, settings.confirm_seconds)
        self.credentials = CredentialOperations(credential_writer, pending, generator, publication, replicas, limits)
        self.retention = Retention(self.cache, agent_writer, credential_writer, settings.ended_records_kept, limits)
        min_age = timedelta(seconds=settings.confirm_seconds + limits.abandoned_after_seconds)
        self.run_rollback_sweep = partial(
            rollback.run_sweep, pending, self.credentials.roll_back, min_age, limits.rollback_sweep_seconds
        )
        self.metrics.add_gauge("staleness_seconds", "Time since the last word from the API server.", self.freshness.staleness)
        self.metrics.add_gauge("secrets_in_the_making", "Secrets that are being hashed.", lambda: generator.pending)

    def _cache_agent(self, agent: AgentWithManagedFields) -> None:
        """Put a written agent into the cache before the watch does: its caller reads it next."""
        self.cache.agents.put(cached_agent(agent))

    def _cache_credential(self, credential: AgentCredential) -> None:
        self.cache.credentials.put(cached_credential(credential))


def _rate_limits(settings: ManagementApiSettings, cache: ClusterCache) -> RateLimits:
    message = "Too many requests of this caller."
    requests = RateLimit(settings.caller_requests_per_second, settings.caller_burst, message)
    message = "Too many changes by the callers of this namespace. Nothing was done."
    changes = RateLimit(settings.namespace_writes_per_second, settings.namespace_write_burst, message)
    return RateLimits(requests, changes, ObjectLimit(cache.objects_in, settings.objects_per_namespace))


def _reflectors(
    settings: ManagementApiSettings, cluster: KubeClient, cache: ClusterCache, metrics: Metrics
) -> list[Reflector[Any]]:
    """Return a reflector of each kind. Each watch ends twice within `max_staleness_seconds`, so that silence is noticed."""
    watch_seconds = min(WATCH_SECONDS, settings.max_staleness_seconds / 2)

    def reflector(source: Source[Any], store: Store[Any], namespace: str = "") -> Reflector[Any]:
        failed = partial(metrics.watch_failed, source.plural)
        return Reflector(cluster, source, store, namespace=namespace, watch_seconds=watch_seconds, failed=failed)

    return [
        reflector(CACHED_AGENTS, cache.agents),
        reflector(CACHED_CREDENTIALS, cache.credentials),
        reflector(CLIENT_ORGANIZATIONS, cache.organizations),
        reflector(REVOKED_TOKENS, cache.revocations, settings.namespace),
    ]
