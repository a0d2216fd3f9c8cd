"""Loop lag: the largest delay of the event loop since the last reading."""

import asyncio
import time

from agent_operator.telemetry.loop_lag import LoopLag


async def test_loop_lag_is_taken_once() -> None:
    """A reading resets it, so that each scrape has the lag of its own interval."""
    lag = LoopLag()
    task = asyncio.create_task(lag.measure())
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 the event loop is blocked on purpose
    await asyncio.sleep(0.1)
    task.cancel()
    assert lag.take() > 0
    assert lag.take() == 0
