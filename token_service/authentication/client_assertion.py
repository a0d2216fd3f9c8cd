"""Client assertions: authenticates a client by the token of a Kubernetes ServiceAccount (RFC 7521, section 4.2, and RFC 7523).

Flows in: a client assertion. Flows out: the client, or AuthenticationFailed with the reason for the log. The cluster's keys say
which workload the token was issued to, and the cluster cache which agent names that workload. A ServiceAccount's name can be
used again, so the ServiceAccount that has it now must be the one that the token was issued to. Without a client_id, which is
optional (RFC 7521, section 4.2), the workload must be that of one agent only.
"""

import math
import time
from collections.abc import Callable

from msgspec.structs import replace

from agentidp.authentication.issuer_keys import IssuerKeys
from agentidp.domain.identity.client_status import agent_failure
from agentidp.domain.identity.clients import ClientAgent, is_client_id
from agentidp.domain.tokens.client_assertions import Assertion, Workload, read_assertion
from agentidp.domain.tokens.client_assertions import AssertionFailure as Failure
from agentidp.domain.tokens.compact_jws import key_id
from agentidp.domain.tokens.oauth_errors import too_many_requests, unavailable
from agentidp.kube.errors import ApiError
from token_service.authentication.result import AuthenticatedClient, AuthenticationFailed, AuthenticationFailure
from token_service.authentication.service_accounts import ServiceAccounts, TooManyReads
from token_service.cluster.cache import ClientIndex
from token_service.cluster.live_reads import LiveReader
from token_service.http.presented_credentials import ClientAssertion


class ClientAssertionAuthenticator:
    """Authenticates by the cluster cache, and by a live read before a rejection where a client_id is given."""

    def __init__(
        self,
        audience: str,
        keys: IssuerKeys,
        service_accounts: ServiceAccounts,
        clients: ClientIndex,
        live_reader: LiveReader,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._audience = audience
        self._keys = keys
        self._service_accounts = service_accounts
        self._clients = clients
        self._live_reader = live_reader
        self._clock = clock

    async def authenticate(self, presented: ClientAssertion) -> AuthenticatedClient:
        """The client. It is looked up again after its ServiceAccount was read, because that may take time.

        Raises AuthenticationFailed, and OAuthError or ApiError where it cannot be decided now.
        """
        assertion = await self._verified(presented)
        client = await self._client(assertion, presented.client_id)
        while True:
            uid = client.agent.uid
            until = await self._valid_until(assertion, client, presented.client_id)
            client = await self._client(assertion, presented.client_id)
            if client.agent.uid == uid:
                return replace(client, until=until)

    async def _verified(self, presented: ClientAssertion) -> Assertion:
        """The claims of the assertion, verified by the cluster's keys (RFC 7523, section 3)."""
        kid = key_id(presented.assertion)
        if kid is None:
            raise AuthenticationFailed(Failure.NOT_GENUINE, presented.client_id)
        try:
            issuer = await self._keys.issuer_with(kid)
        except ApiError as error:
            raise unavailable("The API server cannot be asked for the keys of this assertion now.", 1) from error
        assertion = read_assertion(presented.assertion, issuer, self._audience, self._clock())
        if not isinstance(assertion, Assertion):
            raise AuthenticationFailed(assertion, presented.client_id)
        return assertion

    async def _valid_until(self, assertion: Assertion, client: AuthenticatedClient, client_id: str | None) -> float:
        """Until when the ServiceAccount of this name counts as the one that the token was issued to."""
        try:
            until = await self._service_accounts.relied_on_until(assertion, client.agent.uid)
        except TooManyReads as error:
            description = "Too many ServiceAccounts of this namespace are being looked up."
            raise too_many_requests(description, math.ceil(error.retry_after)) from error
        except ApiError as error:
            raise unavailable("The API server cannot be asked about this ServiceAccount now.", 1) from error
        if until is None:
            raise AuthenticationFailed(AuthenticationFailure.WORKLOAD_REPLACED, client_id, assertion.workload)
        return until

    async def _client(self, assertion: Assertion, client_id: str | None) -> AuthenticatedClient:
        """The client that names the workload: by the cluster cache, else by the API server where a client_id is given."""
        try:
            return _client_in(self._clients, assertion, client_id)
        except AuthenticationFailed:
            if client_id is None or not is_client_id(client_id):
                raise
        return _client_in(await self._live_reader.latest(client_id), assertion, client_id)


def _client_in(clients: ClientIndex, assertion: Assertion, client_id: str | None) -> AuthenticatedClient:
    agent = _agent(clients.agents_of(assertion.workload), assertion.workload, client_id)
    organization = clients.organization(agent)
    if reason := agent_failure(agent, organization):
        raise AuthenticationFailed(reason, client_id, assertion.workload)
    return AuthenticatedClient(agent, organization, assertion.expires)


def _agent(agents: list[ClientAgent], workload: Workload, client_id: str | None) -> ClientAgent:
    """The one agent among those that name the workload; the one with this id where an id is given."""
    named = agents if client_id is None else [agent for agent in agents if agent.agent_id == client_id]
    if not named:
        raise AuthenticationFailed(AuthenticationFailure.WORKLOAD_NOT_NAMED, client_id, workload)
    if len(named) > 1:
        raise AuthenticationFailed(AuthenticationFailure.WORKLOAD_AMBIGUOUS, client_id, workload)
    return named[0]
