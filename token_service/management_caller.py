"""Is it the management API that asks? It shows a token of its ServiceAccount that is meant for this and for nothing else.

It may read no Secret, so it cannot sign with the signing keys as the operator does; the cluster says who it is.
"""

import time
from collections.abc import Callable

from agentidp.domain.assertions import Assertion, Workload, key_id, read_assertion
from agentidp.domain.propagation import AUDIENCE
from token_service.cluster_keys import ClusterKeys


class ManagementCaller:
    """Recognises one ServiceAccount."""

    def __init__(self, keys: ClusterKeys, expected: Workload, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._expected = expected
        self._clock = clock

    async def has_shown(self, authorization: str) -> bool:
        """By an Authorization header. Raises ApiError where the keys of the cluster cannot be read."""
        scheme, _, token = authorization.partition(" ")
        named = key_id(token) if scheme.lower() == "bearer" else None
        if named is None:
            return False
        issuer = await self._keys.issuer_with(named)
        read = read_assertion(token, issuer, AUDIENCE, self._clock())
        return isinstance(read, Assertion) and read.workload == self._expected
