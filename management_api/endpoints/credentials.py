"""/api/v1/agents/{agentId}/credentials: generate, list, rotate, revoke."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response

from management_api.auth.authorization import Action
from management_api.cache.agents import CachedAgent
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import CachedCredential, Status
from management_api.endpoints.dependencies import BASE_PATH, AgentId, Known
from management_api.endpoints.pagination import PageLimit, PageNumber
from management_api.errors import credential_not_found
from management_api.operations.credentials import Told
from management_api.schemas.base import READING, WRITING, refusals
from management_api.schemas.credentials import (
    Credential,
    CredentialInSecret,
    CredentialPage,
    CredentialRequest,
    CredentialWithSecret,
    SecretRef,
    facts,
)

CredentialId = Annotated[str, Path(alias="credentialId")]
Wanted = Annotated[CredentialRequest, Body()]
NOTHING_SAID = CredentialRequest()

router = APIRouter(prefix=BASE_PATH + "/agents/{agentId}/credentials", tags=["credentials"])


@router.post("", status_code=201, response_model=CredentialWithSecret, responses=refusals(*WRITING, 404, 409))
async def generate_credential(call: Known, agent_id: AgentId, body: Wanted = NOTHING_SAID) -> Any:
    """A new pair for an active agent. The secret is shown this once.

    The answer comes when the token service accepts the secret.
    """
    agent = await call.agent(Action.GENERATE, agent_id)
    origin = call.asking.origin
    told = await call.create(agent.namespace, lambda: call.api.credentials.generate(agent, body.expires_at, origin))
    return _with_secret(told, agent)


@router.get("", response_model=CredentialPage, responses=refusals(*READING, 404))
async def list_credentials(
    call: Known,
    agent_id: AgentId,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    status: Annotated[Status | None, Query()] = None,
) -> Any:
    """An agent's credentials, newest first. The newest revoked ones stay listed; secrets are never shown."""
    agent = await call.agent(Action.LIST_CREDENTIALS, agent_id)
    found, total = call.api.registry.page_of_credentials(agent, status, (page - 1) * limit, limit)
    data = [Credential(**facts(one, agent)) for one in found]
    return CredentialPage(data=data, total=total, page=page, limit=limit)


@router.post(
    "/{credentialId}/rotate",
    response_model=CredentialWithSecret | CredentialInSecret,
    responses=refusals(*WRITING, 404, 409),
)
async def rotate_credential(call: Known, agent_id: AgentId, credential_id: CredentialId, body: Wanted = NOTHING_SAID) -> Any:
    """Another secret for the same credential; the old one is refused before the answer is sent.

    Tokens that were issued stay valid. A credential that is delivered to a Secret is rotated there.
    """
    agent = await call.agent(Action.CHANGE_CREDENTIAL, agent_id)
    credential = _credential_of(call.api.registry, agent, credential_id)
    origin = call.asking.origin
    told = await call.change(lambda: call.api.credentials.rotate(agent, credential, body.expires_at, origin))
    return _with_secret(told, agent)


@router.delete("/{credentialId}", status_code=204, responses=refusals(*READING, 404, 409, 413))
async def revoke_credential(call: Known, agent_id: AgentId, credential_id: CredentialId) -> Response:
    """For ever. The newest records of those that were made here are kept, and tokens that were issued stay valid."""
    agent = await call.agent(Action.CHANGE_CREDENTIAL, agent_id)
    credential = _credential_of(call.api.registry, agent, credential_id)
    await call.change(lambda: call.api.credentials.revoke(credential, call.asking.origin))
    return Response(status_code=204)


def _credential_of(registry: ClusterCache, agent: CachedAgent, credential_id: str) -> CachedCredential:
    found = registry.credential(agent, credential_id)
    if found is None:
        raise credential_not_found(credential_id)
    return found


def _with_secret(told: Told, agent: CachedAgent) -> CredentialWithSecret | CredentialInSecret:
    said = facts(told.credential, agent)
    if told.secret is None:
        where = SecretRef(namespace=agent.namespace, name=told.delivered_to or "")
        return CredentialInSecret(**said, secret_ref=where)
    return CredentialWithSecret(**said, client_secret=told.secret)
