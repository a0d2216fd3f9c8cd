"""Credentials in the cluster cache: what is kept of one, and the index of each agent's, in order of creation."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from agentidp.domain.resources import (
    AgentCredential,
    CredentialPhase,
    CredentialState,
    ObjectRef,
    SecretHash,
)
from agentidp.domain.resources.conditions import READY, condition
from agentidp.kube.kinds import CREDENTIALS, Projection
from management_api.cache.metadata import CHANGED_AT, GENERATED_BY, NEVER, parse_timestamp

Key = tuple[datetime, str]
Owner = tuple[str, str, str]
"""An agent's namespace, name and id: a later agent of the same name does not inherit the credentials."""


class Status(StrEnum):
    """The state of a credential, as this API writes it."""

    ACTIVE = "active"
    REVOKED = "revoked"


class CachedCredential(Struct, frozen=True, gc=False):
    """What is kept of a credential: its record, and what the operator has published of it."""

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
    """The operator has observed the present generation of the spec."""
    phase: CredentialPhase | None
    reason: str
    """The reason of the Ready condition."""
    hashes: tuple[SecretHash, ...]
    issued: datetime | None
    secret_name: str | None
    is_generated: bool
    """This API created the credential, and the spec has its hash."""

    @property
    def owner(self) -> Owner:
        """Return the agent that has the credential; without an id until the operator has bound the two."""
        return self.namespace, self.agent_name, self.client_id or ""

    @property
    def key(self) -> Key:
        """Return the place among the agent's credentials."""
        return self.created, self.credential_id


def cached_credential(credential: AgentCredential) -> CachedCredential:
    """Return what is kept of a credential.

    Until the operator has recorded a revocation, its time is the one at which this API changed the credential last.
    """
    meta, spec, status = credential.metadata, credential.spec, credential.status
    ready = condition(status.conditions, READY)
    is_revoked = spec.state is CredentialState.REVOKED or status.revoked_at is not None
    created = status.created_at or meta.creation_timestamp or NEVER
    return CachedCredential(
        credential_id=meta.uid,
        namespace=meta.namespace,
        name=meta.name,
        agent_name=spec.agent_ref.name,
        client_id=status.client_id,
        status=Status.REVOKED if is_revoked else Status.ACTIVE,
        created=created,
        expires=spec.expires_at,
        revoked=(status.revoked_at or parse_timestamp(meta.annotations.get(CHANGED_AT))) if is_revoked else None,
        version=int(meta.resource_version or 0),
        is_settled=status.observed_generation == meta.generation,
        phase=status.phase,
        reason=ready.reason if ready else "",
        hashes=status.secret_hashes,
        issued=max((time for time in (status.created_at, status.rotated_at) if time), default=None),
        secret_name=status.binding.name if status.binding else None,
        is_generated=GENERATED_BY in meta.annotations and spec.secret_hash is not None,
    )


CACHED_CREDENTIALS = Projection(CREDENTIALS, cached_credential)


class CredentialIndex:
    """The credentials of a cluster. An older version never replaces a newer one."""

    def __init__(self) -> None:
        self._by_id: dict[str, CachedCredential] = {}
        self._keys: dict[tuple[Owner, Status | None], list[Key]] = {}
        """By owner and status, oldest first; None is any status."""
        self._counts: Counter[str] = Counter()
        """Credentials in each namespace."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[CachedCredential]:
        return iter(self._by_id.values())

    def get(self, credential_id: str) -> CachedCredential | None:
        """Return the credential of this id."""
        return self._by_id.get(credential_id)

    def count(self, owner: Owner, status: Status | None) -> int:
        """Return how many credentials the agent has in this status."""
        return len(self._ordered(owner, status))

    def newest(self, owner: Owner, status: Status | None, skip: int, limit: int) -> list[CachedCredential]:
        """Return at most `limit` credentials of the agent, newest first, after the first `skip`."""
        keys = self._ordered(owner, status)
        end = max(0, len(keys) - skip)
        return [self._by_id[credential_id] for _, credential_id in reversed(keys[max(0, end - limit) : end])]

    def count_in(self, namespace: str) -> int:
        """Return how many credentials are in this namespace."""
        return self._counts[namespace]

    def put(self, credential: CachedCredential) -> None:
        """Add the credential, or replace an older version of it."""
        previous = self._by_id.get(credential.credential_id)
        if previous and previous.version > credential.version:
            return
        if previous:
            self._remove_keys(previous)
        self._by_id[credential.credential_id] = credential
        self._counts[credential.namespace] += 1
        for group in _groups(credential):
            insort(self._keys.setdefault(group, []), credential.key)

    def remove(self, credential: CachedCredential) -> None:
        """Remove the credential of this id, if there is one."""
        removed = self._by_id.pop(credential.credential_id, None)
        if removed:
            self._remove_keys(removed)

    def key(self, credential: CachedCredential) -> str:
        """Return the id of the credential."""
        return credential.credential_id

    def by_key(self) -> Mapping[str, CachedCredential]:
        """Return all credentials by their ids."""
        return self._by_id

    def key_of(self, identity: ObjectRef) -> str:
        """Return the id of the credential of this object, which is its uid."""
        return identity.uid

    def _ordered(self, owner: Owner, status: Status | None) -> Sequence[Key]:
        return self._keys.get((owner, status), ())

    def _remove_keys(self, credential: CachedCredential) -> None:
        self._counts[credential.namespace] -= 1
        if not self._counts[credential.namespace]:
            del self._counts[credential.namespace]
        for group in _groups(credential):
            keys = self._keys[group]
            del keys[bisect_left(keys, credential.key)]
            if not keys:
                del self._keys[group]


def _groups(credential: CachedCredential) -> list[tuple[Owner, Status | None]]:
    return [(credential.owner, status) for status in (None, credential.status)]
