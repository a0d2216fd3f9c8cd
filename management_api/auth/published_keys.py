"""The keys that access tokens are checked with, as the token service publishes them (RFC 7517, section 5)."""

import asyncio
import ssl
import time

import aiohttp
import jwt
import msgspec

from agentidp.domain.tokens.access_tokens import PublicKey
from agentidp.domain.tokens.signing_keys import Algorithm
from management_api.errors import unavailable

TIMEOUT = aiohttp.ClientTimeout(total=3)
FRESH_SECONDS = 300.0
GOOD_SECONDS = 3600.0
"""A key that was withdrawn is not trusted for longer, whatever happens to the token service."""
ASK_AGAIN_SECONDS = 2.0


class PublishedKeys:
    """A cache: asked for again when it is old, and when a token names a key that is not in it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, PublicKey] = {}
        self._fetched = self._tried = float("-inf")
        self._turn = asyncio.Lock()

    async def for_token(self, token: str) -> dict[str, PublicKey]:
        """All keys, among them the token's if there is such a key. Raises Failure where they are not to be had."""
        if self._is_due(_key_id(token)):
            async with self._turn:
                if self._is_due(_key_id(token)):
                    await self._fetch()
        if time.monotonic() - self._fetched > GOOD_SECONDS:
            raise unavailable("The keys that access tokens are checked with are not to be had now. Nothing was done.")
        return self._keys

    def _is_due(self, kid: str | None) -> bool:
        now = time.monotonic()
        if now - self._tried < ASK_AGAIN_SECONDS:
            return False
        return now - self._fetched > FRESH_SECONDS or (kid is not None and kid not in self._keys)

    async def _fetch(self) -> None:
        """The try counts when it is over: whoever comes meanwhile waits for it."""
        try:
            # The authorities of the system as they are now: the program's first look at them would last for ever.
            trust = ssl.create_default_context() if self._url.startswith("https:") else True
            async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.get(self._url, ssl=trust) as response:
                response.raise_for_status()
                self._keys = _public_keys(await response.read())
            self._fetched = time.monotonic()
        except (aiohttp.ClientError, OSError, msgspec.DecodeError, jwt.PyJWTError):
            return
        finally:
            self._tried = time.monotonic()


def _key_id(token: str) -> str | None:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        return None
    return kid if isinstance(kid, str) else None


class _Jwks(msgspec.Struct):
    keys: list[dict[str, str]]


def _public_keys(body: bytes) -> dict[str, PublicKey]:
    known = [key for key in msgspec.json.decode(body, type=_Jwks).keys if key.get("alg") in set(Algorithm)]
    return {key["kid"]: PublicKey(Algorithm(key["alg"]), jwt.PyJWK(key).key) for key in known if "kid" in key}
