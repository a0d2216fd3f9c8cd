"""Propagation: whether a change of a credential is in effect in this replica.

A change is in effect when the cluster cache has it. Whatever is remembered of a secret (that bcrypt accepted it, how a request
was granted) counts only together with the hash or credential in the cluster cache, and a live read is never older than the
request for which it was made.
"""

import time
from collections.abc import Callable

from msgspec import Struct

from agentidp.domain.identity.clients import ClientCredential
from agentidp.domain.identity.propagation import ReplicaState, accepting
from agentidp.kube.reflector import Reflector
from token_service.cluster.cache import ClientIndex


class PropagationQuery(Struct, frozen=True, kw_only=True):
    """Asks for the state as soon as this version of the credentials is in effect, or after so many seconds."""

    credential_id: str
    version: int
    seconds: float


class Propagation:
    """The state of this replica, by its watches."""

    def __init__(
        self, credentials: Reflector[ClientCredential], clients: ClientIndex, clock: Callable[[], float] = time.time
    ) -> None:
        self._credentials = credentials
        self._clients = clients
        self._clock = clock

    async def state(self, query: PropagationQuery) -> ReplicaState:
        """The state as soon as the version is in effect, or when the time is over.

        Before the first list there are no tokens; after this call there will be none before this version is in effect.
        """
        if not self._credentials.listed.is_set():
            self._credentials.not_listed_before(query.version)
            return ReplicaState(serving=False)
        caught_up = await self._catch_up(query)
        credential = self._clients.credentials.table.get(query.credential_id)
        return ReplicaState(serving=True, caught_up=caught_up, accepts=accepting(credential, self._clock()))

    async def _catch_up(self, query: PropagationQuery) -> bool:
        """Wait for the version, and for the credential's agent: agents have a watch of their own, which may be behind."""
        deadline = time.monotonic() + query.seconds
        if not await self._credentials.progress.until(query.version, query.seconds):
            return False
        while client_id := self._missing_agent_of(query.credential_id):
            if not await self._clients.changes.wait(client_id, deadline - time.monotonic()):
                return False
        return True

    def _missing_agent_of(self, credential_id: str) -> str | None:
        credential = self._clients.credentials.table.get(credential_id)
        client_id = credential.client_id if credential else None
        return client_id if client_id and self._clients.agent(client_id) is None else None
