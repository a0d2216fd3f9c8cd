"""Settings of the operator, read from the environment."""

import os
from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from agentidp.domain.secrets.client_secrets import MAX_COST, MIN_COST
from agentidp.domain.secrets.secret_delivery import Endpoints
from agentidp.domain.tokens.signing_keys import Algorithm, KeyPolicy
from agentidp.runtime.settings import CommonSettings, Listen, Url, Urls

TOKEN_PATH = "/api/v1/token"  # noqa: S105 a path


class OperatorSettings(CommonSettings, frozen=True, kw_only=True):
    """Settings of the operator; durations are written like `720h`."""

    token_endpoint: Url | None = None
    """The token endpoint that Secrets name; by default the issuer's `/api/v1/token`."""
    bcrypt_cost: Annotated[int, Meta(ge=MIN_COST, le=MAX_COST)] = MIN_COST
    """The cost of new bcrypt hashes, 10 to 14; each step doubles the time of a first token."""
    hashing_threads: Annotated[int, Meta(ge=1, le=64)] = os.cpu_count() or 1
    """How many secrets are hashed at the same time."""
    credentials_per_agent: Annotated[int, Meta(ge=1, le=1000)] = 100
    """How many credentials of an agent may have a secret, unless its Organization sets a limit."""
    workers: Annotated[int, Meta(ge=1, le=256)] = 32
    """How many objects are reconciled at the same time; of one namespace, three quarters of that (of one or two, one)."""
    signing_algorithm: Algorithm = Algorithm.ES256
    """ES256 or RS256. A change adds a key, and takes effect when that key has been published for long enough."""
    signing_key_lifetime: timedelta = timedelta(days=30)
    """How long a key signs before the next key takes over."""
    signing_key_published_ahead: timedelta = timedelta(hours=1)
    """How long the next key is in the JWKS before it signs."""
    probe_listen: Listen = Listen("::", 8081)
    """The address of /healthz, /readyz and /metrics."""
    token_service_url: Urls = Urls()
    """URLs of the token service; every address of a host is polled. Without it, the last use is unknown."""
    usage_poll: timedelta = timedelta(seconds=30)
    """The interval between polls of the last use."""
    resync: timedelta = timedelta(minutes=10)
    """The interval between complete lists, which find objects whose event was missed."""

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints that a Secret holds beside the client credentials."""
        return Endpoints(token_endpoint=self.token_endpoint or self.issuer + TOKEN_PATH, issuer=self.issuer)

    @property
    def key_policy(self) -> KeyPolicy:
        """The policy by which signing keys are made."""
        return KeyPolicy(self.signing_algorithm, self.signing_key_lifetime, self.signing_key_published_ahead)
