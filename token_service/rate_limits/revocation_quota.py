"""Revocation quota: how many tokens may be revoked, each of which is an object in etcd and in every replica until it expires.

A secret is all that a client needs to get tokens and to revoke them. So a client has a rate of revocations, and a number of
revoked tokens that have not expired; beyond that its agent's `spec.tokensValidAfter`, which costs nothing, revokes all of its
tokens at once. The owner of one agent may be able to register more, so the clients of a namespace have a common bound, too.
"""

import time
from collections.abc import Callable

from agentidp.cache.revocations import RevocationIndex
from agentidp.domain.tokens.oauth_errors import OAuthError, too_many_requests
from token_service.limits import LIMITS, Limits
from token_service.rate_limits.client_rate import ClientRate


class RevocationQuota:
    """The rates, and the bound of revoked tokens that have not expired; `revoked` holds all of them."""

    def __init__(self, revoked: RevocationIndex, limits: Limits = LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self._revoked = revoked
        self._limits = limits
        self._factor = factor = limits.namespace_revocation_factor
        per_second, burst = limits.revocations_per_second, limits.revocations_burst
        self._rate_of_client = ClientRate(per_second, burst, clock, what="revocations of this client")
        what = "revocations by the clients of this namespace"
        self._rate_of_namespace = ClientRate(factor * per_second, factor * burst, clock, what=what)

    def take(self, client_id: str, namespace: str) -> None:
        """Count one revocation by a client, whose agent is in `namespace`. Raises OAuthError where it is one too many."""
        most = self._limits.max_revocations
        if self._revoked.count(client_id) >= most:
            raise self._too_many(most, "this client")
        if self._revoked.count_in(namespace) >= self._factor * most:
            raise self._too_many(self._factor * most, "the clients of this namespace")
        self._rate_of_client.take(client_id)
        self._rate_of_namespace.take(namespace)

    def _too_many(self, revocations: int, whose: str) -> OAuthError:
        message = (
            f"{revocations} revoked tokens of {whose} have not expired yet, and no more are revoked one by one."
            " Its agent's spec.tokensValidAfter ends all tokens of a client at once."
        )
        return too_many_requests(message, self._limits.revocation_retry_seconds)
