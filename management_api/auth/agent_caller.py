"""An agent as the caller: scopes of its token, and the agents that it reaches (`agentidp.domain.identity.administration`)."""

from agentidp.domain.identity.administration import READ, includes, reaches
from agentidp.domain.identity.clients import ClientOrganization
from management_api.auth.authorization import Action, AgentFilter, Placement, tenant_of
from management_api.cache.agents import CachedAgent
from management_api.errors import agent_not_found, forbidden, insufficient_scope


class AgentCaller:
    """An active agent with a valid token: the scopes that count of it, and the Organization that admits the agent, if any."""

    def __init__(self, agent: CachedAgent, scopes: frozenset[str], organization: ClientOrganization | None) -> None:
        self.name = f"agent:{agent.agent_id}"
        self.tenant = tenant_of(agent.namespace)
        self.is_agent = True
        self._agent = agent
        self._scopes = scopes
        self._organization = organization

    async def authorize(self, action: Action, agent: CachedAgent | None, agent_id: str) -> CachedAgent:
        """Check the scope first, which tells nothing about the agent, then whether the caller reaches the agent."""
        self._require_scope(action)
        if agent is None or not self._reaches(agent, READ):
            raise agent_not_found(agent_id)
        if not self._reaches(agent, action.value.scope):
            raise forbidden(f"The organization does not give {action.value.scope} beyond the caller's own namespace.")
        return agent

    async def visible_agents(self, namespace: str | None) -> AgentFilter:
        """Return the agents that the caller may read."""
        self._require_scope(Action.LIST_AGENTS)
        reached = {self._agent.namespace, *(self._organization.namespaces if self._organization else ())}
        namespaces = frozenset(reached if namespace is None else reached & {namespace})
        return AgentFilter(namespaces, lambda agent: self._reaches(agent, READ))

    async def placement(self, namespace: str | None, organization_id: str | None) -> Placement:
        """Return the caller's own namespace and organization; a request that names others fails."""
        self._require_scope(Action.REGISTER)
        own = self._agent.spec.organization_id
        if namespace not in (None, self._agent.namespace):
            raise forbidden("An agent registers agents in its own namespace only.")
        if organization_id not in (None, own):
            raise forbidden("An agent registers agents of its own organization only.")
        return Placement(self._agent.namespace, own)

    def _require_scope(self, action: Action) -> None:
        if not includes(self._scopes, action.value.scope):
            raise insufficient_scope(action.value.scope)

    def _reaches(self, agent: CachedAgent, scope: str) -> bool:
        return reaches(self._agent.client, agent.client, self._organization, scope)
