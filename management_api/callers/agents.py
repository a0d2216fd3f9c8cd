"""An agent as the caller: by the scopes of its token, held to its organization.

Without one, it is held to those agents of its namespace that have none either.
"""

from management_api.callers.caller import READ, WRITE, Action, Place, Sees, tenant_of
from management_api.failures import agent_not_found, forbidden
from management_api.registry.agents import RegisteredAgent, belongs_to
from management_api.registry.registry import Registry


class AgentCaller:
    """An active agent with a good token."""

    def __init__(self, agent: RegisteredAgent, scopes: frozenset[str], registry: Registry) -> None:
        self._agent = agent
        self._scopes = scopes
        self._organization = registry.organization_of(agent)

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

    async def authorize(self, action: Action, agent: RegisteredAgent | None, agent_id: str) -> RegisteredAgent:
        """By scope first, which says nothing about the agent."""
        self._require_scope(action)
        if agent is None or not self._sees(agent):
            raise agent_not_found(agent_id)
        return agent

    async def visible(self, namespace: str | None) -> Sees:
        """Its own tenant's."""
        self._require_scope(Action.LIST_AGENTS)
        return lambda agent: self._sees(agent) and namespace in (None, agent.namespace)

    async def place(self, namespace: str | None, organization_id: str | None) -> Place:
        """Beside itself, in its own organization; nothing else is its to choose."""
        self._require_scope(Action.REGISTER)
        own = self._agent.spec.organization_id
        if namespace not in (None, self._agent.namespace):
            raise forbidden("An agent registers agents in its own namespace only.")
        if organization_id not in (None, own):
            raise forbidden("An agent registers agents of its own organization only.")
        return Place(self._agent.namespace, own)

    def _require_scope(self, action: Action) -> None:
        needed = action.value.scope
        if needed in self._scopes or (needed == READ and WRITE in self._scopes):
            return
        raise forbidden(f"The access token needs the scope {needed}.")

    def _sees(self, agent: RegisteredAgent) -> bool:
        if self._organization is None and agent.namespace != self._agent.namespace:
            return False
        return belongs_to(agent, self._organization)
