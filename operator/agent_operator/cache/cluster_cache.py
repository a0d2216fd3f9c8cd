"""Cluster cache: the last version of every object, and the requests that each change enqueues.

Flows in: watch events, lists, and the answers to our own writes. Flows out: requests into the work queue. An older version
never replaces a newer one: resource versions of one kind are ordered numbers (KEP-5504). Bounded by
`agent_operator.cache.trim`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Generic

from agent_operator.cache.memberships import Memberships, place_of
from agent_operator.cache.places import Places, share_of, waits_for_a_place
from agent_operator.cache.trim import trimmed_secret, without_metadata
from agent_operator.clock import now
from agent_operator.work_queue import RequestKind, WorkQueue
from agentidp.domain.identity.registration import Membership, claimed_id
from agentidp.domain.resources import (
    Agent,
    AgentCredential,
    CredentialCount,
    CredentialPhase,
    NamespacedName,
    ObjectRef,
    Organization,
    Secret,
    TokenRevocation,
)
from agentidp.domain.resources.conditions import SECRET_DELIVERED, condition
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.secret_delivery import owning_credentials
from agentidp.kube.kinds import ObjectT
from agentidp.kube.pager import Pager
from agentidp.runtime.bounded_cache import BoundedCache

TOMBSTONES = 10_000
ENDED = frozenset({CredentialPhase.REVOKED, CredentialPhase.EXPIRED})


def version_of(value: ObjectT) -> int:
    """Return the resource version as a number."""
    return int(value.metadata.resource_version or 0)


class Store(Generic[ObjectT]):
    """The objects of one kind by name and by index; a reflector can feed it."""

    def __init__(
        self,
        index_keys: Callable[[ObjectT], Iterable[object]],
        changed: Callable[[ObjectT | None, ObjectT], None],
        trim: Callable[[ObjectT], ObjectT] = without_metadata,
    ) -> None:
        self._trim = trim
        self._index_keys = index_keys
        self._changed = changed
        self._objects: dict[NamespacedName, ObjectT] = {}
        self._indices: defaultdict[object, set[NamespacedName]] = defaultdict(set)
        self._removed: BoundedCache[str, int] = BoundedCache(TOMBSTONES)

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[ObjectT]:
        return iter(list(self._objects.values()))

    def get(self, name: NamespacedName) -> ObjectT | None:
        """Return the object of this name, or None."""
        return self._objects.get(name)

    def by_index(self, index_key: object) -> list[ObjectT]:
        """Return all objects with this index key."""
        return [self._objects[name] for name in self._indices.get(index_key, ())]

    def put(self, value: ObjectT) -> None:
        """Store this version, unless a newer one was stored or removed before."""
        current, value = self._objects.get(value.key), self._trim(value)
        if current and current.metadata.uid == value.metadata.uid and version_of(value) <= version_of(current):
            if version_of(value) == version_of(current) and type(value) is not type(current):
                self._keep(value)  # the same version, trimmed otherwise, enqueues nothing
            return
        removed_at = self._removed.get(value.metadata.uid)
        if removed_at is not None and version_of(value) <= removed_at:
            return
        self._keep(value)
        self._changed(current, value)

    def remove(self, gone: ObjectRef) -> None:
        """Remove the object that was deleted in this version."""
        self._removed.put(gone.uid, int(gone.resource_version or 0))
        current = self._objects.get(NamespacedName(gone.namespace, gone.name))
        if current and current.metadata.uid == gone.uid:
            self._drop(current.key)
            self._changed(current, current)

    async def replace(self, listing: Pager[ObjectT]) -> None:
        """Store this list, and remove what it lacks; newer versions stay."""
        gone = {current.metadata.uid: current for current in self}
        async for values in listing:
            for value in values:
                gone.pop(value.metadata.uid, None)
                self.put(value)
        for current in gone.values():
            if version_of(current) <= listing.version:
                self.remove(current.metadata)

    def _keep(self, value: ObjectT) -> None:
        self._drop(value.key)
        self._objects[value.key] = value
        for index_key in self._index_keys(value):
            self._indices[index_key].add(value.key)

    def _drop(self, name: NamespacedName) -> None:
        current = self._objects.pop(name, None)
        if current is None:
            return
        for index_key in self._index_keys(current):
            names = self._indices[index_key]
            names.discard(name)
            if not names:
                del self._indices[index_key]


class ClusterCache:
    """The stores of all kinds, and which requests a change enqueues."""

    def __init__(self, work: WorkQueue) -> None:
        self.work_queue = work
        self.memberships = Memberships()
        self.places = Places()
        self.agents: Store[Agent] = Store(_index_keys_of_agent, self._agent_changed)
        self.credentials: Store[AgentCredential] = Store(_index_keys_of_credential, self._credential_changed)
        self.organizations: Store[Organization] = Store(lambda _: (), self._organization_changed)
        self.secrets: Store[Secret] = Store(owning_credentials, self._secret_changed, self._trimmed)
        self.revocations: Store[TokenRevocation] = Store(lambda _: (), self._revocation_changed)

    def credentials_of(self, agent: NamespacedName) -> list[AgentCredential]:
        """The credentials that name this agent."""
        return self.credentials.by_index(("agent", agent))

    def credentials_in(self, secret: NamespacedName) -> list[AgentCredential]:
        """Return the credentials that name this Secret in spec or status."""
        return self.credentials.by_index(("secret", secret))

    def credential_of(self, uid: str) -> AgentCredential | None:
        """The credential with this uid, which is its id."""
        return next(iter(self.credentials.by_index(("uid", uid))), None)

    def secrets_of(self, credential: AgentCredential) -> list[Secret]:
        """Return the Secrets in its namespace that this credential owns, by name."""
        owned = self.secrets.by_index(credential.metadata.uid)
        beside = (secret for secret in owned if secret.metadata.namespace == credential.metadata.namespace)
        return sorted(beside, key=lambda secret: secret.metadata.name)

    def claimants_of(self, agent_id: str) -> list[Agent]:
        """Return the agents that have or claim this id."""
        return self.agents.by_index(("id", agent_id))

    def agent_of(self, agent_id: str) -> Agent | None:
        """The agent that has this id."""
        return next((agent for agent in self.claimants_of(agent_id) if agent.status.agent_id == agent_id), None)

    def agents_of(self, organization: str, namespaces: Iterable[str]) -> list[Agent]:
        """Return the agents of these namespaces that claim this organization."""
        keys = (("organization", organization, namespace) for namespace in set(namespaces))
        return [agent for key in keys for agent in self.agents.by_index(key)]

    def count_credentials(self, agent: NamespacedName) -> CredentialCount:
        """Return how many credentials an agent has, and how many are active."""
        return self.places.count(agent)

    def on_clock_set_back(self) -> None:
        """Enqueue everything that a time decides: after the clock was set back, that time may be ahead."""
        for agent in self.agents:
            if agent.spec.tokens_valid_after:
                self.work_queue.enqueue(RequestKind.AGENT, agent.key)
        for credential in self.credentials:
            self.work_queue.enqueue(RequestKind.CREDENTIAL, credential.key)

    def _agent_changed(self, before: Agent | None, after: Agent) -> None:
        self.work_queue.enqueue(RequestKind.AGENT, after.key)
        is_there = self.agents.get(after.key) is not None
        self._account(before, after if is_there else None)
        same = before and before.spec == after.spec and before.status.conditions == after.status.conditions
        if same and is_there:
            return  # only its counts changed
        for credential in self.credentials_of(after.key):
            self.work_queue.enqueue(RequestKind.CREDENTIAL, credential.key)

    def _credential_changed(self, before: AgentCredential | None, after: AgentCredential) -> None:
        agent = NamespacedName(after.metadata.namespace, after.spec.agent_ref.name)
        self.work_queue.enqueue(RequestKind.CREDENTIAL, after.key)
        self.work_queue.enqueue(RequestKind.AGENT, agent)
        for name in _secret_names(before) - _secret_names(self.credentials.get(after.key)):
            if no_longer_named := self.secrets.get(name):
                self.secrets.put(no_longer_named)
        is_there = self.credentials.get(after.key) is not None
        self.places.move(share_of(before) if before else None, share_of(after) if is_there else None, now())
        has_ended = after.status.phase in ENDED or not is_there
        is_settled = before and is_there and _queue_state(before) == _queue_state(after)
        frees_a_place = before and not is_settled and waits_for_a_place(before) != has_ended
        if frees_a_place and (waiting := self.places.next_in_line(agent)):
            # one that had a place has ended, or one that waited has it now: there may be another
            self.work_queue.enqueue(RequestKind.CREDENTIAL, waiting)

    def _account(self, before: Agent | None, after: Agent | None) -> None:
        """Move the agent's place, and enqueue who may have the one that it left."""
        place, former = place_of(after) if after else None, place_of(before) if before else None
        if place == former:
            return
        self.memberships.move(former, place)
        for changed in filter(None, (former, place)):
            organization = self.organizations.get(NamespacedName("", changed.organization))
            if organization and changed.namespace in organization.spec.namespaces:
                if changed.standing is Membership.ADMITTED:
                    self.work_queue.enqueue(RequestKind.ORGANIZATION, organization.key)
                if changed is former and (waiting := self.memberships.next_in_line(organization)):
                    self.work_queue.enqueue(RequestKind.AGENT, waiting)

    def _organization_changed(self, before: Organization | None, after: Organization) -> None:
        self.work_queue.enqueue(RequestKind.ORGANIZATION, after.key)
        current = self.organizations.get(after.key)
        if before is None or current is None:  # created or deleted: this concerns every agent that claims it
            for agent in self.agents.by_index(("organization", after.metadata.name)):
                self.work_queue.enqueue(RequestKind.AGENT, agent.key)
                self._enqueue_waiting(agent.key)
            return
        if before.spec == after.spec:
            return
        for agent in self.agents_of(after.metadata.name, set(before.spec.namespaces) ^ set(after.spec.namespaces)):
            self.work_queue.enqueue(RequestKind.AGENT, agent.key)
        if before.spec.allowed_scopes != after.spec.allowed_scopes:
            for agent in self.agents_of(after.metadata.name, after.spec.namespaces):
                self.work_queue.enqueue(RequestKind.AGENT, agent.key)
        for name in self.memberships.waiting(after):
            self.work_queue.enqueue(RequestKind.AGENT, name)
        if before.spec.limits.credentials_per_agent != after.spec.limits.credentials_per_agent:
            for agent in self.agents_of(after.metadata.name, after.spec.namespaces):
                self._enqueue_waiting(agent.key)

    def _enqueue_waiting(self, agent: NamespacedName) -> None:
        """Enqueue the agent's credentials that wait for a place."""
        for name in self.places.waiting(agent):
            self.work_queue.enqueue(RequestKind.CREDENTIAL, name)

    def _revocation_changed(self, _before: TokenRevocation | None, after: TokenRevocation) -> None:
        self.work_queue.enqueue(RequestKind.REVOCATION, after.key)

    def _trimmed(self, secret: Secret) -> Secret:
        return trimmed_secret(secret, named=bool(self.credentials_in(secret.key)))

    def _secret_changed(self, before: Secret | None, after: Secret) -> None:
        """Enqueue the former and present owners, and the credential that is delivered there. For others, it stays foreign."""
        is_there = before and before.metadata.uid == after.metadata.uid and self.secrets.get(after.key)
        uids = owning_credentials(after) | (owning_credentials(before) if before else set())
        owners = (one for uid in uids for one in self.credentials.by_index(("uid", uid)))
        for credential in (*self.credentials.by_index(("held" if is_there else "secret", after.key)), *owners):
            self.work_queue.enqueue(RequestKind.CREDENTIAL, credential.key)


