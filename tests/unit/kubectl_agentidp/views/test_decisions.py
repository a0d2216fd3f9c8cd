"""Token decisions: the reasons for which the token service refuses agents and credentials."""

import pytest
from msgspec.structs import replace

from agentidp.domain.resources import Agent, AgentState, CredentialState, ObjectMeta, Organization, OrganizationSpec
from agentidp.domain.resources.reasons import Reason
from kubectl_agentidp.views.decisions import TokenDecisions
from tests.support.worlds import NOW, a_registered_agent, an_issued_credential

CREDENTIAL = an_issued_credential()
ACME = Organization(metadata=ObjectMeta(name="acme"), spec=OrganizationSpec(namespaces=("talent",)))
CLOSED = replace(ACME, spec=OrganizationSpec(namespaces=("other",)))


def suspended() -> Agent:
    """An agent whose status is older than its suspension."""
    agent = a_registered_agent()
    return replace(agent, spec=replace(agent.spec, state=AgentState.SUSPENDED))


AGENTS: dict[str, tuple[Agent, list[Organization] | None, Reason | None]] = {
    "an agent of no organization": (a_registered_agent(), [], None),
    "a suspended agent": (suspended(), [], Reason.AGENT_SUSPENDED),
    "an agent of an organization that admits it": (a_registered_agent(organization_id="acme"), [ACME], None),
    "an agent of one that does not": (a_registered_agent(organization_id="acme"), [CLOSED], Reason.ORGANIZATION_NOT_ADMITTED),
    "an agent of one that the caller may not list": (a_registered_agent(organization_id="acme"), None, None),
}


@pytest.mark.parametrize(("agent", "organizations", "reason"), AGENTS.values(), ids=AGENTS)
def test_token_decision_on_an_agent(agent: Agent, organizations: list[Organization] | None, reason: Reason | None) -> None:
    """The spec counts before the operator has acted on it; its credential is refused for the same reason."""
    decisions = TokenDecisions([agent], organizations, NOW)
    assert decisions.of_agent(agent) == decisions.of_credential(CREDENTIAL) == reason


def test_token_decision_on_a_credential() -> None:
    """A revoked credential, and one without an agent, get no token."""
    revoked = replace(CREDENTIAL, spec=replace(CREDENTIAL.spec, state=CredentialState.REVOKED))
    assert TokenDecisions([a_registered_agent()], [], NOW).of_credential(revoked) is Reason.CREDENTIAL_REVOKED
    assert TokenDecisions([], [], NOW).of_credential(CREDENTIAL) is Reason.AGENT_NOT_FOUND
