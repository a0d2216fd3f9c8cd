"""What a decision on a credential is taken from: a cached view may only conclude that there is nothing to write.

Whatever would touch a Secret is decided again on the Secret as the API server has it at that moment: a watch lags behind.
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
    """What was seen, and the Secrets themselves for whoever writes them."""

    seen: Input
    secret: Secret | None
    earlier: Secret | None

    @property
    def is_partial(self) -> bool:
        """Of a Secret only its identity is remembered, which does not tell whether it is this credential's."""
        known = (one for one in (self.secret, self.earlier) if isinstance(one, SecretIdentity))
        return any(one.may_be_of(self.credential) for one in known)

    @property
    def credential(self) -> AgentCredential:
        """The credential that was looked at."""
        return self.seen.credential

    def named(self, name: str) -> Secret | None:
        """The Secret of this name, if it was seen."""
        return next((one for one in (self.secret, self.earlier) if one and one.metadata.name == name), None)

    def value_in(self, name: str) -> bytes:
        """The client secret that the Secret of this name holds."""
        secret = self.named(name)
        value = client_secret_in(secret, self.credential) if secret else None
        if value is None:
            raise LookupError(f"Secret {name!r} holds no client secret")
        return value


class Gatherer:
    """Looks at a credential from memory, or at the real thing.

    `credentials_per_agent` is how many of an agent may have a secret where its organization says nothing about it.
    A use of a secret is in the record after `uses_lag`.
    """

    def __init__(
        self,
        cluster: KubeClient,
        world: ClusterCache,
        endpoints: Endpoints,
        book: LastUsedRecord,
        credentials_per_agent: int,
        uses_lag: timedelta = timedelta(),
    ) -> None:
        self._cluster = cluster
        self._world = world
        self._endpoints = endpoints
        self._book = book
        self._credentials_per_agent = credentials_per_agent
        self._uses_lag = uses_lag

    def recall(self, credential: AgentCredential) -> GatheredInput:
        """From what was seen last."""
        name, earlier = self._secret_names(credential)
        get = self._world.secrets.get
        return self._sight(credential, get(name), earlier, get(earlier) if earlier else None)

    async def look(self, credential: AgentCredential) -> GatheredInput:
        """From the Secrets as they are now; memory is of these from then on, or the next recall would contradict the look."""
        name, earlier = self._secret_names(credential)
        secret = await self._find(name)
        return self._sight(credential, secret, earlier, await self._find(earlier) if earlier else None)

    async def finds_agent(self, credential: AgentCredential) -> bool:
        """Whether an agent that memory does not know is there after all: the watch on agents may lag behind the other."""
        try:
            agent = await self._cluster.find(AGENTS, *_agent_name(credential))
        except msgspec.DecodeError:  # one that cannot be read is none; the watch has told the log
            return False
        if agent:
            self._world.agents.put(agent)
        return agent is not None

    async def _find(self, name: NamespacedName) -> Secret | None:
        secret, known = await self._cluster.find(SECRETS, *name), self._world.secrets.get(name)
        if secret and secret.type == SECRET_TYPE:
            self._world.secrets.put(secret)
        elif known:
            self._world.secrets.remove(known.metadata)
        return secret

    def _sight(
        self, credential: AgentCredential, secret: Secret | None, elsewhere: NamespacedName | None, earlier: Secret | None
    ) -> GatheredInput:
        seen = Input(
            credential=credential,
            agent=self._agent_of(credential),
            delivery=inspect(credential, credential.secret_name, secret, self._endpoints),
            earlier=inspect(credential, elsewhere.name, earlier, self._endpoints) if elsewhere else None,
            crowded=self._is_crowded(credential),
            uses=self._book.uses_of(credential.metadata.uid, overlap_of(credential.spec.rotation)),
            uses_lag=self._uses_lag,
        )
        return GatheredInput(seen, secret, earlier)

    def _secret_names(self, credential: AgentCredential) -> tuple[NamespacedName, NamespacedName | None]:
        """Where the pair should be; and where else it is: where it was delivered before, or strayed to in a crash."""
        namespace, wanted = credential.metadata.namespace, credential.secret_name
        binding = credential.status.binding
        bound = (binding.name,) if binding else ()
        names = (*bound, *(one.metadata.name for one in self._world.secrets_of(credential)))
        elsewhere = next((name for name in names if name != wanted), None)
        return NamespacedName(namespace, wanted), NamespacedName(namespace, elsewhere) if elsewhere else None

    def _agent_of(self, credential: AgentCredential) -> Agent | None:
        return self._world.agents.get(_agent_name(credential))

    def _is_crowded(self, credential: AgentCredential) -> bool:
        """As many others as the agent may have were issued already, or are older and will be; what has ended is not."""
        agent = self._agent_of(credential)
        if agent is None or credential.status.secret_hashes or not _will_be_issued(credential):
            return False
        return self._world.places.ahead_of(credential, agent.status.agent_id, now()) >= self._limit_of(agent)

    def _limit_of(self, agent: Agent) -> int:
        claimed = agent.spec.organization_id
        organization = self._world.organizations.get(NamespacedName("", claimed)) if claimed else None
        limit = organization.spec.limits.credentials_per_agent if organization else None
        return self._credentials_per_agent if limit is None else limit


def _agent_name(credential: AgentCredential) -> NamespacedName:
    return NamespacedName(credential.metadata.namespace, credential.spec.agent_ref.name)


def _will_be_issued(credential: AgentCredential) -> bool:
    """It has not ended."""
    expires_at = credential.spec.expires_at
    return may_be_issued(credential) and (expires_at is None or expires_at > now())
