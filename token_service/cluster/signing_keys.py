"""Signing keys: parsed once when their Secret changes, and chosen by the time alone."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import structlog

from agentidp.domain.resources import ObjectRef, Secret
from agentidp.domain.tokens.access_tokens import PublicKey, TokenWriter
from agentidp.domain.tokens.signing_keys import SECRET_KEY, KeySet, PrivateKey, public_jwk
from agentidp.kube.pager import Pager

log = structlog.get_logger()


class SigningKeys:
    """Store of the signing keys' Secret, which a reflector feeds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._keys = KeySet()
        self._private: dict[str, PrivateKey] = {}
        self._writer: TokenWriter | None = None
        self._writer_until = 0.0

    async def replace(self, listing: Pager[Secret]) -> None:
        """Use the listed Secret, or no keys where there is none."""
        secrets = [secret async for page in listing for secret in page]
        if secrets:
            self.put(secrets[0])
        else:
            self._use(KeySet())

    def put(self, secret: Secret) -> None:
        """Use the keys of a new or changed Secret. A Secret that cannot be read changes nothing."""
        try:
            self._use(msgspec.json.decode(secret.data.get(SECRET_KEY, b""), type=KeySet))
        except (msgspec.DecodeError, ValueError, TypeError):
            log.error(  # noqa: TRY400 the error's words might quote the Secret
                "the signing keys cannot be read, those at hand stay in use",
                secret=str(secret.key),
                advice="Restore the Secret from a backup, or delete it for new keys.",
            )

    def remove(self, _: ObjectRef) -> None:
        """Use no keys: whoever deletes the Secret wants its keys out of use."""
        self._use(KeySet())

    def writer(self) -> TokenWriter | None:
        """The writer with the key that signs now; None where there is no key."""
        now = self._clock()
        if now >= self._writer_until:
            self._choose(now)
        return self._writer

    def public_keys(self) -> dict[str, PublicKey]:
        """The keys that a token which is valid now may be signed with, by `kid`."""
        published = self._keys.published(datetime.fromtimestamp(self._clock(), UTC))
        return {key.kid: PublicKey(key.algorithm, self._private[key.kid].public_key()) for key in published}

    def jwks(self) -> bytes:
        """The JWK Set (RFC 7517, section 5) of all published keys."""
        published = self._keys.published(datetime.fromtimestamp(self._clock(), UTC))
        jwks = [{**public_jwk(self._private[key.kid]), "kid": key.kid, "use": "sig", "alg": key.algorithm} for key in published]
        return msgspec.json.encode({"keys": jwks})

    def age(self) -> float:
        """Seconds since the signing key began to sign; 0 where there is none."""
        writer = self.writer()
        return self._clock() - writer.key.signs_from.timestamp() if writer else 0.0

    def _use(self, keys: KeySet) -> None:
        self._private = {key.kid: self._private.get(key.kid) or key.load() for key in keys.keys}
        self._keys = keys
        self._choose(self._clock())

    def _choose(self, now: float) -> None:
        key = self._keys.signing(datetime.fromtimestamp(now, UTC))
        starts = (key.signs_from.timestamp() for key in self._keys.keys)
        self._writer = TokenWriter(key, self._private[key.kid]) if key else None
        self._writer_until = min((start for start in starts if start > now), default=float("inf"))
