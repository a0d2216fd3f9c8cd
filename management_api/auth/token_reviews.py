"""Token reviews: the API server says whose a token of the cluster is, and each tenant has a share of the reviews.

| a token | is reviewed | of the share |
|---|---|---|
| that says that it is of the cluster's own issuer, and that no key of this issuer has signed | never: it is refused | |
| that such a key has signed, and that has expired or is not valid yet | never: it is refused | |
| that such a key has signed | yes | of the namespace of its ServiceAccount, a quarter for each uid |
| of another issuer, that the API server took within the hour | yes | of the tenant that it then named |
| of any other kind (OIDC, a webhook) | yes | that all of these have together, a quarter for each tenant that they name |

So no client can spend the share of a tenant without a token of that tenant. A ServiceAccount that was deleted, with its
namespace or alone, may have tokens left that its name's next owner pays for: its uid has a quarter at most. Answers are cached
for `Limits.token_review_seconds`, by a digest of the token: of what is signed, where the signature was verified, and of the
whole text of other tokens. Requests that present one token at once share one review.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from agentidp.authentication.issuer_keys import IssuerKeys
from agentidp.domain.tokens.client_assertions import TokenIssuer, signed_token
from agentidp.domain.tokens.compact_jws import key_id
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
"""A tenant that only names itself has a quarter of the reviews of such tokens, and a ServiceAccount of its namespace's."""


class _Proof(Struct, frozen=True):
    """Whose share a review is taken from, as far as it is proven, and the digest under which the answer is cached."""

    tenant: str
    uid: str | None
    """Of the ServiceAccount for which the cluster has signed the token; None for any other token."""
    digest: bytes


class TokenReviews:
    """Authenticates users and ServiceAccounts of the cluster by their tokens."""

    def __init__(
        self,
        reviews: Reviews,
        keys: IssuerKeys,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` returns seconds since the epoch."""
        self._reviews = reviews
        self._keys = keys
        self._now = now
        self._reviewed: ExpiringCache[bytes, User | bool] = ExpiringCache(limits.token_review_seconds, limits, clock)
        self._accepted: ExpiringCache[bytes, str] = ExpiringCache(limits.proven_tenant_seconds, limits, clock)
        self._running: SingleFlight[bytes, User | None] = SingleFlight()
        message = "Too many tokens of this namespace, or of this user, are being checked. Nothing was done."
        rate, burst = limits.token_reviews_per_second, limits.max_token_review_burst
        self._shares = RateLimit(rate, burst, message, clock)
        message = "Too many tokens of this ServiceAccount are being checked. Nothing was done."
        self._shares_of_accounts = RateLimit(rate / SHARES, max(1, burst // SHARES), message, clock)
        rate, burst = limits.unproven_token_reviews_per_second, limits.max_unproven_token_review_burst
        self._unproven = TokenBuckets(rate, burst, clock)
        self._claimed = TokenBuckets(rate / SHARES, max(1, burst // SHARES), clock)

    async def user(self, token: str, claims: Mapping[str, Any]) -> User | None:
        """Return whose token this is, None if nobody's; `claims` are unverified.

        A token that is forged or not valid now is refused without a review, and not cached: to verify it again costs as little.
        Raises ApiError, and ApiFailure where the tenant has no review left.
        """
        proof = await self._proof(token, claims)
        if proof is None:
            return None
        cached = self._reviewed.find(proof.digest)
        if cached is None:
            return await self._running.run(proof.digest, lambda: self._review(token, claims, proof))
        return cached if isinstance(cached, User) else None

    async def _review(self, token: str, claims: Mapping[str, Any], proof: _Proof) -> User | None:
        self._take(proof, claims)
        user = await self._reviews.user(token, proof.tenant)
        if user and proof.uid is None:
            self._accepted.add(proof.digest, user.tenant, user.tenant)
        self._reviewed.add(proof.digest, user or False, user.tenant if user else proof.tenant)
        return user

    async def _proof(self, token: str, claims: Mapping[str, Any]) -> _Proof | None:
        """Return what the signature proves: None if the token is forged, or if no API server accepts it at this time."""
        issuer = await self._issuer(token, claims)
        signed = signed_token(token, issuer) if issuer else None
        if signed:
            # Many texts of a signature are one signature, and of ECDSA two are good. So what is signed tells tokens apart.
            digest = _digest(token.rpartition(".")[0])
            return None if signed.is_refused_at(self._now()) else _Proof(tenant_of(signed.namespace), signed.uid, digest)
        if issuer and claims.get("iss") == issuer.issuer:
            return None
        digest = _digest(token)
        return _Proof(self._accepted.find(digest) or UNPROVEN, None, digest)

    async def _issuer(self, token: str, claims: Mapping[str, Any]) -> TokenIssuer | None:
        """Return the cluster's issuer, with the token's key if it has one; None before it was first read. Raises ApiError."""
        issuer, key = self._keys.known, key_id(token)
        if issuer and key and claims.get("iss") == issuer.issuer:
            return await self._keys.issuer_with(key)
        return issuer

    def _take(self, proof: _Proof, claims: Mapping[str, Any]) -> None:
        """Take one review of the tenant's share, a quarter for one ServiceAccount. Raises ApiFailure where none is left."""
        if proof.tenant == UNPROVEN:
            if not (self._claimed.take(claimed_tenant(claims)) and self._unproven.take(UNPROVEN)):
                raise unavailable("Too many unknown tokens are being checked. Nothing was done.")
            return
        if proof.uid is not None:
            self._shares_of_accounts.take(f"{proof.tenant}/{proof.uid}")
        self._shares.take(proof.tenant)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def claimed_tenant(claims: Mapping[str, Any]) -> str:
    """Return a digest of the tenant that the claims name; tokens that name none are one tenant's."""
    subject = claims.get("sub")
    tenant = User(username=subject).tenant if isinstance(subject, str) else ""
    return hashlib.sha256(tenant.encode(errors="replace")).hexdigest()
