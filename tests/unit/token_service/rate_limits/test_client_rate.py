"""Limits of clients: by each client alone."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentidp.domain.tokens.oauth_errors import OAuthError
from tests.support.clocks import ManualClock
from tests.support.token_services import CLIENT, GRANT, OTHER_SECRET, ServedAlone, signing_keys, the_credential
from tests.support.worlds import a_registered_agent, a_uid
from token_service.rate_limits.client_rate import ClientRate


def takes(rate: ClientRate, client_id: str) -> bool:
    """Whether one more request is within the rate."""
    try:
        rate.take(client_id)
    except OAuthError:
        return False
    return True


@given(st.floats(0.1, 100), st.integers(1, 50), st.lists(st.floats(0, 5), max_size=60))
def test_never_more_than_the_burst_and_what_has_flowed_in(per_second: float, burst: int, pauses: list[float]) -> None:
    """Whatever the rhythm, and at least that."""
    clock = ManualClock()
    limits, level = ClientRate(per_second, burst, clock), float(burst)
    for pause in pauses:
        clock.now += pause
        level = min(float(burst), level + pause * per_second)
        taken = takes(limits, "a")
        if abs(level - 1) > 0.01:
            assert taken == (level >= 1)
        level -= taken


def test_no_limit_is_no_limit() -> None:
    """A rate of 0."""
    limits = ClientRate(0, 1)
    assert all(takes(limits, "a") for _ in range(1000))


def test_the_refusal_says_when_to_come_back() -> None:
    """And coming back then is right."""
    clock = ManualClock()
    limits = ClientRate(0.1, 2, clock)
    assert (takes(limits, "a"), takes(limits, "a")) == (True, True)
    with pytest.raises(OAuthError) as refusal:
        limits.take("a")
    assert refusal.value.retry_after == 10
    told = dict(refusal.value.headers)
    assert (told["X-RateLimit-Limit"], told["X-RateLimit-Remaining"]) == ("2", "0")
    assert 19 <= int(told["X-RateLimit-Reset"]) - time.time() <= 21
    clock.now += 10
    assert takes(limits, "a")


def test_clients_do_not_notice_each_other() -> None:
    """None is refused for another."""
    limits = ClientRate(1, 3, ManualClock())
    clients = [a_uid(number) for number in range(500)]
    assert all(takes(limits, client) for _ in range(3) for client in clients)


@pytest.fixture
async def limited() -> Any:
    """A service that serves each client three times."""
    served = ServedAlone(client_requests_per_second=0.01, client_burst=3)
    served.keys.put(signing_keys())
    served.declare(a_registered_agent(), the_credential())
    yield served
    await served.close()


async def test_a_client_beyond_its_limit_is_told_so(limited: ServedAlone) -> None:
    """429 with Retry-After and where it stands."""
    answers = [await limited.token() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    last = answers[-1]
    assert last.json()["error"] == "temporarily_unavailable"
    assert int(last.headers["retry-after"]) > 90
    assert last.headers["x-ratelimit-remaining"] == "0"


async def test_nobody_can_use_up_anothers_limit(limited: ServedAlone) -> None:
    """Wrong secrets count for nothing."""
    for _ in range(10):
        assert (await limited.token(CLIENT | GRANT | {"client_secret": OTHER_SECRET})).status_code == 401
    assert (await limited.token()).status_code == 200


async def test_all_requests_of_a_client_count(limited: ServedAlone) -> None:
    """Tokens, introspection and revocation."""
    token = (await limited.token()).json()["access_token"]
    assert (await limited.http.post("/token/introspect", data={"token": token} | CLIENT)).status_code == 200
    assert (await limited.http.post("/token/revoke", data={"token": "x"} | CLIENT)).status_code == 200
    assert (await limited.token()).status_code == 429


async def test_whoever_has_a_clients_token_uses_up_nothing_but_what_tokens_may(limited: ServedAlone) -> None:
    """The client goes on getting new ones with its secret."""
    bearer = {"Authorization": f"Bearer {(await limited.token()).json()['access_token']}"}
    asked = [await limited.http.post("/token/revoke", data={"token": "x"}, headers=bearer) for _ in range(4)]
    assert [answer.status_code for answer in asked] == [200, 200, 200, 429]
    assert (await limited.token()).status_code == 200
