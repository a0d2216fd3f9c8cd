"""Settings of the management API, read from the environment once (`agentidp.runtime.settings`)."""

import os
from typing import Annotated

from msgspec import Meta

from agentidp.domain.secrets.client_secrets import MAX_COST, MIN_COST
from agentidp.runtime.settings import CommonSettings, Listen, Url, Urls, require_another_port


class ManagementApiSettings(CommonSettings, frozen=True, kw_only=True):
    """The settings; each field is an environment variable."""

    listen: Listen = Listen("::", 8082)
    metrics_listen: Listen | None = None
    """The address of /metrics, on another port; without it, /metrics is on `listen`."""
    token_service_url: Urls
    """URLs of the token service: every address of each host is asked whether it has applied a change."""
    api_audience: str = ""
    """The audience that agents' tokens must have; by default the issuer, as tokens of agents without audiences have it."""
    max_staleness_seconds: Annotated[int, Meta(ge=2)] = 300
    """After so long without contact to the API server, requests get 503."""
    confirm_seconds: Annotated[float, Meta(gt=0, le=60)] = 10.0
    """A change that takes longer to take effect is rolled back, or its outcome can be read with GET."""
    caller_requests_per_second: Annotated[float, Meta(ge=0)] = 20.0
    """Requests of one caller, on average; 0 is no limit."""
    caller_burst: Annotated[int, Meta(ge=1)] = 200
    """Requests that one caller may send at once after a pause."""
    namespace_writes_per_second: Annotated[float, Meta(ge=0)] = 2.0
    """Changes by all callers of one namespace together, on average; 0 is no limit."""
    namespace_write_burst: Annotated[int, Meta(ge=1)] = 200
    """Changes that the callers of one namespace may make at once after a pause."""
    objects_per_namespace: Annotated[int, Meta(ge=1)] = 5_000
    """Agents and credentials, in any state, beyond which agents create no more in their namespace over REST."""
    ended_records_kept: Annotated[int, Meta(ge=1, le=10_000)] = 50
    """Ended credentials of each agent, and decommissioned agents of each namespace, that this API keeps of its own."""
    traces_collector: Url | None = None
    """The OTLP/HTTP receiver of traces, such as http://collector:4318; without one there are no traces."""
    bcrypt_cost: Annotated[int, Meta(ge=MIN_COST, le=MAX_COST)] = MIN_COST
    hashing_threads: Annotated[int, Meta(ge=1, le=64)] = os.cpu_count() or 1
    hashing_queue: Annotated[int, Meta(ge=1)] = 256
    """Secrets that may wait to be hashed; a quarter of them for the callers of one namespace."""

    def __post_init__(self) -> None:
        """Raise ValueError where both addresses have one port."""
        require_another_port(self.listen, self.metrics_listen)

    @property
    def audience(self) -> str:
        """Return the audience that agents' tokens must have."""
        return self.api_audience or self.issuer

    @property
    def keys_url(self) -> str:
        """Return the URL of the token service's JWK Set."""
        return self.token_service_url[0] + "/.well-known/jwks.json"
