"""Workloads that ask for tokens, and others that guess."""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from http import HTTPStatus
from itertools import cycle
from typing import Any, Self
from uuid import uuid4

import aiohttp

from agentidp.kube.errors import ApiError
from benchmarks.stage.workload import GRANT, ClientCredentials
from dashboard.life.owner import Owner
from dashboard.life.pace import chance, pause, pause_with_the_tide

UNKNOWN = 4
"""Of so many guesses one is for a client that there is not."""


class Clients:
    """Each asks at its own pace, the replicas in turn, and reads its Secret again when it is refused."""

    def __init__(self, owner: Owner, token_endpoints: Sequence[str]) -> None:
        self._owner = owner
        self._endpoints = cycle(token_endpoints)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        self._tasks: set[asyncio.Task[object]] = set()

    def begin(self, names: Iterable[str], per_second: float) -> None:
        """Ask for tokens with the Secrets of these names, each so often, until everything ends."""
        for name in names:
            self.keep(self._work(name, per_second))

    def keep(self, work: Coroutine[Any, Any, object]) -> None:
        """Whatever goes on until everything ends; what fails is raised then."""
        self._tasks.add(asyncio.create_task(work))

    async def guess(self, victims: Iterable[str], per_second: float, seconds: float) -> None:
        """Show wrong secrets for these agents for a while."""
        known = [(await self._owner.client_credentials(name)).client_id for name in victims]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            client_id = str(uuid4()) if chance.randrange(UNKNOWN) == 0 else chance.choice(known)
            self.keep(self.ask(ClientCredentials(client_id, f"wrong-{uuid4()}")))
            await pause(per_second)

    async def ask(self, client_credentials: ClientCredentials) -> int:
        """The status of the answer to one request; 0 without an answer."""
        try:
            async with self._session.post(next(self._endpoints), data=GRANT | client_credentials._asdict()) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def _work(self, name: str, per_second: float) -> None:
        client_credentials = await self._owner.client_credentials(name)
        while True:
            if await self.ask(client_credentials) == HTTPStatus.UNAUTHORIZED:
                with suppress(ApiError):
                    client_credentials = await self._owner.client_credentials(name)
            await pause_with_the_tide(per_second)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        outcomes = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()
        if failures := [one for one in outcomes if isinstance(one, Exception)]:
            raise failures[0]
