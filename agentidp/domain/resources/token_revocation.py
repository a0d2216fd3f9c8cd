"""The kind TokenRevocation: an access token that is refused before its time; the object's name is the token's `jti`."""

from agentidp.domain.resources.meta import Object, Part, Time


class TokenRevocationSpec(Part, frozen=True, kw_only=True):
    """Until when the token would have been valid; nobody needs the object after that."""

    expires_at: Time
    client_id: str | None = None
    namespace: str | None = None
    revoked_at: Time | None = None


class TokenRevocation(Object, frozen=True, kw_only=True):
    """A revoked token."""

    spec: TokenRevocationSpec
