"""Delivery blockers: which conditions say that a person must act."""

import pytest

from agentidp.domain.lifecycle.delivery_blockers import OBSTACLES, delivery_blocker
from agentidp.domain.resources import CredentialStatus
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED
from agentidp.domain.resources.reasons import Reason
from tests.support.worlds import a_condition

WORKS = a_condition(READY, Reason.ISSUED)
DELIVERED = a_condition(SECRET_DELIVERED, Reason.SECRET_DELIVERED)
SUSPENDED = a_condition(READY, Reason.AGENT_SUSPENDED, holds=False)


@pytest.mark.parametrize("reason", OBSTACLES)
def test_delivery_blocker_is_of_a_credential_that_works_or_waits_for_it(reason: Reason) -> None:
    """Where Ready has another reason, the condition is from before."""
    blocked = a_condition(SECRET_DELIVERED, reason, holds=False)
    waits = a_condition(READY, reason, holds=False)
    assert delivery_blocker(CredentialStatus(conditions=(WORKS, blocked))) == blocked
    assert delivery_blocker(CredentialStatus(conditions=(waits, blocked))) == blocked
    assert delivery_blocker(CredentialStatus(conditions=(SUSPENDED, blocked))) is None


def test_delivery_blocker_is_none_for_a_delivered_secret() -> None:
    """Nor is there one before the first delivery."""
    assert delivery_blocker(CredentialStatus(conditions=(WORKS, DELIVERED))) is None
    assert delivery_blocker(CredentialStatus()) is None
