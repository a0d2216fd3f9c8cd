"""The bounded generator: secrets are made in turns by tenant. Counted is their order."""

import asyncio

import pytest

from management_api.errors import ApiFailure
from management_api.operations.secret_generator import BoundedGenerator


async def test_generator_serves_tenants_in_turns() -> None:
    """However many secrets of one tenant wait, another's is made after those that are under way."""
    maker, done = BoundedGenerator(threads=1, cost=10, max_waiting=256), list[str]()

    async def make(tenant: str) -> None:
        await maker.make(tenant)
        done.append(tenant)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(20):
            tasks.create_task(make("many"))
        await asyncio.sleep(0)
        tasks.create_task(make("one"))
    assert done.index("one") <= 2
    assert maker.pending == 0


async def test_generator_refuses_a_tenant_that_has_a_quarter_of_the_queue() -> None:
    """503, while another tenant is admitted."""
    maker = BoundedGenerator(threads=1, cost=10, max_waiting=20)
    async with asyncio.TaskGroup() as tasks:
        made = [tasks.create_task(refused(maker, "many")) for _ in range(20)]
        await asyncio.sleep(0)
        others = tasks.create_task(refused(maker, "one"))
    assert sum(not one.result() for one in made) == 1 + 20 // 4
    assert not others.result()


async def refused(maker: BoundedGenerator, tenant: str) -> bool:
    """Whether no place was left."""
    try:
        await maker.make(tenant)
    except ApiFailure:
        return True
    return False


@pytest.mark.parametrize("cancelled", [0, 1, 2])
async def test_generator_goes_on_when_a_caller_is_cancelled(cancelled: int) -> None:
    """While the secret is hashed, or while it waits."""
    maker = BoundedGenerator(threads=1, cost=10, max_waiting=10)
    tasks = [asyncio.create_task(maker.make("a")) for _ in range(3)]
    await asyncio.sleep(0.01)
    tasks[cancelled].cancel()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [number == cancelled for number in range(3)]
    assert maker.pending == 0
    assert (await maker.make("b")).hashed
