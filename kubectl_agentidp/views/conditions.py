"""What there is to say about an agent or a credential, as values: the state it is in and why, what overlaps, what is due."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from agentidp.domain.identity.clients import accepted_until
from agentidp.domain.lifecycle import delivery_blocker, unanswered_request
from agentidp.domain.resources import Agent, AgentCredential, CredentialPhase, SecretHash
from agentidp.domain.resources.conditions import READY, condition, is_ready
from agentidp.domain.resources.reasons import Reason

UNSEEN = "The operator has not acted on the latest change of the spec yet."

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
"""Sentences for what the token service decides by a spec that the operator has not acted on."""


class Standing(Struct, frozen=True, rename="camel"):
    """Phase, and the Ready condition; "" where the operator has not said anything yet.

    The message besides has what is in the way of a credential that works.
    """

    phase: str
    ready: bool
    reason: str
    message: str
    up_to_date: bool
    """It is about the spec as it is, not about an earlier one."""


class What(StrEnum):
    """What can be due."""

    REQUESTED_ROTATION = "RequestedRotation"
    ROTATION = "Rotation"
    END_OF_OVERLAP = "EndOfOverlap"
    EXPIRY = "Expiry"

    @property
    def words(self) -> str:
        """For people: `end of overlap`."""
        return self.name.replace("_", " ").lower()


class Due(Struct, frozen=True):
    """When what is due."""

    at: datetime
    what: What


def standing(one: Agent | AgentCredential, failure: Reason | None = None) -> Standing:
    """What the status says, with a warning in the message where it is about an earlier spec.

    Where the token service would refuse what the status calls ready, its reason counts (`failure`).
    """
    status, conditions = one.status, one.status.conditions
    ready = condition(conditions, READY)
    up_to_date = status.observed_generation == one.metadata.generation
    if failure and is_ready(conditions):
        told = ["" if up_to_date else UNSEEN, f"The token service gives it no token: {FAILURES.get(failure, failure)}."]
        phase = PHASES.get(failure, status.phase if failure is Reason.NOT_ISSUED else "Pending")
        return Standing(phase or "", False, failure.value, " ".join(filter(None, told)), up_to_date)
    told = ["" if up_to_date else UNSEEN, ready.message if ready else "", in_the_way(one)]
    return Standing(
        phase=status.phase or "",
        ready=is_ready(conditions),
        reason=ready.reason if ready else "",
        message=" ".join(filter(None, told)),
        up_to_date=up_to_date,
    )


def in_the_way(one: Agent | AgentCredential) -> str:
    """What keeps the Secret of a credential that works from being as declared, and why; "" if nothing does."""
    found = delivery_blocker(one.status) if isinstance(one, AgentCredential) and is_ready(one.status.conditions) else None
    return f"{found.reason}: {found.message}" if found else ""


def overlapping(credential: AgentCredential, now: datetime) -> list[SecretHash]:
    """The hashes of former secrets that are accepted still, each with its end; the one that ends first first."""
    ends = [(accepted_until(one, credential.spec.rotation), one) for one in credential.status.secret_hashes]
    hashes = [replace(one, not_after=end) for end, one in ends if end and end > now]
    return sorted(hashes, key=lambda one: one.not_after or now)


def issued_at(credential: AgentCredential) -> datetime | None:
    """When its youngest secret was made."""
    status = credential.status
    made = [one.created_at for one in status.secret_hashes]
    return max(filter(None, [status.created_at, status.rotated_at, *made]), default=None)


def next_due(credential: AgentCredential) -> Due | None:
    """What happens next by itself; a moment that has passed is overdue."""
    spec, status = credential.spec, credential.status
    if status.phase is CredentialPhase.REVOKED:
        return None
    dues = [
        (unanswered_request(credential), What.REQUESTED_ROTATION),
        (status.next_rotation_at, What.ROTATION),
        *((one.not_after, What.END_OF_OVERLAP) for one in status.secret_hashes),
        (None if status.phase is CredentialPhase.EXPIRED else spec.expires_at, What.EXPIRY),
    ]
    return min((Due(at, what) for at, what in dues if at), key=lambda due: due.at, default=None)
