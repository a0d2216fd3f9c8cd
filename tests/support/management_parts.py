"""Parts of the management API for unit tests: objects of its cache, a request, and a model cluster with an operator."""

from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from fastapi import APIRouter, FastAPI
from msgspec.structs import replace

from agentidp.domain.identity.administration import READ, WRITE
from agentidp.domain.lifecycle.status import with_issue_recorded, with_provided_hash
from agentidp.domain.resources import Agent, AgentCredential, CredentialPhase, CredentialState, ProvidedHash, SecretHash
from agentidp.kube.kinds import CREDENTIALS
from agentidp.runtime.settings import Url, Urls
from management_api.auth.agent_caller import AgentCaller
from management_api.auth.authorization import Caller
from management_api.cache.agents import AGENTS_WITH_MANAGED_FIELDS, AgentWithManagedFields, CachedAgent, cached_agent
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import CachedCredential, cached_credential
from management_api.endpoints.dependencies import BASE_PATH, Call, authenticated_call
from management_api.http.error_handlers import add_error_handlers
from management_api.limits import DEFAULT_LIMITS
from management_api.operations.propagation import Replicas
from management_api.request_context import RequestContext
from management_api.schemas.agents import FORMS
from management_api.settings import ManagementApiSettings
from management_api.wiring import ManagementApi
from tests.support.model_cluster import ModelCluster
from tests.support.worlds import AGENT_ID, NOW, a_registered_agent, an_issued_credential


def with_managed_fields(agent: Agent) -> AgentWithManagedFields:
    """The agent as this API reads it."""
    return AGENTS_WITH_MANAGED_FIELDS.decode(msgspec.json.encode(agent))


def a_cached_agent(*arguments: Any, **fields: Any) -> CachedAgent:
    """A registered agent in the cache; the arguments are those of `a_registered_agent`."""
    return cached_agent(with_managed_fields(a_registered_agent(*arguments, **fields)))


def a_cached_credential(**fields: Any) -> CachedCredential:
    """An issued credential in the cache, with these fields."""
    credential = cached_credential(an_issued_credential(SecretHash(hash="$2b$10$" + "a" * 53, created_at=NOW)))
    return replace(credential, **fields)


def a_credential_with_hash(hashed: str, **spec: Any) -> AgentCredential:
    """An issued credential whose spec has this hash."""
    credential = an_issued_credential()
    return replace(credential, spec=replace(credential.spec, secret_hash=ProvidedHash(hash=hashed, hint="1b1b1b1b"), **spec))


async def is_connected() -> bool:
    """The client waits for the answer."""
    return False


async def is_disconnected() -> bool:
    """The client has closed the connection."""
    return True


def a_context(caller: Caller | None = None) -> RequestContext:
    """A request of the caller, by default of an agent that may read and write."""
    return RequestContext(caller or AgentCaller(a_cached_agent(), frozenset({READ, WRITE}), None), "a-request", is_connected)


async def no_token() -> str:
    """Without replicas, no token is asked for."""
    return ""


class OperatedCluster(ModelCluster):
    """A model cluster whose operator gives each agent its id, and publishes each credential, at once. The cache sees both."""

    def __init__(self, cache: ClusterCache) -> None:
        super().__init__(written=self._operate)
        self.cache = cache

    def _operate(self) -> None:
        for agent in self.all(AGENTS_WITH_MANAGED_FIELDS):
            if not agent.status.agent_id:
                self.change(AGENTS_WITH_MANAGED_FIELDS, agent.key, status=replace(agent.status, agent_id=agent.metadata.uid))
            else:
                self.cache.agents.put(cached_agent(agent))
        for credential in self.all(CREDENTIALS):
            if credential.status.observed_generation != credential.metadata.generation:
                self.change(CREDENTIALS, credential.key, status=published(credential).status)
            else:
                self.cache.credentials.put(cached_credential(credential))


def published(credential: AgentCredential) -> AgentCredential:
    """The credential with the status that the operator gives it."""
    meta, spec = credential.metadata, credential.spec
    is_active = spec.state is CredentialState.ACTIVE
    status = replace(credential.status, secret_hashes=())
    if is_active and spec.secret_hash:
        status = with_provided_hash(credential.status, spec.secret_hash, spec.rotation, datetime.now(UTC))
        status = with_issue_recorded(status, status.secret_hashes[-1], spec.rotation)
    status = replace(
        status,
        credential_id=meta.uid,
        client_id=AGENT_ID,
        phase=CredentialPhase.ACTIVE if is_active else CredentialPhase.REVOKED,
        observed_generation=meta.generation,
    )
    return replace(credential, status=status)


SETTINGS = ManagementApiSettings(
    issuer=Url("https://idp.example"),
    token_service_url=Urls((Url("http://127.0.0.1:1"),)),
    bcrypt_cost=10,
    hashing_threads=1,
    objects_per_namespace=3,
)


def an_api() -> tuple[ManagementApi, OperatedCluster]:
    """All parts of the API on an operated cluster without replicas of the token service; nothing is listed yet."""
    replicas = Replicas([], no_token, DEFAULT_LIMITS)
    cluster = OperatedCluster(ClusterCache())
    api = ManagementApi(SETTINGS, cluster, replicas, DEFAULT_LIMITS)  # type: ignore[arg-type]
    cluster.cache = api.cache
    return api, cluster


def client_of(api: ManagementApi, *routers: APIRouter, context: RequestContext | None = None) -> httpx.AsyncClient:
    """A client of these routers whose caller is authenticated already."""
    app = FastAPI()
    for router in routers:
        app.include_router(router)
    app.dependency_overrides[authenticated_call] = lambda: Call(api, context or a_context())
    add_error_handlers(app, FORMS)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://api{BASE_PATH}")
