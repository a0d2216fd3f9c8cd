"""A credential as the registry keeps it, and the credentials of each agent, newest first."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from agentidp.domain.resources import (
    GROUP,
    AgentCredential,
    CredentialPhase,
    CredentialState,
    ObjectRef,
    SecretHash,
)
from agentidp.domain.resources.conditions import READY, condition
from agentidp.kube.kinds import CREDENTIALS, Projection
from management_api.cache.annotations import GENERATED
from management_api.cache.timestamps import moment_in

CHANGED_AT = f"{GROUP}/changed-at"

Key = tuple[datetime, str]
Owner = tuple[str, str, str]
"""An agent: namespace, name and id. Another agent of that name, or in another namespace, does not inherit its credentials."""


class Status(StrEnum):
    """What the API calls the two states that a credential can be in."""

    ACTIVE = "active"
    REVOKED = "revoked"


class CachedCredential(Struct, frozen=True, gc=False):
    """A credential: its record, and how far the operator is with it."""

    credential_id: str
    namespace: str
    name: str
    agent_name: str
    client_id: str | None
    status: Status
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    version: int
    is_settled: bool
    """The operator has seen the spec as it is."""
    phase: CredentialPhase | None
    why: str
    """The reason of its Ready condition."""
    hashes: tuple[SecretHash, ...]
    issued: datetime | None
    secret_name: str | None
    is_generated: bool
    """This API has made it, and its hash is there in its spec."""

    @property
    def owner(self) -> Owner:
        """Whose it is; before the operator has bound it to an agent, nobody's."""
        return self.namespace, self.agent_name, self.client_id or ""

    @property
    def key(self) -> Key:
        """By which an agent's credentials are in order."""
        return self.created, self.credential_id


def registered(credential: AgentCredential) -> CachedCredential:
    """What is kept of a credential. Until the operator has recorded a revocation, it was when this API changed it last."""
    meta, spec, status = credential.metadata, credential.spec, credential.status
    ready = condition(status.conditions, READY)
    is_revoked = spec.state is CredentialState.REVOKED or status.revoked_at is not None
    created = status.created_at or meta.creation_timestamp or datetime.fromisoformat("1970-01-01T00:00:00Z")
    return CachedCredential(
        credential_id=meta.uid,
        namespace=meta.namespace,
        name=meta.name,
        agent_name=spec.agent_ref.name,
        client_id=status.client_id,
        status=Status.REVOKED if is_revoked else Status.ACTIVE,
        created=created,
        expires=spec.expires_at,
        revoked=(status.revoked_at or moment_in(meta.annotations.get(CHANGED_AT))) if is_revoked else None,
        version=int(meta.resource_version or 0),
        is_settled=status.observed_generation == meta.generation,
        phase=status.phase,
        why=ready.reason if ready else "",
        hashes=status.secret_hashes,
        issued=max((moment for moment in (status.created_at, status.rotated_at) if moment), default=None),
        secret_name=status.binding.name if status.binding else None,
        is_generated=GENERATED in meta.annotations and spec.secret_hash is not None,
    )


REGISTERED_CREDENTIALS = Projection(CREDENTIALS, registered)


class CredentialTable:
    """The credentials of a cluster. What was seen once is never put back by an older sight of it."""

    def __init__(self) -> None:
        self._by_id: dict[str, CachedCredential] = {}
        self._in_order: dict[tuple[Owner, Status | None], list[Key]] = {}
        """Keys by owner and status, oldest first; None is any status."""
        self._in_namespaces: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[CachedCredential]:
        return iter(self._by_id.values())

    def get(self, credential_id: str) -> CachedCredential | None:
        """The credential of this id."""
        return self._by_id.get(credential_id)

    def count(self, owner: Owner, status: Status | None) -> int:
        """How many are this agent's, and in this status."""
        return len(self._keys(owner, status))

    def newest(self, owner: Owner, status: Status | None, skip: int, limit: int) -> list[CachedCredential]:
        """So many of them, newest first."""
        keys = self._keys(owner, status)
        end = max(0, len(keys) - skip)
        return [self._by_id[credential_id] for _, credential_id in reversed(keys[max(0, end - limit) : end])]

    def count_in(self, namespace: str) -> int:
        """How many are in this namespace, whoever's they are."""
        return self._in_namespaces[namespace]

    def put(self, credential: CachedCredential) -> None:
        """Add it, or put it in the place of what it was before."""
        known = self._by_id.get(credential.credential_id)
        if known and known.version > credential.version:
            return
        if known:
            self._take_out(known)
        self._by_id[credential.credential_id] = credential
        self._in_namespaces[credential.namespace] += 1
        for place in _places(credential):
            insort(self._in_order.setdefault(place, []), credential.key)

    def remove(self, credential: CachedCredential) -> None:
        """The credential of this id goes."""
        known = self._by_id.pop(credential.credential_id, None)
        if known:
            self._take_out(known)

    def key(self, credential: CachedCredential) -> str:
        """Its id."""
        return credential.credential_id

    def by_key(self) -> Mapping[str, CachedCredential]:
        """All of them."""
        return self._by_id

    def key_of(self, identity: ObjectRef) -> str:
        """The same of an object: its uid."""
        return identity.uid

    def _keys(self, owner: Owner, status: Status | None) -> Sequence[Key]:
        return self._in_order.get((owner, status), ())

    def _take_out(self, known: CachedCredential) -> None:
        self._in_namespaces[known.namespace] -= 1
        if not self._in_namespaces[known.namespace]:
            del self._in_namespaces[known.namespace]
        for place in _places(known):
            keys = self._in_order[place]
            del keys[bisect_left(keys, known.key)]
            if not keys:
                del self._in_order[place]


def _places(credential: CachedCredential) -> list[tuple[Owner, Status | None]]:
    return [(credential.owner, status) for status in (None, credential.status)]
