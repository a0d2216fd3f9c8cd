"""A token service without a cluster: what a test declares is what its index knows, and requests reach it without a network."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Coroutine
from functools import cache, partial
from typing import Any, cast

import httpx
import msgspec
import pytest

from agentidp.domain.identity.clients import ClientCredential, client_agent, client_credential, client_organization
from agentidp.domain.resources import Agent, AgentCredential, ObjectMeta, Organization, Secret, SecretHash, SecretMeta
from agentidp.domain.secrets.client_secrets import hash_secret, hint_of, secret_matches
from agentidp.domain.tokens.access_tokens import AccessToken
from agentidp.domain.tokens.client_assertions import TokenIssuer, Workload
from agentidp.domain.tokens.signing_keys import SECRET_KEY, Algorithm, KeySet, generate
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError
from agentidp.kube.reflector import Reflector
from agentidp.runtime.settings import Url
from tests.support.assertions import CLUSTER_KEY, issuer_of, uid_of
from tests.support.clocks import ManualClock
from tests.support.worlds import AGENT_ID, CREDENTIAL_ID, DAY, HOUR, NOW, an_issued_credential
from token_service.app import create_app
from token_service.client_secrets.bcrypt_pools import Bcrypt
from token_service.cluster.cache import ClientIndex, ClusterCache
from token_service.cluster.live_lookups import CLIENT_CREDENTIALS
from token_service.limits import LIMITS, Limits
from token_service.metrics import Metrics
from token_service.settings import TokenServiceSettings
from token_service.wiring import CLOCKS, Clocks, LiveCalls, TokenService

ISSUER = "https://idp.example"
SECRET = "sk_live_0123456789abcdef0123456789abcdef"
OTHER_SECRET = "sk_live_fedcba9876543210fedcba9876543210"
HASH = hash_secret(SECRET, 10)
CLIENT = {"client_id": AGENT_ID, "client_secret": SECRET}
GRANT = {"grant_type": "client_credentials"}
FORM = "application/x-www-form-urlencoded"

Declared = Agent | AgentCredential | Organization

bcrypt_once = cache(secret_matches)
"""bcrypt, which takes its time once for each secret and hash."""


def the_hash(*, hint: bool = True, credential_id: str = CREDENTIAL_ID, **fields: Any) -> SecretHash:
    """A real hash of SECRET."""
    told = hint_of(credential_id, SECRET.encode()) if hint else None
    defaults: dict[str, Any] = {"hash": HASH, "hint": told, "created_at": NOW - HOUR}
    return SecretHash(**defaults | fields)


def the_credential(*hashes: SecretHash, **spec: Any) -> AgentCredential:
    """A credential whose secret is SECRET."""
    return an_issued_credential(*(hashes or (the_hash(),)), **spec)


def signing_keys(*algorithms: Algorithm) -> Secret:
    """A Secret with a key of each algorithm; the last of them signs."""
    made = [
        generate(algorithm, NOW - DAY + HOUR * place, NOW - DAY)
        for place, algorithm in enumerate(algorithms or (Algorithm.ES256,))
    ]
    return Secret(
        metadata=SecretMeta(name="agentidp-signing-keys"), data={SECRET_KEY: msgspec.json.encode(KeySet(tuple(made)))}
    )


def basic(client_id: str, secret: str) -> dict[str, str]:
    """An Authorization header as it is, without form-encoding its parts."""
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def with_limits(**fields: Any) -> pytest.MarkDecorator:
    """The service of this test has these limits in place of those that ship."""
    return pytest.mark.parametrize("limits", [Limits(**fields)], ids=["limited"])


def while_bcrypt_runs(served: "ServedAlone", meanwhile: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """The first check of a secret ends after this coroutine has run, on the event loop."""
    loop = asyncio.get_running_loop()

    def first_meanwhile(secret: bytes, hashed: str) -> bool:
        served.bcrypt = bcrypt_once
        asyncio.run_coroutine_threadsafe(meanwhile(), loop).result(10)
        return bcrypt_once(secret, hashed)

    served.bcrypt = first_meanwhile


class ServedAlone:
    """The service, a client for HTTP, and an API server that can be asked about one client."""

    def __init__(self, *, limits: Limits = LIMITS, clock: ManualClock | None = None, **settings: Any) -> None:
        self.cache = ClusterCache()
        self.index, self.keys = self.cache.clients, self.cache.keys
        self.recorded: list[AccessToken] = []
        self.at_api_server = ClientIndex()
        self.api_server_trouble: ApiError | None = None
        self.looked_up: list[str] = []
        self.answered: Callable[[], Awaitable[None]] = partial(asyncio.sleep, 0)
        """Runs between what a look-up finds and its answer."""
        self.cluster_keys = [CLUSTER_KEY]
        self.keys_read = 0
        self.service_accounts: dict[Workload, str | None] = {}
        """The uids of those that were made anew, None where one is gone; all others have that of `uid_of`."""
        self.service_accounts_read: list[Workload] = []
        self.credentials = a_listed_reflector(self.index)
        self.bcrypt: Bcrypt = bcrypt_once
        defaults: dict[str, Any] = {"issuer": Url(ISSUER), "hashing_threads": 2}
        told = TokenServiceSettings(**defaults | settings)
        api_server = LiveCalls(self._look_up, self._record, self._token_issuer, self._service_account)
        clocks = Clocks(clock, clock, clock.sleep) if clock else CLOCKS
        self.service = TokenService(told, Metrics(), self.cache, [self.credentials], api_server, self._bcrypt, limits, clocks)
        self.app = create_app(self.service)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=told.issuer)

    def declare(self, *objects: Declared) -> None:
        """What the API server has and the watch has told."""
        _put(self.at_api_server, objects)
        _put(self.index, objects)

    def declare_unseen(self, *objects: Declared) -> None:
        """What the API server has and the watch has not told yet."""
        _put(self.at_api_server, objects)

    async def token(self, form: dict[str, Any] | None = None, **request: Any) -> httpx.Response:
        """The answer to a token request: of the pair, unless told otherwise."""
        data = CLIENT | GRANT if form is None else form
        return await self.http.post("/api/v1/token", data=data, **request)

    async def token_from(self, address: str, form: dict[str, Any] | None = None) -> httpx.Response:
        """The same from another address."""
        transport = httpx.ASGITransport(app=self.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=self.http.base_url, trust_env=False) as http:
            return await http.post("/api/v1/token", data=CLIENT | GRANT if form is None else form)

    async def close(self) -> None:
        """End it."""
        await self.http.aclose()
        self.service.bcrypt_pools.close()

    def _bcrypt(self, secret: bytes, hashed: str) -> bool:
        return self.bcrypt(secret, hashed)

    async def _look_up(self, client_id: str) -> ClientIndex:
        self.looked_up.append(client_id)
        if self.api_server_trouble:
            raise self.api_server_trouble
        found = _copied(self.at_api_server)
        await self.answered()
        return found

    async def _token_issuer(self) -> TokenIssuer:
        self.keys_read += 1
        if self.api_server_trouble:
            raise self.api_server_trouble
        return issuer_of(*self.cluster_keys)

    async def _service_account(self, workload: Workload) -> ObjectMeta | None:
        self.service_accounts_read.append(workload)
        if self.api_server_trouble:
            raise self.api_server_trouble
        uid = self.service_accounts.get(workload, uid_of(workload.namespace, workload.service_account))
        await self.answered()
        return ObjectMeta(uid=uid, creation_timestamp=NOW) if uid else None

    async def _record(self, read: AccessToken, _: str) -> None:
        if self.api_server_trouble:
            raise self.api_server_trouble
        self.recorded.append(read)


def a_listed_reflector(index: ClientIndex) -> Reflector[ClientCredential]:
    """Of credentials; it has listed them, and hears of its API server all the time."""
    reflector = Reflector(cast("KubeClient", None), CLIENT_CREDENTIALS, index.credentials)
    reflector.heard_at = float("inf")
    reflector.listed.set()
    return reflector


def _copied(index: ClientIndex) -> ClientIndex:
    """What is in it now."""
    copy = ClientIndex()
    for agent in index.agents.table:
        copy.agents.put(agent)
    for credential in index.credentials.table:
        copy.credentials.put(credential)
    for organization in index.organizations.table:
        copy.organizations.put(organization)
    return copy


def _put(index: ClientIndex, objects: tuple[Declared, ...]) -> None:
    for one in objects:
        match one:
            case Agent():
                index.agents.put(client_agent(one))
            case AgentCredential():
                index.credentials.put(client_credential(one))
            case Organization():
                index.organizations.put(client_organization(one))
