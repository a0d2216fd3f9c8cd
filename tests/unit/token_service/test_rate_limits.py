"""Rate limits: client rate, daily quota, revocation quota and tarpit, each by those whom it concerns alone."""

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.cache.revocations import RevocationIndex, RevokedToken
from agentidp.domain.identity.clients import ClientAgent, ClientOrganization, client_agent, client_organization
from agentidp.domain.resources import ObjectMeta
from agentidp.domain.resources.organization import OrganizationLimits
from agentidp.domain.tokens.oauth_errors import OAuthError
from tests.support.clocks import ManualClock
from tests.support.token_services import (
    CLIENT,
    FORM,
    GRANT,
    OTHER_SECRET,
    ServedAlone,
    basic,
    signing_keys,
    the_credential,
    with_limits,
)
from tests.support.worlds import AGENT_ID, a_registered_agent, a_uid, an_organization
from token_service.limits import LIMITS, Limits
from token_service.rate_limits import SECONDS_PER_DAY, ClientRate, DailyQuota, RevocationQuota, Tarpit


def is_within(rate: ClientRate, client_id: str) -> bool:
    """Whether one more request is within the rate."""
    try:
        rate.take(client_id)
    except OAuthError:
        return False
    return True


@given(st.floats(0.1, 100), st.integers(1, 50), st.lists(st.floats(0, 5), max_size=60))
def test_client_rate_gives_the_burst_and_what_has_flowed_in(per_second: float, burst: int, pauses: list[float]) -> None:
    """Whatever the rhythm, and at least that."""
    clock = ManualClock()
    limits, level = ClientRate(per_second, burst, clock), float(burst)
    for pause in pauses:
        clock.now += pause
        level = min(float(burst), level + pause * per_second)
        taken = is_within(limits, "a")
        if abs(level - 1) > 0.01:
            assert taken == (level >= 1)
        level -= taken


def test_client_rate_of_0_is_no_limit() -> None:
    """A rate of 0."""
    limits = ClientRate(0, 1)
    assert all(is_within(limits, "a") for _ in range(1000))


def test_client_rate_says_when_to_come_back() -> None:
    """And coming back then is right."""
    clock = ManualClock()
    limits = ClientRate(0.1, 2, clock)
    assert (is_within(limits, "a"), is_within(limits, "a")) == (True, True)
    with pytest.raises(OAuthError) as refusal:
        limits.take("a")
    assert refusal.value.retry_after == 10
    told = dict(refusal.value.headers)
    assert (told["X-RateLimit-Limit"], told["X-RateLimit-Remaining"]) == ("2", "0")
    assert 19 <= int(told["X-RateLimit-Reset"]) - time.time() <= 21
    clock.now += 10
    assert is_within(limits, "a")


def test_client_rate_is_of_one_client() -> None:
    """None is refused for another."""
    limits = ClientRate(1, 3, ManualClock())
    clients = [a_uid(number) for number in range(500)]
    assert all(is_within(limits, client) for _ in range(3) for client in clients)


@pytest.fixture
async def limited() -> Any:
    """A service that serves each client three times."""
    served = ServedAlone(client_requests_per_second=0.01, client_burst=3)
    served.keys.put(signing_keys())
    served.declare(a_registered_agent(), the_credential())
    yield served
    await served.close()


