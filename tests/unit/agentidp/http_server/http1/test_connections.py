"""Which connections are closed."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from uvicorn.server import ServerState

from agentidp.http_server.http1.connections import PATIENCE_SECONDS, ConnectionReaper, most_connections
from tests.support.clocks import ManualClock


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


def watched(most: int, *connections: FakeConnection) -> tuple[ConnectionReaper, ManualClock]:
    """A watchman over these."""
    state, clock = ServerState(), ManualClock()
    state.connections.update(connections)  # type: ignore[arg-type]
    return ConnectionReaper(state, most, clock), clock


def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    """Also when the request was answered already; whoever waits for an answer stays, and so does an idle connection."""
    drips, refused = FakeConnection(a_cycle(more_body=True)), FakeConnection(a_cycle(answered=True, more_body=True))
    served, idle = FakeConnection(a_cycle()), FakeConnection(a_cycle(answered=True))
    watchman, clock = watched(10, drips, refused, served, idle)
    watchman.look()
    clock.now += PATIENCE_SECONDS - 1
    watchman.look()
    assert not any(one.aborted for one in (drips, refused, served, idle))
    clock.now += 1
    watchman.look()
    assert [one.aborted for one in (drips, refused, served, idle)] == [True, True, False, False]


def test_a_client_that_takes_nothing_of_its_answer_is_not_waited_for() -> None:
    """One that takes it slowly is."""
    deaf, slow = FakeConnection(a_cycle(), unread=100_000), FakeConnection(a_cycle(), unread=100_000)
    watchman, clock = watched(10, deaf, slow)
    watchman.look()
    assert not any(one.aborted for one in (deaf, slow))
    clock.now += PATIENCE_SECONDS
    slow.unread -= 1
    watchman.look()
    assert [one.aborted for one in (deaf, slow)] == [True, False]


def test_each_request_has_its_own_time() -> None:
    """A busy connection may send many bodies."""
    busy = FakeConnection(a_cycle(more_body=True))
    watchman, clock = watched(10, busy)
    for _ in range(10):
        watchman.look()
        clock.now += PATIENCE_SECONDS - 1
        busy.cycle = a_cycle(more_body=True)
    assert not busy.aborted


def test_where_there_are_too_many_the_longest_idle_go() -> None:
    """Those that are served stay."""
    old = [FakeConnection() for _ in range(3)]
    served = [FakeConnection(a_cycle()) for _ in range(3)]
    watchman, clock = watched(5, *old, *served)
    clock.now += 1
    watchman.look()
    assert sum(one.aborted for one in old) == 1
    assert not any(one.aborted for one in served)


def test_there_may_be_fewer_connections_than_files() -> None:
    """Files are needed for the API server, too."""
    assert 256 <= most_connections() <= 20_000
