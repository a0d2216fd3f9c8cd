"""Logs: one JSON object a line, or a line for people, from the programs and their libraries alike.

Bodies of requests and resources are never logged: loggers that would log them at a level log from one level above it on. Lines
that clients can cause have a rate (`LogLimit`), so a flood of them does not fill the log.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import structlog
from structlog.typing import Processor

LOGGERS_THAT_SHOW_BODIES = ("kubernetes", "kubernetes.aio", "kopf", "aiohttp", "asyncio")
LINES_PER_SECOND = 10


def configure_logs(program: str, level: str, form: str) -> None:
    """Send all logs to standard error, from this level on (`debug` to `error`), as `json` or for a `console`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(program=program)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=_rendering(form), foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in LOGGERS_THAT_SHOW_BODIES:
        logging.getLogger(name).setLevel(root.level + (logging.INFO - logging.DEBUG))


REPORT = "This is an error of this program: please report it with its place."


def place_of(error: BaseException) -> str:
    """Where an unexpected error was raised, for a log that may not have its words: they could quote what somebody wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"


def _rendering(form: str) -> list[Processor]:
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if form == "console":
        plain = structlog.dev.plain_traceback  # the default shows local variables, and secrets are among them
        return [without_meta, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [without_meta, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


class LogLimit:
    """A rate for log lines of one kind: `LINES_PER_SECOND`, each with the number of lines left out before it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._lines = 0
        self._left_out = 0

    def take(self) -> int | None:
        """Take one line, and return how many were left out before it; None where this one is left out, too."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        if self._lines >= LINES_PER_SECOND:
            self._left_out += 1
            return None
        self._lines += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
