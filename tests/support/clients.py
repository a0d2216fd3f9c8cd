"""Clients that ask for tokens without end, and count each time that they get none."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Self

import httpx

from tests.support.connection import connect_async
from tests.support.objects import path_of
from tests.support.workload import GRANT, Pair, pair_in

PAUSE_SECONDS = 1.0


@dataclass
class Tally:
    """How often they asked, and how often they were refused: with what they had in memory, and with what they had just read."""

    asked_from_memory: int = 0
    refused_from_memory: int = 0
    asked_after_reading: int = 0
    refused_after_reading: int = 0


class Clients:
    """Two for each credential, while the block runs.

    One keeps its pair in memory and reads its Secret only when it is refused. The other reads its Secret each time, as a pod
    that was just started.
    """

    def __init__(self, kubeconfig: Path, namespace: str, secrets: list[str]) -> None:
        self.tally = Tally()
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        self._secrets = secrets
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._failure: BaseException | None = None

    async def _run(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=30) as self._http, connect_async(self._kubeconfig) as self._api_server:
                await self._ask_all()
        except BaseException as failure:  # noqa: BLE001 it is raised at the end of the block
            self._failure = failure

    async def _ask_all(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for secret in self._secrets:
                tasks.create_task(self._repeat(await self._with_memory(secret)))
                tasks.create_task(self._repeat(partial(self._read_and_ask, secret)))

    async def _repeat(self, act: Callable[[], Awaitable[object]]) -> None:
        while not self._ended.is_set():
            await act()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _with_memory(self, secret: str) -> Callable[[], Awaitable[None]]:
        known = await self._read(secret)

        async def ask_again() -> None:
            nonlocal known
            self.tally.asked_from_memory += 1
            if not await self._is_served(known):
                self.tally.refused_from_memory += 1
                known = await self._read_and_ask(secret)

        return ask_again

    async def _read_and_ask(self, secret: str) -> Pair:
        pair = await self._read(secret)
        self.tally.asked_after_reading += 1
        self.tally.refused_after_reading += not await self._is_served(pair)
        return pair

    async def _read(self, secret: str) -> Pair:
        answer = await self._api_server.get(path_of("Secret", self._namespace, secret))
        return pair_in(answer.raise_for_status().json())

    async def _is_served(self, pair: Pair) -> bool:
        credentials = (pair.client_id, pair.client_secret)
        answer = await self._http.post(pair.token_endpoint, auth=credentials, data=GRANT)
        return answer.status_code == HTTPStatus.OK

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._failure:
            raise self._failure
