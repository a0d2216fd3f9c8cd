"""A kill switch (`spec.tokensValidAfter`) that is ahead: a token that is issued now would be reported inactive all its life.

Whoever wrote "now" may have a clock that is a few seconds ahead of ours. So a request waits for a moment that is near, and the
token that it gets is good. How many wait is bounded, also of each namespace and client. Where the moment is further ahead, the
agent is to have no good token before it, and gets none.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from agentidp.domain.identity.clients import ClientAgent
from agentidp.domain.tokens.oauth_errors import ErrorCode, OAuthError, too_many_requests

PATIENCE_SECONDS = 6.5
"""Of one request in all: five, what the last of them lacks to a whole second, and a bit for clocks that are adjusted."""
MOST_WAITING, MOST_OF_NAMESPACE, MOST_OF_CLIENT = 500, 125, 100
TIMER_SECONDS = 0.001
"""Timers may be early by that."""


class TokensValidAfter:
    """Holds requests until a token would be good."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: Counter[str] = Counter()
        self._of_namespaces: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._waiting.total()

    def seconds_left(self, agent: ClientAgent) -> float:
        """How long a token of this agent would be void; 0 where it is good. `iat` has no fractions."""
        now, moment = self._clock(), agent.tokens_valid_after
        return 0.0 if moment is None or moment <= int(now) else math.ceil(moment) - now + TIMER_SECONDS

    async def wait(self, agent: ClientAgent, seconds: float, patience: float) -> OAuthError | None:
        """So many seconds; or the refusal, where they are too many, or too many wait."""
        if seconds > patience:
            return _no_good_before(math.ceil(agent.tokens_valid_after or 0.0))
        if self._is_full(agent):
            return too_many_requests("Too many requests wait for the agent's spec.tokensValidAfter.", math.ceil(seconds))
        self._waiting[agent.agent_id] += 1
        self._of_namespaces[agent.namespace] += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting -= Counter((agent.agent_id,))  # which forgets those that are none
            self._of_namespaces -= Counter((agent.namespace,))
        return None

    def _is_full(self, agent: ClientAgent) -> bool:
        return (
            len(self) >= MOST_WAITING
            or self._of_namespaces[agent.namespace] >= MOST_OF_NAMESPACE
            or self._waiting[agent.agent_id] >= MOST_OF_CLIENT
        )


def _no_good_before(moment: int) -> OAuthError:
    """No fault of this service's, and nothing that passes soon."""
    told = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return OAuthError(
        ErrorCode.UNAUTHORIZED_CLIENT, f"No token would be good before {told}: the agent's spec.tokensValidAfter says so."
    )
