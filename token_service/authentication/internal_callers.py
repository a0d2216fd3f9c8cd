"""Is it the management API that asks? It shows a token of its ServiceAccount that is meant for this and for nothing else.

It may read no Secret, so it cannot sign with the signing keys as the operator does; the cluster says who it is. A token of a
ServiceAccount that had the name before is not one of it.
"""

import time
from collections.abc import Callable

from agentidp.authentication.bearer import bearer_token
from agentidp.authentication.issuer_keys import IssuerKeys
from agentidp.domain.identity.propagation import AUDIENCE
from agentidp.domain.tokens.client_assertions import Assertion, Workload, key_id, read_assertion
from token_service.authentication.service_accounts import ServiceAccounts

NO_AGENT = ""


class InternalCallers:
    """Recognises one ServiceAccount."""

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

    async def has_shown(self, authorization: str) -> bool:
        """By an Authorization header. Raises ApiError where the cluster's keys or the ServiceAccount cannot be read."""
        token = bearer_token(authorization) or ""
        named = key_id(token)
        if named is None:
            return False
        issuer = await self._keys.issuer_with(named)
        read = read_assertion(token, issuer, AUDIENCE, self._clock())
        if not isinstance(read, Assertion) or read.workload != self._expected:
            return False
        return await self._service_accounts.relied_on_until(read, NO_AGENT) is not None
