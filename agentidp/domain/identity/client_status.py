"""What the token service accepts: always the stricter of spec and status, so an end that is declared holds at once.

The operator may be down: a suspended agent, a revoked or expired credential is refused because its spec says so. Reasons are
for logs, never for the caller.
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
    """This hash of the credential, while it still accepts."""
    return next((one for one in credential.hashes if one.hash == hashed and _is_current(one, now)), None)


def fitting_hashes(credential: ClientCredential, secret: bytes, now: float) -> list[ClientHash]:
    """The hashes that may be the secret's: their hint says so, or they have none. Youngest first."""
    current = current_hashes(credential, now)
    if not current:
        return []
    hint = hint_of(credential.credential_id, secret)
    return [one for one in current if one.hint is None or one.hint == hint]


def current_hashes(credential: ClientCredential, now: float) -> list[ClientHash]:
    """The hashes that have not ended, youngest first."""
    return [one for one in credential.hashes if _is_current(one, now)]


def _is_current(one: ClientHash, now: float) -> bool:
    return one.not_after is None or now < one.not_after
