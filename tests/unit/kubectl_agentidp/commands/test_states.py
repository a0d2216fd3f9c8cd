"""State changes: the patches of `suspend`, `resume`, `decommission` and `revoke`."""

import pytest

from agentidp.domain.resources import Agent, AgentCredential, AgentState, CredentialState
from kubectl_agentidp.commands.states import DECOMMISSION, RESUME, REVOKE, SUSPEND, StateChange, state_patch
from kubectl_agentidp.errors import CommandError
from tests.support.worlds import a_credential, a_uid, an_agent

Resource = Agent | AgentCredential

WRITTEN: dict[str, tuple[StateChange, Resource, str]] = {
    "suspend": (SUSPEND, an_agent(), "Suspended"),
    "resume": (RESUME, an_agent(state=AgentState.SUSPENDED), "Active"),
    "decommission a suspended agent": (DECOMMISSION, an_agent(state=AgentState.SUSPENDED), "Decommissioned"),
    "revoke": (REVOKE, a_credential(), "Revoked"),
}
UNCHANGED: dict[str, tuple[StateChange, Resource]] = {
    "suspended": (SUSPEND, an_agent(state=AgentState.SUSPENDED)),
    "active": (RESUME, an_agent()),
    "decommissioned": (DECOMMISSION, an_agent(state=AgentState.DECOMMISSIONED)),
    "revoked": (REVOKE, a_credential(state=CredentialState.REVOKED)),
}


@pytest.mark.parametrize(("change", "resource", "state"), WRITTEN.values(), ids=WRITTEN)
def test_state_change_writes_only_the_state(change: StateChange, resource: Resource, state: str) -> None:
    """Git keeps the ownership of all other fields."""
    assert state_patch(change, resource.metadata.uid, resource) == {"state": state}


@pytest.mark.parametrize(("change", "resource"), UNCHANGED.values(), ids=UNCHANGED)
def test_state_change_to_the_present_state_writes_nothing(change: StateChange, resource: Resource) -> None:
    """A second call is no error."""
    assert state_patch(change, resource.metadata.uid, resource) is None


@pytest.mark.parametrize("change", [SUSPEND, RESUME])
def test_state_change_of_a_decommissioned_agent_fails(change: StateChange) -> None:
    """The advice says what to do instead."""
    resource = an_agent(state=AgentState.DECOMMISSIONED)
    with pytest.raises(CommandError, match="Agent talent/screener is Decommissioned, which is final") as refusal:
        state_patch(change, resource.metadata.uid, resource)
    assert refusal.value.advice == "Declare a new Agent."


def test_state_change_of_an_object_created_again_fails() -> None:
    """The caller confirmed the change of the deleted object."""
    with pytest.raises(CommandError, match="was deleted and created again meanwhile"):
        state_patch(REVOKE, a_uid(1), a_credential(uid=a_uid(2)))


@pytest.mark.parametrize("change", [DECOMMISSION, REVOKE])
def test_state_change_that_is_irreversible_has_a_question(change: StateChange) -> None:
    """A reversible one has none."""
    assert "This cannot be undone." in change.question
    assert not SUSPEND.question + RESUME.question
