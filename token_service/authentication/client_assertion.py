"""Is this assertion an agent's? The cluster's keys say which workload has shown it, and the index which agent that is.

The name that it shows is one that can be used again: the ServiceAccount that has it now must be the one of the token.

Without a client_id (RFC 7521, section 4.2, leaves it out as well) the workload must be that of one agent only. Refusals are
uniform, as those of secrets are; the reason is for the log.
"""

import math
import time
from collections.abc import Callable

from msgspec.structs import replace

from agentidp.authentication.issuer_keys import IssuerKeys
from agentidp.domain.identity.client_status import agent_failure
from agentidp.domain.identity.clients import ClientAgent, is_client_id
from agentidp.domain.tokens.client_assertions import Assertion, AssertionFailure, Workload, key_id, read_assertion
from agentidp.domain.tokens.oauth_errors import OAuthError, too_many_requests, unavailable
from agentidp.kube.errors import ApiError
from token_service.authentication.failure import AuthenticationFailure, FailureReason
from token_service.authentication.result import AuthenticatedClient, AuthenticationResult
from token_service.authentication.service_accounts import ServiceAccounts, TooManyReads
from token_service.cluster.clients import ClientIndex
from token_service.cluster.live_reads import LiveReader


class ClientAssertionAuthenticator:
    """Judges assertions by one index."""

    def __init__(
        self,
        audience: str,
        keys: IssuerKeys,
        service_accounts: ServiceAccounts,
        index: ClientIndex,
        read_through: LiveReader,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._audience = audience
        self._keys = keys
        self._service_accounts = service_accounts
        self._index = index
        self._read_through = read_through
        self._clock = clock

    async def read(self, assertion: str) -> Assertion | AssertionFailure | OAuthError:
        """What it says; or what is wrong with it; or why that cannot be said now."""
        named = key_id(assertion)
        if named is None:
            return AssertionFailure.NOT_GENUINE
        try:
            issuer = await self._keys.issuer_with(named)
        except ApiError:
            return unavailable("The API server cannot be asked for the keys of this assertion now.", 1)
        return read_assertion(assertion, issuer, self._audience, self._clock())

    async def agent_of(self, shown: Assertion, client_id: str | None) -> AuthenticationResult:
        """The agent that it is, judged anew where the ServiceAccount had to be read meanwhile."""
        outcome = await self._named(shown, client_id)
        while isinstance(outcome, AuthenticatedClient):
            owner = outcome.agent.uid
            until = await self._relied_on_until(shown, owner)
            if not isinstance(until, float):
                return until
            outcome = await self._named(shown, client_id)
            if isinstance(outcome, AuthenticatedClient) and outcome.agent.uid == owner:
                return replace(outcome, until=until)
        return outcome

    async def _relied_on_until(self, shown: Assertion, owner: str) -> float | AuthenticationFailure | OAuthError:
        """Until when the ServiceAccount of this name is taken for the token's own, or why it is not."""
        try:
            until = await self._service_accounts.relied_on_until(shown, owner)
        except TooManyReads as many:
            told = "Too many ServiceAccounts of this namespace are being looked up."
            return too_many_requests(told, math.ceil(many.retry_after))
        except ApiError:
            return unavailable("The API server cannot be asked about this ServiceAccount now.", 1)
        return AuthenticationFailure.WORKLOAD_REPLACED if until is None else until

    async def _named(self, shown: Assertion, client_id: str | None) -> AuthenticationResult:
        """The agent that names the ServiceAccount; one with a client_id is looked up at the API server before it is refused."""
        outcome = self._judge(self._index, shown, client_id)
        if isinstance(outcome, AuthenticatedClient) or client_id is None or not is_client_id(client_id):
            return outcome
        try:
            index = await self._read_through.latest(client_id)
        except ApiError:
            return unavailable("The API server cannot be asked about this client now.", 1)
        return self._judge(index, shown, client_id)

    def _judge(self, index: ClientIndex, shown: Assertion, client_id: str | None) -> AuthenticatedClient | FailureReason:
        agent = _agent(index, shown.workload, client_id)
        if not isinstance(agent, ClientAgent):
            return agent
        organization = index.organization(agent)
        return agent_failure(agent, organization) or AuthenticatedClient(agent, organization, shown.expires)


def _agent(index: ClientIndex, workload: Workload, client_id: str | None) -> ClientAgent | AuthenticationFailure:
    """The one agent of the workload's namespace that names its ServiceAccount, and has this id where one is given."""
    named = index.agents_of(workload)
    if client_id is not None:
        return next((agent for agent in named if agent.agent_id == client_id), AuthenticationFailure.WORKLOAD_NOT_NAMED)
    if len(named) > 1:
        return AuthenticationFailure.WORKLOAD_AMBIGUOUS
    return named[0] if named else AuthenticationFailure.WORKLOAD_NOT_NAMED
