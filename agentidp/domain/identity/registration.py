"""Registration: the id of an agent, given once and to one agent only, and whether the agent may get tokens.

An agent claims an id by `spec.agentId`; by default it is the agent's own uid. The agent that has an id keeps it. Of several
agents that claim a free id, the one whose own uid it is comes first, then the oldest; the same decides between agents that
were given one id at the same time. An agent that has lost an id never inherits it: else anybody who may write in some
namespace could wait for the identity of a deleted agent.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from agentidp.domain.identity.clients import allowed_scopes, client_agent, client_organization
from agentidp.domain.identity.valid_after import no_token_before
from agentidp.domain.resources import Agent, AgentPhase, AgentState, AgentStatus, Condition, CredentialCount, Organization
from agentidp.domain.resources.conditions import READY, SCOPES_ALLOWED, condition, with_condition
from agentidp.domain.resources.meta import rfc3339
from agentidp.domain.resources.reasons import Reason


class Membership(Enum):
    """The state of an agent in the organization that it claims."""

    ADMITTED = "has a place"
    WAITING = "would have one, were the organization not full"


class Verdict(Struct, frozen=True):
    """The phase of an agent, the reason, and a message that says what to do."""

    phase: AgentPhase
    reason: Reason
    message: str


class AgentInput(Struct, frozen=True):
    """The input of a registration: the agent, all others that claim its id, its organization, and its credentials."""

    agent: Agent
    rivals: tuple[Agent, ...] = ()
    organization: Organization | None = None
    organization_full: bool = False
    """The organization has as many older agents as it allows."""
    credentials: CredentialCount = CredentialCount()


def claimed_id(agent: Agent) -> str:
    """The id that an agent has or claims."""
    return agent.status.agent_id or agent.spec.agent_id or agent.metadata.uid


def register(gathered: AgentInput, now: datetime) -> AgentStatus:
    """The status that the agent should have."""
    agent, status = gathered.agent, gathered.agent.status
    verdict = (
        _conflict(gathered) or _state(agent) or organization_verdict(agent, gathered.organization, gathered.organization_full)
    )
    if verdict.phase is AgentPhase.ACTIVE:
        verdict = _not_valid_yet(agent, now) or verdict
    ready = verdict.phase is AgentPhase.ACTIVE
    generation = agent.metadata.generation
    conditions = with_condition(status.conditions, READY, ready, verdict.reason, verdict.message, generation, now)
    conditions = _with_scopes(conditions, agent, gathered.organization, now)
    return replace(
        status,
        agent_id=None if verdict.reason is Reason.AGENT_ID_CONFLICT else claimed_id(agent),
        organization_id=_admitted_by(agent, verdict),
        phase=verdict.phase,
        credentials=gathered.credentials,
        conditions=conditions,
        observed_generation=generation,
    )


def _with_scopes(
    conditions: tuple[Condition, ...], agent: Agent, organization: Organization | None, now: datetime
) -> tuple[Condition, ...]:
    """With ScopesAllowed, where the organization forbids some of the agent's scopes, or did."""
    known = client_organization(organization) if organization else None
    allowed = allowed_scopes(client_agent(agent), known)
    forbidden = [scope for scope in agent.spec.scopes if scope not in allowed]
    generation = agent.metadata.generation
    if forbidden:
        message = (
            f"Tokens do not carry {', '.join(forbidden)}: the Organization's spec.allowedScopes does not list"
            f" {'it' if len(forbidden) == 1 else 'them'}."
            " Ask an administrator of the Organization, or take them out of spec.scopes."
        )
        return with_condition(conditions, SCOPES_ALLOWED, False, Reason.SCOPES_FORBIDDEN, message, generation, now)
    if condition(conditions, SCOPES_ALLOWED):
        message = "Tokens may carry all of spec.scopes."
        return with_condition(conditions, SCOPES_ALLOWED, True, Reason.SCOPES_GRANTED, message, generation, now)
    return conditions


def organization_verdict(agent: Agent, organization: Organization | None, full: bool = False) -> Verdict:
    """Active, unless the organization that the agent claims does not admit it."""
    claimed, namespace = agent.spec.organization_id, agent.metadata.namespace
    match admission_failure(namespace, claimed, organization.spec.namespaces if organization else None):
        case Reason.ORGANIZATION_NOT_FOUND as reason:
            return Verdict(
                AgentPhase.PENDING,
                reason,
                f"Organization {claimed!r} does not exist. Ask a cluster administrator to create it.",
            )
        case Reason.ORGANIZATION_NOT_ADMITTED as reason:
            message = (
                f"Organization {claimed!r} does not admit namespace {namespace!r}. Ask a cluster administrator to add it to"
                " spec.namespaces of the Organization."
            )
            return Verdict(AgentPhase.PENDING, reason, message)
    if full:
        message = (
            f"Organization {claimed!r} has as many agents as its spec.limits.agents allows."
            " Decommission or delete one, or ask a cluster administrator for a higher limit."
        )
        return Verdict(AgentPhase.PENDING, Reason.ORGANIZATION_LIMIT_REACHED, message)
    return Verdict(AgentPhase.ACTIVE, Reason.REGISTERED, "The agent is registered and may get tokens.")


