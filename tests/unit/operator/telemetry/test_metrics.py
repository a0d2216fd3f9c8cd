"""What Prometheus reads of the credentials: the values, and that reading them holds nobody up."""

import asyncio
import time
from collections.abc import Iterable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.leadership.leader_election import Leadership
from agent_operator.telemetry import metrics as operator_metrics
from agent_operator.telemetry.counts import SLICE, Counts, count_objects
from agent_operator.telemetry.metrics import LoopLag, Metrics
from agent_operator.work_queue import WorkQueue
from agentidp.domain.lifecycle import OBSTACLES
from agentidp.domain.resources import AgentCredential, CredentialPhase
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED
from agentidp.domain.resources.reasons import Reason
from tests.support.reconciling import ApiServer, Operator
from tests.support.stories import disowned, edited, ended, mended, served
from tests.support.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_condition,
    a_credential,
    a_hash,
    a_provided_hash,
    a_rotation,
    a_suspended_agent,
    a_uid,
    an_issued_credential,
    restated,
)

NO_ROTATIONS = {"due": 0, "overdue": 0, "1h": 0, "24h": 0}


def at_rest(cache: ApiServer) -> AgentCredential:
    """The credential, when the operator has nothing to do for it."""
    Operator(cache).bring_to_rest(NOW)
    return cache.credential


def scheduled(ahead: timedelta, **status: object) -> AgentCredential:
    """A credential whose next rotation is due then."""
    return restated(an_issued_credential(), next_rotation_at=NOW + ahead, **status)


def refused(credential: AgentCredential, reason: Reason) -> AgentCredential:
    """The same, after the API server would not let its Secret be written."""
    return restated(
        credential, conditions=(*credential.status.conditions[:1], a_condition(SECRET_DELIVERED, reason, holds=False))
    )


def waiting(reason: Reason) -> AgentCredential:
    """A credential that is not ready for this reason, and whose Secret was contested before."""
    conditions = (
        a_condition(READY, reason, holds=False),
        a_condition(SECRET_DELIVERED, Reason.SECRET_CONTESTED, holds=False),
    )
    return restated(an_issued_credential(), phase=CredentialPhase.PENDING, conditions=conditions)


def suspended(credential: AgentCredential) -> AgentCredential:
    """The same, after its agent was suspended."""
    return at_rest(ApiServer(credential, a_suspended_agent()))


