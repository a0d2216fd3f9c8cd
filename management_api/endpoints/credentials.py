"""/api/v1/agents/{agentId}/credentials: generate, list, rotate, revoke."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response

from management_api.auth.authorization import Action
from management_api.cache.agents import CachedAgent
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import CachedCredential, Status
from management_api.endpoints.dependencies import BASE_PATH, AgentId, AuthenticatedCall, PageLimit, PageNumber
from management_api.errors import credential_not_found
from management_api.operations.credentials import CredentialResult
from management_api.schemas.base import READ_ERRORS, WRITE_ERRORS, error_responses
from management_api.schemas.credentials import (
    Credential,
    CredentialInSecret,
    CredentialPage,
    CredentialRequest,
    CredentialWithSecret,
    RotationRequest,
    SecretRef,
    credential_fields,
)

CredentialId = Annotated[str, Path(alias="credentialId")]
RequestBody = Annotated[CredentialRequest, Body()]
NO_BODY = CredentialRequest()
RotationBody = Annotated[RotationRequest, Body()]
NO_ROTATION_BODY = RotationRequest()

router = APIRouter(prefix=BASE_PATH + "/agents/{agentId}/credentials", tags=["credentials"])


@router.post("", status_code=201, response_model=CredentialWithSecret, responses=error_responses(*WRITE_ERRORS, 404, 409))
async def generate_credential(call: AuthenticatedCall, agent_id: AgentId, body: RequestBody = NO_BODY) -> Any:
    """A new pair for an active agent. The secret is shown this once.

    The answer comes when the token service accepts the secret.
    """
    agent = await call.agent(Action.GENERATE, agent_id)
    result = await call.create(agent.namespace, lambda: call.api.credentials.generate(agent, body.expires_at, call.context))
    return _credential_response(result, agent)


@router.get("", response_model=CredentialPage, responses=error_responses(*READ_ERRORS, 404))
async def list_credentials(
    call: AuthenticatedCall,
    agent_id: AgentId,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    status: Annotated[Status | None, Query()] = None,
) -> Any:
    """An agent's credentials, newest first. The newest revoked ones stay listed; secrets are never shown."""
    agent = await call.agent(Action.LIST_CREDENTIALS, agent_id)
    credentials, total = call.api.cache.page_of_credentials(agent, status, (page - 1) * limit, limit)
    data = [Credential(**credential_fields(credential, agent)) for credential in credentials]
    return CredentialPage(data=data, total=total, page=page, limit=limit)


@router.post(
    "/{credentialId}/rotate",
    response_model=CredentialWithSecret | CredentialInSecret,
    responses=error_responses(*WRITE_ERRORS, 404, 409),
)
async def rotate_credential(
    call: AuthenticatedCall, agent_id: AgentId, credential_id: CredentialId, body: RotationBody = NO_ROTATION_BODY
) -> Any:
    """Another secret for the same credential; the old one is refused before the answer is sent, unless an overlap is declared.

    Tokens that were issued stay valid. A declared overlap (`spec.rotation.overlap`) counts, unless `endOverlaps` ends it. A
    credential that is delivered to a Secret is rotated there.
    """
    agent = await call.agent(Action.CHANGE_CREDENTIAL, agent_id)
    credential = _credential_of(call.api.cache, agent, credential_id)
    rotate, end_overlaps = call.api.credentials.rotate, body.end_overlaps
    result = await call.change(lambda: rotate(agent, credential, body.expires_at, call.context, end_overlaps=end_overlaps))
    return _credential_response(result, agent)


@router.delete("/{credentialId}", status_code=204, responses=error_responses(*READ_ERRORS, 404, 409, 413))
async def revoke_credential(call: AuthenticatedCall, agent_id: AgentId, credential_id: CredentialId) -> Response:
    """For ever. The newest records of those that were made here are kept, and tokens that were issued stay valid."""
    agent = await call.agent(Action.CHANGE_CREDENTIAL, agent_id)
    credential = _credential_of(call.api.cache, agent, credential_id)
    await call.change(lambda: call.api.credentials.revoke(credential, call.context))
    return Response(status_code=204)


def _credential_of(cache: ClusterCache, agent: CachedAgent, credential_id: str) -> CachedCredential:
    credential = cache.credential(agent, credential_id)
    if credential is None:
        raise credential_not_found(credential_id)
    return credential


def _credential_response(result: CredentialResult, agent: CachedAgent) -> CredentialWithSecret | CredentialInSecret:
    fields = credential_fields(result.credential, agent)
    if result.secret is None:
        return CredentialInSecret(**fields, secret_ref=SecretRef(namespace=agent.namespace, name=result.secret_name or ""))
    return CredentialWithSecret(**fields, client_secret=result.secret)
