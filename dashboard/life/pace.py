"""When something is done again: as if nobody had agreed on when, and more at some times than at others."""

import asyncio
import math
import random
import time

TIDE_SECONDS = 270.0

chance = random.Random(1)  # noqa: S311 nothing secret


async def pause(per_second: float) -> None:
    """Until it is time again for what is done so often."""
    await asyncio.sleep(chance.expovariate(per_second))


async def pause_with_the_tide(per_second: float) -> None:
    """The same, for what is done so often on average."""
    await pause(per_second * tide(time.monotonic()))


def tide(moment: float) -> float:
    """From half as much to half as much again."""
    return 1 + math.sin(2 * math.pi * moment / TIDE_SECONDS) / 2
