"""What every caller is to the endpoints: a name, and what they may do with which agent."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

from agentidp.domain.identity.administration import READ, WRITE
from management_api.cache.agents import CachedAgent

AGENTS, CREDENTIALS = "agents", "agentcredentials"


def tenant_of(namespace: str) -> str:
    """The tenant that all callers of a namespace are."""
    return f"namespace:{namespace}"


class AgentFilter(NamedTuple):
    """Which agents somebody sees: of these namespaces, None for all, those that `includes` says."""

    namespaces: frozenset[str] | None
    includes: Callable[[CachedAgent], bool] = lambda _: True


class ResourceRight(NamedTuple):
    """What a call takes: the scope of an access token, or a verb on a resource of the cluster."""

    scope: str
    resource: str
    verb: str


class Action(Enum):
    """The calls, by the right that they take."""

    LIST_AGENTS = ResourceRight(READ, AGENTS, "list")
    READ_AGENT = ResourceRight(READ, AGENTS, "get")
    REGISTER = ResourceRight(WRITE, AGENTS, "create")
    CHANGE_AGENT = ResourceRight(WRITE, AGENTS, "patch")
    LIST_CREDENTIALS = ResourceRight(READ, CREDENTIALS, "list")
    GENERATE = ResourceRight(WRITE, CREDENTIALS, "create")
    CHANGE_CREDENTIAL = ResourceRight(WRITE, CREDENTIALS, "patch")


class Placement(NamedTuple):
    """Where a new agent goes, and whose it is."""

    namespace: str
    organization_id: str | None


class Caller(Protocol):
    """Somebody who has shown who they are. Every method raises Failure where the answer is no."""

    @property
    def name(self) -> str:
        """For annotations, logs and limits."""

    @property
    def tenant(self) -> str:
        """Whose budget changes are taken from: a namespace's, which its agents and ServiceAccounts share, or a user's."""

    @property
    def is_agent(self) -> bool:
        """Whether it asks with the access token of an agent, and so with no rights in the cluster."""

    async def authorize(self, action: Action, agent: CachedAgent | None, agent_id: str) -> CachedAgent:
        """The agent, if they may do this with it; there is no difference between one that they do not see and none."""

    async def visible_agents(self, namespace: str | None) -> AgentFilter:
        """Which agents are in their list, in this namespace only if one is named."""

    async def placement(self, namespace: str | None, organization_id: str | None) -> Placement:
        """Where an agent goes that they register, with what they say about that."""
