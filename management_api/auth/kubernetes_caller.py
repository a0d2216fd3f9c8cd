"""A user or ServiceAccount of the cluster as the caller: it may do here what it may do with the resources.

The API server decides both: whose a token is (TokenReview), and what the caller may do (SubjectAccessReview).
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
from management_api.limits import Limits

ALL_NAMESPACES = ""


class User(UserInfo, frozen=True):
    """A user of the cluster, and the tenant that it belongs to."""

    @property
    def tenant(self) -> str:
        """Return the tenant: a ServiceAccount's namespace, or the user."""
        return f"user:{self.username}" if self.namespace is None else tenant_of(self.namespace)


class _AccessKey(NamedTuple):
    user: str
    namespace: str
    right: ResourceRight


class Reviews:
    """Reviews by the API server, at most `Limits.max_concurrent_reviews` at a time. Every method raises ApiError.

    One tenant has three quarters of them at most, since its reviews may wait for a slow webhook. Answers to access reviews are
    cached for `Limits.access_review_seconds`.
    """

    def __init__(self, cluster: KubeClient, limits: Limits) -> None:
        self._cluster = cluster
        concurrent = limits.max_concurrent_reviews
        self._lock = FairLock(concurrent, max_of_a_group=max(1, concurrent * 3 // 4))
        self._access: ExpiringCache[_AccessKey, bool] = ExpiringCache(limits.access_review_seconds, limits)

    async def user(self, token: str, tenant: str) -> User | None:
        """Return whose token this is, None if the API server does not accept it. `token_reviews` caches the answer."""
        async with self._lock.place_for(tenant):
            user = await review_token(self._cluster, token)
        return User(*astuple(user)) if user else None

    async def allows(self, user: User, right: ResourceRight, namespace: str) -> bool:
        """Return whether the user has the right in this namespace, "" for all namespaces."""
        key = _AccessKey(repr(user), namespace, right)
        allowed = self._access.find(key)
        if allowed is None:
            allowed = await self._review_access(user, right, namespace)
            self._access.add(key, allowed, user.tenant)
        return allowed

    async def _review_access(self, user: User, right: ResourceRight, namespace: str) -> bool:
        attributes = {"group": GROUP, "resource": right.resource, "verb": right.verb, "namespace": namespace}
        async with self._lock.place_for(user.tenant):
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
        if namespace is None and await self._may(Action.LIST_AGENTS, ALL_NAMESPACES):
            return AgentFilter(None)
        chosen = namespace or self._user.namespace
        if chosen is None or not await self._may(Action.LIST_AGENTS, chosen):
            raise forbidden(_missing_right(Action.LIST_AGENTS, chosen))
        return AgentFilter(frozenset({chosen}))

    async def placement(self, namespace: str | None, organization_id: str | None) -> Placement:
        """Return the namespace named, or a ServiceAccount's own. The operation checks whether the organization admits it."""
        chosen = namespace or self._user.namespace
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
