"""The other processes of this service, each by a loopback address of its own: what only they know is asked of them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

import aiohttp
import msgspec

SECONDS_TO_ANSWER = 3.0

AnswerT = TypeVar("AnswerT")


class PeersUnknown(Exception):
    """One of the other processes did not tell."""


class Peers:
    """Asks all of them the same, on behalf of whoever asked this one."""

    def __init__(self, urls: Sequence[str] = ()) -> None:
        self._urls = urls

    def __len__(self) -> int:
        return len(self._urls)

    async def ask(
        self, path: str, params: Sequence[Mapping[str, str]], authorization: str, kind: type[AnswerT], waiting: float = 0.0
    ) -> list[AnswerT]:
        """What each tells, given its own parameters, within some seconds beside those that it may wait. Raises PeersUnknown."""
        timeout = aiohttp.ClientTimeout(total=SECONDS_TO_ANSWER + waiting)
        try:
            async with aiohttp.ClientSession(headers={"Authorization": authorization}, timeout=timeout) as session:
                questions = (_ask(session, url + path, one, kind) for url, one in zip(self._urls, params, strict=True))
                return await asyncio.gather(*questions)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as trouble:
            raise PeersUnknown from trouble


async def _ask(session: aiohttp.ClientSession, url: str, params: Mapping[str, str], kind: type[AnswerT]) -> AnswerT:
    """`own` keeps a peer from asking its peers in turn."""
    async with session.get(url, params={**params, "own": "true"}) as response:
        response.raise_for_status()
        return msgspec.json.decode(await response.read(), type=kind)
