"""A user or ServiceAccount of the cluster as the caller: may they do the same with the resource, they may do it here.

The API server decides both: who a token is (TokenReview), and what they may do (SubjectAccessReview).
"""

from typing import NamedTuple

from msgspec.structs import astuple

from agentidp.authentication.reviews import UserInfo, review_access, review_token
from agentidp.domain.resources import GROUP
from agentidp.kube.client import KubeClient
from agentidp.runtime.pools.fair_lock import FairLock
from management_api.auth.authorization import Action, AgentFilter, Placement, ResourceRight, tenant_of
from management_api.auth.expiring_cache import ExpiringCache
from management_api.cache.agents import CachedAgent
from management_api.errors import agent_not_found, forbidden, invalid

REMEMBERED_SECONDS = 5.0
EVERYWHERE = ""


class User(UserInfo, frozen=True):
    """A user of the cluster, and the tenant that it belongs to."""

    @property
    def tenant(self) -> str:
        """The tenant whose budget its changes are taken from (`Caller.tenant`)."""
        return f"user:{self.username}" if self.home is None else tenant_of(self.home)


class _Question(NamedTuple):
    user: str
    namespace: str
    right: ResourceRight


class Reviews:
    """Asks the API server, in turns by tenant, and remembers what somebody may do for some seconds. Raises ApiError.

    No tenant has all turns: the reviews of one may wait for a slow webhook.
    """

    def __init__(self, cluster: KubeClient, concurrent: int) -> None:
        self._cluster = cluster
        self._turns = FairLock(concurrent, max_of_a_group=max(1, concurrent * 3 // 4))
        self._access: ExpiringCache[_Question, bool] = ExpiringCache(REMEMBERED_SECONDS)

    async def user(self, token: str, tenant: str) -> User | None:
        """Whose token this is, if the API server takes it; in the turn of `tenant`. Not remembered: see `token_reviews`."""
        async with self._turns.place_for(tenant):
            user = await review_token(self._cluster, token)
        return User(*astuple(user)) if user else None

    async def allows(self, user: User, right: ResourceRight, namespace: str) -> bool:
        """Whether they may do this in this namespace, "" for all of them."""
        question = _Question(repr(user), namespace, right)
        known = self._access.find(question)
        if known is None:
            known = await self._may(user, right, namespace)
            self._access.add(question, known, user.tenant)
        return known

    async def _may(self, user: User, right: ResourceRight, namespace: str) -> bool:
        attributes = {"group": GROUP, "resource": right.resource, "verb": right.verb, "namespace": namespace}
        async with self._turns.place_for(user.tenant):
            return await review_access(self._cluster, user, attributes)


class KubernetesCaller:
    """A user or ServiceAccount of the cluster, with the rights that RBAC gives there."""

    def __init__(self, user: User, reviews: Reviews) -> None:
        self.name = f"kubernetes:{user.username}"
        self.tenant = user.tenant
        self.is_agent = False
        self._user = user
        self._reviews = reviews

    async def authorize(self, action: Action, agent: CachedAgent | None, agent_id: str) -> CachedAgent:
        """Return the agent. A caller without the right to read agents in its namespace gets 404, with it 403."""
        if agent and await self._may(action, agent.namespace):
            return agent
        if agent and await self._may(Action.READ_AGENT, agent.namespace):
            raise forbidden(_missing_right(action, agent.namespace))
        raise agent_not_found(agent_id)

    async def visible_agents(self, namespace: str | None) -> AgentFilter:
        """Return all agents for a caller who may list everywhere, else those of the namespace named, or of a ServiceAccount."""
        if namespace is None and await self._may(Action.LIST_AGENTS, EVERYWHERE):
            return AgentFilter(None)
        chosen = namespace or self._user.home
        if chosen is None or not await self._may(Action.LIST_AGENTS, chosen):
            raise forbidden(_missing_right(Action.LIST_AGENTS, chosen))
        return AgentFilter(frozenset({chosen}))

    async def placement(self, namespace: str | None, organization_id: str | None) -> Placement:
        """Return the namespace named, or a ServiceAccount's own. The operation checks whether the organization admits it."""
        chosen = namespace or self._user.home
        if chosen is None:
            raise invalid(namespace="Name the namespace of the new agent in the query: a user has none of their own.")
        if not await self._may(Action.REGISTER, chosen):
            raise forbidden(_missing_right(Action.REGISTER, chosen))
        return Placement(chosen, organization_id)

    async def _may(self, action: Action, namespace: str) -> bool:
        return await self._reviews.allows(self._user, action.value, namespace)


def _missing_right(action: Action, namespace: str | None) -> str:
    where = f"in namespace {namespace}" if namespace else "in all namespaces"
    return f"This takes the right to {action.value.verb} {action.value.resource}.{GROUP} {where}."
