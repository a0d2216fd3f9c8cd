"""The tokens that an organization may have a day."""

import pytest
from msgspec.structs import replace

from agentidp.domain.identity.clients import ClientOrganization, client_organization
from agentidp.domain.resources import ObjectMeta
from agentidp.domain.resources.organization import OrganizationLimits
from agentidp.domain.tokens.oauth_errors import OAuthError
from tests.support.clocks import ManualClock
from tests.support.worlds import an_organization
from token_service.rate_limits.daily_quota import SECONDS_PER_DAY, DailyQuota

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
        limits.take(limited(3))
    with pytest.raises(OAuthError) as refusal:
        limits.take(limited(3))
    assert refusal.value.status == 429
    assert refusal.value.retry_after == SECONDS_PER_DAY // 2
    clock.now += SECONDS_PER_DAY // 2
    limits.take(limited(3))


def test_without_a_limit_nothing_is_counted() -> None:
    """Nor without an organization."""
    limits = DailyQuota(ManualClock(NOON))
    for organization in [None, limited(None)] * 100:
        limits.take(organization)


def test_organizations_do_not_use_up_each_others_tokens() -> None:
    """However many there are."""
    limits = DailyQuota(ManualClock(NOON))
    for number in range(1000):
        limits.take(limited(1, f"o{number}"))
    with pytest.raises(OAuthError):
        limits.take(limited(1, "o0"))
