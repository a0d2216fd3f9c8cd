"""Revoked access tokens by `jti`, until they would have expired, and how many each client and each namespace has."""

import sys

from msgspec import Struct

from agentidp.cache.store import KeyedIndex
from agentidp.domain.resources import ObjectRef, TokenRevocation
from agentidp.kube.kinds import TOKEN_REVOCATIONS, Projection
from agentidp.runtime.pools.group_counts import GroupCounts


class RevokedToken(Struct, frozen=True, gc=False):
    """The part of a TokenRevocation that is kept. Objects of earlier versions have no client and no namespace."""

    jti: str
    client_id: str | None = None
    namespace: str | None = None


def revoked_token(revocation: TokenRevocation) -> RevokedToken:
    """The revoked token of an object, whose name is the `jti`."""
    spec = revocation.spec
    return RevokedToken(
        revocation.metadata.name,
        sys.intern(spec.client_id) if spec.client_id else None,
        sys.intern(spec.namespace) if spec.namespace else None,
    )


REVOKED_TOKENS = Projection(TOKEN_REVOCATIONS, revoked_token)


class RevocationIndex(KeyedIndex[str, RevokedToken]):
    """The revoked tokens. The operator deletes expired objects, and so they leave the index."""

    def __init__(self) -> None:
        super().__init__()
        self.of_clients = GroupCounts()
        self.of_namespaces = GroupCounts()

    def __contains__(self, jti: str) -> bool:
        return jti in self._items

    def count(self, client_id: str) -> int:
        """The number of revoked tokens of this client."""
        return self.of_clients[client_id]

    def count_in(self, namespace: str) -> int:
        """The number of revoked tokens of the clients of this namespace."""
        return self.of_namespaces[namespace]

    def put(self, revoked: RevokedToken, /) -> None:
        """Add the token, or replace the one of its `jti`."""
        self.remove(revoked)
        super().put(revoked)
        if revoked.client_id:
            self.of_clients.add(revoked.client_id)
        if revoked.namespace:
            self.of_namespaces.add(revoked.namespace)

    def remove(self, revoked: RevokedToken, /) -> None:
        """Remove the token of this `jti`, if it is revoked."""
        former = self._items.pop(revoked.jti, None)
        if former and former.client_id:
            self.of_clients.remove(former.client_id)
        if former and former.namespace:
            self.of_namespaces.remove(former.namespace)

    def key(self, revoked: RevokedToken, /) -> str:
        """The `jti` of the token."""
        return revoked.jti

    def key_of(self, reference: ObjectRef) -> str:
        """The `jti` of a TokenRevocation: its name."""
        return reference.name
