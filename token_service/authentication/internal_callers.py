"""Internal callers: whether a request comes from the management API, by the token of its ServiceAccount.

The management API may read no Secret, so it cannot sign with the signing keys as the operator does; the cluster signs its token
instead. The token must be for this purpose alone (`AUDIENCE`), and of the ServiceAccount that has the name now: a token of an
earlier ServiceAccount of the same name does not count (decision 33).
"""

import time
from collections.abc import Callable

from agentidp.authentication.bearer import bearer_token
from agentidp.authentication.issuer_keys import IssuerKeys
from agentidp.domain.identity.propagation import AUDIENCE
from agentidp.domain.tokens.client_assertions import Assertion, Workload, read_assertion
from agentidp.domain.tokens.compact_jws import key_id
from token_service.authentication.service_accounts import ServiceAccounts

NO_AGENT = ""
"""In place of the uid of an Agent that names the ServiceAccount: the management API belongs to no agent."""


class InternalCallers:
    """Accepts the tokens of one ServiceAccount."""

    def __init__(
        self,
        keys: IssuerKeys,
        service_accounts: ServiceAccounts,
        expected: Workload,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._service_accounts = service_accounts
        self._expected = expected
        self._clock = clock

    async def is_management_api(self, authorization: str) -> bool:
        """Whether this Authorization header has a token of the expected ServiceAccount.

        Raises ApiError where the cluster's keys or the ServiceAccount cannot be read.
        """
        token = bearer_token(authorization) or ""
        kid = key_id(token)
        if kid is None:
            return False
        issuer = await self._keys.issuer_with(kid)
        assertion = read_assertion(token, issuer, AUDIENCE, self._clock())
        if not isinstance(assertion, Assertion) or assertion.workload != self._expected:
            return False
        return await self._service_accounts.relied_on_until(assertion, NO_AGENT) is not None
