"""How many of its tokens a client may revoke: each is an object in etcd, and remembered by all who watch, until it has expired.

A secret is all that it takes to get tokens and to revoke them. So a client may revoke so many in a row, and have so many that
are kept; beyond that its agent's kill switch, which costs nothing, ends all of its tokens at once.
"""

from agentidp.domain.oauth_errors import OAuthError, too_many_requests
from agentidp.index.revocations import RevocationTable
from token_service.client_limits import ClientLimits

PER_SECOND, AT_ONCE = 1, 100
"""Of each client, at each replica."""
MOST = 1_000
"""Of each client, until they are swept."""
RETRY_SECONDS = 60
"""The shortest life of an access token."""


def rate_of_revocations() -> ClientLimits:
    """For `RevocationLimits`."""
    return ClientLimits(PER_SECOND, AT_ONCE, what="revocations")


class RevocationLimits:
    """The rate, and how many are kept: the index knows all that are revoked."""

    def __init__(self, rate: ClientLimits, revoked: RevocationTable) -> None:
        self._rate = rate
        self._revoked = revoked

    def take(self, client_id: str) -> OAuthError | None:
        """Count one revocation; the refusal where it is one too many."""
        if self._revoked.count(client_id) >= MOST:
            return too_many_requests(
                f"{MOST} revoked tokens of this client have not expired yet, and no more are revoked one by one."
                " Its agent's spec.tokensValidAfter ends all of its tokens at once.",
                RETRY_SECONDS,
            )
        return self._rate.take(client_id)
