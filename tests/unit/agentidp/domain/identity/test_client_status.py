"""What the token service accepts: the stricter of spec and status, so that whatever ends something ends it at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from agentidp.domain.identity.client_status import accepting_hash, agent_failure, credential_failure, fitting_hashes
from agentidp.domain.identity.clients import ClientCredential, client_agent, client_credential, client_organization
from agentidp.domain.resources import (
    Agent,
    AgentCredential,
    AgentPhase,
    AgentState,
    CredentialState,
    Organization,
    SecretHash,
)
from agentidp.domain.resources.reasons import Reason
from tests.support.worlds import (
    CREDENTIAL_ID,
    DAY,
    HOUR,
    NOW,
    SECOND,
    a_credential,
    a_fake_hash,
    a_hash,
    a_provided_hash,
    a_registered_agent,
    a_rotation,
    a_suspended_agent,
    a_uid,
    a_value,
    a_workload_only_agent,
    an_agent,
    an_issued_credential,
    an_organization,
    respecified,
    restated,
)

SUSPENDED, DECOMMISSIONED = AgentState.SUSPENDED, AgentState.DECOMMISSIONED
MOMENT = NOW.timestamp()


def deleted(agent: Agent) -> Agent:
    """The agent while something still holds it back."""
    return replace(agent, metadata=replace(agent.metadata, deletion_timestamp=NOW))


def in_phase(phase: AgentPhase) -> Agent:
    """An agent whose spec is active again, and whose status does not say so yet."""
    agent = a_registered_agent()
    return replace(agent, status=replace(agent.status, phase=phase))


def of_acme(agent: Agent) -> Agent:
    """The agent as a member of an organization."""
    return replace(agent, spec=replace(agent.spec, organization_id="acme"))


REFUSED_AGENTS: dict[str, tuple[Agent, Organization | None, Reason | None]] = {
    "a registered agent is served": (a_registered_agent(), None, None),
    "an agent without an id is not": (an_agent(), None, Reason.AGENT_NOT_READY),
    "nor is one whose id is another's": (
        a_registered_agent("", reason=Reason.AGENT_ID_CONFLICT),
        None,
        Reason.AGENT_ID_CONFLICT,
    ),
    "nor is one that lost an id that it had": (
        a_registered_agent(reason=Reason.AGENT_ID_CONFLICT),
        None,
        Reason.AGENT_ID_CONFLICT,
    ),
    "a suspended agent is refused from its spec on": (
        a_registered_agent(state=SUSPENDED),
        None,
        Reason.AGENT_SUSPENDED,
    ),
    "and until its status says otherwise": (in_phase(AgentPhase.SUSPENDED), None, Reason.AGENT_SUSPENDED),
    "a decommissioned agent is refused from its spec on": (
        a_registered_agent(state=DECOMMISSIONED),
        None,
        Reason.AGENT_DECOMMISSIONED,
    ),
    "and for ever": (in_phase(AgentPhase.DECOMMISSIONED), None, Reason.AGENT_DECOMMISSIONED),
    "an agent that is being deleted is refused": (deleted(a_registered_agent()), None, Reason.AGENT_DELETED),
    "a member of an organization that admits it is served": (
        a_registered_agent(organization_id="acme"),
        an_organization(),
        None,
    ),
    "one of an organization that is gone is not": (
        a_registered_agent(organization_id="acme"),
        None,
        Reason.ORGANIZATION_NOT_FOUND,
    ),
    "nor is one whose namespace is not admitted any more": (
        a_registered_agent(organization_id="acme"),
        an_organization(admits=("sales",)),
        Reason.ORGANIZATION_NOT_ADMITTED,
    ),
    "nor is one for which there was no room": (
        a_registered_agent(reason=Reason.ORGANIZATION_LIMIT_REACHED, organization_id="acme"),
        an_organization(),
        Reason.ORGANIZATION_LIMIT_REACHED,
    ),
    "nor is one that claims an organization after it was registered, before that is looked at": (
        of_acme(a_registered_agent()),
        an_organization(),
        Reason.ORGANIZATION_NOT_ADMITTED,
    ),
}


@pytest.mark.parametrize(("agent", "organization", "reason"), REFUSED_AGENTS.values(), ids=REFUSED_AGENTS)
def test_agent_failure_is_the_stricter_of_spec_and_status(
    agent: Agent, organization: Organization | None, reason: Reason | None
) -> None:
    """And why; the reason is for logs."""
    kept = client_organization(organization) if organization else None
    assert agent_failure(client_agent(agent), kept) == reason


def expiring(spec: timedelta | None, status: timedelta | None) -> AgentCredential:
    """A credential whose status may tell of an older spec."""
    credential = an_issued_credential(expires_at=None if spec is None else NOW + spec)
    return restated(credential, expires_at=None if status is None else NOW + status)


REFUSED_CREDENTIALS: dict[str, tuple[AgentCredential, Reason | None]] = {
    "an issued credential is accepted": (an_issued_credential(), None),
    "one that was never looked at is not": (a_credential(), Reason.AGENT_REPLACED),
    "a revoked one is refused from its spec on": (
        respecified(an_issued_credential(), state=CredentialState.REVOKED),
        Reason.CREDENTIAL_REVOKED,
    ),
    "and for ever": (restated(an_issued_credential(), revoked_at=NOW - DAY), Reason.CREDENTIAL_REVOKED),
    "one that is being deleted is refused": (
        replace(an_issued_credential(), metadata=replace(an_issued_credential().metadata, deletion_timestamp=NOW)),
        Reason.CREDENTIAL_DELETED,
    ),
    "one that expires later is accepted": (expiring(SECOND, SECOND), None),
    "one that expires now is refused": (expiring(timedelta(), None), Reason.CREDENTIAL_EXPIRED),
    "one whose expiry was put off is refused until a fresh secret is there": (
        expiring(DAY, -SECOND),
        Reason.CREDENTIAL_EXPIRED,
    ),
    "one whose expiry was brought forward is refused": (expiring(-SECOND, DAY), Reason.CREDENTIAL_EXPIRED),
    "one that expired at the beginning of time is refused": (
        an_issued_credential(expires_at=datetime(1970, 1, 1, tzinfo=UTC)),
        Reason.CREDENTIAL_EXPIRED,
    ),
    "one of another agent of the same name is refused": (
        restated(an_issued_credential(), client_id=a_uid(7)),
        Reason.AGENT_REPLACED,
    ),
    "one whose status was copied from another is refused": (
        restated(an_issued_credential(), credential_id=a_uid(8)),
        Reason.AGENT_REPLACED,
    ),
}


@pytest.mark.parametrize(("credential", "reason"), REFUSED_CREDENTIALS.values(), ids=REFUSED_CREDENTIALS)
def test_credential_failure_is_the_stricter_of_spec_and_status(credential: AgentCredential, reason: Reason | None) -> None:
    """And why."""
    agent = client_agent(a_registered_agent())
    assert credential_failure(client_credential(credential), agent, MOMENT) == reason


def test_credential_failure_of_an_agent_that_takes_no_secrets() -> None:
    """From its spec on; what ended a credential for good is told first."""
    agent = client_agent(a_workload_only_agent())
    assert agent_failure(agent, None) is None
    assert credential_failure(client_credential(an_issued_credential()), agent, MOMENT) is Reason.SECRETS_NOT_ALLOWED
    revoked = client_credential(an_issued_credential(state=CredentialState.REVOKED))
    assert credential_failure(revoked, agent, MOMENT) is Reason.CREDENTIAL_REVOKED


def client(*hashes: SecretHash, **spec: Any) -> ClientCredential:
    """The credential as the token service knows it."""
    return client_credential(an_issued_credential(*hashes, **spec))


def numbers(credential: ClientCredential) -> list[int]:
    """Which of `a_hash(1)` to `a_hash(4)` accept now, in the order in which they are tried."""
    fitting = {number: fitting_hashes(credential, a_value(number), MOMENT) for number in range(1, 5)}
    order = [one.hash for one in credential.hashes]
    accepted = [n for n, found in fitting.items() if any(one.hash == a_fake_hash(a_value(n)) for one in found)]
    return sorted(accepted, key=lambda number: order.index(a_fake_hash(a_value(number))))


ACCEPTED: dict[str, tuple[ClientCredential, list[int]]] = {
    "the youngest is tried first": (client(a_hash(1), a_hash(2), a_hash(3)), [3, 2, 1]),
    "a hash in its overlap accepts": (client(a_hash(1, ends=SECOND), a_hash(2)), [2, 1]),
    "a hash whose end has come does not": (client(a_hash(1, ends=timedelta()), a_hash(2)), [2]),
    "a provided hash without an overlap accepts alone": (
        client(a_hash(1), a_hash(2), secret_hash=a_provided_hash(2)),
        [2],
    ),
    "and stops what was before it although it is not published yet": (client(a_hash(1), secret_hash=a_provided_hash(2)), []),
    "a provided hash with an overlap does not": (
        client(a_hash(1), secret_hash=a_provided_hash(2), rotation=a_rotation(overlap="1h")),
        [1],
    ),
    "a provided hash whose cost is too high is never tried": (
        client(replace(a_hash(1), hash=a_hash(1).hash.replace("$10$", "$15$"))),
        [],
    ),
    "nor is one of another kind": (client(replace(a_hash(1), hash="$argon2id$v=19$m=65536,t=3,p=4$c29$aGF")), []),
}


@pytest.mark.parametrize(("credential", "accepted"), ACCEPTED.values(), ids=ACCEPTED)
def test_current_hashes_end_at_their_time(credential: ClientCredential, accepted: list[int]) -> None:
    """Those that are published, have not ended, and that the spec does not replace."""
    assert numbers(credential) == accepted


def test_fitting_hashes_are_none_for_another_hint() -> None:
    """Its hint fits no hash, so it costs no bcrypt."""
    assert fitting_hashes(client(a_hash(1), a_hash(2)), a_value(3), MOMENT) == []


def test_fitting_hashes_include_those_without_a_hint() -> None:
    """Nobody knows better."""
    (tried,) = fitting_hashes(client(a_hash(1), a_hash(2, hint=False)), b"any", MOMENT)
    assert tried.hash == a_hash(2).hash


def test_accepting_hash_accepts_until_its_end() -> None:
    """What a cache remembers is asked about each time."""
    credential = client(a_hash(1, ends=HOUR), a_hash(2))
    hashed = a_hash(1).hash
    assert accepting_hash(credential, hashed, MOMENT)
    assert not accepting_hash(credential, hashed, MOMENT + HOUR.total_seconds())
    assert not accepting_hash(credential, a_hash(3).hash, MOMENT)


def test_credential_failure_ignores_a_suspended_agent() -> None:
    """It is the agent that is refused; so its secret works again the moment it is active."""
    agent = client_agent(a_suspended_agent())
    assert credential_failure(client(a_hash(1)), agent, MOMENT) is None


def test_client_credential_is_flat() -> None:
    """So that 100,000 fit into little memory."""
    flat = client(a_hash(1, ends=HOUR), a_hash(2), expires_at=NOW + DAY)
    assert (flat.credential_id, flat.agent_name, flat.expires) == (CREDENTIAL_ID, "screener", MOMENT + DAY.total_seconds())
    assert [one.not_after for one in flat.hashes] == [None, MOMENT + HOUR.total_seconds()]
