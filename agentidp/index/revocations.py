"""Revoked access tokens by their `jti`, until they would have expired anyway."""

from collections.abc import Iterator

from msgspec import Struct

from agentidp.domain.resources import Identity, TokenRevocation
from agentidp.kube.kinds import TOKEN_REVOCATIONS, Extract


class RevokedToken(Struct, frozen=True, gc=False):
    """What counts of a TokenRevocation."""

    jti: str


def revoked_token(revocation: TokenRevocation) -> RevokedToken:
    """The token that is revoked: the object is named by its `jti`."""
    return RevokedToken(revocation.metadata.name)


REVOKED_TOKENS = Extract(TOKEN_REVOCATIONS, revoked_token)


class RevocationTable:
    """The revoked tokens; the operator sweeps the objects, and so these, when they have expired."""

    def __init__(self) -> None:
        self._revoked: set[str] = set()

    def __len__(self) -> int:
        return len(self._revoked)

    def __iter__(self) -> Iterator[RevokedToken]:
        return map(RevokedToken, self._revoked)

    def __contains__(self, jti: str) -> bool:
        return jti in self._revoked

    def put(self, revoked: RevokedToken) -> None:
        """The token is revoked."""
        self._revoked.add(revoked.jti)

    def remove(self, revoked: RevokedToken) -> None:
        """Its revocation was swept."""
        self._revoked.discard(revoked.jti)

    def key(self, revoked: RevokedToken) -> str:
        """The token's `jti`."""
        return revoked.jti

    def by_key(self) -> dict[str, RevokedToken]:
        """All of them."""
        return {jti: RevokedToken(jti) for jti in self._revoked}

    def key_of(self, identity: Identity) -> str:
        """The same of an object, which is named by it."""
        return identity.name

    def get(self, jti: str) -> RevokedToken | None:
        """The token, if it is revoked."""
        return RevokedToken(jti) if jti in self._revoked else None
