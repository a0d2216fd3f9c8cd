"""Very many refusals: they wait, and nobody else does."""

import asyncio
from typing import Any

import pytest

from tests.support.clocks import ManualClock
from tests.support.token_services import CLIENT, FORM, GRANT, OTHER_SECRET, ServedAlone, basic, with_limits
from tests.support.worlds import AGENT_ID
from token_service.limits import LIMITS
from token_service.rate_limits.tarpit import Tarpit

LONG = 3600.0


async def is_held(one: Tarpit) -> bool:
    """Whether a refusal waits."""
    waiting = asyncio.create_task(one.delay())
    await asyncio.sleep(0)
    return waiting.cancel()


async def test_so_many_a_second_go_at_once() -> None:
    """The next second begins anew."""
    clock = ManualClock()
    one, at_once = Tarpit(LIMITS, clock), LIMITS.rejections_per_second
    for _ in range(2):
        assert [await is_held(one) for _ in range(at_once + 3)] == [False] * at_once + [True] * 3
        clock.now += 1


MALFORMED: dict[str, dict[str, Any]] = {
    "a form without what it takes": {"data": {"scope": "a"}},
    "a grant that there is not": {"data": CLIENT | {"grant_type": "password"}},
    "a parameter that comes twice": {"content": "a=1&a=1", "headers": {"Content-Type": FORM}},
    "a body that is no form": {"json": GRANT},
    "a body that is too large": {"data": {"scope": "x" * 20_000}},
    "a header that is too long": {"data": GRANT, "headers": {"Authorization": "x" * 40_000}},
    "two authentications": {"data": CLIENT | GRANT | {"token": "x"}, "headers": basic(AGENT_ID, OTHER_SECRET)},
}


@pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("path", ["/token", "/token/introspect", "/token/revoke"])
@with_limits(rejections_per_second=0, tarpit_seconds=0.2)
async def test_in_a_flood_what_is_malformed_waits(served: ServedAlone, path: str, request_: dict[str, Any]) -> None:
    """To look at it takes time, too; whoever cannot be understood is nobody's client."""
    asked = asyncio.create_task(served.http.post(path, **request_))
    _, held = await asyncio.wait([asked], timeout=0.1)
    assert held
    assert 400 <= (await asked).status_code < 500


@with_limits(rejections_per_second=0, tarpit_seconds=LONG)
async def test_in_a_flood_who_is_accepted_is_served_at_once(served: ServedAlone) -> None:
    """While a refusal, whatever it is for, has no answer."""
    wrong = (CLIENT | {"client_secret": OTHER_SECRET}, {"client_id": "nobody", "client_secret": "x"}, {})
    refused = [asyncio.create_task(served.token(shown | GRANT)) for shown in wrong]
    assert (await served.token()).status_code == 200
    done, held = await asyncio.wait(refused, timeout=0.5)
    assert (len(done), len(held)) == (0, len(wrong))
    for one in held:
        one.cancel()
