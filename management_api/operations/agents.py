"""Register, change and decommission agents. Scopes and audiences are not changed over REST. Decision 14 says why."""

import asyncio
import re
import secrets
from typing import Any

import msgspec

from agentidp.domain.identity.clients import ClientOrganization
from agentidp.domain.identity.registration import admission_failure
from agentidp.domain.resources import AgentSpec, AgentState
from agentidp.kube.errors import NotFound
from management_api.auth.authorization import Placement
from management_api.cache.agents import AgentWithManagedFields, CachedAgent, MetaWithManagedFields, cached_agent
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.metadata import creation_annotation
from management_api.errors import already_decommissioned, forbidden, invalid, unavailable
from management_api.operations.optimistic_writer import OptimisticWriter, agent_target
from management_api.request_context import RequestContext

NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
MAX_PREFIX = 40


class AgentOperations:
    """Changes of agents, each with its audit annotations."""

    def __init__(self, writer: OptimisticWriter[AgentWithManagedFields], cache: ClusterCache, seconds: float) -> None:
        """A new agent waits at most `seconds` for its id."""
        self._writer = writer
        self._cache = cache
        self._seconds = seconds

    async def register(self, placement: Placement, spec: dict[str, Any], context: RequestContext) -> CachedAgent:
        """Create an agent without scopes or audiences, and wait for its id. Raises ApiFailure and ApiError."""
        _require_admission(placement, self._cache.organizations.table.find(placement.organization_id))
        annotations = context.annotations() | creation_annotation()
        meta = MetaWithManagedFields(name=_new_name(spec["email"]), namespace=placement.namespace, annotations=annotations)
        organization = {"organizationId": placement.organization_id} if placement.organization_id else {}
        agent = AgentWithManagedFields(metadata=meta, spec=msgspec.convert(spec | organization, AgentSpec))
        try:
            stored = await self._writer.create(agent)
        except NotFound as error:
            raise invalid(namespace="There is no such namespace.") from error
        return await self._wait_for_id(stored.metadata.uid)

    async def change(self, agent: CachedAgent, spec: dict[str, Any], context: RequestContext) -> CachedAgent:
        """Change these fields of the spec. Raises ApiFailure and ApiError."""

        def patch_for(current: AgentWithManagedFields) -> dict[str, Any]:
            if current.spec.state is AgentState.DECOMMISSIONED:
                raise already_decommissioned(agent.agent_id)
            return {"metadata": {"annotations": context.annotations()}, "spec": spec} if spec else {}

        return cached_agent(await self._writer.change(agent_target(agent), patch_for))

    async def decommission(self, agent: CachedAgent, context: RequestContext) -> None:
        """Decommission the agent for good, and so all its credentials. Raises ApiFailure and ApiError."""
        await self.change(agent, {"state": AgentState.DECOMMISSIONED.value}, context)

    async def _wait_for_id(self, uid: str) -> CachedAgent:
        """Return the agent once the operator has given it its id, which is its uid."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        while (agent := self._cache.agent(uid)) is None:
            if not await self._cache.changes.wait(uid, deadline - loop.time()):
                message = "The agent is recorded, but the operator has not given it its id yet: read it with GET later."
                raise unavailable(message, agentId=uid)
        return agent


def _require_admission(placement: Placement, organization: ClientOrganization | None) -> None:
    """Raise ApiFailure, the same where the organization does not exist and where it does not admit the namespace."""
    admitted = organization.namespaces if organization else None
    if admission_failure(placement.namespace, placement.organization_id, admitted):
        raise forbidden("No organization of this id admits agents of this namespace.")


def _new_name(email: str) -> str:
    """Return a unique name that people recognise in `kubectl get agents`."""
    prefix = NOT_IN_NAMES.sub("-", email.partition("@")[0].lower()).strip("-")[:MAX_PREFIX].strip("-") or "agent"
    return f"{prefix}-{secrets.token_hex(5)}"
