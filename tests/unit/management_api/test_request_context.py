"""The request context, and the tasks of changes: a change goes on when its request is cancelled."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agentidp.domain.identity.administration import READ
from management_api.auth.agent_caller import AgentCaller
from management_api.cache.metadata import CHANGED_BY, REQUEST_ID
from management_api.request_context import ChangeTasks
from tests.support.management_parts import a_cached_agent, a_context
from tests.support.worlds import AGENT_ID


def test_request_context_marks_a_change_with_caller_and_request() -> None:
    """The audit annotations of each change."""
    annotations = a_context(AgentCaller(a_cached_agent(), frozenset({READ}), None)).annotations()
    assert (annotations[CHANGED_BY], annotations[REQUEST_ID]) == (f"agent:{AGENT_ID}", "a-request")


async def test_change_task_goes_on_when_its_request_is_cancelled() -> None:
    """It holds its slot until it ends, and `finish` waits for it."""
    tasks, may_end, events = ChangeTasks(), asyncio.Event(), list[str]()

    @contextmanager
    def slot() -> Iterator[None]:
        events.append("slot taken")
        yield
        events.append("slot free")

    async def change() -> None:
        await may_end.wait()
        events.append("changed")

    request = asyncio.create_task(tasks.run(change, slot()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert events == ["slot taken"]
    may_end.set()
    await tasks.finish(5)
    assert events == ["slot taken", "changed", "slot free"]


async def test_change_task_raises_what_the_change_raises() -> None:
    """And `finish` has nothing to wait for then."""
    tasks = ChangeTasks()

    async def change() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await tasks.run(change)
    await tasks.finish(5)