async def test_client_rate_is_answered_with_429(limited: ServedAlone) -> None:
    """429 with Retry-After and where it stands."""
    answers = [await limited.token() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    last = answers[-1]
    assert last.json()["error"] == "temporarily_unavailable"
    assert int(last.headers["retry-after"]) > 90
    assert last.headers["x-ratelimit-remaining"] == "0"


async def test_client_rate_counts_no_wrong_secret(limited: ServedAlone) -> None:
    """Wrong secrets count for nothing."""
    for _ in range(10):
        assert (await limited.token(CLIENT | GRANT | {"client_secret": OTHER_SECRET})).status_code == 401
    assert (await limited.token()).status_code == 200


async def test_client_rate_counts_all_requests_of_a_client(limited: ServedAlone) -> None:
    """Tokens, introspection and revocation."""
    token = (await limited.token()).json()["access_token"]
    assert (await limited.http.post("/token/introspect", data={"token": token} | CLIENT)).status_code == 200
    assert (await limited.http.post("/token/revoke", data={"token": "x"} | CLIENT)).status_code == 200
    assert (await limited.token()).status_code == 429


async def test_client_rate_counts_access_tokens_apart(limited: ServedAlone) -> None:
    """The client goes on getting new ones with its secret."""
    bearer = {"Authorization": f"Bearer {(await limited.token()).json()['access_token']}"}
    asked = [await limited.http.post("/token/revoke", data={"token": "x"}, headers=bearer) for _ in range(4)]
    assert [answer.status_code for answer in asked] == [200, 200, 200, 429]
    assert (await limited.token()).status_code == 200


AGENT = client_agent(a_registered_agent())
NOON = 20_000 * SECONDS_PER_DAY + SECONDS_PER_DAY // 2


def with_quota(limit: int | None, name: str = "acme") -> ClientOrganization:
    """An organization with this limit."""
    organization = an_organization(name, limits=OrganizationLimits(tokens_per_day=limit))
    return client_organization(replace(organization, metadata=ObjectMeta(name=name, uid=f"uid-of-{name}")))


def test_daily_quota_gives_an_organization_as_many_as_its_limit_and_again_the_next_day() -> None:
    """What it is told says when the next day begins."""
    clock = ManualClock(NOON)
    limits = DailyQuota(clock)
    for _ in range(3):
        limits.take(AGENT, with_quota(3))
    with pytest.raises(OAuthError) as refusal:
        limits.take(AGENT, with_quota(3))
    assert refusal.value.status == 429
    assert refusal.value.retry_after == SECONDS_PER_DAY // 2
    clock.now += SECONDS_PER_DAY // 2
    limits.take(AGENT, with_quota(3))


def test_daily_quota_counts_nothing_without_a_limit() -> None:
    """Nor without an organization."""
    limits = DailyQuota(ManualClock(NOON))
    for organization in [None, with_quota(None)] * 100:
        limits.take(AGENT, organization)


def test_daily_quota_is_of_one_organization() -> None:
    """However many there are."""
    limits = DailyQuota(ManualClock(NOON))
    for number in range(1000):
        limits.take(AGENT, with_quota(1, f"o{number}"))
    with pytest.raises(OAuthError):
        limits.take(AGENT, with_quota(1, "o0"))


def test_daily_quota_reports_the_first_rejection_of_each_agent_and_day() -> None:
    """For one log line and one event an agent and day (tenancy.md); the others are counted."""
    clock, reported = ManualClock(NOON), list[tuple[str, bool]]()

    def rejected(agent: ClientAgent, _: ClientOrganization, first: bool) -> None:
        reported.append((agent.agent_id, first))

    limits = DailyQuota(clock, rejected)
    other = client_agent(a_registered_agent(a_uid(2)))
    for agent in (AGENT, AGENT, other):
        with pytest.raises(OAuthError):
            limits.take(agent, with_quota(0))
    clock.now += SECONDS_PER_DAY
    with pytest.raises(OAuthError):
        limits.take(AGENT, with_quota(0))
    assert reported == [(AGENT.agent_id, True), (AGENT.agent_id, False), (other.agent_id, True), (AGENT.agent_id, True)]


FACTOR, BURST = LIMITS.namespace_revocation_factor, LIMITS.revocations_burst


def allows(quota: RevocationQuota, client_id: str, namespace: str) -> bool:
    """Whether one more revocation is within the quota."""
    try:
        quota.take(client_id, namespace)
    except OAuthError:
        return False
    return True


def test_revocation_quota_bounds_the_clients_of_a_namespace_together() -> None:
    """However many clients one of them can make, and wherever they revoked. Other namespaces' clients do not notice."""
    revoked = RevocationIndex()
    for number in range(FACTOR * 20):
        revoked.put(RevokedToken(f"{number}", f"{number // 10}", "full"))
    quota = RevocationQuota(revoked, Limits(max_revocations=20), ManualClock())
    with pytest.raises(OAuthError, match="clients of this namespace") as refusal:
        quota.take("new", "full")
    assert (refusal.value.status, refusal.value.retry_after) == (429, 60)
    assert allows(quota, "new", "another")


def test_revocation_quota_bounds_one_client() -> None:
    """Until its revoked tokens have expired and are swept."""
    revoked = RevocationIndex()
    for number in range(20):
        revoked.put(RevokedToken(f"{number}", "client", "full"))
    quota = RevocationQuota(revoked, Limits(max_revocations=20), ManualClock())
    with pytest.raises(OAuthError, match="this client"):
        quota.take("client", "full")
    assert allows(quota, "other", "full")


def test_revocation_quota_bounds_the_rate_of_a_namespace() -> None:
    """Many clients of a namespace revoke no more at once than some: each client's own bound is not reached."""
    quota = RevocationQuota(RevocationIndex(), LIMITS, ManualClock())
    taken = [allows(quota, f"client-{number}", "one") for number in range(2 * FACTOR * BURST)]
    assert sum(taken) == FACTOR * BURST
    assert allows(quota, "client", "another")


LONG = 3600.0


async def is_delayed(one: Tarpit) -> bool:
    """Whether a refusal waits."""
    waiting = asyncio.create_task(one.delay())
    await asyncio.sleep(0)
    return waiting.cancel()


async def test_tarpit_lets_so_many_a_second_pass_at_once() -> None:
    """The next second begins anew."""
    clock = ManualClock()
    one, at_once = Tarpit(LIMITS, clock), LIMITS.rejections_per_second
    for _ in range(2):
        assert [await is_delayed(one) for _ in range(at_once + 3)] == [False] * at_once + [True] * 3
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
async def test_tarpit_delays_what_is_malformed(served: ServedAlone, path: str, request_: dict[str, Any]) -> None:
    """To look at it takes time, too; whoever cannot be understood is nobody's client."""
    asked = asyncio.create_task(served.http.post(path, **request_))
    _, held = await asyncio.wait([asked], timeout=0.1)
    assert held
    assert 400 <= (await asked).status_code < 500


@with_limits(rejections_per_second=0, tarpit_seconds=LONG)
async def test_tarpit_delays_nobody_who_is_accepted(served: ServedAlone) -> None:
    """While a refusal, whatever it is for, has no answer."""
    wrong = (CLIENT | {"client_secret": OTHER_SECRET}, {"client_id": "nobody", "client_secret": "x"}, {})
    refused = [asyncio.create_task(served.token(shown | GRANT)) for shown in wrong]
    assert (await served.token()).status_code == 200
    done, held = await asyncio.wait(refused, timeout=0.5)
    assert (len(done), len(held)) == (0, len(wrong))
    for one in held:
        one.cancel()
