"""The tokens that an organization may have a day."""

import pytest
from msgspec.structs import replace

from agentidp.domain.identity.clients import ClientAgent, ClientOrganization, client_agent, client_organization
from agentidp.domain.resources import ObjectMeta
from agentidp.domain.resources.organization import OrganizationLimits
from agentidp.domain.tokens.oauth_errors import OAuthError
from tests.support.clocks import ManualClock
from tests.support.worlds import a_registered_agent, a_uid, an_organization
from token_service.rate_limits.daily_quota import SECONDS_PER_DAY, DailyQuota

AGENT = client_agent(a_registered_agent())
NOON = 20_000 * SECONDS_PER_DAY + SECONDS_PER_DAY // 2


def limited(limit: int | None, name: str = "acme") -> ClientOrganization:
    """An organization with this limit."""
    organization = an_organization(name, limits=OrganizationLimits(tokens_per_day=limit))
    return client_organization(replace(organization, metadata=ObjectMeta(name=name, uid=f"uid-of-{name}")))


def test_an_organization_gets_as_many_as_its_limit_and_again_the_next_day() -> None:
    """What it is told says when the next day begins."""
    clock = ManualClock(NOON)
    limits = DailyQuota(clock)
    for _ in range(3):
        limits.take(AGENT, limited(3))
    with pytest.raises(OAuthError) as refusal:
        limits.take(AGENT, limited(3))
    assert refusal.value.status == 429
    assert refusal.value.retry_after == SECONDS_PER_DAY // 2
    clock.now += SECONDS_PER_DAY // 2
    limits.take(AGENT, limited(3))


def test_without_a_limit_nothing_is_counted() -> None:
    """Nor without an organization."""
    limits = DailyQuota(ManualClock(NOON))
    for organization in [None, limited(None)] * 100:
        limits.take(AGENT, organization)


def test_organizations_do_not_use_up_each_others_tokens() -> None:
    """However many there are."""
    limits = DailyQuota(ManualClock(NOON))
    for number in range(1000):
        limits.take(AGENT, limited(1, f"o{number}"))
    with pytest.raises(OAuthError):
        limits.take(AGENT, limited(1, "o0"))


def test_daily_quota_reports_the_first_rejection_of_each_agent_and_day() -> None:
    """For one log line and one event an agent and day (tenancy.md); the others are counted."""
    clock, reported = ManualClock(NOON), list[tuple[str, bool]]()

    def rejected(agent: ClientAgent, _: ClientOrganization, first: bool) -> None:
        reported.append((agent.agent_id, first))

    limits = DailyQuota(clock, rejected)
    other = client_agent(a_registered_agent(a_uid(2)))
    for agent in (AGENT, AGENT, other):
        with pytest.raises(OAuthError):
            limits.take(agent, limited(0))
    clock.now += SECONDS_PER_DAY
    with pytest.raises(OAuthError):
        limits.take(AGENT, limited(0))
    assert reported == [(AGENT.agent_id, True), (AGENT.agent_id, False), (other.agent_id, True), (AGENT.agent_id, True)]
