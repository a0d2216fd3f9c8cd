"""What the management API is told by its environment."""

import os
from typing import Annotated

from msgspec import Meta

from agentidp.domain.secrets.client_secrets import MAX_COST, MIN_COST
from agentidp.runtime.settings import CommonSettings, Listen, Url, Urls, require_another_port


class ManagementApiSettings(CommonSettings, frozen=True, kw_only=True):
    """Settings of the management API."""

    listen: Listen = Listen("::", 8082)
    metrics_listen: Listen | None = None
    """Where /metrics is, on another port; without it, where everything else is."""
    token_service_url: Urls
    """Where the replicas of the token service answer: every address of the host is asked whether a change is in force there."""
    api_audience: str = ""
    """What the `aud` of agents' tokens must name; by default the issuer, which agents without audiences of their own have."""
    max_staleness_seconds: Annotated[int, Meta(ge=2)] = 300
    """Without word from the API server for so long, no answers."""
    confirm_seconds: Annotated[float, Meta(gt=0, le=60)] = 10.0
    """How long a change may take until it has taken effect; then it is withdrawn, or its outcome is to be read."""
    caller_requests_per_second: Annotated[float, Meta(ge=0)] = 20.0
    """Of each caller, on average; 0 is no limit."""
    caller_burst: Annotated[int, Meta(ge=1)] = 200
    """How many requests a caller that was quiet may make at once."""
    namespace_writes_per_second: Annotated[float, Meta(ge=0)] = 2.0
    """Changes by all callers of a namespace together, on average; 0 is no limit."""
    namespace_write_burst: Annotated[int, Meta(ge=1)] = 200
    """How many changes the callers of a namespace that was quiet may make at once."""
    objects_per_namespace: Annotated[int, Meta(ge=1)] = 5_000
    """How many agents and credentials, in any state, may be in a namespace where agents make more of them over REST."""
    ended_records_kept: Annotated[int, Meta(ge=1, le=10_000)] = 50
    """How many ended credentials of each agent, and decommissioned agents of each namespace, stay of what this API made."""
    traces_collector: Url | None = None
    """The OTLP/HTTP receiver that traces are sent to, such as http://collector:4318; without one there are none."""
    bcrypt_cost: Annotated[int, Meta(ge=MIN_COST, le=MAX_COST)] = MIN_COST
    hashing_threads: Annotated[int, Meta(ge=1, le=64)] = os.cpu_count() or 1
    hashing_queue: Annotated[int, Meta(ge=1)] = 256
    """How many secrets may be in the making; a quarter of them for the callers of one namespace."""

    def __post_init__(self) -> None:
        """Raises ValueError."""
        require_another_port(self.listen, self.metrics_listen)

    @property
    def audience(self) -> str:
        """What the `aud` of agents' tokens must name."""
        return self.api_audience or self.issuer

    @property
    def keys_url(self) -> str:
        """Where the token service publishes its keys."""
        return self.token_service_url[0] + "/.well-known/jwks.json"
