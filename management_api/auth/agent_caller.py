"""An agent as the caller: scopes of its token, and the agents that it reaches (`agentidp.domain.identity.administration`)."""

from agentidp.domain.identity.administration import READ, includes, reaches
from agentidp.domain.identity.clients import ClientOrganization
from management_api.auth.authorization import Action, AgentFilter, Placement, tenant_of
from management_api.cache.agents import CachedAgent
from management_api.errors import agent_not_found, forbidden, insufficient_scope


class AgentCaller:
    """An active agent with a good token: the scopes that count of it, and the Organization that admits the agent, if any."""

    def __init__(self, agent: CachedAgent, scopes: frozenset[str], organization: ClientOrganization | None) -> None:
        self._agent = agent
        self._scopes = scopes
        self._organization = organization

    @property
    def name(self) -> str:
        """By its id."""
        return f"agent:{self._agent.agent_id}"

    @property
    def tenant(self) -> str:
        """Its namespace: it may register others there, and ask with their tokens."""
        return tenant_of(self._agent.namespace)

    @property
    def is_agent(self) -> bool:
        """It is."""
        return True

    async def authorize(self, action: Action, agent: CachedAgent | None, agent_id: str) -> CachedAgent:
        """By scope first, which says nothing about the agent. An agent that the caller may not even read does not exist."""
        self._require_scope(action)
        if agent is None or not self._reaches(agent, READ):
            raise agent_not_found(agent_id)
        if not self._reaches(agent, action.value.scope):
            raise forbidden(f"The organization does not give {action.value.scope} beyond the caller's own namespace.")
        return agent

    async def visible_agents(self, namespace: str | None) -> AgentFilter:
        """Those that it may read."""
        self._require_scope(Action.LIST_AGENTS)
        reached = {self._agent.namespace, *(self._organization.namespaces if self._organization else ())}
        return AgentFilter(
            frozenset(reached if namespace is None else reached & {namespace}), lambda agent: self._reaches(agent, READ)
        )

    async def placement(self, namespace: str | None, organization_id: str | None) -> Placement:
        """Beside itself, in its own organization; nothing else is its to choose."""
        self._require_scope(Action.REGISTER)
        own = self._agent.spec.organization_id
        if namespace not in (None, self._agent.namespace):
            raise forbidden("An agent registers agents in its own namespace only.")
        if organization_id not in (None, own):
            raise forbidden("An agent registers agents of its own organization only.")
        return Placement(self._agent.namespace, own)

    def _require_scope(self, action: Action) -> None:
        needed = action.value.scope
        if not includes(self._scopes, needed):
            raise insufficient_scope(needed)

    def _reaches(self, agent: CachedAgent, scope: str) -> bool:
        return reaches(self._agent.client, agent.client, self._organization, scope)
