"""What the token service is told by its environment."""

import os
from typing import Annotated

from msgspec import Meta

from agentidp.runtime.settings import CommonSettings, Listen, Url, require_another_port


class TokenServiceSettings(CommonSettings, frozen=True, kw_only=True):
    """Settings of the token service."""

    listen: Listen = Listen("::", 8080)
    """Where it answers."""
    metrics_listen: Listen | None = None
    """Where /metrics is, on another port; without it, where everything else is."""
    max_staleness_seconds: Annotated[int, Meta(ge=2)] = 300
    """Without word from the API server for so long, no tokens."""
    client_requests_per_second: Annotated[float, Meta(ge=0)] = 100.0
    """Of each client, on average; 0 is no limit."""
    client_burst: Annotated[int, Meta(ge=1)] = 1000
    """How many requests a client that was quiet may make at once."""
    management_service_account: str = "agentidp-management-api"
    """The ServiceAccount of the management API, in our own namespace: it may ask how far this replica's watch is."""
    traces_collector: Url | None = None
    """The OTLP/HTTP receiver that traces are sent to, such as http://collector:4318; without one there are none."""
    hashing_threads: Annotated[int, Meta(ge=1, le=64)] = os.cpu_count() or 1
    """How many secrets of one namespace are checked for the first time at the same time; others have one thread more."""
    hashing_queue: Annotated[int, Meta(ge=1)] = 2048
    """How many secrets may wait to be checked for the first time; a quarter of them those of one namespace."""
    jwks_max_age_seconds: Annotated[int, Meta(ge=1, le=3600)] = 300
    """How long whoever checks tokens may keep the key set; the operator must publish keys longer ahead than that."""

    def __post_init__(self) -> None:
        """Raises ValueError."""
        require_another_port(self.listen, self.metrics_listen)
