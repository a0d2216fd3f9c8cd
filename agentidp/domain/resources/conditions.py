"""Lists of `metav1.Condition`: set one, keep the others; the transition time is that of the last change of status.

The types are named here, and the reasons in `reasons`. Conditions are set in `agentidp.domain.identity.registration` (Agent),
`agentidp.domain.lifecycle.status` (AgentCredential) and `agent_operator.reconcilers.organization` (Organization).
"""

from datetime import datetime

from agentidp.domain.resources import Condition, ConditionStatus
from agentidp.domain.resources.reasons import Reason

READY = "Ready"
"""Of an Agent: it may get tokens. Of an AgentCredential: it works. Of an Organization: it is in use."""
SECRET_DELIVERED = "SecretDelivered"  # noqa: S105 the name of a condition
"""Of an AgentCredential: the Secret holds a `client_id` and a `client_secret` that are accepted."""
SCOPES_ALLOWED = "ScopesAllowed"
"""Of an Agent: its Organization allows all of its scopes. The condition is present once it was False."""


def condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """The condition of this type, if it is there."""
    return next((one for one in conditions if one.type == kind), None)


def with_condition(
    conditions: tuple[Condition, ...],
    kind: str,
    holds: bool,
    reason: Reason,
    message: str,
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """The list with this condition set; unchanged, to the same tuple, if it already says so."""
    status = ConditionStatus.TRUE if holds else ConditionStatus.FALSE
    old = condition(conditions, kind)
    since = old.last_transition_time if old and old.status == status else now.replace(microsecond=0)
    new = Condition(
        type=kind,
        status=status,
        reason=reason.value,
        message=message,
        last_transition_time=since,
        observed_generation=generation,
    )
    if new == old:
        return conditions
    if old is None:
        return (*conditions, new)
    return tuple(new if one is old else one for one in conditions)


def is_ready(conditions: tuple[Condition, ...]) -> bool:
    """Whether the Ready condition holds."""
    ready = condition(conditions, READY)
    return ready is not None and ready.status == ConditionStatus.TRUE


def is_registered(conditions: tuple[Condition, ...]) -> bool:
    """Whether an agent may use its id: it is ready, or would be but for `spec.tokensValidAfter`, which the clock decides."""
    ready = condition(conditions, READY)
    return is_ready(conditions) or (ready is not None and ready.reason == Reason.TOKENS_NOT_VALID_YET)
