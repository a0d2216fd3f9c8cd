"""The words in which tests tell what becomes of a credential: a world, and all that the operator then does until it rests."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from agentidp.domain.lifecycle import IssueSecret, RemoveSecret, RepairSecret, Step, Wait, WriteStatus
from agentidp.domain.resources import AgentCredential, Binding, CredentialPhase, Reissues, Secret
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason
from tests.support.reconciling import ApiServer, Operator
from tests.support.worlds import (
    MINUTE,
    NOW,
    a_credential,
    a_registered_agent,
    a_secret,
    a_uid,
    an_issued_credential,
    restated,
    with_metadata,
)

Outcome = tuple[Any, ...]
Story = tuple[ApiServer, tuple[Outcome, ...]]

NAME = "screener-key"
REGISTERED = a_registered_agent()
REPLACED = a_registered_agent(a_uid(7), uid=a_uid(7))
LOSER = a_registered_agent(reason=Reason.AGENT_ID_CONFLICT, message="Agent id belongs to another.")
REPORTED_LATE = replace(LOSER, metadata=replace(LOSER.metadata, generation=2))


def outcome(step: Step) -> Outcome:
    """What a story tells of a step: its kind, and what distinguishes it from others of that kind."""
    match step:
        case WriteStatus(status=status):
            ready = condition(status.conditions, READY)
            return "record", status.phase, ready.reason if ready else None
        case IssueSecret(reason=reason):
            return "issue", reason
        case RepairSecret(source=source):
            return "repair", source
        case RemoveSecret(reason=reason, name=name):
            return "remove", name, reason
        case Wait(until=until):
            return "wait", until and until - NOW


def outcomes(world: ApiServer) -> tuple[Outcome, ...]:
    """All that the operator does. Asked again it does nothing; and whoever waits, waits for something to come."""
    steps = Operator(world).bring_to_rest(NOW)
    credential, secrets = world.credential, dict(world.secrets)
    (rest,) = Operator(world).bring_to_rest(NOW)
    assert (world.credential, world.secrets) == (credential, secrets)
    assert isinstance(rest, Wait)
    assert rest.until is None or rest.until > NOW
    return tuple(map(outcome, steps))


def record(phase: CredentialPhase, reason: Reason) -> Outcome:
    """The status is written, with this phase and this reason for being ready or not."""
    return "record", phase, reason


def pending(reason: Reason) -> Outcome:
    """The status says what is missing."""
    return record(CredentialPhase.PENDING, reason)


def issue(reason: Reason) -> Outcome:
    """A new secret is made, for this reason."""
    return "issue", reason


def repair(source: str = NAME) -> Outcome:
    """The Secret is written as declared, with the value that the Secret of this name holds."""
    return "repair", source


def remove(name: str = NAME, reason: Reason = Reason.SECRET_REMOVED) -> Outcome:
    """The Secret of this name is removed."""
    return "remove", name, reason


def wait(until: timedelta | None = None) -> Outcome:
    """There is nothing to do until then, or until something changes."""
    return "wait", until


REVOKED = record(CredentialPhase.REVOKED, Reason.CREDENTIAL_REVOKED)
DECOMMISSIONED = record(CredentialPhase.REVOKED, Reason.AGENT_DECOMMISSIONED)
EXPIRED = record(CredentialPhase.EXPIRED, Reason.CREDENTIAL_EXPIRED)
SUSPENDED = record(CredentialPhase.SUSPENDED, Reason.AGENT_SUSPENDED)
CLOSED = record(CredentialPhase.SUSPENDED, Reason.SECRETS_NOT_ALLOWED)
ACTIVE = record(CredentialPhase.ACTIVE, Reason.ISSUED)
PROVIDED = record(CredentialPhase.ACTIVE, Reason.PROVIDED)


def declared(credential: AgentCredential | None = None, *secrets: Secret, agent: Any = REGISTERED) -> ApiServer:
    """A credential and these Secrets, whatever they are."""
    return ApiServer(credential or a_credential(), agent, secrets)


def delivered(credential: AgentCredential | None = None, agent: Any = REGISTERED) -> ApiServer:
    """A credential whose Secret holds `a_value(1)`, which was issued an hour ago."""
    credential = credential or an_issued_credential()
    return declared(credential, a_secret(credential), agent=agent)


def edited(credential: AgentCredential | None = None) -> ApiServer:
    """A credential whose Secret holds a value that was never issued."""
    credential = credential or an_issued_credential()
    return declared(credential, a_secret(credential, b"edited"))


def disowned(credential: AgentCredential | None = None) -> ApiServer:
    """A credential whose Secret holds its value, but has lost its owner."""
    credential = credential or an_issued_credential()
    return declared(credential, with_metadata(a_secret(credential), owner_references=()))


def moved(credential: AgentCredential, *secrets: Secret) -> ApiServer:
    """A credential that was delivered to the Secret `old`."""
    credential = restated(credential, binding=Binding(name="old"))
    return declared(credential, a_secret(credential, name="old"), *secrets)


def a_foreign_secret(name: str = NAME) -> Secret:
    """Somebody else's Secret."""
    return replace(a_secret(an_issued_credential(), b"foreign", name), type="Opaque")


def ended(**spec: Any) -> AgentCredential:
    """A credential that was issued, and whose hashes are gone."""
    return restated(an_issued_credential(**spec), secret_hashes=(), binding=None)


def rotated(credential: AgentCredential, *, ago: timedelta) -> AgentCredential:
    """It was rotated."""
    return restated(credential, rotated_at=NOW - ago)


def served(credential: AgentCredential, *, ago: timedelta) -> AgentCredential:
    """A rotation that was requested for then was done."""
    return restated(credential, rotation_requested_at=NOW - ago)


def mended(times: int, credential: AgentCredential | None = None, *, ago: timedelta = MINUTE) -> AgentCredential:
    """Its Secret was mended so often, the first time so long ago."""
    return restated(credential or an_issued_credential(), reissues=Reissues(count=times, since=NOW - ago))


def expiring(ends: timedelta, credential: Any = an_issued_credential, **spec: Any) -> AgentCredential:
    """It expires then, counted from now."""
    made: AgentCredential = credential(expires_at=NOW + ends, **spec)
    return made
