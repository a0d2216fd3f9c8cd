"""What `suspend`, `resume`, `decommission` and `revoke` write."""

import pytest

from agentidp.domain.resources import Agent, AgentCredential, AgentState, CredentialState
from kubectl_agentidp.commands.states import DECOMMISSION, RESUME, REVOKE, SUSPEND, Change, wanted
from kubectl_agentidp.errors import CommandError
from tests.support.worlds import a_credential, a_uid, an_agent

Either = Agent | AgentCredential

WRITTEN: dict[str, tuple[Change, Either, str]] = {
    "suspend": (SUSPEND, an_agent(), "Suspended"),
    "resume": (RESUME, an_agent(state=AgentState.SUSPENDED), "Active"),
    "decommission a suspended agent": (DECOMMISSION, an_agent(state=AgentState.SUSPENDED), "Decommissioned"),
    "revoke": (REVOKE, a_credential(), "Revoked"),
}
SO_ALREADY: dict[str, tuple[Change, Either]] = {
    "suspended": (SUSPEND, an_agent(state=AgentState.SUSPENDED)),
    "active": (RESUME, an_agent()),
    "decommissioned": (DECOMMISSION, an_agent(state=AgentState.DECOMMISSIONED)),
    "revoked": (REVOKE, a_credential(state=CredentialState.REVOKED)),
}


@pytest.mark.parametrize(("change", "one", "state"), WRITTEN.values(), ids=WRITTEN)
def test_only_the_state_is_written(change: Change, one: Either, state: str) -> None:
    """Whatever else Git declares stays Git's."""
    assert wanted(change, one.metadata.uid, one) == {"state": state}


@pytest.mark.parametrize(("change", "one"), SO_ALREADY.values(), ids=SO_ALREADY)
def test_what_is_so_already_is_not_written(change: Change, one: Either) -> None:
    """Asking twice is no error."""
    assert wanted(change, one.metadata.uid, one) is None


@pytest.mark.parametrize("change", [SUSPEND, RESUME])
def test_a_decommissioned_agent_stays_one(change: Change) -> None:
    """With what to do instead."""
    one = an_agent(state=AgentState.DECOMMISSIONED)
    with pytest.raises(CommandError, match="Agent talent/screener is Decommissioned, which is final") as refusal:
        wanted(change, one.metadata.uid, one)
    assert refusal.value.advice == "Declare a new Agent."


def test_another_object_of_the_name_is_not_meant() -> None:
    """The question was about the one that was there."""
    with pytest.raises(CommandError, match="was deleted and made anew meanwhile"):
        wanted(REVOKE, a_uid(1), a_credential(uid=a_uid(2)))


@pytest.mark.parametrize("change", [DECOMMISSION, REVOKE])
def test_what_cannot_be_undone_is_asked_about(change: Change) -> None:
    """And what can be is not."""
    assert "This cannot be undone." in change.question
    assert not SUSPEND.question + RESUME.question
