"""Token reviews: the API server says whose a token of the cluster is, and each tenant has a share of the reviews.

| a token | is reviewed | of the share |
|---|---|---|
| that says that it is of the cluster's own issuer, and that no key of this issuer has signed | never: it is refused | |
| that such a key has signed | yes | of the namespace of its ServiceAccount |
| that the API server took within the hour | yes | of the tenant that it then named |
| of any other kind (OIDC, a webhook) | yes | that all of these have together, a quarter for each tenant that they name |

So no client can spend the share of a tenant without a token of that tenant. Answers are cached for
`Limits.token_review_seconds`, by a digest of the token. Requests that present one token at once share one review.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from agentidp.authentication.issuer_keys import IssuerKeys
from agentidp.domain.tokens.client_assertions import TokenIssuer, key_id, signed_workload
from agentidp.runtime.single_flight import SingleFlight
from agentidp.runtime.token_buckets import TokenBuckets
from management_api.auth.authorization import tenant_of
from management_api.auth.expiring_cache import ExpiringCache
from management_api.auth.kubernetes_caller import Reviews, User
from management_api.errors import unavailable
from management_api.http.rate_limits import RateLimit
from management_api.limits import Limits

UNPROVEN = ""
"""The tenant of all tokens of which only the API server can tell whose they are."""
SHARES = 4
"""A tenant that only names itself has a quarter of the reviews of such tokens."""


class TokenReviews:
    """Authenticates users and ServiceAccounts of the cluster by their tokens."""

    def __init__(self, reviews: Reviews, keys: IssuerKeys, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._reviews = reviews
        self._keys = keys
        self._reviewed: ExpiringCache[bytes, User | bool] = ExpiringCache(limits.token_review_seconds, limits, clock)
        self._proven: ExpiringCache[bytes, str] = ExpiringCache(limits.proven_tenant_seconds, limits, clock)
        self._running: SingleFlight[bytes, User | None] = SingleFlight()
        message = "Too many tokens of this namespace, or of this user, are being checked. Nothing was done."
        self._shares = RateLimit(limits.token_reviews_per_second, limits.max_token_review_burst, message, clock)
        rate, burst = limits.unproven_token_reviews_per_second, limits.max_unproven_token_review_burst
        self._unproven = TokenBuckets(rate, burst, clock)
        self._claimed = TokenBuckets(rate / SHARES, max(1, burst // SHARES), clock)

    async def user(self, token: str, claims: Mapping[str, Any]) -> User | None:
        """Return whose token this is, None if nobody's; `claims` are unverified.

        Raises ApiError, and ApiFailure where the tenant has no review left.
        """
        digest = hashlib.sha256(token.encode()).digest()
        cached = self._reviewed.find(digest)
        if cached is None:
            return await self._running.run(digest, lambda: self._review(token, claims, digest))
        return cached if isinstance(cached, User) else None

    async def _review(self, token: str, claims: Mapping[str, Any], digest: bytes) -> User | None:
        """Review the token. A forged one is refused without a review, and not cached: to verify it again costs as little."""
        tenant = self._proven.find(digest)
        if tenant is None:
            tenant = await self._proven_tenant(token, claims)
        if tenant is None:
            return None
        self._take(tenant, claims)
        user = await self._reviews.user(token, tenant)
        if user:
            self._proven.add(digest, user.tenant, user.tenant)
        self._reviewed.add(digest, user or False, user.tenant if user else tenant)
        return user

    async def _proven_tenant(self, token: str, claims: Mapping[str, Any]) -> str | None:
        """Return the tenant by the token's signature: UNPROVEN where another issuer may have signed, None if it is forged."""
        issuer = await self._issuer(token, claims)
        if issuer is None:
            return UNPROVEN
        if workload := signed_workload(token, issuer):
            return tenant_of(workload.namespace)
        return None if claims.get("iss") == issuer.issuer else UNPROVEN

    async def _issuer(self, token: str, claims: Mapping[str, Any]) -> TokenIssuer | None:
        """Return the cluster's issuer, with the token's key if it has one; None before it was first read. Raises ApiError."""
        issuer, key = self._keys.known, key_id(token)
        if issuer and key and claims.get("iss") == issuer.issuer:
            return await self._keys.issuer_with(key)
        return issuer

    def _take(self, tenant: str, claims: Mapping[str, Any]) -> None:
        """Take one review of the tenant's share. Raises ApiFailure where none is left."""
        if tenant != UNPROVEN:
            self._shares.take(tenant)
        elif not (self._claimed.take(claimed_tenant(claims)) and self._unproven.take(UNPROVEN)):
            raise unavailable("Too many unknown tokens are being checked. Nothing was done.")


def claimed_tenant(claims: Mapping[str, Any]) -> str:
    """Return a digest of the tenant that the claims name; tokens that name none are one tenant's."""
    subject = claims.get("sub")
    tenant = User(username=subject).tenant if isinstance(subject, str) else ""
    return hashlib.sha256(tenant.encode(errors="replace")).hexdigest()
