"""Reconcile an organization: write into its status how many agents it has admitted."""

from datetime import datetime

from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.cache.refresh import refresh
from agent_operator.clock import now
from agent_operator.leadership.fenced_writer import FencedWriter
from agentidp.domain.resources import NamespacedName
from agentidp.domain.resources.conditions import READY, with_condition
from agentidp.domain.resources.reasons import Reason
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Conflict, NotFound
from agentidp.kube.kinds import ORGANIZATIONS


class OrganizationReconciler:
    """Writes at most one status for each change."""

    def __init__(self, cluster: KubeClient, cache: ClusterCache, writer: FencedWriter) -> None:
        self._cluster = cluster
        self._cache = cache
        self._writer = writer

    async def reconcile(self, name: NamespacedName) -> datetime | None:
        """Reconcile; nothing about an organization becomes due."""
        organization = self._cache.organizations.get(name)
        if organization is None:
            return None
        admitted = self._cache.memberships.admitted(organization)
        generation = organization.metadata.generation
        message = "Its namespaces may claim it."
        conditions = with_condition(
            organization.status.conditions, READY, True, Reason.ORGANIZATION_ACCEPTED, message, generation, now()
        )
        status = replace(organization.status, agents=admitted, conditions=conditions, observed_generation=generation)
        if status == organization.status:
            return None
        try:
            await self._writer.organization_status(organization, status)
        except (Conflict, NotFound):
            await refresh(self._cluster, ORGANIZATIONS, self._cache.organizations, organization)
        return None
