"""Single-flight: how many executions concurrent calls cause, and what becomes of callers who leave."""

import asyncio

import pytest

from agentidp.runtime.single_flight import SingleFlight


class Source:
    """A slow source that counts how often it is read, and answers when it is released."""

    def __init__(self) -> None:
        self.reads = 0
        self.released = asyncio.Event()

    async def read(self) -> int:
        """The number of this read."""
        self.reads += 1
        number = self.reads
        await self.released.wait()
        return number


async def started(flight: SingleFlight[str, int], source: Source, *keys: str) -> list[asyncio.Task[int]]:
    """Calls for these keys that wait for the source."""
    calls = [asyncio.create_task(flight.run(key, source.read)) for key in keys]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return calls


async def test_single_flight_executes_once_for_all_callers_of_a_key() -> None:
    """Another key has an execution of its own, and a later call too."""
    flight, source = SingleFlight[str, int](), Source()
    calls = await started(flight, source, "a", "a", "b", "a")
    source.released.set()
    assert await asyncio.gather(*calls) == [1, 1, 2, 1]
    assert len(flight) == 0
    assert await flight.run("a", source.read) == 3


async def test_single_flight_goes_on_when_a_caller_is_cancelled() -> None:
    """The caller who began it may leave, and the others have the result."""
    flight, source = SingleFlight[str, int](), Source()
    first, second = await started(flight, source, "a", "a")
    first.cancel()
    source.released.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_single_flight_raises_the_failure_to_all_callers() -> None:
    """And executes again for the next one."""

    async def fail() -> int:
        await asyncio.sleep(0)
        raise LookupError

    flight = SingleFlight[str, int]()
    results = await asyncio.gather(*(flight.run("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError, LookupError]
    assert flight.running("a") is None


async def test_single_flight_that_is_forgotten_is_not_joined() -> None:
    """Its end does not end the execution that followed."""
    flight, source = SingleFlight[str, int](), Source()
    (first,) = await started(flight, source, "a")
    flight.forget("a")
    (second,) = await started(flight, source, "a")
    source.released.set()
    assert (await first, await second) == (1, 2)
    assert len(flight) == 0
