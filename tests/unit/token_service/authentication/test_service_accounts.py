"""ServiceAccounts: a name is no identity, so each is read, at nobody else's cost, and a read serves for a minute."""

import asyncio
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from agentidp.domain.tokens.client_assertions import LEEWAY_SECONDS, Assertion, ServiceAccountIdentity, Workload
from agentidp.kube.errors import ApiError, Unreachable
from token_service.authentication.service_accounts import ServiceAccounts, TooManyReads
from token_service.limits import Limits

WORKER = Workload("talent", "worker")
AGENT, NEXT_AGENT = "agent-uid", "next-agent-uid"
BEGIN = 1_800_000_000.0
FRESH, MAX_STALENESS = 60.0, 300.0
LIMITS = Limits(
    service_account_fresh_seconds=FRESH,
    service_account_seconds_between=0.0,
    service_account_reads_per_second=0.001,
    service_account_reads_burst=8,
)


class ApiServer:
    """Has ServiceAccounts, and a clock."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.uids = {WORKER: "first"}
        self.reads: list[Workload] = []
        self.trouble: ApiError | None = None
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self.answers.set()

    async def __call__(self, workload: Workload) -> ServiceAccountIdentity | None:
        """What it has when it is asked, and tells when it may answer."""
        self.reads.append(workload)
        self.asked.set()
        if self.trouble:
            raise self.trouble
        uid = self.uids.get(workload)
        await self.answers.wait()
        return ServiceAccountIdentity(uid=uid, creation_timestamp=datetime.fromtimestamp(BEGIN - 3600, UTC)) if uid else None

    def shown(self, uid: str = "first", workload: Workload = WORKER, *, age: float = 0.0) -> Assertion:
        """A token of this ServiceAccount, issued so many seconds ago."""
        return Assertion(workload, uid, self.now - age, self.now + 3600)


@pytest.fixture
def server() -> ApiServer:
    """With one ServiceAccount."""
    return ApiServer()


@pytest.fixture
def accounts(server: ApiServer) -> ServiceAccounts:
    """What is known of them."""
    return ServiceAccounts(server, MAX_STALENESS, LIMITS, lambda: server.now)


async def test_service_accounts_read_serves_for_a_minute(server: ApiServer, accounts: ServiceAccounts) -> None:
    """And then the ServiceAccount is read again."""
    assert await accounts.relied_on_until(server.shown(), AGENT) == BEGIN + FRESH
    server.now += FRESH - 1
    assert await accounts.relied_on_until(server.shown(), AGENT) == BEGIN + FRESH
    assert len(server.reads) == 1
    server.now += 1
    assert await accounts.relied_on_until(server.shown(), AGENT) == BEGIN + 2 * FRESH
    assert len(server.reads) == 2


async def test_service_accounts_rely_on_no_token_longer_than_it_lives(server: ApiServer, accounts: ServiceAccounts) -> None:
    """Though the ServiceAccount may."""
    assert await accounts.relied_on_until(Assertion(WORKER, "first", BEGIN, BEGIN + 20), AGENT) == BEGIN + 20


async def test_service_accounts_notice_a_new_one_by_its_own_token(server: ApiServer, accounts: ServiceAccounts) -> None:
    """Which is younger than what was read. That of its predecessor is refused, and soon costs no read."""
    old = server.shown()
    assert await accounts.relied_on_until(old, AGENT)
    server.uids[WORKER] = "second"
    server.now += 1
    assert await accounts.relied_on_until(server.shown("second"), AGENT)
    server.now += LEEWAY_SECONDS + 1
    assert [await accounts.relied_on_until(old, AGENT) for _ in range(100)] == [None] * 100
    assert len(server.reads) == 3
    assert await accounts.relied_on_until(server.shown("second"), AGENT)
    assert len(server.reads) == 3


async def test_service_accounts_notice_a_new_one_within_a_minute(server: ApiServer, accounts: ServiceAccounts) -> None:
    """By the token of its predecessor itself."""
    old = server.shown()
    assert await accounts.relied_on_until(old, AGENT)
    server.uids[WORKER] = "second"
    server.now += FRESH
    assert await accounts.relied_on_until(old, AGENT) is None


async def test_service_accounts_read_serves_one_agent_object(server: ApiServer, accounts: ServiceAccounts) -> None:
    """A namespace that is made anew has other Agents: nothing that was read for those before serves them."""
    old = server.shown()
    assert await accounts.relied_on_until(old, AGENT)
    server.uids[WORKER] = "second"
    assert await accounts.relied_on_until(old, NEXT_AGENT) is None


async def test_service_accounts_judge_by_a_later_read_than_the_one_that_runs(
    server: ApiServer, accounts: ServiceAccounts
) -> None:
    """That read may have been answered before the ServiceAccount was there."""
    server.answers.clear()
    first = asyncio.create_task(accounts.relied_on_until(server.shown(), AGENT))
    await server.asked.wait()
    server.uids[WORKER] = "second"
    second = asyncio.create_task(accounts.relied_on_until(server.shown("second"), AGENT))
    await asyncio.sleep(0)
    server.answers.set()
    assert (await first is not None, await second is not None) == (True, True)
    assert len(server.reads) == 2


async def test_service_accounts_share_a_read(server: ApiServer, accounts: ServiceAccounts) -> None:
    """Those who come first, and those who come while it is under way."""
    server.answers.clear()
    asked = [asyncio.create_task(accounts.relied_on_until(server.shown(), AGENT)) for _ in range(50)]
    await server.asked.wait()
    asked += [asyncio.create_task(accounts.relied_on_until(server.shown(), AGENT)) for _ in range(50)]
    await asyncio.sleep(0)
    server.answers.set()
    assert None not in await asyncio.gather(*asked)
    assert len(server.reads) == 1


async def test_service_accounts_bound_reads_of_a_namespace(server: ApiServer, accounts: ServiceAccounts) -> None:
    """However many ServiceAccounts its agents name; it is told to come back, and others are read."""
    mine = [Workload("talent", f"worker-{number}") for number in range(9)]
    for workload in mine[:8]:
        assert await accounts.relied_on_until(server.shown("none", workload), AGENT) is None
    with pytest.raises(TooManyReads) as refusal:
        await accounts.relied_on_until(server.shown("none", mine[8]), AGENT)
    assert refusal.value.retry_after > 0
    other = Workload("sales", "worker")
    server.uids[other] = "theirs"
    assert await accounts.relied_on_until(server.shown("theirs", other), AGENT)


async def test_service_accounts_serve_earlier_reads_while_the_api_server_is_away(
    server: ApiServer, accounts: ServiceAccounts
) -> None:
    """For as long as the index may be stale, and no longer; who was not known has to wait."""
    known = server.shown()
    assert await accounts.relied_on_until(known, AGENT)
    server.trouble = Unreachable("away")
    server.now = BEGIN + FRESH
    with capture_logs() as logs:
        for _ in range(3):
            assert await accounts.relied_on_until(known, AGENT) == server.now + LIMITS.service_account_retry_seconds
    assert len(server.reads) == 2
    assert [one["service_account"] for one in logs] == ["talent/worker"]
    server.now = BEGIN + MAX_STALENESS
    for agent in (AGENT, NEXT_AGENT):
        with pytest.raises(Unreachable):
            await accounts.relied_on_until(known, agent)
    server.trouble = None
    assert await accounts.relied_on_until(known, AGENT)


async def test_service_accounts_do_not_wait_without_end(server: ApiServer) -> None:
    """It is as one that is away."""
    accounts = ServiceAccounts(server, MAX_STALENESS, Limits(service_account_timeout_seconds=0.01), lambda: server.now)
    server.answers.clear()
    with pytest.raises(Unreachable):
        await accounts.relied_on_until(server.shown(), AGENT)


async def test_service_accounts_forget_the_oldest_first(server: ApiServer) -> None:
    """The oldest answer goes first."""
    accounts = ServiceAccounts(server, MAX_STALENESS, Limits(max_service_accounts=2), lambda: server.now)
    for agent in ("a", "b", "c"):
        assert await accounts.relied_on_until(server.shown(), agent)
    for agent, reads in (("c", 3), ("b", 3), ("a", 4)):
        assert await accounts.relied_on_until(server.shown(), agent)
        assert len(server.reads) == reads


async def test_service_accounts_take_no_read_of_the_future(server: ApiServer, accounts: ServiceAccounts) -> None:
    """A clock that was put back makes nothing good for longer."""
    shown = server.shown()
    assert await accounts.relied_on_until(shown, AGENT)
    server.uids[WORKER] = "second"
    server.now -= 3600
    assert await accounts.relied_on_until(shown, AGENT) is None
