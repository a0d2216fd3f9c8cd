"""Published keys: the token service's JWK Set (RFC 7517, section 5), with which access tokens are verified.

Flows in: the tokens to verify. The keys are fetched when they are older than `Limits.keys_refresh_seconds`, and when a token
names a key that is not among them, but not sooner than `Limits.keys_retry_seconds` after the last fetch: a client that invents
key ids does not flood the token service. Callers that come while a fetch runs share it. Keys that are older than
`Limits.keys_max_age_seconds` are not trusted, whatever happens to the token service: they may have been withdrawn.
"""

import ssl
import time
from collections.abc import Callable

import aiohttp
import jwt
import msgspec

from agentidp.domain.tokens.access_tokens import PublicKey
from agentidp.domain.tokens.compact_jws import key_id
from agentidp.domain.tokens.signing_keys import Algorithm
from agentidp.runtime.single_flight import SingleFlight
from management_api.errors import unavailable
from management_api.limits import Limits


class PublishedKeys:
    """The keys by their ids."""

    def __init__(self, url: str, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._limits = limits
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetches: SingleFlight[str, None] = SingleFlight()

    async def for_token(self, token: str) -> dict[str, PublicKey]:
        """Return all keys, among them the token's if there is such a key. Raises ApiFailure where no trusted keys are left."""
        if self._is_due(key_id(token)):
            await self._fetches.run(self._url, self._fetch)
        if self._clock() - self._fetched_at > self._limits.keys_max_age_seconds:
            raise unavailable("The keys that verify access tokens cannot be fetched now. Nothing was done.")
        return self._keys

    def _is_due(self, key_id: str | None) -> bool:
        now = self._clock()
        if now - self._tried_at < self._limits.keys_retry_seconds:
            return False
        is_old = now - self._fetched_at > self._limits.keys_refresh_seconds
        return is_old or (key_id is not None and key_id not in self._keys)

    async def _fetch(self) -> None:
        """Fetch the keys. The time of the try is its end, so that callers who come meanwhile share it."""
        try:
            # A new context reads the system's authorities as they are now: the program may run longer than they are valid.
            trust = ssl.create_default_context() if self._url.startswith("https:") else True
            timeout = aiohttp.ClientTimeout(total=self._limits.keys_timeout_seconds)
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(self._url, ssl=trust) as response:
                response.raise_for_status()
                self._keys = _public_keys(await response.read())
            self._fetched_at = self._clock()
        except (aiohttp.ClientError, OSError, msgspec.DecodeError, jwt.PyJWTError):
            return
        finally:
            self._tried_at = self._clock()


class _JwkSet(msgspec.Struct):
    keys: list[dict[str, str]]


def _public_keys(body: bytes) -> dict[str, PublicKey]:
    """Return the keys of algorithms that this version knows; a later version may publish others, too."""
    keys = [key for key in msgspec.json.decode(body, type=_JwkSet).keys if key.get("alg") in set(Algorithm) and "kid" in key]
    return {key["kid"]: PublicKey(Algorithm(key["alg"]), jwt.PyJWK(key).key) for key in keys}
