"""Turns at something that one at a time may have: everybody's next one comes when all others who wait have had one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Round robin; each's own turns are first come first served."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """Whose turn is next comes first."""

    @asynccontextmanager
    async def turn_of(self, name: str) -> AsyncIterator[None]:
        """Waits for it."""
        await self._take(name)
        try:
            yield
        finally:
            self._pass_on_from(name)

    async def _take(self, name: str) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._pass_on_from(name)
            raise

    def _pass_on_from(self, name: str) -> None:
        """To those who came meanwhile before this one's next."""
        if name in self._waiting:
            self._waiting[name] = self._waiting.pop(name)
        turn = self._next()
        if turn is None:
            self._is_taken = False
        else:
            turn.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        """The next turn that is still waited for."""
        while self._waiting:
            name, turns = next(iter(self._waiting.items()))
            turn = turns.popleft()
            if not turns:
                del self._waiting[name]
            if not turn.done():
                return turn
        return None
