"""Revoked access tokens by their `jti`, until they would have expired anyway, and how many each client has."""

import sys
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from agentidp.domain.resources import Identity, TokenRevocation
from agentidp.kube.kinds import TOKEN_REVOCATIONS, Extract


class RevokedToken(Struct, frozen=True, gc=False):
    """What counts of a TokenRevocation; not all of them say whose the token is."""

    jti: str
    client_id: str | None = None


def revoked_token(revocation: TokenRevocation) -> RevokedToken:
    """The token that is revoked: the object is named by its `jti`."""
    return RevokedToken(revocation.metadata.name, revocation.spec.client_id)


REVOKED_TOKENS = Extract(TOKEN_REVOCATIONS, revoked_token)


class RevocationTable:
    """The revoked tokens; the operator sweeps the objects, and so these, when they have expired."""

    def __init__(self) -> None:
        self._client_of: dict[str, str | None] = {}
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._client_of)

    def __iter__(self) -> Iterator[RevokedToken]:
        return (RevokedToken(jti, client_id) for jti, client_id in self._client_of.items())

    def __contains__(self, jti: str) -> bool:
        return jti in self._client_of

    def count(self, client_id: str) -> int:
        """How many tokens of this client are revoked."""
        return self._counts[client_id]

    def put(self, revoked: RevokedToken) -> None:
        """The token is revoked."""
        self.remove(revoked)
        client_id = sys.intern(revoked.client_id) if revoked.client_id else None
        self._client_of[revoked.jti] = client_id
        if client_id:
            self._counts[client_id] += 1

    def remove(self, revoked: RevokedToken) -> None:
        """Its revocation was swept."""
        client_id = self._client_of.pop(revoked.jti, None)
        if client_id:
            self._counts[client_id] -= 1
            if not self._counts[client_id]:
                del self._counts[client_id]

    def key(self, revoked: RevokedToken) -> str:
        """The token's `jti`."""
        return revoked.jti

    def by_key(self) -> dict[str, RevokedToken]:
        """All of them."""
        return {revoked.jti: revoked for revoked in self}

    def key_of(self, identity: Identity) -> str:
        """The same of an object, which is named by it."""
        return identity.name

    def get(self, jti: str) -> RevokedToken | None:
        """The token, if it is revoked."""
        return RevokedToken(jti, self._client_of[jti]) if jti in self._client_of else None