def _index_keys_of_agent(agent: Agent) -> Iterator[object]:
    yield "id", claimed_id(agent)
    if agent.spec.organization_id:
        yield "organization", agent.spec.organization_id
        yield "organization", agent.spec.organization_id, agent.metadata.namespace


def _secret_names(credential: AgentCredential | None) -> set[NamespacedName]:
    """Return the Secrets that spec and status name."""
    if credential is None:
        return set()
    namespace, binding = credential.metadata.namespace, credential.status.binding
    return {NamespacedName(namespace, credential.secret_name)} | (
        {NamespacedName(namespace, binding.name)} if binding else set()
    )


def _index_keys_of_credential(credential: AgentCredential) -> Iterator[object]:
    namespace = credential.metadata.namespace
    yield "uid", credential.metadata.uid
    yield "agent", NamespacedName(namespace, credential.spec.agent_ref.name)
    for name in _secret_names(credential):
        yield "secret", name
    if credential.status.binding and not _is_refused_its_secret(credential):
        yield "held", NamespacedName(namespace, credential.status.binding.name)


def _is_refused_its_secret(credential: AgentCredential) -> bool:
    """Whether its Secret is foreign, which is checked again by the clock."""
    delivered = condition(credential.status.conditions, SECRET_DELIVERED)
    return delivered is not None and delivered.reason == Reason.SECRET_NOT_OWNED


def _queue_state(credential: AgentCredential) -> tuple[bool, bool]:
    """Return whether it waits for a place, and whether it has ended; otherwise it has a place, or may get one."""
    return waits_for_a_place(credential), credential.status.phase in ENDED
