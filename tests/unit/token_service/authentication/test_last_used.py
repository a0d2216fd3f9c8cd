"""Last uses of secrets: what is noted, how long, and what a report has."""

import pytest
from structlog.testing import capture_logs

from agentidp.domain.identity.clients import ClientHash
from agentidp.domain.resources import OrganizationLimits
from agentidp.domain.secrets.last_used import MAX_CONSUMERS, LastUse, fingerprint
from tests.support.clocks import ManualClock
from tests.support.token_services import CLIENT, OTHER_SECRET, ServedAlone, the_credential, the_hash
from tests.support.worlds import AGENT_ID, CREDENTIAL_ID, a_registered_agent, an_organization
from token_service.authentication.last_used import MAX_CONSUMER_LENGTH, LastUsedLog, consumer_of
from token_service.http.request import RawRequest
from token_service.limits import LIMITS

CURRENT = ClientHash("$2b$10$current", "0a1b2c3d", None)
RETIRING = ClientHash("$2b$10$retiring", "4d3c2b1a", 2_000_000_000.0)


def a_request(address: str = "10.0.0.7", user_agent: bytes | None = b"curl/8") -> RawRequest:
    """From there, by that program."""
    return RawRequest(b"", None, address, user_agent)


def is_published(_credential_id: str, _hashed: str) -> bool:
    """All are."""
    return True


def use_of(log: LastUsedLog, one: ClientHash, replica: str = "", after: int = 0) -> LastUse | None:
    """What is told of a hash."""
    return log.report(replica, after).uses.get("credential", {}).get(fingerprint(one.hash))


def test_last_used_notes_a_secret_in_use_once_a_minute_without_consumers() -> None:
    """However often it is used."""
    clock = ManualClock(1_000_000_000)
    log = LastUsedLog(clock, is_published)
    for _ in range(59):
        log.used("credential", CURRENT, a_request())
        clock.now += 1
    use = use_of(log, CURRENT)
    assert use
    assert (use.at.timestamp(), use.consumers) == (1_000_000_000, ())
    clock.now += 1
    log.used("credential", CURRENT, a_request())
    later = use_of(log, CURRENT)
    assert later
    assert later.at.timestamp() == 1_000_000_060


def test_last_used_notes_a_retiring_secret_with_consumers_latest_first() -> None:
    """To the second."""
    clock = ManualClock(1_000_000_000)
    log = LastUsedLog(clock, is_published)
    log.used("credential", RETIRING, a_request("10.0.0.7"))
    clock.now += 5
    log.used("credential", RETIRING, a_request("10.0.0.8", None))
    log.used("credential", RETIRING, a_request("10.0.0.7"))
    use = use_of(log, RETIRING)
    assert use
    assert (use.at.timestamp(), use.consumers) == (1_000_000_005, ("10.0.0.7 (curl/8)", "10.0.0.8"))


def test_last_used_keeps_the_latest_consumers() -> None:
    """A crowd costs no more memory than a few."""
    log = LastUsedLog(ManualClock(1_000_000_000), is_published)
    for number in range(100):
        log.used("credential", RETIRING, a_request(f"10.0.0.{number}", None))
    use = use_of(log, RETIRING)
    assert use
    assert use.consumers == tuple(f"10.0.0.{number}" for number in range(99, 99 - MAX_CONSUMERS, -1))


def test_last_used_reports_a_use_once() -> None:
    """Until it is used again; another replica's place says nothing."""
    clock = ManualClock(1_000_000_000)
    log = LastUsedLog(clock, is_published)
    log.used("credential", CURRENT, a_request())
    told = log.report("", 0)
    assert use_of(log, CURRENT, told.replica, told.told) is None
    assert use_of(log, CURRENT, "another", told.told)
    clock.now += 60
    log.used("credential", CURRENT, a_request())
    assert use_of(log, CURRENT, told.replica, told.told)


def test_last_used_consumer_is_printable_and_short() -> None:
    """No control characters, no novels."""
    consumer = consumer_of(a_request(user_agent=b"a\nb\x1b[31m" + b"c" * 1000))
    assert consumer.isprintable()
    assert len(consumer) == MAX_CONSUMER_LENGTH


def test_last_used_forgets_hashes_that_are_not_published() -> None:
    """However often secrets are rotated; and nothing else is forgotten."""
    clock, published = ManualClock(1_000_000_000), {("credential", RETIRING.hash)}
    log = LastUsedLog(clock, lambda *one: one in published)
    log.used("credential", RETIRING, a_request())
    for number in range(3 * LIMITS.last_used_slack):
        clock.now += LIMITS.seconds_between_notes
        rotated = ClientHash(f"$2b$10${number}", None, None)
        log.used("credential", rotated, a_request())
        assert use_of(log, rotated), "what was used just now may be published, and not known here yet"
    assert len(log) <= LIMITS.last_used_slack + 2
    assert use_of(log, RETIRING)


def test_last_used_takes_no_time_for_published_hashes() -> None:
    """It is looked through only when there is twice as much."""
    clock, asked = ManualClock(1_000_000_000), 0

    def count(*_: str) -> bool:
        nonlocal asked
        asked += 1
        return True

    log = LastUsedLog(clock, count)
    for number in range(10 * LIMITS.last_used_slack):
        log.used(f"{number}", CURRENT, a_request())
        clock.now += 1
    assert len(log) == 10 * LIMITS.last_used_slack
    assert asked < 20 * LIMITS.last_used_slack


ENDPOINTS = {
    "token": ("/token", {"grant_type": "client_credentials"}),
    "introspection": ("/token/introspect", {"token": "any"}),
    "revocation": ("/token/revoke", {"token": "any"}),
    "a token that it may not have": ("/token", {"grant_type": "client_credentials", "scope": "not:declared"}),
}


@pytest.mark.parametrize(("path", "form"), ENDPOINTS.values(), ids=ENDPOINTS)
async def test_last_used_counts_each_authentication(served: ServedAlone, path: str, form: dict[str, str]) -> None:
    """Whoever only introspects uses the secret, too: WhenUnused must not end it (rotation.md, `lastUsedAt`)."""
    served.declare(a_registered_agent(), the_credential())
    for _ in range(2):
        await served.http.post(path, data=CLIENT | form)
        uses = served.service.last_used.report("", 0).uses
        assert list(uses[CREDENTIAL_ID]) == [fingerprint(the_hash().hash)]


async def test_last_used_does_not_count_a_wrong_secret(served: ServedAlone) -> None:
    """Nobody keeps a secret alive by guessing."""
    served.declare(a_registered_agent(), the_credential())
    await served.http.post("/token/introspect", data=CLIENT | {"client_secret": OTHER_SECRET, "token": "any"})
    assert served.service.last_used.report("", 0).uses == {}


async def test_last_used_report_names_agents_over_their_daily_limit_once(served: ServedAlone) -> None:
    """And the log has one line; the metric counts each refusal (tenancy.md)."""
    organization = an_organization(limits=OrganizationLimits(tokens_per_day=1))
    served.declare(organization, a_registered_agent(organization_id="acme"), the_credential())
    with capture_logs() as lines:
        statuses = [(await served.token()).status_code for _ in range(4)]
    assert statuses == [200, 429, 429, 429]
    assert [line["agent"] for line in lines if "tokens of today" in line["event"]] == ["talent/screener"]
    assert b"agentidp_daily_limit_refusals_total 3.0" in served.service.metrics.text()
    first = served.service.last_used.report("", 0)
    assert list(first.over_daily_limit) == [AGENT_ID]
    assert served.service.last_used.report(first.replica, first.told).over_daily_limit == {}
