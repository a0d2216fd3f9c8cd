"""Whatever times and durations the CRDs admit, every decision comes to an end, and what is kept can be told."""

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from agentidp.domain.identity.client_status import credential_failure
from agentidp.domain.identity.clients import client_agent, client_credential
from agentidp.domain.lifecycle import decide
from agentidp.domain.resources import AgentState, Retirement, Rotation, SecretHash
from agentidp.domain.resources.meta import format_duration
from agentidp.domain.secrets.last_used import LastUse, fingerprint
from management_api.cache.credentials import cached_credential
from management_api.schemas.base import format_timestamp
from tests.support.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_credential,
    a_hash,
    a_registered_agent,
    an_issued_credential,
    seen,
    seen_delivered,
)

FIRST, LAST = datetime(1000, 1, 1), datetime(2999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001 the zone comes by itself
YEAR = 365 * DAY

zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.builds(
    lambda naive, zone: naive.replace(tzinfo=zone), st.sampled_from([FIRST, LAST]) | st.datetimes(FIRST, LAST), zones
)
optional = st.none() | moments


def durations(shortest: timedelta, longest: timedelta) -> st.SearchStrategy[str]:
    """As a spec has them."""
    return st.timedeltas(shortest, longest).map(format_duration)


rotations = st.builds(
    Rotation,
    every=st.none() | durations(MINUTE, YEAR),
    overlap=st.none() | durations(timedelta(), 30 * DAY),
    retire=st.sampled_from(Retirement),
    max_overlap=st.none() | durations(SECOND, YEAR),
    requested_at=optional,
)
hashes = st.sampled_from(
    [(a_hash(1),), (a_hash(2, made=-DAY, ends=HOUR), a_hash(1)), (a_hash(2, made=-DAY, ends=-HOUR), a_hash(1))]
)


@given(optional, rotations, hashes, st.booleans(), st.sampled_from(AgentState), optional)
def test_every_decision_comes_to_an_end(
    expires: datetime | None,
    rotation: Rotation,
    published: tuple[SecretHash, ...],
    known: bool,
    state: AgentState,
    kill: datetime | None,
) -> None:
    """In the operator, in the token service, and in the management API."""
    agent = a_registered_agent(state=state, tokens_valid_after=kill)
    credential = an_issued_credential(*published, expires_at=expires, rotation=rotation)
    uses = {fingerprint(one.hash): LastUse(NOW) for one in published} if known else None
    assert decide(seen_delivered(credential, agent, uses=uses), NOW)
    assert decide(seen(a_credential(expires_at=expires, rotation=rotation), agent), NOW)
    credential_failure(client_credential(credential), client_agent(agent), NOW.timestamp())
    cached = cached_credential(credential)
    assert not cached.expires or format_timestamp(cached.expires)