def admission_failure(namespace: str, claimed: str | None, admitted: Sequence[str] | None) -> Reason | None:
    """The reason for which agents of this namespace may not have the organization that they claim, if there is one.

    It admits agents of the namespaces `admitted`; None where there is no such organization.
    """
    if not claimed:
        return None
    if admitted is None:
        return Reason.ORGANIZATION_NOT_FOUND
    return None if namespace in admitted else Reason.ORGANIZATION_NOT_ADMITTED


def rival_ahead(agent: Agent, rivals: Iterable[Agent]) -> Agent | None:
    """The first of these other claimants of its id that comes before this agent, if there is one."""
    ahead = (rival for rival in rivals if not _has_lost(rival) and _precedence(rival) <= _precedence(agent))
    return min(ahead, key=_precedence, default=None)


def membership_of(agent: Agent) -> Membership | None:
    """How the agent counts in the organization that it claims, if that admits its namespace; None where it does not count.

    Who only claims to belong to it takes no place; a suspended agent keeps the one that it had.
    """
    if not agent.spec.organization_id:
        return None
    if agent.status.organization_id == agent.spec.organization_id:
        return Membership.ADMITTED
    will_be_admitted = agent.spec.state is AgentState.ACTIVE and not agent.metadata.deletion_timestamp
    return Membership.WAITING if will_be_admitted and not _has_lost(agent) else None


def _admitted_by(agent: Agent, verdict: Verdict) -> str | None:
    """A suspended agent keeps its place; one that was never admitted gets none by it, and is looked at when it is active."""
    match verdict.reason:
        case Reason.REGISTERED | Reason.TOKENS_NOT_VALID_YET:
            return agent.spec.organization_id
        case Reason.AGENT_SUSPENDED:
            return agent.status.organization_id
    return None


def _conflict(gathered: AgentInput) -> Verdict | None:
    if not _has_lost(gathered.agent) and _is_first(gathered.agent, gathered.rivals):
        return None
    message = (
        f"Agent id {claimed_id(gathered.agent)} belongs to another Agent."
        " Delete this Agent and declare it again with an id of its own (leave spec.agentId out for a new one)."
    )
    return Verdict(AgentPhase.PENDING, Reason.AGENT_ID_CONFLICT, message)


def _state(agent: Agent) -> Verdict | None:
    match agent.spec.state:
        case AgentState.DECOMMISSIONED:
            return Verdict(
                AgentPhase.DECOMMISSIONED,
                Reason.AGENT_DECOMMISSIONED,
                "The agent is decommissioned, which cannot be undone. Declare a new Agent.",
            )
        case AgentState.SUSPENDED:
            message = "The agent is suspended and gets no tokens. Set spec.state to Active to resume it."
            return Verdict(AgentPhase.SUSPENDED, Reason.AGENT_SUSPENDED, message)
    if agent.metadata.deletion_timestamp:
        message = (
            "The agent is being deleted and gets no tokens. The finalizers in its metadata say what the deletion waits for."
        )
        return Verdict(AgentPhase.PENDING, Reason.AGENT_DELETED, message)
    return None


def _not_valid_yet(agent: Agent, now: datetime) -> Verdict | None:
    valid = no_token_before(agent.spec.tokens_valid_after, now)
    if valid is None:
        return None
    message = (
        f"The agent gets no token before {rfc3339(valid)} (spec.tokensValidAfter). That time only moves forward:"
        " if it is a mistake, delete the Agent and declare it anew."
    )
    return Verdict(AgentPhase.PENDING, Reason.TOKENS_NOT_VALID_YET, message)


def _is_first(agent: Agent, rivals: tuple[Agent, ...]) -> bool:
    return all(_precedence(agent) < _precedence(rival) for rival in rivals if not _has_lost(rival))


def _precedence(agent: Agent) -> tuple[bool, bool, str, str]:
    meta = agent.metadata
    created = meta.creation_timestamp.isoformat() if meta.creation_timestamp else ""
    return not agent.status.agent_id, claimed_id(agent) != meta.uid, created, meta.uid


def _has_lost(agent: Agent) -> bool:
    ready = condition(agent.status.conditions, READY)
    return ready is not None and ready.reason == Reason.AGENT_ID_CONFLICT
