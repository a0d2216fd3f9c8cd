"""`spec.tokensValidAfter` in the future: a token that is issued before it would be inactive (RFC 7662).

Whoever wrote "now" may have a clock that is a few seconds ahead of ours. So a request waits for a time that is near, and the
token that it gets is active. How many requests wait is bounded in all, for each namespace and for each client. Before a time
that is further ahead the agent is to have no active token, and gets none.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from agentidp.domain.identity.clients import ClientAgent
from agentidp.domain.identity.valid_after import seconds_until_valid
from agentidp.domain.resources.meta import rfc3339
from agentidp.domain.tokens.oauth_errors import ErrorCode, OAuthError, too_many_requests
from agentidp.runtime.pools.group_counts import GroupCounts
from token_service.limits import LIMITS, Limits

Sleep = Callable[[float], Awaitable[None]]
"""`asyncio.sleep`, or that of another clock."""


class TokensValidAfter:
    """Delays requests until their tokens would be active."""

    def __init__(self, clock: Callable[[], float], limits: Limits = LIMITS, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._limits = limits
        self._sleep = sleep
        self._of_client = GroupCounts()
        self._of_namespace = GroupCounts()

    def __len__(self) -> int:
        return self._of_client.total

    def seconds_left(self, agent: ClientAgent) -> float:
        """Seconds until a token of this agent is active; 0 where it is now. `iat` has no fractions."""
        return seconds_until_valid(agent.tokens_valid_after, self._clock())

    async def wait(self, agent: ClientAgent, seconds: float, patience: float) -> None:
        """Wait. Raises OAuthError where that takes longer than `patience`, or too many requests wait already."""
        if seconds > patience:
            raise _inactive_before(math.ceil(agent.tokens_valid_after or 0.0))
        if self._is_full(agent):
            raise too_many_requests("Too many requests wait for the agent's spec.tokensValidAfter.", math.ceil(seconds))
        self._of_client.add(agent.agent_id)
        self._of_namespace.add(agent.namespace)
        try:
            await self._sleep(seconds)
        finally:
            self._of_client.remove(agent.agent_id)
            self._of_namespace.remove(agent.namespace)

    def _is_full(self, agent: ClientAgent) -> bool:
        limits = self._limits
        return (
            len(self) >= limits.max_valid_after_waiters
            or self._of_namespace[agent.namespace] >= limits.max_valid_after_waiters_of_namespace
            or self._of_client[agent.agent_id] >= limits.max_valid_after_waiters_of_client
        )


def _inactive_before(timestamp: int) -> OAuthError:
    """An error of the client (400): waiting does not help soon."""
    text = rfc3339(datetime.fromtimestamp(timestamp, UTC))
    return OAuthError(
        ErrorCode.UNAUTHORIZED_CLIENT, f"A token would be inactive before {text}: the agent's spec.tokensValidAfter says so."
    )
