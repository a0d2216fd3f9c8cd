"""Ready, the kubectl plugin and the token service say the same, in every state of an agent, a credential, and its Secret.

concepts.md promises that Ready tells whether a credential gets tokens, and that the token service takes the stricter of spec
and status. So a status that the operator has brought to rest says what the token service decides, and the plugin says it also
where the operator is down.
"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.domain.identity.client_status import agent_failure, fitting_hashes, token_failure, valid_after_failure
from agentidp.domain.identity.clients import client_agent, client_credential, client_organization
from agentidp.domain.identity.registration import AgentInput, register
from agentidp.domain.resources import (
    Agent,
    AgentCredential,
    AgentState,
    CredentialPolicy,
    CredentialState,
    Organization,
    Rotation,
    Workload,
)
from agentidp.domain.resources.conditions import READY, condition, is_ready
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.secret_delivery import client_secret_in
from kubectl_agentidp.views.conditions import readiness
from kubectl_agentidp.views.decisions import TokenDecisions
from tests.support.reconciling import ApiServer, Operator
from tests.support.stories import a_foreign_secret, mended
from tests.support.worlds import (
    DAY,
    HOUR,
    NAMESPACE,
    NOW,
    SECOND,
    a_hash,
    a_provided_hash,
    a_secret,
    an_agent,
    an_issued_credential,
    an_organization,
    respecified,
    with_metadata,
)

CLOSED: dict[str, Any] = {
    "credential_policy": CredentialPolicy.WORKLOAD_ONLY,
    "workloads": (Workload(service_account_name="screener"),),
}
ORGANIZATIONS = {
    "none": None,
    "one that admits it": an_organization(),
    "one that does not": an_organization(admits=("elsewhere",)),
    "one that is not there": None,
}
AGENTS = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(AgentState),
        "tokens_valid_after": st.sampled_from(
            [NOW - HOUR, NOW, NOW + 3 * SECOND, NOW + 10 * SECOND, NOW + HOUR, NOW + 900 * DAY]
        ),
        "closed": st.just(value=True),
    },
)
CREDENTIALS = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(CredentialState),
        "expires_at": st.sampled_from([NOW - HOUR, NOW + 5 * SECOND, NOW + HOUR]),
        "secret_hash": st.just(a_provided_hash()),
        "rotation": st.sampled_from([Rotation(overlap="1h"), Rotation(overlap="1h", end_overlaps_at=NOW)]),
    },
)
SECRETS = st.sampled_from(["as written", "missing", "edited", "foreign"])
LATER = st.sampled_from([timedelta(), 4 * SECOND, 6 * SECOND, 2 * HOUR, 1000 * DAY])


def organization_of(which: str) -> Organization | None:
    """The organization that there is."""
    return ORGANIZATIONS[which]


def declared_agent(which: str, spec: dict[str, Any], *, deleted: bool) -> Agent:
    """An agent as somebody declared it, which may wait for a finalizer."""
    fields = {key: value for key, value in spec.items() if key != "closed"} | (CLOSED if spec.get("closed") else {})
    claimed = None if which == "none" else "acme"
    return with_metadata(an_agent(organization_id=claimed, **fields), deletion_timestamp=NOW - HOUR if deleted else None)


def registered(agent: Agent, organization: Organization | None, now: Any) -> Agent:
    """As the operator leaves it."""
    return replace(agent, status=register(AgentInput(agent, organization=organization), now))


def secret_says(credential: AgentCredential, which: str) -> Any:
    """What stands where its Secret should be."""
    found = {"as written": a_secret(credential), "edited": a_secret(credential, b"edited"), "foreign": a_foreign_secret()}
    return [found[which]] if which in found else []


def is_accepted(world: ApiServer, agent: Agent, organization: Organization | None, now: Any) -> bool:
    """Whether the token service gives a token for what the Secret holds; for a provided hash, for its secret."""
    credential = world.credential
    client, owner = client_credential(credential), client_agent(agent)
    known = client_organization(organization) if organization else None
    if token_failure(owner, known, client, now.timestamp()):
        return False
    if credential.spec.secret_hash:
        return True
    secret = world.secrets.get(credential.secret_name)
    value = client_secret_in(secret, credential) if secret else None
    return bool(value and fitting_hashes(client, value, now.timestamp()))


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(sorted(ORGANIZATIONS)), AGENTS, CREDENTIALS, SECRETS, st.integers(0, 5), st.booleans(), st.booleans(), LATER
)
def test_ready_is_what_the_token_service_decides(
    which: str,
    agent_spec: dict[str, Any],
    credential_spec: dict[str, Any],
    secret: str,
    repairs: int,
    agent_deleted: bool,
    credential_deleted: bool,
    later: timedelta,
) -> None:
    """With an operator that has come to rest, at any time; a Secret of somebody else is none of the credential's."""
    organization, now = organization_of(which), NOW + later
    agent = registered(declared_agent(which, agent_spec, deleted=agent_deleted), organization, now)
    credential = mended(repairs, respecified(an_issued_credential(), **credential_spec))
    credential = with_metadata(credential, deletion_timestamp=NOW - HOUR if credential_deleted else None)
    world = ApiServer(credential, agent, secret_says(credential, secret))
    Operator(world).bring_to_rest(now)
    assert is_ready(world.credential.status.conditions) == is_accepted(world, agent, organization, now)
    known = client_organization(organization) if organization else None
    owner = client_agent(agent)
    failure = agent_failure(owner, known) or valid_after_failure(owner, now.timestamp())
    assert is_ready(agent.status.conditions) == (failure is None)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(ORGANIZATIONS)), AGENTS, CREDENTIALS, st.booleans(), st.booleans(), LATER)
