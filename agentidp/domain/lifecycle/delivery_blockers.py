"""Delivery blockers: reasons that keep a Secret from being as declared until a person acts. Alerts count them."""

from agentidp.domain.resources import Condition, ConditionStatus, CredentialStatus
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED, condition
from agentidp.domain.resources.reasons import Reason

OBSTACLES = (Reason.SECRET_NOT_OWNED, Reason.SECRET_CONTESTED, Reason.API_FORBIDDEN, Reason.API_REFUSED)
_OBSTACLES = frozenset(reason.value for reason in OBSTACLES)


def delivery_blocker(status: CredentialStatus) -> Condition | None:
    """The SecretDelivered condition, where it names one: of a credential that works, or that waits for just this.

    Where a credential waits for something else, or has ended, the condition is from before.
    """
    delivery = condition(status.conditions, SECRET_DELIVERED)
    if delivery is None or delivery.reason not in _OBSTACLES:
        return None
    ready = condition(status.conditions, READY)
    waits_for_another = ready and ready.status != ConditionStatus.TRUE and ready.reason != delivery.reason
    return None if waits_for_another else delivery
