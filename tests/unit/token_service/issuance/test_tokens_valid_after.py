"""`spec.tokensValidAfter` in the future: a token that is issued is active."""

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

import jwt
import pytest
from msgspec.structs import replace

from agentidp.domain.identity.clients import ClientAgent, client_agent
from agentidp.domain.tokens.oauth_errors import OAuthError
from tests.support.clocks import ManualClock
from tests.support.token_services import CLIENT, ServedAlone, signing_keys, the_credential
from tests.support.worlds import a_registered_agent, a_uid
from token_service.issuance.tokens_valid_after import TokensValidAfter
from token_service.limits import LIMITS, Limits

PATIENCE_SECONDS = LIMITS.valid_after_patience_seconds


class SteppingClock(ManualClock):
    """Goes on when somebody waits, and then runs what a test wants to happen meanwhile."""

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.slept: Callable[[], None] = lambda: None

    async def sleep(self, seconds: float) -> None:
        """Nobody really waits."""
        await super().sleep(seconds)
        self.slept()


@pytest.fixture
def clock() -> SteppingClock:
    """By which tokens are issued; it is 0.75 s past a second."""
    return SteppingClock(int(time.time()) + 0.75)


def move_switch(served: ServedAlone, moment: float) -> None:
    """The agent's tokens from before are inactive."""
    served.declare(a_registered_agent(tokens_valid_after=datetime.fromtimestamp(moment, UTC)))


async def is_active(served: ServedAlone, token: str) -> bool:
    """What introspection says."""
    answer = await served.http.post("/token/introspect", data={"token": token} | CLIENT)
    active: bool = answer.json()["active"]
    return active


@pytest.mark.parametrize("ahead", [-0.5, 0.0, 0.25, 0.5, 1.5, 3.0, 5.0])
async def test_tokens_valid_after_by_a_clock_that_is_ahead_is_waited_for(
    served: ServedAlone, clock: ManualClock, ahead: float
) -> None:
    """It is waited for."""
    before, began, moment = (await served.token()).json()["access_token"], clock.now, clock.now + ahead
    move_switch(served, moment)
    after = (await served.token()).json()["access_token"]
    assert (await is_active(served, before), await is_active(served, after)) == (False, True)
    issued_at = jwt.decode(after, options={"verify_signature": False})["iat"]
    assert issued_at == max(math.ceil(moment), int(began))
    assert clock.now - began <= PATIENCE_SECONDS


async def test_tokens_valid_after_in_the_past_delays_nobody(served: ServedAlone, clock: ManualClock) -> None:
    """Not even a moment."""
    began = clock.now
    assert (await served.token()).status_code == 200
    move_switch(served, int(began))
    assert (await served.token()).status_code == 200
    assert clock.now == began


@pytest.mark.parametrize("ahead", [10.0, 3600.0, 9e8])
async def test_tokens_valid_after_that_is_far_ahead_stops_tokens(served: ServedAlone, clock: ManualClock, ahead: float) -> None:
    """The client is told until when, at once."""
    began = clock.now
    move_switch(served, began + ahead)
    answer = await served.token()
    told = datetime.fromtimestamp(math.ceil(began + ahead), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert told in answer.json()["error_description"]
    assert "spec.tokensValidAfter" in answer.json()["error_description"]
    assert clock.now == began
    clock.now = began + ahead + 1
    assert (await served.token()).status_code == 200


async def test_tokens_valid_after_that_moves_delays_no_longer_in_all(served: ServedAlone, clock: SteppingClock) -> None:
    """Nobody can have it held for ever."""
    began = clock.now
    clock.slept = lambda: move_switch(served, clock.now + 2)
    move_switch(served, began + 2)
    assert (await served.token()).status_code == 400
    assert 2 <= clock.now - began <= PATIENCE_SECONDS


async def test_tokens_valid_after_takes_one_request_from_the_rate(clock: SteppingClock) -> None:
    """However often it waits: the limit is of requests (`clientRequestsPerSecond` of the chart)."""
    served = ServedAlone(clock=clock, client_requests_per_second=0.001, client_burst=2)
    served.keys.put(signing_keys())
    moments = [clock.now + 4]
    clock.slept = lambda: move_switch(served, moments.pop()) if moments else None
    served.declare(the_credential())
    move_switch(served, clock.now + 2)
    assert [(await served.token()).status_code for _ in range(3)] == [200, 200, 429]
    await served.close()


def an_agent(number: int) -> ClientAgent:
    """One of several, each with an id of its own."""
    return client_agent(a_registered_agent(a_uid(number), tokens_valid_after=datetime.now(UTC)))


async def test_tokens_valid_after_leaves_places_to_other_namespaces() -> None:
    """Whoever may write agents in one namespace moves the switch of as many as they like."""
    switches = TokensValidAfter(time.time)
    many = [replace(an_agent(number), namespace="many") for number in range(10)]
    waiting = [asyncio.create_task(switches.wait(agent, 5, PATIENCE_SECONDS)) for agent in many for _ in range(50)]
    await asyncio.sleep(0)
    other = replace(an_agent(99), namespace="other")
    await switches.wait(other, 0.01, PATIENCE_SECONDS)
    with pytest.raises(OAuthError):
        await switches.wait(many[0], 5, PATIENCE_SECONDS)
    assert len(switches) < len(waiting) / 2
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(switches) == 0


async def test_tokens_valid_after_bounds_who_waits() -> None:
    """Of one client, and of all; who comes then is told to come again."""
    switches = TokensValidAfter(time.time, Limits(max_valid_after_waiters=3, max_valid_after_waiters_of_client=2))
    waiting = [asyncio.create_task(switches.wait(an_agent(number), 2.5, PATIENCE_SECONDS)) for number in (1, 1)]
    await asyncio.sleep(0)
    with pytest.raises(OAuthError) as refused:
        await switches.wait(an_agent(1), 2.5, PATIENCE_SECONDS)
    assert (refused.value.status, refused.value.retry_after) == (429, 3)
    waiting.append(asyncio.create_task(switches.wait(an_agent(2), 2.5, PATIENCE_SECONDS)))
    await asyncio.sleep(0)
    with pytest.raises(OAuthError, match=str(refused.value)):
        await switches.wait(an_agent(3), 2.5, PATIENCE_SECONDS)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(switches) == 0
    await switches.wait(an_agent(1), 0.01, PATIENCE_SECONDS)
