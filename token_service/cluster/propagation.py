"""Whether a change of a credential is in force in this replica.

In force it is when the index has it: everything that is remembered of a secret (that bcrypt accepted it, how a request was
served) is worth nothing without the very hash or credential of the index, and a look-up at the API server is never older
than the request that asked for it.
"""

import time
from collections.abc import Callable

from msgspec import Struct

from agentidp.domain.identity.clients import ClientCredential
from agentidp.domain.identity.propagation import ReplicaState, accepting
from agentidp.kube.reflector import Reflector
from token_service.cluster.clients import ClientIndex


class Question(Struct, frozen=True, kw_only=True):
    """Is this version of the credentials in force, and what does this one accept? It may take so many seconds to become so."""

    credential_id: str
    version: int
    seconds: float


class Propagation:
    """What this replica tells."""

    def __init__(
        self, credentials: Reflector[ClientCredential], index: ClientIndex, clock: Callable[[], float] = time.time
    ) -> None:
        self._credentials = credentials
        self._index = index
        self._clock = clock

    async def tell(self, question: Question) -> ReplicaState:
        """As soon as the version is in force, or the time is over.

        While nothing is listed yet there are no tokens; from now on there will be none before this version is in force.
        """
        if not self._credentials.listed.is_set():
            self._credentials.not_listed_before(question.version)
            return ReplicaState(serving=False)
        caught_up = await self._catch_up(question)
        found = self._index.credentials.table.get(question.credential_id)
        return ReplicaState(serving=True, caught_up=caught_up, accepts=accepting(found, self._clock()))

    async def _catch_up(self, question: Question) -> bool:
        """The agents have a watch of their own, which may be behind where an agent is new."""
        deadline = time.monotonic() + question.seconds
        if not await self._credentials.progress.until(question.version, question.seconds):
            return False
        while client_id := self._unknown_agent_of(question.credential_id):
            if not await self._index.changes.wait(client_id, deadline - time.monotonic()):
                return False
        return True

    def _unknown_agent_of(self, credential_id: str) -> str | None:
        found = self._index.credentials.table.get(credential_id)
        client_id = found.client_id if found else None
        return client_id if client_id and self._index.agent(client_id) is None else None