def test_the_plugin_tells_what_the_token_service_decides_while_the_operator_is_down(
    which: str,
    agent_spec: dict[str, Any],
    credential_spec: dict[str, Any],
    agent_deleted: bool,
    credential_deleted: bool,
    later: timedelta,
) -> None:
    """The status is that of a credential that works; then somebody changes the specs, and nobody acts on it."""
    organization, now = organization_of(which), NOW + later
    before = declared_agent(which, {}, deleted=False)
    settled = registered(before, an_organization() if which != "none" else None, NOW)
    changed = declared_agent(which, agent_spec, deleted=agent_deleted)
    agent = replace(settled, spec=changed.spec, metadata=replace(changed.metadata, generation=2))
    credential = respecified(an_issued_credential(), **credential_spec)
    credential = with_metadata(credential, deletion_timestamp=NOW - HOUR if credential_deleted else None)
    world = ApiServer(credential, agent, [a_secret(an_issued_credential())])
    decisions = TokenDecisions([agent], [organization] if organization else [], now)
    told = readiness(credential, decisions.of_credential(credential))
    if credential.spec.secret_hash is None:
        assert told.ready == is_accepted(world, agent, organization, now)
    assert told.ready or told.reason
    known, owner = client_organization(organization) if organization else None, client_agent(agent)
    failure = agent_failure(owner, known) or valid_after_failure(owner, now.timestamp())
    assert readiness(agent, decisions.of_agent(agent)).ready == (failure is None)


ENDS = {
    "suspended": ({"state": AgentState.SUSPENDED}, Reason.AGENT_SUSPENDED),
    "decommissioned": ({"state": AgentState.DECOMMISSIONED}, Reason.AGENT_DECOMMISSIONED),
    "without secrets": (CLOSED, Reason.SECRETS_NOT_ALLOWED),
    "valid from 2030 on": ({"tokens_valid_after": NOW + 1400 * DAY}, Reason.TOKENS_NOT_VALID_YET),
}


@pytest.mark.parametrize(("spec", "reason"), ENDS.values(), ids=ENDS)
def test_the_plugin_names_the_reason_of_the_spec(spec: dict[str, Any], reason: Reason) -> None:
    """The operator is down; `kubectl agentidp status` says why there is no token."""
    settled = registered(an_agent(), None, NOW)
    agent = respecified_agent(settled, **spec)
    told = readiness(an_issued_credential(), TokenDecisions([agent], [], NOW).of_credential(an_issued_credential()))
    assert (told.ready, told.reason) == (False, reason.value)
    assert told.message.startswith("The token service gives it no token: ")


def respecified_agent(agent: Agent, **spec: Any) -> Agent:
    """The same after a change of its spec."""
    return replace(agent, spec=replace(agent.spec, **spec), metadata=replace(agent.metadata, generation=2))


@pytest.mark.parametrize(("ahead", "told"), [(4 * SECOND, Reason.REGISTERED), (HOUR, Reason.TOKENS_NOT_VALID_YET)])
def test_tokens_valid_after_in_the_future_is_told(ahead: timedelta, told: Reason) -> None:
    """A request waits for a clock that is some seconds ahead, and no longer (concepts.md): the message has the time."""
    agent = registered(an_agent(namespace=NAMESPACE, tokens_valid_after=NOW + ahead), None, NOW)
    ready = condition(agent.status.conditions, READY)
    assert ready
    assert ready.reason == told
    assert ("2026-03-01T13:00:00Z" in ready.message) is (told is Reason.TOKENS_NOT_VALID_YET)
    world = ApiServer(an_issued_credential(), agent, [a_secret(an_issued_credential())])
    Operator(world).bring_to_rest(NOW)
    assert is_ready(world.credential.status.conditions) is (told is Reason.REGISTERED)


def test_a_rotation_is_done_while_no_token_is_valid_yet() -> None:
    """Who has thrown the kill switch far ahead after a leak rotates, too."""
    agent = registered(an_agent(tokens_valid_after=NOW + HOUR), None, NOW)
    credential = respecified(an_issued_credential(), rotation=Rotation(requested_at=NOW - SECOND))
    world = ApiServer(credential, agent, [a_secret(credential)])
    Operator(world).bring_to_rest(NOW)
    assert [one.hash for one in world.credential.status.secret_hashes] != [a_hash(1).hash]
    assert len(world.credential.status.secret_hashes) == 1


@pytest.mark.parametrize(("which", "reason"), [("missing", Reason.SECRET_MISSING), ("edited", Reason.SECRET_DRIFTED)])
def test_a_secret_that_waits_for_its_repair_is_not_ready(which: str, reason: Reason) -> None:
    """It was repaired a moment ago: the next repair waits, and until then nobody gets a token with it (concepts.md, Drift)."""
    credential = mended(3, ago=SECOND)
    world = ApiServer(credential, registered(an_agent(), None, NOW), secret_says(credential, which))
    Operator(world).bring_to_rest(NOW)
    ready = condition(world.credential.status.conditions, READY)
    assert ready
    assert (ready.status.value, ready.reason) == ("False", reason.value)
    assert "2026-03-01T12:00:06Z" in ready.message
