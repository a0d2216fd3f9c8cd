"""Connection reaper: which connections it aborts, and when."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from uvicorn.server import ServerState

from agentidp.http_server.http1.connections import ConnectionReaper
from agentidp.http_server.http1.limits import Limits
from tests.support.clocks import ManualClock

STALL = 20.0


@dataclass(eq=False)
class FakeConnection:
    """What of uvicorn's protocols counts."""

    cycle: Any = None
    unread: int = 0
    aborted: bool = False
    transport: Any = field(init=False)

    def __post_init__(self) -> None:
        self.transport = SimpleNamespace(abort=self._abort, get_write_buffer_size=lambda: self.unread)

    @property
    def flow(self) -> Any:
        """Whether it may write more."""
        return SimpleNamespace(write_paused=self.unread > 0)

    def _abort(self) -> None:
        self.aborted = True


def a_cycle(*, answered: bool = False, more_body: bool = False) -> Any:
    """A request as far as it has got."""
    return SimpleNamespace(response_complete=answered, more_body=more_body)


def reaper_of(max_connections: int, *connections: FakeConnection) -> tuple[ConnectionReaper, ManualClock]:
    """A reaper of these connections."""
    state, clock = ServerState(), ManualClock()
    state.connections.update(connections)  # type: ignore[arg-type]
    return ConnectionReaper(state, max_connections, Limits(max_stall_seconds=STALL), clock), clock


def test_reaper_aborts_a_connection_whose_body_does_not_end() -> None:
    """Also when the request was answered already; whoever waits for an answer stays, and so does an idle connection."""
    drips, refused = FakeConnection(a_cycle(more_body=True)), FakeConnection(a_cycle(answered=True, more_body=True))
    served, idle = FakeConnection(a_cycle()), FakeConnection(a_cycle(answered=True))
    reaper, clock = reaper_of(10, drips, refused, served, idle)
    reaper.check()
    clock.now += STALL - 1
    reaper.check()
    assert not any(one.aborted for one in (drips, refused, served, idle))
    clock.now += 1
    reaper.check()
    assert [one.aborted for one in (drips, refused, served, idle)] == [True, True, False, False]


def test_reaper_aborts_a_connection_whose_answer_is_not_read() -> None:
    """One that takes it slowly is."""
    deaf, slow = FakeConnection(a_cycle(), unread=100_000), FakeConnection(a_cycle(), unread=100_000)
    reaper, clock = reaper_of(10, deaf, slow)
    reaper.check()
    assert not any(one.aborted for one in (deaf, slow))
    clock.now += STALL
    slow.unread -= 1
    reaper.check()
    assert [one.aborted for one in (deaf, slow)] == [True, False]


def test_reaper_gives_each_request_its_own_time() -> None:
    """A busy connection may send many bodies."""
    busy = FakeConnection(a_cycle(more_body=True))
    reaper, clock = reaper_of(10, busy)
    for _ in range(10):
        reaper.check()
        clock.now += STALL - 1
        busy.cycle = a_cycle(more_body=True)
    assert not busy.aborted


def test_reaper_aborts_the_longest_idle_of_too_many_connections() -> None:
    """Those that are served stay."""
    old = [FakeConnection() for _ in range(3)]
    served = [FakeConnection(a_cycle()) for _ in range(3)]
    reaper, clock = reaper_of(5, *old, *served)
    clock.now += 1
    reaper.check()
    assert sum(one.aborted for one in old) == 1
    assert not any(one.aborted for one in served)
