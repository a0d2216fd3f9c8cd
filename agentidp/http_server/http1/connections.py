"""Connections of one server, looked at now and then: so they cost requests nothing, where a timer for each would.

A body that never ends is not waited for, nor a client that takes nothing of its answer; and where there are too many, those
go that have waited longest for their client. How long the head of a request may take is bounded in `protocol`.
"""

import asyncio
import resource
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from uvicorn.server import ServerState

LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 20.0
SPARE_FILES = 256
MOST = 20_000

Connection = Any
"""One of uvicorn's protocols: it has a `transport`, the `flow` on it, and the `cycle` of its present or last request."""


def most_connections() -> int:
    """As many as there may be open files, less what else is open. The soft limit of files is raised to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return MOST if hard == resource.RLIM_INFINITY else min(MOST, max(SPARE_FILES, hard - SPARE_FILES))


class _Wait(NamedTuple):
    """For the client to go on with this request, or to read what is left of an answer: so many bytes."""

    cycle: object
    unread: int
    since: float


class ConnectionReaper:
    """Closes connections that wait for their client, when it is time."""

    def __init__(self, state: ServerState, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._most = most
        self._clock = clock
        self._waiting: dict[Connection, _Wait] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Close those whose body does not end or whose answer is not read, and as many of the longest idle as are too many."""
        now = self._clock()
        waiting: list[Connection] = [one for one in self._state.connections if _waits(one)]
        self._waiting = {one: self._wait(one, now) for one in waiting}
        by_age = sorted(self._waiting, key=lambda one: self._waiting[one].since)
        too_many = max(0, len(self._state.connections) - self._most)
        overdue = [one for one in by_age[too_many:] if _is_stuck(one) and now - self._waiting[one].since >= PATIENCE_SECONDS]
        for one in by_age[:too_many] + overdue:
            one.transport.abort()

    def _wait(self, connection: Connection, now: float) -> _Wait:
        """Since when it waits for the same thing, as far as was seen."""
        wait, known = _Wait(connection.cycle, connection.transport.get_write_buffer_size(), now), self._waiting.get(connection)
        return known if known and known.cycle is wait.cycle and known.unread == wait.unread else wait


def _waits(connection: Connection) -> bool:
    """For the client: for a request, the rest of one, or that it reads. Where we owe an answer, the client waits."""
    return connection.cycle is None or connection.cycle.response_complete or _is_stuck(connection)


def _is_stuck(connection: Connection) -> bool:
    """Whether a request has begun and does not end, answered or not; or an answer is not read."""
    return connection.cycle is not None and (connection.cycle.more_body or connection.flow.write_paused)
