"""What the operator believes of what a replica of the token service tells, which may be somebody else by now."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from agent_operator.last_used import SLACK, DailyLimitEvents, LastUsedRecord, bearer_token
from agentidp.domain.lifecycle.retirement import with_uses
from agentidp.domain.resources import Agent, CredentialStatus, SecretHash
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.last_used import LastUse, LastUsedReport, fingerprint
from agentidp.domain.tokens.signing_keys import KeyPolicy, KeySet, with_new_key
from tests.support.worlds import AGENT_ID, CREDENTIAL_ID, NOW, a_hash, a_registered_agent

TO_COME = [datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime.now(UTC) + timedelta(days=400)]


@pytest.mark.parametrize("moment", TO_COME)
def test_a_use_that_is_yet_to_come_is_one_of_now(moment: datetime) -> None:
    """Else no later one would be noted, and a time at the end of all times can neither be stored nor added to."""
    one = a_hash()
    before = datetime.now(UTC) - timedelta(seconds=1)
    last_used = LastUsedRecord()
    last_used.complete_since(NOW)
    last_used.add(
        LastUsedReport(replica="a", since=NOW, told=1, uses={CREDENTIAL_ID: {fingerprint(one.hash): LastUse(moment)}})
    )
    noted = with_uses(CredentialStatus(secret_hashes=(one,)), last_used.uses_of(CREDENTIAL_ID, timedelta())).last_used_at
    assert noted
    assert before <= noted <= datetime.now(UTC)


def told_of(*hashes: SecretHash, credential_id: str = CREDENTIAL_ID) -> LastUsedReport:
    """That these were used just now."""
    return LastUsedReport(
        replica="a", since=NOW, told=1, uses={credential_id: {fingerprint(one.hash): LastUse(NOW) for one in hashes}}
    )


def test_only_the_uses_of_what_is_in_status_are_kept() -> None:
    """However often the secret is rotated."""
    last_used = LastUsedRecord()
    last_used.complete_since(NOW)
    for number in range(10):
        before, current = a_hash(number), a_hash(number + 1)
        last_used.add(told_of(before, current))
        last_used.keep(CREDENTIAL_ID, (before, current))
        assert last_used.uses_of(CREDENTIAL_ID, timedelta()) == told_of(before, current).uses[CREDENTIAL_ID]
    last_used.keep(CREDENTIAL_ID, (current,))
    assert last_used.uses_of(CREDENTIAL_ID, timedelta()) == told_of(current).uses[CREDENTIAL_ID]
    last_used.keep(CREDENTIAL_ID, ())
    assert len(last_used) == 0


def test_credentials_that_are_gone_are_forgotten() -> None:
    """Also those that nobody has used since."""
    last_used = LastUsedRecord()
    for number in range(10 * SLACK):
        last_used.add(told_of(a_hash(), credential_id=f"{number}"))
        last_used.forget_gone(lambda one: int(one) > number - 10, 10)  # noqa: B023 it is asked at once
    assert len(last_used) <= 2 * 10 + SLACK + 1


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE_DAY = timedelta(days=1)


def daily_report(**refused: datetime) -> LastUsedReport:
    """What a replica tells: the agent with this id was refused then; `unknown` is an id that no agent has."""
    ids = {AGENT_ID if name == "agent" else name: at for name, at in refused.items()}
    return LastUsedReport(replica="one", since=NOON - ONE_DAY, told=1, uses={}, over_daily_limit=ids)


def test_daily_limit_events_are_one_for_each_agent_and_day() -> None:
    """However many replicas report it; a report of yesterday, or of an agent that is gone, is no event (decision 44)."""
    events: list[tuple[Agent, Reason]] = []
    agent = a_registered_agent()
    limits = DailyLimitEvents({AGENT_ID: agent}.get, lambda about, reason, _: events.append((about, reason)))
    limits.add([daily_report(agent=NOON), daily_report(agent=NOON), daily_report(unknown=NOON)], NOON)
    limits.add([daily_report(agent=NOON)], NOON + timedelta(hours=1))
    assert events == [(agent, Reason.DAILY_LIMIT_REACHED)]
    limits.add([daily_report(agent=NOON)], NOON + ONE_DAY)
    assert len(events) == 1
    limits.add([daily_report(agent=NOON + ONE_DAY)], NOON + ONE_DAY)
    assert len(events) == 2


TOKEN_ISSUER = "https://idp.example"


def test_access_token_of_the_operator_is_signed_and_short_lived() -> None:
    """It is a JWT access token (RFC 9068, section 2) that names the issuer as audience, and lives for a minute."""
    keys = with_new_key(KeySet(), KeyPolicy(), datetime.now(UTC))
    (key,) = keys.keys
    token = bearer_token(keys, TOKEN_ISSUER, "operator", "usage:read")
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, key.load().public_key(), [key.algorithm.value], audience=TOKEN_ISSUER, issuer=TOKEN_ISSUER)
    assert (header["typ"], header["kid"]) == ("at+jwt", key.kid)
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("operator", "operator", "usage:read")
    assert claims["exp"] - claims["iat"] == 60


def test_access_token_needs_a_signing_key() -> None:
    """The operator generates the first key shortly after its start."""
    with pytest.raises(LookupError, match="there is no signing key yet"):
        bearer_token(KeySet(), TOKEN_ISSUER, "operator", "usage:read")
