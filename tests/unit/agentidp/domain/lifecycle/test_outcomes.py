"""Outcomes: which step records a status, and when the next decision is due."""

from agentidp.domain.lifecycle.input import Input, WriteStatus
from agentidp.domain.lifecycle.outcomes import held_back, next_due, recorded
from agentidp.domain.resources import AgentCredential, CredentialPhase
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.secret_delivery import inspect
from tests.support.worlds import DAY, ENDPOINTS, HOUR, NOW, a_registered_agent, a_secret, an_issued_credential, restated


def gathered(credential: AgentCredential) -> Input:
    """A credential with its Secret and a registered agent."""
    delivery = inspect(credential, credential.secret_name, a_secret(credential), ENDPOINTS)
    return Input(credential, a_registered_agent(), delivery)


def test_outcome_of_a_recorded_status_is_no_write() -> None:
    """A restart over settled objects writes nothing (decision 1)."""
    input_ = gathered(an_issued_credential())
    assert recorded(input_, input_.status) is None


def test_outcome_of_holding_back_keeps_hashes() -> None:
    """The status says why no secret is accepted."""
    step = held_back(gathered(an_issued_credential()), CredentialPhase.SUSPENDED, Reason.AGENT_SUSPENDED, "It is.", NOW)
    assert isinstance(step, WriteStatus)
    assert (step.status.phase, len(step.status.secret_hashes)) == (CredentialPhase.SUSPENDED, 1)


def test_outcome_is_decided_again_at_the_earliest_time_in_the_future() -> None:
    """Times in the past have been decided already."""
    credential = restated(an_issued_credential(expires_at=NOW + DAY), next_rotation_at=NOW + HOUR)
    assert next_due(gathered(credential), NOW) == NOW + HOUR
    assert next_due(gathered(credential), NOW + HOUR) == NOW + DAY
    assert next_due(gathered(credential), NOW, NOW + HOUR / 2) == NOW + HOUR / 2
