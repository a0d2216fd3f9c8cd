"""Revoked access tokens by their `jti`, until they would have expired anyway, and how many each client and namespace has."""

import sys
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from agentidp.domain.resources import ObjectRef, TokenRevocation
from agentidp.kube.kinds import TOKEN_REVOCATIONS, Projection


class RevokedToken(Struct, frozen=True, gc=False):
    """What counts of a TokenRevocation; not all of them say whose the token is, and where its agent is."""

    jti: str
    client_id: str | None = None
    namespace: str | None = None


def revoked_token(revocation: TokenRevocation) -> RevokedToken:
    """The token that is revoked: the object is named by its `jti`."""
    spec = revocation.spec
    return RevokedToken(
        revocation.metadata.name,
        sys.intern(spec.client_id) if spec.client_id else None,
        sys.intern(spec.namespace) if spec.namespace else None,
    )


REVOKED_TOKENS = Projection(TOKEN_REVOCATIONS, revoked_token)


class RevocationIndex:
    """The revoked tokens; the operator sweeps the objects, and so these, when they have expired."""

    def __init__(self) -> None:
        self._by_jti: dict[str, RevokedToken] = {}
        self._of_clients: Counter[str] = Counter()
        self._of_namespaces: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._by_jti)

    def __iter__(self) -> Iterator[RevokedToken]:
        return iter(self._by_jti.values())

    def __contains__(self, jti: str) -> bool:
        return jti in self._by_jti

    def count(self, client_id: str) -> int:
        """How many tokens of this client are revoked."""
        return self._of_clients[client_id]

    def count_in(self, namespace: str) -> int:
        """How many tokens of this namespace's clients are revoked."""
        return self._of_namespaces[namespace]

    def put(self, revoked: RevokedToken) -> None:
        """The token is revoked."""
        self.remove(revoked)
        self._by_jti[revoked.jti] = revoked
        _count(self._of_clients, revoked.client_id, 1)
        _count(self._of_namespaces, revoked.namespace, 1)

    def remove(self, revoked: RevokedToken) -> None:
        """Its revocation was swept."""
        known = self._by_jti.pop(revoked.jti, None)
        if known:
            _count(self._of_clients, known.client_id, -1)
            _count(self._of_namespaces, known.namespace, -1)

    def key(self, revoked: RevokedToken) -> str:
        """The token's `jti`."""
        return revoked.jti

    def by_key(self) -> dict[str, RevokedToken]:
        """All of them."""
        return self._by_jti

    def key_of(self, identity: ObjectRef) -> str:
        """The same of an object, which is named by it."""
        return identity.name

    def get(self, jti: str) -> RevokedToken | None:
        """The token, if it is revoked."""
        return self._by_jti.get(jti)


def _count(counts: Counter[str], whose: str | None, change: int) -> None:
    """What nobody has is not kept."""
    if whose:
        counts[whose] += change
        if not counts[whose]:
            del counts[whose]
