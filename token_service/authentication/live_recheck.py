"""Before a pair is refused, what the API server knows is heard: it may be more than the watch has told yet.

A pod may use its Secret the moment it appears. Then the client is read through; where that may not be done now (see
`read_through`), the request waits a little for the watch. A pair that was refused like this is not looked at again for a
while, if the API server was asked: only a change could make it right, and the watch tells changes.
"""

import re
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agentidp.domain.tokens.oauth_errors import OAuthError, unavailable
from agentidp.kube.errors import ApiError
from token_service.authentication.failure import FailureReason
from token_service.cluster.clients import ClientIndex
from token_service.cluster.live_reads import LiveReader
from token_service.http.client_authentication import ClientCredentials

PATIENCE_SECONDS = 1.0
MOST_WAITING = 1000
REFUSED_FOR_SECONDS = 10.0
MOST_REFUSED = 50_000

_SECRET = re.compile(rb"sk_live_[0-9a-f]{32}")

AcceptedT = TypeVar("AcceptedT")
Examine = Callable[[ClientIndex, ClientCredentials, bytes], Awaitable[AcceptedT | FailureReason | OAuthError]]


class LiveRecheck:
    """The way of every refusal of a pair that this service may have issued."""

    def __init__(self, index: ClientIndex, read_through: LiveReader) -> None:
        self._index = index
        self._read_through = read_through
        self._refused_until: dict[bytes, float] = {}

    async def at(
        self, pair: ClientCredentials, digest: bytes, first: FailureReason, examine: Examine[AcceptedT]
    ) -> AcceptedT | FailureReason | OAuthError:
        """The outcome by what the API server has now, where the index alone would refuse."""
        if not _SECRET.fullmatch(pair.secret) or self._refused_until.get(digest, 0.0) > time.monotonic():
            return first
        deadline, is_short = time.monotonic() + PATIENCE_SECONDS, self._read_through.is_short
        try:
            looked_up = await self._look_up(pair, digest, examine)
        except ApiError:
            return unavailable("The API server cannot be asked about this client now.", 1)
        if looked_up is None:
            return await self._wait(pair, digest, await self._told(pair, digest, examine), examine, deadline)
        outcome = looked_up
        if is_short and isinstance(looked_up, FailureReason):
            outcome = await self._wait(pair, digest, looked_up, examine, deadline)
        if isinstance(outcome, FailureReason):
            self._remember(digest)
        return outcome

    async def _look_up(
        self, pair: ClientCredentials, digest: bytes, examine: Examine[AcceptedT]
    ) -> AcceptedT | FailureReason | OAuthError | None:
        """The outcome by the API server's word, None where it may not be asked. Raises ApiError.

        By the watch's where that has told more meanwhile: to examine a secret takes time, in which it may be revoked.
        """
        while looked_up := await self._read_through.client(pair.client_id):
            outcome = await examine(looked_up.index, pair, digest)
            if not self._read_through.is_overtaken(pair.client_id, looked_up):
                return outcome
            outcome = await examine(self._index, pair, digest)
            if not isinstance(outcome, FailureReason):
                return outcome
        return None

    async def _wait(
        self,
        pair: ClientCredentials,
        digest: bytes,
        outcome: AcceptedT | FailureReason | OAuthError,
        examine: Examine[AcceptedT],
        deadline: float,
    ) -> AcceptedT | FailureReason | OAuthError:
        """The outcome once the watch has told, or as it is when it tells nothing.

        Where some could not be looked up, all who are refused wait as long: time tells no stranger from a known client.
        """
        changes = self._index.changes
        if isinstance(outcome, FailureReason) and len(changes) >= MOST_WAITING:
            return unavailable("Too many unknown clients are being looked up.", 1)
        while isinstance(outcome, FailureReason) and await changes.wait(pair.client_id, deadline - time.monotonic()):
            outcome = await self._told(pair, digest, examine)
        return outcome

    async def _told(
        self, pair: ClientCredentials, digest: bytes, examine: Examine[AcceptedT]
    ) -> AcceptedT | FailureReason | OAuthError:
        """The outcome by all that the watch has told: what it tells while a secret is examined wakes nobody."""
        while True:
            told = self._index.client(pair.client_id)
            outcome = await examine(self._index, pair, digest)
            if not isinstance(outcome, FailureReason) or self._index.client(pair.client_id) == told:
                return outcome

    def _remember(self, digest: bytes) -> None:
        if len(self._refused_until) >= MOST_REFUSED:
            del self._refused_until[next(iter(self._refused_until))]
        self._refused_until[digest] = time.monotonic() + REFUSED_FOR_SECONDS
