"""Settings of the token service, read from the environment once.

What an operator may change is here, a variable `AGENTIDP_…` for each field; every other limit is in `limits`.
"""

import os
from typing import Annotated

from msgspec import Meta

from agentidp.runtime.settings import CommonSettings, Listen, Url, require_another_port


class TokenServiceSettings(CommonSettings, frozen=True, kw_only=True):
    """Settings of the token service."""

    listen: Listen = Listen("::", 8080)
    """The address at which requests are answered."""
    metrics_listen: Listen | None = None
    """The address of /metrics, on another port; without it /metrics is beside everything else."""
    max_staleness_seconds: Annotated[int, Meta(ge=2)] = 300
    """Seconds without word from the API server after which no tokens are issued."""
    client_requests_per_second: Annotated[float, Meta(ge=0)] = 100.0
    """Requests a second of each client, on average; 0 is no limit."""
    client_burst: Annotated[int, Meta(ge=1)] = 1000
    """Requests that a client may make at once after a pause."""
    management_service_account: str = "agentidp-management-api"
    """The ServiceAccount of the management API, in our own namespace: it may ask whether a change is in effect."""
    traces_collector: Url | None = None
    """The OTLP/HTTP receiver that traces are sent to, such as http://collector:4318; without one there are none."""
    hashing_threads: Annotated[int, Meta(ge=1, le=64)] = os.cpu_count() or 1
    """Secrets of one namespace that are checked for the first time at the same time; others have one thread more."""
    hashing_queue: Annotated[int, Meta(ge=1)] = 2048
    """Secrets that may wait to be checked for the first time; a quarter of them may be those of one namespace."""
    jwks_max_age_seconds: Annotated[int, Meta(ge=1, le=3600)] = 300
    """Seconds for which clients may cache the JWK Set; the operator must publish keys longer ahead than that."""

    def __post_init__(self) -> None:
        """Check the ports. Raises ValueError where metrics and requests share one."""
        require_another_port(self.listen, self.metrics_listen)
