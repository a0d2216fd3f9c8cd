"""Very many refusals: they wait, and nobody else does."""

import asyncio
from typing import Any

import pytest

from tests.support.clocks import ManualClock
from tests.support.token_services import CLIENT, FORM, GRANT, OTHER_SECRET, ServedAlone, basic
from tests.support.worlds import AGENT_ID
from token_service.rate_limits import tarpit as floods
from token_service.rate_limits.tarpit import AT_ONCE_PER_SECOND, Tarpit

LONG = 3600.0


async def is_held(one: Tarpit) -> bool:
    """Whether a refusal waits."""
    waiting = asyncio.create_task(one.hold())
    await asyncio.sleep(0)
    return waiting.cancel()


async def test_so_many_a_second_go_at_once() -> None:
    """The next second begins anew."""
    clock = ManualClock()
    one = Tarpit(clock)
    for _ in range(2):
        assert [await is_held(one) for _ in range(AT_ONCE_PER_SECOND + 3)] == [False] * AT_ONCE_PER_SECOND + [True] * 3
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
async def test_in_a_flood_what_is_malformed_waits(
    served: ServedAlone, monkeypatch: pytest.MonkeyPatch, path: str, request_: dict[str, Any]
) -> None:
    """To look at it takes time, too; whoever cannot be understood is nobody's client."""
    monkeypatch.setattr(floods, "AT_ONCE_PER_SECOND", 0)
    monkeypatch.setattr(floods, "HOLD_SECONDS", 0.2)
    asked = asyncio.create_task(served.http.post(path, **request_))
    _, held = await asyncio.wait([asked], timeout=0.1)
    assert held
    assert 400 <= (await asked).status_code < 500


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
