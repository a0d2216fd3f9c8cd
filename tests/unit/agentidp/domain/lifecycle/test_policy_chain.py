"""Policy chain: the order of its checks. What each check decides is under `scenarios/`."""

import pytest
from msgspec.structs import replace

from agentidp.domain.lifecycle.input import Input, WriteStatus
from agentidp.domain.lifecycle.policy_chain import POLICY_CHAIN, decide
from agentidp.domain.resources import Agent, AgentState, CredentialState
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.secret_delivery import inspect
from tests.support.worlds import ENDPOINTS, HOUR, NOW, a_registered_agent, a_secret, an_issued_credential

SUSPENDED = replace(a_registered_agent(), spec=replace(a_registered_agent().spec, state=AgentState.SUSPENDED))
ORDER: dict[str, tuple[dict[str, object], Agent | None, Reason]] = {
    "revocation counts before expiry": (
        {"state": CredentialState.REVOKED, "expires_at": NOW - HOUR},
        SUSPENDED,
        Reason.CREDENTIAL_REVOKED,
    ),
    "revocation counts before a missing agent": ({"state": CredentialState.REVOKED}, None, Reason.CREDENTIAL_REVOKED),
    "expiry counts before suspension (decision 5)": ({"expires_at": NOW - HOUR}, SUSPENDED, Reason.CREDENTIAL_EXPIRED),
    "a missing agent counts before everything of the Secret": ({}, None, Reason.AGENT_NOT_FOUND),
    "suspension counts for a working credential": ({}, SUSPENDED, Reason.AGENT_SUSPENDED),
}


@pytest.mark.parametrize(("spec", "agent", "reason"), ORDER.values(), ids=ORDER)
def test_policy_chain_applies_the_first_check(spec: dict[str, object], agent: Agent | None, reason: Reason) -> None:
    """The status has the reason of that check."""
    credential = an_issued_credential(**spec)
    delivery = inspect(credential, credential.secret_name, a_secret(credential), ENDPOINTS)
    step = decide(Input(credential, agent, delivery), NOW)
    assert isinstance(step, WriteStatus)
    ready = condition(step.status.conditions, READY)
    assert ready
    assert ready.reason == reason


def test_policy_chain_has_documented_checks() -> None:
    """Each check says in its docstring what it ensures."""
    assert [check.__name__ for check in POLICY_CHAIN if not check.__doc__] == []
