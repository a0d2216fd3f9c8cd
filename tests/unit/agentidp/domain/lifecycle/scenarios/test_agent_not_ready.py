"""What a credential waits for: its agent, which may be missing, suspended, or not ready."""

import pytest

from agentidp.domain.lifecycle import WriteStatus, decide
from agentidp.domain.resources import AgentState, CredentialPhase
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason
from tests.support.reconciling import ApiServer
from tests.support.stories import (
    ACTIVE,
    CLOSED,
    LOSER,
    REPORTED_LATE,
    SUSPENDED,
    Outcome,
    Story,
    declared,
    delivered,
    expiring,
    issue,
    outcome,
    outcomes,
    pending,
    wait,
)
from tests.support.worlds import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    a_credential,
    a_registered_agent,
    a_rotation,
    a_secret,
    a_suspended_agent,
    a_workload_only_agent,
    an_agent,
    an_issued_credential,
    restated,
    seen,
)

STORIES: dict[str, Story] = {
    "without its agent a credential waits": (
        declared(agent=None),
        (pending(Reason.AGENT_NOT_FOUND), wait()),
    ),
    "and what was issued is kept, until it expires": (
        delivered(expiring(DAY), agent=None),
        (pending(Reason.AGENT_NOT_FOUND), wait(DAY)),
    ),
    "an agent that has not been looked at yet is waited for without a word": (
        declared(agent=an_agent()),
        (wait(),),
    ),
    "and so is one whose status tells of an older spec": (delivered(agent=REPORTED_LATE), (wait(),)),
    "an agent that may not get tokens gets no secret": (
        declared(agent=LOSER),
        (pending(Reason.AGENT_NOT_READY), wait()),
    ),
    "an agent that may not get tokens any more keeps its secrets": (
        delivered(agent=a_registered_agent(reason=Reason.ORGANIZATION_NOT_ADMITTED)),
        (pending(Reason.AGENT_NOT_READY), wait()),
    ),
    "a credential of a suspended agent gets no secret": (
        declared(agent=a_suspended_agent()),
        (SUSPENDED, wait()),
    ),
    "a suspended agent keeps hashes and Secret": (delivered(agent=a_suspended_agent()), (SUSPENDED, wait())),
    "a suspended agent is told so also before its own status says so": (
        delivered(agent=a_registered_agent(state=AgentState.SUSPENDED)),
        (SUSPENDED, wait()),
    ),
    "nothing is repaired while the agent is suspended": (
        declared(an_issued_credential(), agent=a_suspended_agent()),
        (SUSPENDED, wait()),
    ),
    "nothing is rotated while the agent is suspended": (
        delivered(an_issued_credential(rotation=a_rotation(every="1m", requested=-SECOND)), agent=a_suspended_agent()),
        (SUSPENDED, wait()),
    ),
    "an agent that takes no secrets gets none": (declared(agent=a_workload_only_agent()), (CLOSED, wait())),
    "an agent that takes no secrets any more keeps hashes and Secret": (
        delivered(agent=a_workload_only_agent()),
        (CLOSED, wait()),
    ),
    "nothing is repaired while the agent takes no secrets": (
        declared(an_issued_credential(), agent=a_workload_only_agent()),
        (CLOSED, wait()),
    ),
    "nor is anything rotated, but it may expire": (
        delivered(expiring(DAY, rotation=a_rotation(every="1m", requested=-SECOND)), agent=a_workload_only_agent()),
        (CLOSED, wait(DAY)),
    ),
    "an agent that takes secrets again has the same secret": (
        delivered(restated(an_issued_credential(), phase=CredentialPhase.SUSPENDED)),
        (ACTIVE, wait()),
    ),
    "an agent that is active again has the same secret, and what was due is done": (
        delivered(restated(an_issued_credential(rotation=a_rotation(every="1m")), phase=CredentialPhase.SUSPENDED)),
        (issue(Reason.ROTATION_SCHEDULED), ACTIVE, wait(MINUTE)),
    ),
}


@pytest.mark.parametrize(("world", "story"), STORIES.values(), ids=STORIES)
def test_stories(world: ApiServer, story: tuple[Outcome, ...]) -> None:
    """All steps to rest."""
    assert outcomes(world) == story


def test_too_many_credentials_get_no_secret() -> None:
    """The organization bounds how many an agent may have."""
    step = decide(seen(a_credential(), crowded=True), NOW)
    assert outcome(step) == pending(Reason.CREDENTIAL_LIMIT_REACHED)


def test_a_lowered_limit_takes_nothing_away() -> None:
    """What was issued goes on working, and is repaired."""
    credential = an_issued_credential()
    assert outcome(decide(seen(credential, secret=a_secret(credential), crowded=True), NOW)) == wait()
    assert outcome(decide(seen(credential, crowded=True), NOW)) == issue(Reason.SECRET_MISSING)


def test_an_agent_that_is_not_ready_says_why_in_its_credentials() -> None:
    """So that nobody has to look elsewhere."""
    step = decide(seen(a_credential(), LOSER), NOW)
    assert isinstance(step, WriteStatus)
    ready = condition(step.status.conditions, READY)
    assert ready
    assert ready.message == "Its agent is not ready: Agent id belongs to another."
