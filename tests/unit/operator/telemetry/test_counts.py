"""Counts of credentials: by phase and reason, of undelivered Secrets, and of due rotations."""

from datetime import timedelta

from msgspec.structs import replace

from agent_operator.telemetry.counts import count_objects
from agentidp.domain.resources import AgentCredential
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED
from agentidp.domain.resources.reasons import Reason
from tests.support.worlds import HOUR, MINUTE, NOW, SECOND, a_condition, a_credential, an_issued_credential, restated


def scheduled(ahead: timedelta) -> AgentCredential:
    """A working credential whose next rotation is at this time."""
    return restated(an_issued_credential(), next_rotation_at=NOW + ahead)


async def test_counts_tell_due_overdue_and_upcoming_rotations_apart() -> None:
    """Overdue are rotations that were due more than a minute ago; upcoming ones are counted by horizon."""
    counts = await count_objects([scheduled(-HOUR), scheduled(-SECOND), scheduled(MINUTE), scheduled(2 * HOUR)], NOW)
    assert (counts.due, counts.overdue) == (2, 1)
    assert counts.upcoming == {"1h": 1, "24h": 2}


async def test_counts_of_undelivered_secrets_are_by_reason() -> None:
    """A working credential whose Secret cannot be written is counted there."""
    refused = a_condition(SECRET_DELIVERED, Reason.API_REFUSED, holds=False)
    ready = a_condition(READY, Reason.ISSUED)
    counts = await count_objects([restated(an_issued_credential(), conditions=(ready, refused)), an_issued_credential()], NOW)
    assert counts.undelivered == {"Refused": 1}


async def test_counts_have_known_reasons_only() -> None:
    """A writer of statuses cannot make up labels of a metric; a credential without a status is Pending."""
    made_up = replace(a_condition(READY, Reason.ISSUED), reason="MadeUp")
    counts = await count_objects([restated(a_credential(), conditions=(made_up,)), an_issued_credential()], NOW)
    assert {"Pending", "Active"} == {phase for phase, _ in counts.standings}
    assert {"", "Issued"} == {reason for _, reason in counts.standings}
