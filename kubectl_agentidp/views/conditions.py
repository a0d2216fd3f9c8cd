"""The state of an agent or a credential as values: readiness with its reason, overlapping hashes, the next due event."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from agentidp.domain.identity.clients import accepted_until
from agentidp.domain.lifecycle import delivery_blocker, unanswered_request
from agentidp.domain.resources import Agent, AgentCredential, CredentialPhase, SecretHash
from agentidp.domain.resources.conditions import READY, condition, is_ready
from agentidp.domain.resources.reasons import Reason

OUTDATED = "The operator has not acted on the latest change of the spec yet."

PHASES = {
    Reason.AGENT_SUSPENDED: "Suspended",
    Reason.SECRETS_NOT_ALLOWED: "Suspended",
    Reason.AGENT_DECOMMISSIONED: "Decommissioned",
    Reason.CREDENTIAL_REVOKED: "Revoked",
    Reason.CREDENTIAL_EXPIRED: "Expired",
}
FAILURES = {
    Reason.AGENT_SUSPENDED: "spec.state of the Agent is Suspended",
    Reason.AGENT_DECOMMISSIONED: "spec.state of the Agent is Decommissioned",
    Reason.AGENT_DELETED: "the Agent is being deleted",
    Reason.AGENT_NOT_FOUND: "there is no Agent of the name spec.agentRef.name",
    Reason.AGENT_NOT_READY: "the Agent is not ready",
    Reason.AGENT_REPLACED: "the Agent is not the one that the credential was made for",
    Reason.ORGANIZATION_NOT_FOUND: "the Organization that the Agent claims does not exist",
    Reason.ORGANIZATION_NOT_ADMITTED: "the Organization that the Agent claims does not admit it",
    Reason.SECRETS_NOT_ALLOWED: "spec.credentialPolicy of the Agent is WorkloadOnly",
    Reason.CREDENTIAL_REVOKED: "the credential is revoked",
    Reason.CREDENTIAL_EXPIRED: "the credential has expired",
    Reason.CREDENTIAL_DELETED: "the credential is being deleted",
    Reason.NOT_ISSUED: "no secret of it is accepted",
    Reason.TOKENS_NOT_VALID_YET: "spec.tokensValidAfter of the Agent is in the future",
}
"""Sentences for the failures that the token service derives from a spec that the operator has not acted on."""


class Readiness(Struct, frozen=True, rename="camel"):
    """The phase and the Ready condition; "" before the operator has written them.

    The message also names what prevents the delivery of the Secret while the credential works.
    """

    phase: str
    ready: bool
    reason: str
    message: str
    up_to_date: bool
    """Whether the status is about the present spec, not about an earlier one."""


class DueEvent(StrEnum):
    """The events of a credential that happen at a time."""

    REQUESTED_ROTATION = "RequestedRotation"
    ROTATION = "Rotation"
    END_OF_OVERLAP = "EndOfOverlap"
    EXPIRY = "Expiry"

    @property
    def text(self) -> str:
        """Return the event in lower-case words: `end of overlap`."""
        return self.name.replace("_", " ").lower()


class Due(Struct, frozen=True):
    """An event with its time."""

    at: datetime
    event: DueEvent = field(name="what")


def readiness(resource: Agent | AgentCredential, failure: Reason | None = None) -> Readiness:
    """Return the readiness that the status has, with a warning if the status is about an earlier spec.

    `failure` is the reason why the token service refuses the resource. It overrides a status that is ready.
    """
    status, conditions = resource.status, resource.status.conditions
    ready = condition(conditions, READY)
    up_to_date = status.observed_generation == resource.metadata.generation
    warning = "" if up_to_date else OUTDATED
    if failure and is_ready(conditions):
        message = f"The token service gives it no token: {FAILURES.get(failure, failure)}."
        phase = PHASES.get(failure, status.phase if failure is Reason.NOT_ISSUED else "Pending")
        return Readiness(phase or "", False, failure.value, _sentences(warning, message), up_to_date)
    return Readiness(
        phase=status.phase or "",
        ready=is_ready(conditions),
        reason=ready.reason if ready else "",
        message=_sentences(warning, ready.message if ready else "", delivery_problem(resource)),
        up_to_date=up_to_date,
    )


def _sentences(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def delivery_problem(resource: Agent | AgentCredential) -> str:
    """Return why the Secret of a working credential is not as declared; "" if it is, and for an agent."""
    if not isinstance(resource, AgentCredential) or not is_ready(resource.status.conditions):
        return ""
    blocker = delivery_blocker(resource.status)
    return f"{blocker.reason}: {blocker.message}" if blocker else ""


def overlapping_hashes(credential: AgentCredential, now: datetime) -> list[SecretHash]:
    """Return the hashes of former secrets that are still accepted, each with its end, sorted by the end."""
    ends = [(accepted_until(entry, credential.spec.rotation), entry) for entry in credential.status.secret_hashes]
    hashes = [replace(entry, not_after=end) for end, entry in ends if end and end > now]
    return sorted(hashes, key=lambda entry: entry.not_after or now)


def last_issued_at(credential: AgentCredential) -> datetime | None:
    """Return the time at which the youngest secret was generated; None before the first one."""
    status = credential.status
    created = [entry.created_at for entry in status.secret_hashes]
    return max(filter(None, [status.created_at, status.rotated_at, *created]), default=None)


def next_due(credential: AgentCredential) -> Due | None:
    """Return the next event that happens without a change of the spec; an event in the past is overdue."""
    spec, status = credential.spec, credential.status
    if status.phase is CredentialPhase.REVOKED:
        return None
    events = [
        (unanswered_request(credential), DueEvent.REQUESTED_ROTATION),
        (status.next_rotation_at, DueEvent.ROTATION),
        *((entry.not_after, DueEvent.END_OF_OVERLAP) for entry in status.secret_hashes),
        (None if status.phase is CredentialPhase.EXPIRED else spec.expires_at, DueEvent.EXPIRY),
    ]
    return min((Due(at, event) for at, event in events if at), key=lambda due: due.at, default=None)
