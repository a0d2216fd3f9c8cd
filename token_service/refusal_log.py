"""Tells the log why clients were refused: each refusal while there are few, their number while there are many.

Never a secret or an assertion, never the Authorization header.
"""

import time
from collections.abc import Callable

import structlog

from agentidp.domain.assertions import Workload
from token_service.metrics import Metrics
from token_service.refusals import Why

LINES_PER_SECOND = 10

log = structlog.get_logger()


class RefusalLog:
    """At most so many lines a second."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._second = 0
        self._lines = 0
        self._left_out = 0

    def refused(self, why: Why, client_id: str | None = None, workload: Workload | None = None) -> None:
        """A client was refused; `workload` is one that has shown who it is."""
        self._metrics.refused(why)
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        if self._lines >= LINES_PER_SECOND:
            self._left_out += 1
            return
        self._lines += 1
        shown = {} if workload is None else {"service_account": str(workload)}
        log.info("client refused", client_id=client_id, reason=why.value, left_out_before=self._left_out, **shown)
        self._left_out = 0
