"""Register, change and decommission agents. What their tokens may carry is not changed here: see docs/decisions."""

import asyncio
import re
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from agentidp.domain.identity.clients import ClientOrganization
from agentidp.domain.identity.registration import admission_failure
from agentidp.domain.resources import AgentSpec, AgentState
from agentidp.kube.errors import NotFound
from management_api.auth.authorization import Place
from management_api.cache.agents import AgentWithManagedFields, CachedAgent, MetaWithManagedFields, registered
from management_api.cache.cluster_cache import ClusterCache
from management_api.errors import agent_not_found, already_decommissioned, forbidden, invalid, unavailable
from management_api.operations.audit_context import AuditContext, made_here
from management_api.operations.optimistic_writer import OptimisticWriter

NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
MAX_PREFIX = 40


class AgentChanges:
    """All changes of agents."""

    def __init__(self, writer: OptimisticWriter[AgentWithManagedFields], registry: ClusterCache, seconds: float) -> None:
        self._writer = writer
        self._registry = registry
        self._seconds = seconds

    async def register(self, place: Place, spec: dict[str, Any], origin: AuditContext) -> CachedAgent:
        """A new agent without scopes or audiences. Raises Failure and ApiError."""
        _require_admission(place, self._registry.organizations.table.find(place.organization_id))
        meta = MetaWithManagedFields(
            name=_name_for(spec["email"]), namespace=place.namespace, annotations=origin.annotations() | made_here()
        )
        claimed = {"organizationId": place.organization_id} if place.organization_id else {}
        declared = msgspec.convert(spec | claimed, AgentSpec)
        try:
            stored = await self._writer.create(AgentWithManagedFields(metadata=meta, spec=declared))
        except NotFound as missing:
            raise invalid(namespace="There is no such namespace.") from missing
        return await self._with_id(stored.metadata.uid)

    async def change(self, agent: CachedAgent, spec: dict[str, Any], origin: AuditContext) -> CachedAgent:
        """These fields and no others. Raises Failure and ApiError."""

        def changed(now: AgentWithManagedFields) -> dict[str, Any]:
            _require_not_decommissioned(now, agent.agent_id)
            return {"metadata": {"annotations": origin.annotations()}, "spec": spec} if spec else {}

        return registered(await self._change(agent, changed))

    async def decommission(self, agent: CachedAgent, origin: AuditContext) -> None:
        """For ever, and all its credentials with it. Raises Failure and ApiError."""
        await self.change(agent, {"state": AgentState.DECOMMISSIONED.value}, origin)

    async def _change(
        self, agent: CachedAgent, change: Callable[[AgentWithManagedFields], dict[str, Any]]
    ) -> AgentWithManagedFields:
        missing = agent_not_found(agent.agent_id)
        return await self._writer.change(agent.namespace, agent.name, agent.client.uid, missing, change)

    async def _with_id(self, uid: str) -> CachedAgent:
        """As soon as the operator has given it its id, which is its uid."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        while (agent := self._registry.agent(uid)) is None:
            if not await self._registry.changes.wait(uid, deadline - loop.time()):
                message = "The agent is recorded, but the operator has not given it its id yet: GET tells when it has."
                raise unavailable(message, agentId=uid)
        return agent


def _require_admission(place: Place, organization: ClientOrganization | None) -> None:
    """An organization that does not exist and one that does not admit the namespace are the same to the caller."""
    admitted = organization.namespaces if organization else None
    if admission_failure(place.namespace, place.organization_id, admitted):
        raise forbidden("No organization of this id admits agents of this namespace.")


def _require_not_decommissioned(now: AgentWithManagedFields, agent_id: str) -> None:
    if now.spec.state is AgentState.DECOMMISSIONED:
        raise already_decommissioned(agent_id)


def _name_for(email: str) -> str:
    """A name that people recognise in `kubectl get agents`, and nobody else has."""
    prefix = NOT_IN_NAMES.sub("-", email.partition("@")[0].lower()).strip("-")[:MAX_PREFIX].strip("-") or "agent"
    return f"{prefix}-{secrets.token_hex(5)}"
