"""Live recheck: before a rejection the API server is read, and a flood of requests is no flood of reads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from agentidp.domain.identity.clients import client_agent, client_credential
from agentidp.domain.resources import CredentialState
from agentidp.kube.errors import TooLarge, Unreachable
from tests.support.listings import Listed
from tests.support.token_services import (
    CLIENT,
    GRANT,
    OTHER_SECRET,
    ServedAlone,
    signing_keys,
    the_credential,
    the_hash,
    while_bcrypt_runs,
    with_limits,
)
from tests.support.worlds import (
    AGENT_ID,
    a_fake_hash,
    a_registered_agent,
    a_suspended_agent,
    a_uid,
    a_value,
    an_organization,
)
from token_service.limits import LIMITS, Limits

OTHERS = CLIENT | GRANT | {"client_secret": OTHER_SECRET}


def wrong(number: int) -> dict[str, str]:
    """A request with a secret that this service might have issued, and has not."""
    return CLIENT | GRANT | {"client_secret": f"sk_live_{number:032x}"}


def stranger(number: int) -> dict[str, str]:
    """A request of a client that nobody knows."""
    return CLIENT | GRANT | {"client_id": a_uid(number)}


@pytest.fixture
async def exhausted(limits: Limits) -> AsyncIterator[ServedAlone]:
    """A service that has used up its reads of unknown clients, and knows one agent without credentials."""
    served = ServedAlone(limits=replace(limits, live_reads_per_second=0.001, live_reads_burst=1))
    served.keys.put(signing_keys())
    served.declare(a_registered_agent(a_uid(500), name="other", uid=a_uid(500)))
    await served.token(stranger(1))
    served.looked_up.clear()
    yield served
    await served.close()


UNSEEN: dict[str, list[Any]] = {
    "an agent and its credential": [],
    "a credential": [a_registered_agent()],
    "that an agent is not suspended any more": [a_suspended_agent(), the_credential()],
}


@pytest.mark.parametrize("seen", UNSEEN.values(), ids=UNSEEN)
async def test_live_recheck_reads_what_the_watch_has_not_reported(empty: ServedAlone, seen: list[Any]) -> None:
    """A pod may be quicker than the watch."""
    empty.declare(*seen)
    empty.declare_unseen(a_registered_agent(organization_id="acme"), the_credential(), an_organization())
    assert (await empty.token()).status_code == 200
    assert empty.looked_up == [AGENT_ID]


Meanwhile = Callable[[], Coroutine[Any, Any, None]]


def while_the_api_server_answers(served: ServedAlone, meanwhile: Meanwhile) -> None:
    """The first live read ends after this coroutine has run."""

    async def first_meanwhile() -> None:
        served.answered = partial(asyncio.sleep, 0)
        await meanwhile()

    served.answered = first_meanwhile


MOMENTS = [while_bcrypt_runs, while_the_api_server_answers]
TOLD: dict[str, tuple[list[Any], int, int]] = {
    "that the credential is revoked": ([a_registered_agent(), the_credential(state=CredentialState.REVOKED)], 401, 2),
    "that the agent is suspended": ([a_suspended_agent(), the_credential()], 401, 2),
    "what was found": ([a_registered_agent(), the_credential()], 200, 1),
    "half of what was found": ([a_registered_agent()], 200, 2),
    "nothing": ([], 200, 1),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("told", "status", "look_ups"), TOLD.values(), ids=TOLD)
async def test_live_recheck_prefers_newer_watch_state(
    empty: ServedAlone, moment: Any, told: list[Any], status: int, look_ups: int
) -> None:
    """The API server's word of before may have been overtaken: a replica must not say that it knows and act otherwise."""

    async def tell() -> None:
        empty.declare(*told)

    empty.declare_unseen(a_registered_agent(), the_credential())
    moment(empty, tell)
    assert (await empty.token()).status_code == status
    assert len(empty.looked_up) == look_ups


async def test_live_recheck_keeps_no_live_read(empty: ServedAlone) -> None:
    """The watch brings it; and a deletion that the watch has told is not undone."""
    empty.declare_unseen(a_registered_agent(), the_credential())
    await empty.token()
    assert empty.index.agent(AGENT_ID) is None


async def test_live_recheck_is_not_needed_for_a_secret_in_the_cluster_cache(served: ServedAlone) -> None:
    """Neither the first time nor the next."""
    for _ in range(3):
        assert (await served.token()).status_code == 200
    assert served.looked_up == []


