"""Connections of one server, looked at now and then: so they cost requests nothing, where a timer for each would.

A body that never ends is not waited for, and where there are too many connections, those go that have waited longest for
their client. How long the head of a request may take is bounded in `http.protocol`.
"""

import asyncio
import resource
import time
from collections.abc import Callable
from typing import Any

from uvicorn.server import ServerState

LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 20.0
SPARE_FILES = 256
MOST = 20_000

Connection = Any
"""One of uvicorn's protocols: it has a `transport`, and the `cycle` of its present or last request."""


def most_connections() -> int:
    """As many as there may be open files, less what else is open. The soft limit of files is raised to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return MOST if hard == resource.RLIM_INFINITY else min(MOST, max(SPARE_FILES, hard - SPARE_FILES))


class Watchman:
    """Closes connections that wait for their client, when it is time."""

    def __init__(self, state: ServerState, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._most = most
        self._clock = clock
        self._waiting: dict[Connection, tuple[object, float]] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Close those whose body does not end, and as many of the longest idle as there are too many."""
        now = self._clock()
        waiting: list[Connection] = [one for one in self._state.connections if _waits(one)]
        self._waiting = {one: (one.cycle, self._since(one, now)) for one in waiting}
        by_age = sorted(self._waiting, key=lambda one: self._waiting[one][1])
        too_many = max(0, len(self._state.connections) - self._most)
        overdue = [one for one in by_age[too_many:] if _owes_body(one) and now - self._waiting[one][1] >= PATIENCE_SECONDS]
        for one in by_age[:too_many] + overdue:
            one.transport.abort()

    def _since(self, connection: Connection, now: float) -> float:
        """Since when it waits for the same thing, as far as was seen."""
        cycle, since = self._waiting.get(connection, (None, now))
        return since if cycle is connection.cycle else now


def _waits(connection: Connection) -> bool:
    """For the client: for its first request, its next one, or the rest of one. Where we owe an answer, the client waits."""
    return connection.cycle is None or connection.cycle.response_complete or connection.cycle.more_body


def _owes_body(connection: Connection) -> bool:
    """Whether a request has begun and does not end, answered or not."""
    return connection.cycle is not None and connection.cycle.more_body
