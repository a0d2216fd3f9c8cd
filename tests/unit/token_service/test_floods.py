"""Very many refusals: they wait, and nobody else does."""

import asyncio

import pytest

from tests.support.clocks import ManualClock
from tests.support.token_services import CLIENT, GRANT, OTHER_SECRET, ServedAlone
from token_service import floods
from token_service.floods import AT_ONCE_PER_SECOND, Floods

LONG = 3600.0


async def is_held(one: Floods) -> bool:
    """Whether a refusal waits."""
    waiting = asyncio.create_task(one.hold())
    await asyncio.sleep(0)
    return waiting.cancel()


async def test_so_many_a_second_go_at_once() -> None:
    """The next second begins anew."""
    clock = ManualClock()
    one = Floods(clock)
    for _ in range(2):
        assert [await is_held(one) for _ in range(AT_ONCE_PER_SECOND + 3)] == [False] * AT_ONCE_PER_SECOND + [True] * 3
        clock.now += 1


async def test_in_a_flood_who_is_accepted_is_served_at_once(served: ServedAlone, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a refusal, whatever it is for, has no answer."""
    monkeypatch.setattr(floods, "AT_ONCE_PER_SECOND", 0)
    monkeypatch.setattr(floods, "HOLD_SECONDS", LONG)
    wrong = (CLIENT | {"client_secret": OTHER_SECRET}, {"client_id": "nobody", "client_secret": "x"}, {})
    refused = [asyncio.create_task(served.token(shown | GRANT)) for shown in wrong]
    assert (await served.token()).status_code == 200
    done, held = await asyncio.wait(refused, timeout=0.5)
    assert (len(done), len(held)) == (0, len(wrong))
    for one in held:
        one.cancel()
