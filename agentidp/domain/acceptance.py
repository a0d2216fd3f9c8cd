"""What the token service accepts: always the stricter of spec and status, so an end that is declared holds at once.

The operator may be down: a suspended agent, a revoked or expired credential is refused because its spec says so.
"""

from datetime import datetime

from agentidp.domain.conditions import READY, condition
from agentidp.domain.reasons import Reason
from agentidp.domain.registration import organization_verdict
from agentidp.domain.resources import (
    Agent,
    AgentCredential,
    AgentPhase,
    AgentState,
    CredentialState,
    Organization,
    SecretHash,
)

_WITHOUT_ID = frozenset({Reason.AGENT_ID_CONFLICT.value, Reason.ORGANIZATION_LIMIT_REACHED.value})


def why_agent_is_refused(agent: Agent, organization: Organization | None) -> Reason | None:
    """The reason for which this agent gets no token now, if there is one; for logs, never for the caller."""
    if agent.spec.state is AgentState.DECOMMISSIONED or agent.status.phase is AgentPhase.DECOMMISSIONED:
        return Reason.AGENT_DECOMMISSIONED
    if agent.spec.state is AgentState.SUSPENDED:
        return Reason.AGENT_SUSPENDED
    ready = condition(agent.status.conditions, READY)
    if not agent.status.agent_id or ready is None or ready.reason in _WITHOUT_ID:
        return Reason.AGENT_NOT_READY
    verdict = organization_verdict(agent, organization)
    return None if verdict.phase is AgentPhase.ACTIVE else verdict.reason


def why_credential_is_refused(credential: AgentCredential, agent: Agent, now: datetime) -> Reason | None:
    """The reason for which no secret of this credential is accepted now, if there is one."""
    spec, status = credential.spec, credential.status
    if spec.state is CredentialState.REVOKED or status.revoked_at:
        return Reason.CREDENTIAL_REVOKED
    if spec.expires_at and spec.expires_at <= now:
        return Reason.CREDENTIAL_EXPIRED
    if status.client_id != agent.status.agent_id or status.credential_id != credential.metadata.uid:
        return Reason.AGENT_REPLACED
    return None


def accepted_hashes(credential: AgentCredential, now: datetime) -> tuple[SecretHash, ...]:
    """The hashes that still accept, youngest first; a provided hash that has no overlap accepts alone, from its spec on."""
    hashes = (one for one in reversed(credential.status.secret_hashes) if not one.not_after or now < one.not_after)
    provided = credential.spec.secret_hash
    if provided and not credential.spec.rotation.overlap:
        return tuple(one for one in hashes if one.hash == provided.hash)
    return tuple(hashes)
