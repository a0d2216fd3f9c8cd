"""Authorization: what every kind of caller is to the endpoints, and the right that each call takes."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

from agentidp.domain.identity.administration import READ, WRITE
from management_api.cache.agents import CachedAgent

AGENTS, CREDENTIALS = "agents", "agentcredentials"


def tenant_of(namespace: str) -> str:
    """Return the tenant that all callers of a namespace share."""
    return f"namespace:{namespace}"


class AgentFilter(NamedTuple):
    """The agents that a caller may list: those in these namespaces (None is all) that `includes` admits."""

    namespaces: frozenset[str] | None
    includes: Callable[[CachedAgent], bool] = lambda _: True


class ResourceRight(NamedTuple):
    """The right that a call takes: the scope of an access token, or a verb on a resource of the cluster."""

    scope: str
    resource: str
    verb: str


class Action(Enum):
    """The calls, each with the right that it takes."""

    LIST_AGENTS = ResourceRight(READ, AGENTS, "list")
    READ_AGENT = ResourceRight(READ, AGENTS, "get")
    REGISTER = ResourceRight(WRITE, AGENTS, "create")
    CHANGE_AGENT = ResourceRight(WRITE, AGENTS, "patch")
    LIST_CREDENTIALS = ResourceRight(READ, CREDENTIALS, "list")
    GENERATE = ResourceRight(WRITE, CREDENTIALS, "create")
    CHANGE_CREDENTIAL = ResourceRight(WRITE, CREDENTIALS, "patch")


class Placement(NamedTuple):
    """The namespace of a new agent, and its organization."""

    namespace: str
    organization_id: str | None


class Caller(Protocol):
    """An authenticated caller. Every method raises ApiFailure where the caller lacks the right."""

    name: str
    """For annotations, logs and rate limits."""
    tenant: str
    """Whose budget changes are taken from: a namespace's, which its agents and ServiceAccounts share, or a user's."""
    is_agent: bool
    """The caller has an access token of an agent, and so no rights in the cluster."""

    async def authorize(self, action: Action, agent: CachedAgent | None, agent_id: str) -> CachedAgent:
        """Return the agent if the caller may do this with it. An agent that the caller may not read does not exist."""

    async def visible_agents(self, namespace: str | None) -> AgentFilter:
        """Return which agents the caller may list, in this namespace if one is named."""

    async def placement(self, namespace: str | None, organization_id: str | None) -> Placement:
        """Return where an agent goes that the caller registers, from what the request says about it."""
