"""Gatherer: the input of a decision about a credential, from the cluster cache or from live reads.

A decision from the cache may only conclude that no Secret is to be written. Every write of a Secret is decided on the Secret
as the API server has it, because a watch lags behind.
"""

from datetime import timedelta

import msgspec
from msgspec import Struct

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.cache.places import may_be_issued
from agent_operator.cache.trim import SecretIdentity
from agent_operator.clock import now
from agent_operator.last_used import LastUsedRecord
from agentidp.domain.lifecycle import Input, overlap_of
from agentidp.domain.resources import Agent, AgentCredential, NamespacedName, Secret
from agentidp.domain.secrets.secret_delivery import SECRET_TYPE, Endpoints, client_secret_in, inspect
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import AGENTS, SECRETS


class GatheredInput(Struct, frozen=True):
    """The input of the decision, and the Secrets for the executor."""

    input: Input
    secret: Secret | None
    earlier: Secret | None

    @property
    def is_partial(self) -> bool:
        """Whether the cache has only the identity of a Secret that may be this credential's."""
        identities = (secret for secret in (self.secret, self.earlier) if isinstance(secret, SecretIdentity))
        return any(identity.may_be_of(self.credential) for identity in identities)

    @property
    def credential(self) -> AgentCredential:
        """The credential that the input is about."""
        return self.input.credential

    def named(self, name: str) -> Secret | None:
        """Return the gathered Secret of this name, or None."""
        return next((secret for secret in (self.secret, self.earlier) if secret and secret.metadata.name == name), None)

    def value_in(self, name: str) -> bytes:
        """Return the client secret that the Secret of this name holds."""
        secret = self.named(name)
        value = client_secret_in(secret, self.credential) if secret else None
        if value is None:
            raise LookupError(f"Secret {name!r} holds no client secret")
        return value


class Gatherer:
    """Gathers the input of a credential from the cache, or live.

    `credentials_per_agent` is the limit of an agent whose organization sets none.
    A use of a secret is in the record after `uses_lag`.
    """

    def __init__(
        self,
        cluster: KubeClient,
        cache: ClusterCache,
        endpoints: Endpoints,
        last_used: LastUsedRecord,
        credentials_per_agent: int,
        uses_lag: timedelta = timedelta(),
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._endpoints = endpoints
        self._last_used = last_used
        self._credentials_per_agent = credentials_per_agent
        self._uses_lag = uses_lag

    def gather_from_cache(self, credential: AgentCredential) -> GatheredInput:
        """Gather from the last versions in the cache."""
        name, earlier = self._secret_names(credential)
        get = self._cache.secrets.get
        return self._gathered(credential, get(name), earlier, get(earlier) if earlier else None)

    async def gather_live(self, credential: AgentCredential) -> GatheredInput:
        """Gather from the Secrets as the API server has them, and put these into the cache, so that both agree."""
        name, earlier = self._secret_names(credential)
        secret = await self._find(name)
        return self._gathered(credential, secret, earlier, await self._find(earlier) if earlier else None)

    async def finds_agent(self, credential: AgentCredential) -> bool:
        """Whether a live read finds an agent that the cache lacks: the watch on agents may lag behind."""
        try:
            agent = await self._cluster.find(AGENTS, *_agent_name(credential))
        except msgspec.DecodeError:  # an unreadable agent counts as none; the watch has logged it
            return False
        if agent:
            self._cache.agents.put(agent)
        return agent is not None

    async def _find(self, name: NamespacedName) -> Secret | None:
        secret, cached = await self._cluster.find(SECRETS, *name), self._cache.secrets.get(name)
        if secret and secret.type == SECRET_TYPE:
            self._cache.secrets.put(secret)
        elif cached:
            self._cache.secrets.remove(cached.metadata)
        return secret

    def _gathered(
        self, credential: AgentCredential, secret: Secret | None, elsewhere: NamespacedName | None, earlier: Secret | None
    ) -> GatheredInput:
        gathered = Input(
            credential=credential,
            agent=self._agent_of(credential),
            delivery=inspect(credential, credential.secret_name, secret, self._endpoints),
            earlier=inspect(credential, elsewhere.name, earlier, self._endpoints) if elsewhere else None,
            crowded=self._is_crowded(credential),
            uses=self._last_used.uses_of(credential.metadata.uid, overlap_of(credential.spec.rotation)),
            uses_lag=self._uses_lag,
        )
        return GatheredInput(gathered, secret, earlier)

    def _secret_names(self, credential: AgentCredential) -> tuple[NamespacedName, NamespacedName | None]:
        """Return the declared Secret, and another that holds the client credentials: an earlier or a stray one."""
        namespace, wanted = credential.metadata.namespace, credential.secret_name
        binding = credential.status.binding
        bound = (binding.name,) if binding else ()
        names = (*bound, *(secret.metadata.name for secret in self._cache.secrets_of(credential)))
        elsewhere = next((name for name in names if name != wanted), None)
        return NamespacedName(namespace, wanted), NamespacedName(namespace, elsewhere) if elsewhere else None

    def _agent_of(self, credential: AgentCredential) -> Agent | None:
        return self._cache.agents.get(_agent_name(credential))

    def _is_crowded(self, credential: AgentCredential) -> bool:
        """Whether the agent's limit is reached by credentials that have a secret, or are older and get one."""
        agent = self._agent_of(credential)
        if agent is None or credential.status.secret_hashes or not _will_be_issued(credential):
            return False
        return self._cache.places.ahead_of(credential, agent.status.agent_id, now()) >= self._limit_of(agent)

    def _limit_of(self, agent: Agent) -> int:
        claimed = agent.spec.organization_id
        organization = self._cache.organizations.get(NamespacedName("", claimed)) if claimed else None
        limit = organization.spec.limits.credentials_per_agent if organization else None
        return self._credentials_per_agent if limit is None else limit


def _agent_name(credential: AgentCredential) -> NamespacedName:
    return NamespacedName(credential.metadata.namespace, credential.spec.agent_ref.name)


def _will_be_issued(credential: AgentCredential) -> bool:
    """Whether it has neither ended nor expired."""
    expires_at = credential.spec.expires_at
    return may_be_issued(credential) and (expires_at is None or expires_at > now())
