"""The kind TokenRevocation: an access token that is revoked before it expires. The name of the object is its `jti`."""

from agentidp.domain.resources.meta import Object, Part, Time


class TokenRevocationSpec(Part, frozen=True, kw_only=True):
    """The expiry of the token, after which the object is deleted, and the client."""

    expires_at: Time
    client_id: str | None = None
    namespace: str | None = None
    revoked_at: Time | None = None


class TokenRevocation(Object, frozen=True, kw_only=True):
    """A revoked access token by its `jti`."""

    spec: TokenRevocationSpec