async def test_live_recheck_reads_once_for_the_same_wrong_secret(served: ServedAlone) -> None:
    """Only a change could make it right, and the watch tells changes."""
    for _ in range(5):
        assert (await served.token(OTHERS)).status_code == 401
    assert served.looked_up == [AGENT_ID]


@pytest.mark.parametrize(
    "form",
    {
        "no id of ours": CLIENT | GRANT | {"client_id": "root"},
        "no secret of ours": CLIENT | GRANT | {"client_secret": "password"},
        "a secret too long": CLIENT | GRANT | {"client_secret": "sk_live_" + "0" * 900},
    }.values(),
)
async def test_live_recheck_does_not_read_for_what_cannot_be_ours(served: ServedAlone, form: dict[str, str]) -> None:
    """It costs the API server nothing."""
    assert (await served.token(form)).status_code == 401
    assert served.looked_up == []


async def test_live_recheck_rejects_nobody_while_the_api_server_is_away(served: ServedAlone) -> None:
    """503: perhaps it is right, and nobody can know. Those who are known are served."""
    served.api_server_trouble = Unreachable("away")
    answer = await served.token(OTHERS)
    assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "temporarily_unavailable", "1")
    assert (await served.token()).status_code == 200


async def test_live_recheck_shares_a_read(empty: ServedAlone) -> None:
    """One runs, one waits for whoever came after it began."""
    empty.declare_unseen(a_registered_agent(), the_credential())
    answers = await asyncio.gather(*(empty.token() for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(empty.looked_up) <= 2


@with_limits(recheck_patience_seconds=0.05)
async def test_live_recheck_bounds_reads_of_unknown_clients(exhausted: ServedAlone) -> None:
    """Beyond the budget they wait a little, and are refused."""
    answers = await asyncio.gather(*(exhausted.token(stranger(number)) for number in range(100)))
    assert {answer.status_code for answer in answers} == {401}
    assert exhausted.looked_up == []


async def test_live_recheck_serves_a_new_client_beside_a_flood_when_the_watch_reports_it(exhausted: ServedAlone) -> None:
    """First its agent comes, then its credential."""
    flood = [asyncio.create_task(exhausted.token(stranger(number))) for number in range(50)]
    fresh = asyncio.create_task(exhausted.token())
    await asyncio.sleep(0.05)
    exhausted.declare(a_registered_agent())
    await asyncio.sleep(0.05)
    exhausted.declare(the_credential())
    assert (await fresh).status_code == 200
    assert {answer.status_code for answer in await asyncio.gather(*flood)} == {401}
    assert exhausted.looked_up == []


@with_limits(recheck_patience_seconds=0.5)
async def test_live_recheck_does_not_remember_a_rejection_without_a_live_read(exhausted: ServedAlone) -> None:
    """The watch may be late by more than a request waits: the next one waits again."""
    await require_that_the_next_request_waits_again(exhausted)


@with_limits(recheck_patience_seconds=0.5)
async def test_live_recheck_waits_for_the_watch_where_a_client_is_too_large(empty: ServedAlone) -> None:
    """And is not called wrong for long either; nobody else has to wait while it is read."""
    empty.api_server_trouble = TooLarge("a MiB of managed fields")
    await require_that_the_next_request_waits_again(empty)
    assert empty.looked_up == [AGENT_ID] * 2


async def require_that_the_next_request_waits_again(served: ServedAlone) -> None:
    """One was refused because the watch told nothing in time; it tells while the next one waits."""
    assert (await served.token()).status_code == 401
    again = asyncio.create_task(served.token())
    while not len(served.index.changes):  # noqa: ASYNC110 nobody tells when it waits
        await asyncio.sleep(0)
    served.declare(a_registered_agent(), the_credential())
    assert (await again).status_code == 200


@with_limits(live_reads_of_client_burst=0, recheck_patience_seconds=0.1, wrong_secret_pause_seconds=0)
async def test_live_recheck_notices_what_the_watch_reports_during_a_check(empty: ServedAlone) -> None:
    """Nobody waits for it then, and it is not told again."""
    other = the_hash(hash=a_fake_hash(a_value(2)), hint=False)
    empty.declare(a_registered_agent(), the_credential(other))

    async def tell() -> None:
        empty.declare(the_credential())

    while_bcrypt_runs(empty, tell)
    assert (await empty.token()).status_code == 200
    assert empty.looked_up == []


@with_limits(recheck_patience_seconds=0.05)
async def test_live_recheck_reads_cached_clients_beside_a_flood_of_unknown_ones(exhausted: ServedAlone) -> None:
    """They have a budget of their own: a new credential of a known agent is not delayed."""
    assert (await exhausted.token(CLIENT | GRANT | {"client_id": a_uid(500)})).status_code == 401
    assert exhausted.looked_up == [a_uid(500)]


@with_limits(recheck_patience_seconds=0.01)
async def test_live_recheck_bounds_reads_of_one_client(served: ServedAlone) -> None:
    """Whoever tries secrets of one client leaves the others their budget."""
    for number in range(50):
        assert (await served.token(wrong(number))).status_code == 401
    assert len(served.looked_up) < 2 * LIMITS.live_reads_of_client_burst


@pytest.fixture
async def scarce(limits: Limits) -> AsyncIterator[ServedAlone]:
    """A service that may read ten clients of either sort, and knows two."""
    patience = min(0.1, limits.recheck_patience_seconds)
    scarce = replace(limits, live_reads_per_second=0.001, live_reads_burst=10, recheck_patience_seconds=patience)
    served = ServedAlone(limits=scarce)
    served.keys.put(signing_keys())
    served.declare(a_registered_agent(), a_registered_agent(a_uid(500), name="other", uid=a_uid(500)))
    yield served
    await served.close()


@with_limits(recheck_patience_seconds=0.001)
async def test_live_recheck_takes_nothing_from_others_for_a_read_that_is_not_allowed(scarce: ServedAlone) -> None:
    """Whoever tries secrets of one client leaves others their look-ups."""
    for number in range(20):
        await scarce.token(wrong(number))
    scarce.looked_up.clear()
    assert (await scarce.token(CLIENT | GRANT | {"client_id": a_uid(500)})).status_code == 401
    assert scarce.looked_up == [a_uid(500)]


@with_limits(recheck_patience_seconds=0.001)
async def test_live_recheck_leaves_look_ups_to_other_namespaces(empty: ServedAlone) -> None:
    """Whoever has many agents in one namespace spends its share of look-ups, not that of all."""
    served = empty
    ids = [a_uid(1000 + number) for number in range(60)]
    served.declare(*(a_registered_agent(one, name=f"a-{one}", uid=one, namespace="many") for one in ids))
    served.declare(a_registered_agent(a_uid(500), name="other", uid=a_uid(500), namespace="other"))
    for number in range(4):
        for one in ids:
            await served.token(wrong(number) | {"client_id": one})
    assert len(served.looked_up) < LIMITS.live_reads_burst
    served.looked_up.clear()
    assert (await served.token(CLIENT | GRANT | {"client_id": a_uid(500)})).status_code == 401
    assert served.looked_up == [a_uid(500)]


SPENT: dict[str, list[dict[str, str]]] = {
    "strangers": [stranger(number) for number in range(10)],
    "clients that are known": [
        *(wrong(number) for number in range(LIMITS.live_reads_of_client_burst)),
        *(wrong(number) | {"client_id": a_uid(500)} for number in range(10 - LIMITS.live_reads_of_client_burst)),
    ],
}


@pytest.mark.parametrize("spent", SPENT.values(), ids=SPENT)
async def test_live_recheck_takes_as_long_for_a_cached_client_as_for_an_unknown_one(
    scarce: ServedAlone, spent: list[dict[str, str]]
) -> None:
    """Both wait for the watch: the one that can be looked up is not told from the other that cannot."""
    for form in spent:
        assert (await scarce.token(form)).status_code == 401
    for form in (wrong(100) | {"client_id": a_uid(500)}, stranger(100)):
        asking = asyncio.create_task(scarce.token(form))
        waited = 0
        while not asking.done():
            waited = max(waited, len(scarce.index.changes))
            await asyncio.sleep(0)
        assert (await asking).status_code == 401
        assert waited == 1


@with_limits(max_recheck_waiters=10, recheck_patience_seconds=0.2)
async def test_live_recheck_bounds_who_waits(exhausted: ServedAlone) -> None:
    """Memory is bounded; who may not wait is not told that the pair is wrong."""
    answers = await asyncio.gather(*(exhausted.token(stranger(number)) for number in range(100, 150)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(503)) == (10, 40)
    assert len(exhausted.index.changes) == 0


async def test_live_recheck_notices_a_new_list(exhausted: ServedAlone) -> None:
    """After a watch that was broken, the list tells what it missed."""
    fresh = asyncio.create_task(exhausted.token())
    await asyncio.sleep(0.05)
    await exhausted.index.credentials.replace(Listed(client_credential(the_credential())))
    await exhausted.index.agents.replace(Listed(client_agent(a_registered_agent())))
    assert (await fresh).status_code == 200