async def scraped(credentials: Iterable[AgentCredential]) -> dict[str, float]:
    """What an operator tells at NOW, as Prometheus reads it."""
    work = WorkQueue()
    cache = ClusterCache(work)
    for number, one in enumerate(credentials):
        cache.credentials.put(replace(one, metadata=replace(one.metadata, name=f"number-{number}", uid=a_uid(number))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operator_metrics, "now", lambda: NOW)
        text = (await Metrics(cache, work, Leadership(), LoopLag()).text()).decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


ROTATIONS: dict[str, tuple[AgentCredential, dict[str, int]]] = {
    "a credential without a schedule has none": (an_issued_credential(), {}),
    "one for next week is none yet": (scheduled(7 * DAY), {}),
    "one within the day is upcoming": (scheduled(2 * HOUR), {"24h": 1}),
    "one within the hour is upcoming in the day, too": (scheduled(HOUR), {"1h": 1, "24h": 1}),
    "one for this moment is due": (scheduled(timedelta()), {"due": 1}),
    "and not overdue for a minute": (scheduled(-MINUTE), {"due": 1}),
    "after that it is": (scheduled(-MINUTE - SECOND), {"due": 1, "overdue": 1}),
    "one that was requested is due": (an_issued_credential(rotation=a_rotation(requested=-SECOND)), {"due": 1}),
    "also in whole seconds, in the second of the issue": (
        an_issued_credential(a_hash(1, made=-SECOND / 2), rotation=a_rotation(requested=-SECOND)),
        {"due": 1},
    ),
    "and overdue in time": (an_issued_credential(rotation=a_rotation(requested=-2 * MINUTE)), {"due": 1, "overdue": 1}),
    "also while a new hash is published and its value cannot be delivered": (
        an_issued_credential(a_hash(1), a_hash(2, made=-SECOND), rotation=a_rotation(requested=-2 * MINUTE)),
        {"due": 1, "overdue": 1},
    ),
    "one that was requested for later is upcoming": (
        an_issued_credential(rotation=a_rotation(requested=MINUTE)),
        {"1h": 1, "24h": 1},
    ),
    "of a request and a schedule, the earlier counts": (
        restated(an_issued_credential(rotation=a_rotation(requested=-SECOND)), next_rotation_at=NOW + MINUTE),
        {"due": 1},
    ),
    "a request that was served is none": (served(an_issued_credential(rotation=a_rotation(requested=-HOUR)), ago=HOUR), {}),
    "a provided hash is not rotated on request": (
        an_issued_credential(secret_hash=a_provided_hash(), rotation=a_rotation(requested=-HOUR / 2)),
        {},
    ),
    "a suspended credential is not rotated": (suspended(scheduled(-HOUR)), {}),
    "nor is one that has expired": (
        restated(ended(rotation=a_rotation(requested=-SECOND)), phase=CredentialPhase.EXPIRED),
        {},
    ),
}


@pytest.mark.parametrize(("credential", "rotations"), ROTATIONS.values(), ids=ROTATIONS)
async def test_rotations_are_counted_when(credential: AgentCredential, rotations: dict[str, int]) -> None:
    """Due, overdue and upcoming, beside another credential that has nothing to do with it."""
    told = await scraped([an_issued_credential(), credential])
    counted = {
        "due": told["agentidp_credentials_due_rotations"],
        "overdue": told["agentidp_credentials_overdue_rotations"],
        "1h": told['agentidp_credentials_upcoming_rotations{within="1h"}'],
        "24h": told['agentidp_credentials_upcoming_rotations{within="24h"}'],
    }
    assert counted == NO_ROTATIONS | rotations


UNDELIVERED: dict[str, tuple[AgentCredential, Reason | None]] = {
    "a Secret with the pair": (an_issued_credential(), None),
    "a contested value": (at_rest(edited(mended(5))), Reason.SECRET_CONTESTED),
    "a contest about metadata, where the value works": (at_rest(disowned(mended(5))), Reason.SECRET_CONTESTED),
    "a refused write, where the old secret works": (
        refused(an_issued_credential(), Reason.API_REFUSED),
        Reason.API_REFUSED,
    ),
    "a missing right, where the old secret works": (
        refused(an_issued_credential(), Reason.API_FORBIDDEN),
        Reason.API_FORBIDDEN,
    ),
    "a contest, when the agent is suspended": (suspended(at_rest(disowned(mended(5)))), None),
    "a contest, when the agent is gone": (waiting(Reason.AGENT_NOT_FOUND), None),
    "a contest that keeps the credential from being ready": (waiting(Reason.SECRET_CONTESTED), Reason.SECRET_CONTESTED),
    "a credential of which nothing is known": (a_credential(), None),
    "a credential that has ended": (at_rest(ApiServer(ended(), None)), None),
}


@pytest.mark.parametrize(("credential", "reason"), UNDELIVERED.values(), ids=UNDELIVERED)
async def test_undelivered_is(credential: AgentCredential, reason: Reason | None) -> None:
    """Every reason is there from the beginning, so that an alert sees it rise."""
    told = await scraped([an_issued_credential(), credential])
    counted = {one: told[f'agentidp_credentials_undelivered{{reason="{one.value}"}}'] for one in OBSTACLES}
    assert counted == {one: float(one is reason) for one in OBSTACLES}


async def test_credentials_are_counted_by_phase_and_reason() -> None:
    """As Ready says; a reason that nobody knows is no label, whoever wrote it."""
    odd = restated(an_issued_credential(), conditions=(replace(a_condition(READY, Reason.ISSUED), reason="anything"),))
    told = await scraped([an_issued_credential(), an_issued_credential(), a_credential(), odd])
    assert {name: count for name, count in told.items() if name.startswith("agentidp_credentials{")} == {
        'agentidp_credentials{phase="Active",reason="Issued"}': 2,
        'agentidp_credentials{phase="Pending",reason=""}': 1,
        'agentidp_credentials{phase="Active",reason=""}': 1,
    }


async def test_a_hundred_thousand_credentials_hold_nobody_up() -> None:
    """Others have their turns on the event loop between two slices."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    neighbour = asyncio.create_task(others())
    counts: Counts = await count_objects([scheduled(-HOUR)] * 100_000, NOW)
    neighbour.cancel()
    assert counts.overdue == 100_000
    assert turns >= 100_000 / SLICE


async def test_loop_lag_is_taken_once() -> None:
    """A reading resets it, so that each scrape has the lag of its own interval."""
    lag = LoopLag()
    task = asyncio.create_task(lag.measure())
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 the event loop is blocked on purpose
    await asyncio.sleep(0.1)
    task.cancel()
    assert lag.take() > 0
    assert lag.take() == 0
