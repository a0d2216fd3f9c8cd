"""What the operator is told by its environment."""

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
    """What Secrets tell workloads to use; by default the issuer's `/api/v1/token`."""
    bcrypt_cost: Annotated[int, Meta(ge=MIN_COST, le=MAX_COST)] = MIN_COST
    """Of the hashes that it makes, 10 to 14; each more doubles the time of a first token."""
    hashing_threads: Annotated[int, Meta(ge=1, le=64)] = os.cpu_count() or 1
    """How many secrets are hashed at the same time."""
    credentials_per_agent: Annotated[int, Meta(ge=1, le=1000)] = 100
    """How many credentials of an agent may have a secret, unless its Organization says how many."""
    workers: Annotated[int, Meta(ge=1, le=256)] = 32
    """How many objects are reconciled at the same time; of one namespace, three quarters of that (of one or two, one)."""
    signing_algorithm: Algorithm = Algorithm.ES256
    """ES256 or RS256. A change adds a key, and takes effect once that was published for long enough."""
    signing_key_lifetime: timedelta = timedelta(days=30)
    """For how long a key signs before the next one takes over."""
    signing_key_published_ahead: timedelta = timedelta(hours=1)
    """For how long the next key is in the JWKS before it signs."""
    probe_listen: Listen = Listen("::", 8081)
    """Where /healthz, /readyz and /metrics are."""
    token_service_url: Urls = Urls()
    """Where the replicas of the token service answer (every address of the host is asked); without it, usage is not known."""
    usage_poll: timedelta = timedelta(seconds=30)
    """How often they are asked what is in use."""
    resync: timedelta = timedelta(minutes=10)
    """How often everything is listed again, in case an event was missed."""

    @property
    def endpoints(self) -> Endpoints:
        """What a Secret says beside the pair."""
        return Endpoints(token_endpoint=self.token_endpoint or self.issuer + TOKEN_PATH, issuer=self.issuer)

    @property
    def key_policy(self) -> KeyPolicy:
        """How signing keys are made."""
        return KeyPolicy(self.signing_algorithm, self.signing_key_lifetime, self.signing_key_published_ahead)
