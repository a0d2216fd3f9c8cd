"""Tells the log why clients were refused: each refusal while there are few, their number while there are many.

Never a secret or an assertion, never the Authorization header.
"""

import time
from collections.abc import Callable

import structlog

from agentidp.domain.tokens.client_assertions import Workload
from agentidp.runtime.logs import LogLimit
from token_service.authentication.failure import FailureReason
from token_service.metrics import Metrics

log = structlog.get_logger()


class FailureLog:
    """As many lines a second as `LogLimit` lets through."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._limit = LogLimit(clock)

    def refused(self, why: FailureReason, client_id: str | None = None, workload: Workload | None = None) -> None:
        """A client was refused; `workload` is one that has shown who it is."""
        self._metrics.refused(why)
        left_out = self._limit.take()
        if left_out is None:
            return
        shown = {} if workload is None else {"service_account": str(workload)}
        log.info("client refused", client_id=client_id, reason=why.value, left_out_before=left_out, **shown)
