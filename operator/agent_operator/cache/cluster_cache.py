"""What was last seen of every object, and which others depend on it.

Fed by events, by listings, and by the answers to our own writes. An older version never replaces a newer one: resource
versions of one kind are ordered numbers (KEP-5504).
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
    """The resource version as the number that it is."""
    return int(value.metadata.resource_version or 0)


class Store(Generic[ObjectT]):
    """The objects of one kind by name, and by what they refer to. A view that a reflector can feed."""

    def __init__(
        self,
        links: Callable[[ObjectT], Iterable[object]],
        changed: Callable[[ObjectT | None, ObjectT], None],
        trim: Callable[[ObjectT], ObjectT] = without_metadata,
    ) -> None:
        self._trim = trim
        self._links = links
        self._changed = changed
        self._objects: dict[NamespacedName, ObjectT] = {}
        self._linked: defaultdict[object, set[NamespacedName]] = defaultdict(set)
        self._removed: BoundedCache[str, int] = BoundedCache(TOMBSTONES)

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[ObjectT]:
        return iter(list(self._objects.values()))

    def get(self, name: NamespacedName) -> ObjectT | None:
        """The object of this name."""
        return self._objects.get(name)

    def linked(self, link: object) -> list[ObjectT]:
        """All objects that refer to this."""
        return [self._objects[name] for name in self._linked.get(link, ())]

    def put(self, value: ObjectT) -> None:
        """Seen, unless something newer was seen before."""
        known, value = self._objects.get(value.key), self._trim(value)
        if known and known.metadata.uid == value.metadata.uid and version_of(value) <= version_of(known):
            if version_of(value) == version_of(known) and type(value) is not type(known):
                self._remember(value)  # more or less of it than before, which is no news
            return
        removed_at = self._removed.get(value.metadata.uid)
        if removed_at is not None and version_of(value) <= removed_at:
            return
        self._remember(value)
        self._changed(known, value)

    def remove(self, gone: ObjectRef) -> None:
        """Gone, in this version."""
        self._removed.put(gone.uid, int(gone.resource_version or 0))
        known = self._objects.get(NamespacedName(gone.namespace, gone.name))
        if known and known.metadata.uid == gone.uid:
            self._forget(known.key)
            self._changed(known, known)

    async def replace(self, listing: Pager[ObjectT]) -> None:
        """These are all that there are; what was seen since stays."""
        gone = {known.metadata.uid: known for known in self}
        async for values in listing:
            for value in values:
                gone.pop(value.metadata.uid, None)
                self.put(value)
        for known in gone.values():
            if version_of(known) <= listing.version:
                self.remove(known.metadata)

    def _remember(self, value: ObjectT) -> None:
        self._forget(value.key)
        self._objects[value.key] = value
        for link in self._links(value):
            self._linked[link].add(value.key)

    def _forget(self, name: NamespacedName) -> None:
        known = self._objects.pop(name, None)
        if known is None:
            return
        for link in self._links(known):
            names = self._linked[link]
            names.discard(name)
            if not names:
                del self._linked[link]


class ClusterCache:
    """All kinds, and the rule of what a change of one object means for others."""

    def __init__(self, work: WorkQueue) -> None:
        self._work = work
        self.memberships = Memberships()
        self.places = Places()
        self.agents: Store[Agent] = Store(_links_of_agent, self._agent_changed)
        self.credentials: Store[AgentCredential] = Store(_links_of_credential, self._credential_changed)
        self.organizations: Store[Organization] = Store(lambda _: (), self._organization_changed)
        self.secrets: Store[Secret] = Store(owning_credentials, self._secret_changed, self._trimmed)
        self.revocations: Store[TokenRevocation] = Store(lambda _: (), self._revocation_changed)

    def credentials_of(self, agent: NamespacedName) -> list[AgentCredential]:
        """The credentials that name this agent."""
        return self.credentials.linked(("agent", agent))

    def credentials_in(self, secret: NamespacedName) -> list[AgentCredential]:
        """The credentials that are, were, or should be delivered to this Secret."""
        return self.credentials.linked(("secret", secret))

    def credential_of(self, uid: str) -> AgentCredential | None:
        """The credential with this uid, which is its id."""
        return next(iter(self.credentials.linked(("uid", uid))), None)

    def secrets_of(self, credential: AgentCredential) -> list[Secret]:
        """The Secrets beside it that this credential owns, in the order of their names."""
        owned = self.secrets.linked(credential.metadata.uid)
        beside = (one for one in owned if one.metadata.namespace == credential.metadata.namespace)
        return sorted(beside, key=lambda one: one.metadata.name)

    def claimants_of(self, agent_id: str) -> list[Agent]:
        """The agents that have this id or would like to."""
        return self.agents.linked(("id", agent_id))

    def agent_of(self, agent_id: str) -> Agent | None:
        """The agent that has this id."""
        return next((one for one in self.claimants_of(agent_id) if one.status.agent_id == agent_id), None)

    def agents_of(self, organization: str, namespaces: Iterable[str]) -> list[Agent]:
        """The agents of these namespaces that claim to belong to this organization."""
        return [one for namespace in set(namespaces) for one in self.agents.linked(("organization", organization, namespace))]

    def count_credentials(self, agent: NamespacedName) -> CredentialCount:
        """How many credentials an agent has, and how many of them work."""
        return self.places.count(agent)

    def clock_was_set_back(self) -> None:
        """What has expired by a wrong clock may not have expired, and a time that has come may be ahead."""
        for agent in self.agents:
            if agent.spec.tokens_valid_after:
                self._work.wake(RequestKind.AGENT, agent.key)
        for credential in self.credentials:
            self._work.wake(RequestKind.CREDENTIAL, credential.key)

    def _agent_changed(self, before: Agent | None, after: Agent) -> None:
        self._work.wake(RequestKind.AGENT, after.key)
        is_there = self.agents.get(after.key) is not None
        self._account(before, after if is_there else None)
        same = before and before.spec == after.spec and before.status.conditions == after.status.conditions
        if same and is_there:
            return  # only its counts changed
        for credential in self.credentials_of(after.key):
            self._work.wake(RequestKind.CREDENTIAL, credential.key)

    def _credential_changed(self, before: AgentCredential | None, after: AgentCredential) -> None:
        agent = NamespacedName(after.metadata.namespace, after.spec.agent_ref.name)
        self._work.wake(RequestKind.CREDENTIAL, after.key)
        self._work.wake(RequestKind.AGENT, agent)
        for name in _secret_names(before) - _secret_names(self.credentials.get(after.key)):
            if no_longer_named := self.secrets.get(name):
                self.secrets.put(no_longer_named)
        is_there = self.credentials.get(after.key) is not None
        self.places.move(share_of(before) if before else None, share_of(after) if is_there else None, now())
        has_ended = after.status.phase in ENDED or not is_there
        is_settled = before and is_there and _in_line(before) == _in_line(after)
        frees_a_place = before and not is_settled and waits_for_a_place(before) != has_ended
        if frees_a_place and (waiting := self.places.next_in_line(agent)):
            # one that had a place has ended, or one that waited has it now: there may be another
            self._work.wake(RequestKind.CREDENTIAL, waiting)

    def _account(self, before: Agent | None, after: Agent | None) -> None:
        """Where the agent has or had a place, another may have one now."""
        place, former = place_of(after) if after else None, place_of(before) if before else None
        if place == former:
            return
        self.memberships.move(former, place)
        for one in filter(None, (former, place)):
            organization = self.organizations.get(NamespacedName("", one.organization))
            if organization and one.namespace in organization.spec.namespaces:
                if one.standing is Membership.ADMITTED:
                    self._work.wake(RequestKind.ORGANIZATION, organization.key)
                if one is former and (waiting := self.memberships.next_in_line(organization)):
                    self._work.wake(RequestKind.AGENT, waiting)

    def _organization_changed(self, before: Organization | None, after: Organization) -> None:
        self._work.wake(RequestKind.ORGANIZATION, after.key)
        known = self.organizations.get(after.key)
        if before is None or known is None:  # to be there or not concerns all who claim it
            for agent in self.agents.linked(("organization", after.metadata.name)):
                self._work.wake(RequestKind.AGENT, agent.key)
                self._wake_waiting(agent.key)
            return
        if before.spec == after.spec:
            return
        for agent in self.agents_of(after.metadata.name, set(before.spec.namespaces) ^ set(after.spec.namespaces)):
            self._work.wake(RequestKind.AGENT, agent.key)
        if before.spec.allowed_scopes != after.spec.allowed_scopes:
            for agent in self.agents_of(after.metadata.name, after.spec.namespaces):
                self._work.wake(RequestKind.AGENT, agent.key)
        for name in self.memberships.waiting(after):
            self._work.wake(RequestKind.AGENT, name)
        if before.spec.limits.credentials_per_agent != after.spec.limits.credentials_per_agent:
            for agent in self.agents_of(after.metadata.name, after.spec.namespaces):
                self._wake_waiting(agent.key)

    def _wake_waiting(self, agent: NamespacedName) -> None:
        """The agent's credentials for which there was no place."""
        for name in self.places.waiting(agent):
            self._work.wake(RequestKind.CREDENTIAL, name)

    def _revocation_changed(self, _before: TokenRevocation | None, after: TokenRevocation) -> None:
        self._work.wake(RequestKind.REVOCATION, after.key)

    def _trimmed(self, secret: Secret) -> Secret:
        return trimmed_secret(secret, named=bool(self.credentials_in(secret.key)))

    def _secret_changed(self, before: Secret | None, after: Secret) -> None:
        """Whose it is, was, or may be is woken. To any other that names it, it is foreign whatever was written."""
        is_there = before and before.metadata.uid == after.metadata.uid and self.secrets.get(after.key)
        uids = owning_credentials(after) | (owning_credentials(before) if before else set())
        owners = (one for uid in uids for one in self.credentials.linked(("uid", uid)))
        for credential in (*self.credentials.linked(("held" if is_there else "secret", after.key)), *owners):
            self._work.wake(RequestKind.CREDENTIAL, credential.key)


