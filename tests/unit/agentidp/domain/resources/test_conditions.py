"""Conditions: what is written, what is kept, and when the transition time moves."""

from datetime import timedelta

from agentidp.domain.resources import Condition, ConditionStatus
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED, condition, is_ready, with_condition
from agentidp.domain.resources.reasons import Reason
from tests.support.worlds import HOUR, NOW, a_condition


def ready(conditions: tuple[Condition, ...], *, holds: bool = True, generation: int = 1) -> tuple[Condition, ...]:
    """The list after Ready was set."""
    reason = Reason.ISSUED if holds else Reason.AGENT_SUSPENDED
    return with_condition(conditions, READY, holds, reason, "", generation, NOW)


def test_with_condition_keeps_an_equal_condition() -> None:
    """The same tuple, so that a status without news compares equal."""
    conditions = (a_condition(READY, Reason.ISSUED),)
    assert ready(conditions) is conditions


def test_with_condition_moves_the_transition_time_with_the_status() -> None:
    """To whole seconds, as `metav1.Time` has them."""
    now = NOW + timedelta(microseconds=123_456)
    (changed,) = with_condition(
        (a_condition(READY, Reason.ISSUED),), READY, False, Reason.AGENT_SUSPENDED, "Suspended.", 2, now
    )
    assert changed == Condition(
        type=READY,
        status=ConditionStatus.FALSE,
        reason="AgentSuspended",
        message="Suspended.",
        last_transition_time=NOW,
        observed_generation=2,
    )


def test_with_condition_keeps_the_transition_time_for_another_reason() -> None:
    """It tells since when, not since which explanation."""
    before = (a_condition(READY, Reason.AGENT_NOT_FOUND, holds=False),)
    (changed,) = ready(before, holds=False, generation=2)
    assert (changed.reason, changed.observed_generation) == ("AgentSuspended", 2)
    assert changed.last_transition_time == NOW - HOUR


def test_with_condition_keeps_other_conditions_in_place() -> None:
    """Order and content."""
    delivered, others = a_condition(SECRET_DELIVERED, Reason.SECRET_DELIVERED), a_condition("Foreign", Reason.ISSUED)
    changed = ready((delivered, a_condition(READY, Reason.ISSUED), others), holds=False)
    assert (changed[0], changed[2]) == (delivered, others)
    assert len(ready((delivered,))) == 2


def test_is_ready_while_the_status_is_true() -> None:
    """Neither its absence nor Unknown is ready."""
    unknown = Condition(type=READY, status=ConditionStatus.UNKNOWN, reason="Unknown", message="", last_transition_time=NOW)
    assert is_ready(ready(()))
    assert not any(map(is_ready, ((), (unknown,), ready((), holds=False))))
    assert condition((), READY) is None
