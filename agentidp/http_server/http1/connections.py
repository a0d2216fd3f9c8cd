"""Connection reaper: aborts connections that wait too long for their client, and the longest idle ones of too many.

Flows in: the connections of one uvicorn server. Flows out: aborted transports. All connections are checked every few seconds
instead of by a timer each, so a request costs nothing more. Bounded by `Limits`: how long a body may not end, how long a client
may read nothing of its answer, and how many connections there are. `protocol` bounds the time of a head.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from uvicorn.server import ServerState

from agentidp.http_server.http1.limits import LIMITS, Limits

Connection = Any
"""One of uvicorn's protocols: it has a `transport`, the `flow` on it, and the `cycle` of its present or last request."""


class _Wait(NamedTuple):
    """What a connection waits for since when: that the client continues this request, or reads the rest of an answer."""

    cycle: object
    unread_bytes: int
    since: float


class ConnectionReaper:
    """Checks the connections of one server, of which there may be `max_connections`."""

    def __init__(
        self,
        state: ServerState,
        max_connections: int,
        limits: Limits = LIMITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._max_connections = max_connections
        self._limits = limits
        self._clock = clock
        self._waits: dict[Connection, _Wait] = {}

    async def run(self) -> None:
        """Check all connections again and again, without end."""
        while True:
            await asyncio.sleep(self._limits.check_seconds)
            self.check()

    def check(self) -> None:
        """Abort connections that have stalled, and as many of the longest idle ones as are too many."""
        now = self._clock()
        waiting: list[Connection] = [connection for connection in self._state.connections if _waits(connection)]
        self._waits = {connection: self._wait(connection, now) for connection in waiting}
        by_age = sorted(self._waits, key=lambda connection: self._waits[connection].since)
        excess = max(0, len(self._state.connections) - self._max_connections)
        stalled = [connection for connection in by_age[excess:] if self._has_stalled(connection, now)]
        for connection in by_age[:excess] + stalled:
            connection.transport.abort()

    def _has_stalled(self, connection: Connection, now: float) -> bool:
        return _is_unfinished(connection) and now - self._waits[connection].since >= self._limits.max_stall_seconds

    def _wait(self, connection: Connection, now: float) -> _Wait:
        """What the connection waits for, since the first check that saw it wait for the same."""
        wait = _Wait(connection.cycle, connection.transport.get_write_buffer_size(), now)
        before = self._waits.get(connection)
        return before if before and before.cycle is wait.cycle and before.unread_bytes == wait.unread_bytes else wait


def _waits(connection: Connection) -> bool:
    """Whether it waits for the client. Where the application owes an answer, the client waits."""
    return connection.cycle is None or connection.cycle.response_complete or _is_unfinished(connection)


def _is_unfinished(connection: Connection) -> bool:
    """Whether the client has not sent the end of a request, answered or not, or does not read an answer."""
    return connection.cycle is not None and (connection.cycle.more_body or connection.flow.write_paused)