def _links_of_agent(agent: Agent) -> Iterator[object]:
    yield "id", claimed_id(agent)
    if agent.spec.organization_id:
        yield "organization", agent.spec.organization_id
        yield "organization", agent.spec.organization_id, agent.metadata.namespace


def _secret_names(credential: AgentCredential | None) -> set[NamespacedName]:
    """Where its pair is, was, or should be."""
    if credential is None:
        return set()
    namespace, binding = credential.metadata.namespace, credential.status.binding
    return {NamespacedName(namespace, credential.secret_name)} | (
        {NamespacedName(namespace, binding.name)} if binding else set()
    )


def _links_of_credential(credential: AgentCredential) -> Iterator[object]:
    namespace = credential.metadata.namespace
    yield "uid", credential.metadata.uid
    yield "agent", NamespacedName(namespace, credential.spec.agent_ref.name)
    for name in _secret_names(credential):
        yield "secret", name
    if credential.status.binding and not _is_refused_its_secret(credential):
        yield "held", NamespacedName(namespace, credential.status.binding.name)


def _is_refused_its_secret(credential: AgentCredential) -> bool:
    """It was seen to be foreign; that is looked at again by the clock."""
    delivered = condition(credential.status.conditions, SECRET_DELIVERED)
    return delivered is not None and delivered.reason == Reason.SECRET_NOT_OWNED


def _in_line(credential: AgentCredential) -> tuple[bool, bool]:
    """Whether it waits for a place, and whether it has ended: neither is that it has one, or may be about to."""
    return waits_for_a_place(credential), credential.status.phase in ENDED
