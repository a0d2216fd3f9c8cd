"""Whose a token of the cluster is: the API server is asked (TokenReview), in shares by tenant.

| a token | is reviewed | of the share |
|---|---|---|
| that says that it is of the cluster's own issuer, and that no key of this issuer has signed | never: it is refused | |
| that such a key has signed | yes | of the namespace of its ServiceAccount |
| that the API server took within the hour | yes | of the tenant that it then named |
| of any other kind (OIDC, a webhook) | yes | that all of these have together, a quarter for each tenant that they name |

So nobody can spend the share of a tenant without a token of that tenant. Answers are remembered; of tokens, digests only.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from msgspec import Struct

from agentidp.domain.client_assertions import TokenIssuer, key_id, signed_workload
from agentidp.kube.issuer_keys import IssuerKeys
from agentidp.runtime.token_buckets import TokenBuckets
from management_api.auth.authorization import tenant_of
from management_api.auth.expiring_cache import ExpiringCache
from management_api.auth.kubernetes_caller import Reviews, User
from management_api.errors import unavailable
from management_api.rate_limits import RateLimit

UNPROVEN = ""
"""The tenant of all tokens of which only the API server can tell whose they are."""
SHARES = 4
"""A tenant that only names itself has a quarter of the reviews of such tokens."""


class Limits(Struct, frozen=True):
    """What may be tuned."""

    per_second: float = 20.0
    at_once: int = 200
    """Reviews of each tenant whose tokens are proven."""
    unproven_per_second: float = 20.0
    unproven_at_once: int = 100
    """Reviews of all other tokens together."""
    remembered_seconds: float = 10.0
    trusted_seconds: float = 3600.0
    """So long after it was good, it is known whose share a token takes."""


LIMITS = Limits()


class TokenReviews:
    """Tells users and ServiceAccounts by their tokens."""

    def __init__(
        self, reviews: Reviews, keys: IssuerKeys, limits: Limits = LIMITS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reviews = reviews
        self._keys = keys
        self._reviewed: ExpiringCache[bytes, User | bool] = ExpiringCache(limits.remembered_seconds, clock)
        self._were_good: ExpiringCache[bytes, str] = ExpiringCache(limits.trusted_seconds, clock)
        self._asking: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        message = "Too many tokens of this namespace, or of this user, are being checked. Nothing was done."
        self._shares = RateLimit(limits.per_second, limits.at_once, message, clock)
        self._unproven = TokenBuckets(limits.unproven_per_second, limits.unproven_at_once, clock)
        self._claimed = TokenBuckets(limits.unproven_per_second / SHARES, max(1, limits.unproven_at_once // SHARES), clock)

    async def user(self, token: str, claims: Mapping[str, Any]) -> User | None:
        """Whose token this is, None if nobody's; `claims` is what it says. Raises ApiError, and Failure without a share."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self._reviewed.find(digest)
        if known is None:
            async with self._asking.setdefault(digest, asyncio.Lock()):
                known = self._reviewed.find(digest)
                if known is None:
                    known = await self._review(token, claims, digest) or False
        return known if isinstance(known, User) else None

    async def _review(self, token: str, claims: Mapping[str, Any], digest: bytes) -> User | None:
        """One that is refused without a review is not remembered: it is as quickly refused again."""
        tenant = self._were_good.find(digest)
        if tenant is None:
            tenant = await self._proven_tenant(token, claims)
        if tenant is None:
            return None
        self._take(tenant, claims)
        user = await self._reviews.user(token, tenant)
        if user:
            self._were_good.add(digest, user.tenant, user.tenant)
        self._reviewed.add(digest, user or False, user.tenant if user else tenant)
        return user

    async def _proven_tenant(self, token: str, claims: Mapping[str, Any]) -> str | None:
        """By its signature; UNPROVEN where another issuer may have made it, and None where nobody has."""
        issuer = await self._issuer(token, claims)
        if issuer is None:
            return UNPROVEN
        if workload := signed_workload(token, issuer):
            return tenant_of(workload.namespace)
        return None if claims.get("iss") == issuer.issuer else UNPROVEN

    async def _issuer(self, token: str, claims: Mapping[str, Any]) -> TokenIssuer | None:
        """The cluster's, asked anew for a key that it may have made since; None where it was never told. Raises ApiError."""
        known, named = self._keys.known, key_id(token)
        if known and named and claims.get("iss") == known.issuer:
            return await self._keys.issuer_with(named)
        return known

    def _take(self, tenant: str, claims: Mapping[str, Any]) -> None:
        """One review. Raises Failure where there is none left."""
        if tenant != UNPROVEN:
            self._shares.take(tenant)
        elif not (self._claimed.take(claimed_tenant(claims)) and self._unproven.take(UNPROVEN)):
            raise unavailable("Too many unknown tokens are being checked. Nothing was done.")


def claimed_tenant(claims: Mapping[str, Any]) -> str:
    """A short name of the tenant whose token it says it is; all that say nothing are one tenant."""
    subject = claims.get("sub")
    tenant = User(username=subject).tenant if isinstance(subject, str) else ""
    return hashlib.sha256(tenant.encode(errors="replace")).hexdigest()
