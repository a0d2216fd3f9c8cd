"""Client status: whether an agent, a credential or a hash is accepted, by the stricter of spec and status.

A declared end takes effect at once, also while the operator is down: a suspended agent, a revoked or an expired credential is
not accepted. Reasons are for logs, never for the client.
"""

from agentidp.domain.identity.clients import ClientAgent, ClientCredential, ClientHash, ClientOrganization
from agentidp.domain.identity.registration import admission_failure
from agentidp.domain.identity.valid_after import PATIENCE_SECONDS, seconds_until_valid
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.client_secrets import hint_of


def agent_failure(agent: ClientAgent, organization: ClientOrganization | None) -> Reason | None:
    """The reason for which this agent gets no token now, if there is one."""
    admitted = organization.namespaces if organization else None
    return agent.refusal or admission_failure(agent.namespace, agent.organization_id, admitted)


def credential_failure(credential: ClientCredential, agent: ClientAgent, now: float) -> Reason | None:
    """The reason for which no secret of this credential is accepted now, if there is one."""
    if ended := credential_end(credential, now):
        return ended
    if not agent.takes_secrets:
        return Reason.SECRETS_NOT_ALLOWED
    return None if credential.client_id == agent.agent_id else Reason.AGENT_REPLACED


def token_failure(
    agent: ClientAgent, organization: ClientOrganization | None, credential: ClientCredential, now: float
) -> Reason | None:
    """The reason for which no secret of this credential gets a token now, if there is one.

    The token service takes these steps one by one, as a request comes to them; here they are one decision, for whoever tells
    people what it would be. What an Organization's agents have had today, each replica knows for itself.
    """
    if failure := agent_failure(agent, organization) or credential_failure(credential, agent, now):
        return failure
    if not current_hashes(credential, now):
        return Reason.NOT_ISSUED
    return valid_after_failure(agent, now)


def valid_after_failure(agent: ClientAgent, now: float) -> Reason | None:
    """The reason for which the agent gets no token before `spec.tokensValidAfter`, if there is one."""
    if seconds_until_valid(agent.tokens_valid_after, now) <= PATIENCE_SECONDS:
        return None
    return Reason.TOKENS_NOT_VALID_YET


def credential_end(credential: ClientCredential, now: float) -> Reason | None:
    """The reason for which none of its secrets is accepted now, whatever its agent may do."""
    if credential.refusal:
        return credential.refusal
    return Reason.CREDENTIAL_EXPIRED if credential.expires is not None and credential.expires <= now else None


def accepting_hash(credential: ClientCredential, hashed: str, now: float) -> ClientHash | None:
    """The entry of this hash in the credential, until its end."""
    return next((entry for entry in credential.hashes if entry.hash == hashed and _is_current(entry, now)), None)


def fitting_hashes(credential: ClientCredential, secret: bytes, now: float) -> list[ClientHash]:
    """The current hashes that may be the secret's, by their hint or for want of one. Youngest first."""
    current = current_hashes(credential, now)
    if not current:
        return []
    hint = hint_of(credential.credential_id, secret)
    return [entry for entry in current if entry.hint is None or entry.hint == hint]


def current_hashes(credential: ClientCredential, now: float) -> list[ClientHash]:
    """The hashes that have not ended, youngest first."""
    return [entry for entry in credential.hashes if _is_current(entry, now)]


def _is_current(entry: ClientHash, now: float) -> bool:
    return entry.not_after is None or now < entry.not_after
