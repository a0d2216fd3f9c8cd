"""How many tokens may be revoked: each is an object in etcd, and remembered by all who watch, until it has expired.

A secret is all that it takes to get tokens and to revoke them. So a client may revoke so many in a row, and have so many that
are kept; beyond that its agent's kill switch, which costs nothing, ends all of its tokens at once. Whoever has one agent may
be able to register more, so the clients of a namespace have a bound together, too.
"""

from agentidp.cache.revocations import RevocationIndex
from agentidp.domain.tokens.oauth_errors import OAuthError, too_many_requests
from token_service.rate_limits.client_rate import ClientRate

PER_SECOND, AT_ONCE = 1, 100
"""Of each client, at each replica."""
MOST = 1_000
"""Of each client, until they are swept."""
CLIENTS = 5
"""The clients of a namespace have so many times as much together."""
RETRY_SECONDS = 60
"""The shortest life of an access token."""


class RevocationRates:
    """How many tokens a client, and all clients of a namespace, may revoke at once and a second."""

    def __init__(self) -> None:
        self.of_clients = ClientRate(PER_SECOND, AT_ONCE, what="revocations of this client")
        what = "revocations by the clients of this namespace"
        self.of_namespaces = ClientRate(CLIENTS * PER_SECOND, CLIENTS * AT_ONCE, what=what)

    def take(self, client_id: str, namespace: str) -> OAuthError | None:
        """Count one revocation; the refusal where it is one too many."""
        return self.of_clients.take(client_id) or self.of_namespaces.take(namespace)


class RevocationQuota:
    """The rate, and how many are kept: the index knows all that are revoked."""

    def __init__(self, rates: RevocationRates, revoked: RevocationIndex) -> None:
        self._rates = rates
        self._revoked = revoked

    def take(self, client_id: str, namespace: str) -> OAuthError | None:
        """Count one revocation by a client, whose agent is in `namespace`; the refusal where it is one too many."""
        if self._revoked.count(client_id) >= MOST:
            return _too_many(MOST, "this client")
        if self._revoked.count_in(namespace) >= CLIENTS * MOST:
            return _too_many(CLIENTS * MOST, "the clients of this namespace")
        return self._rates.take(client_id, namespace)


def _too_many(most: int, whose: str) -> OAuthError:
    message = (
        f"{most} revoked tokens of {whose} have not expired yet, and no more are revoked one by one."
        " Its agent's spec.tokensValidAfter ends all tokens of a client at once."
    )
    return too_many_requests(message, RETRY_SECONDS)
