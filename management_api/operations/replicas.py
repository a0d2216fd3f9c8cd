"""Every replica of the token service, asked whether a change is in force there: what a 200 of this API stands on.

A watch brings a change to each replica within milliseconds, but promises no time; so each is asked, and waited for in bounded
time. What follows from the rules here, and what callers are told, is in docs/decisions/0015.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated

import aiohttp
import msgspec
import structlog
from msgspec import Meta

from agentidp.domain.identity.propagation import APPLIED_PATH, LONGEST_WAIT, ReplicaState, is_in_force, youngest_of
from agentidp.domain.resources import AgentCredential
from agentidp.kube.errors import ApiError
from agentidp.runtime.replicas import Replica, replicas_of
from management_api.operations.propagation_check import NotPropagated, Superseded

SECONDS = 5.0
"""How long a change may take to be in force everywhere."""
SECONDS_TO_ANSWER = 2.0
"""How long a replica that has nothing to wait for may take to say so."""
SECONDS_BETWEEN = 0.1
NOT_EVERYWHERE = "Not every replica of the token service answers as it should."

_TOLD = msgspec.json.Decoder(Annotated[list[ReplicaState], Meta(min_length=1)])
"""One answer; a replica of an earlier version may have several processes, and then all of them must be as they should be."""

log = structlog.get_logger()


class Replicas:
    """All addresses behind the token service's URLs, found anew for each question."""

    def __init__(self, urls: Sequence[str], authorize: Callable[[], Awaitable[str]], seconds: float = SECONDS) -> None:
        """`authorize` gives a token for `agentidp.domain.identity.propagation.AUDIENCE`. Needs a running event loop."""
        self._urls = urls
        self._authorize = authorize
        self._seconds = seconds
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def ready(self) -> None:
        """All of them answer now: to be asked before a change that could not be confirmed without them. Raises Unconfirmed."""
        await self._ask_all({"credential": "", "version": "0"}, min(self._seconds, SECONDS_TO_ANSWER))

    async def wait(self, credential: AgentCredential) -> None:
        """Until this version of the credential is in force everywhere. Raises Unconfirmed, or Overtaken."""
        meta = credential.metadata
        told = await self._ask_all({"credential": meta.uid, "version": meta.resource_version}, self._seconds)
        if not is_in_force(told, youngest_of(credential, time.time())):
            raise Superseded("The credential has changed again meanwhile.")

    async def _ask_all(self, params: dict[str, str], seconds: float) -> list[ReplicaState]:
        """What all of them tell, those included that are found while others are asked."""
        deadline = time.monotonic() + seconds
        told: dict[Replica, list[ReplicaState]] = {}
        found = await self._found()
        while missing := [one for one in found if one not in told]:
            answers = await asyncio.gather(*(self._ask(one, params, deadline) for one in missing))
            told |= {one: answer for one, answer in zip(missing, answers, strict=True) if answer is not None}
            silent = [one.url for one in missing if one not in told]
            if silent:
                log.warning("replicas of the token service do not confirm a change", replicas=silent)
                raise NotPropagated(NOT_EVERYWHERE, silent)
            found = await self._found()
        return [one for answer in told.values() for one in answer]

    async def _found(self) -> list[Replica]:
        try:
            found = await replicas_of(self._urls)
        except OSError as trouble:
            log.warning("the token service cannot be found", urls=self._urls, why=str(trouble))
            raise NotPropagated(NOT_EVERYWHERE, self._urls) from trouble
        return found

    async def _ask(self, replica: Replica, params: dict[str, str], deadline: float) -> list[ReplicaState] | None:
        """What a replica tells as soon as it is as it should be; None where the time was over before."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    told = await self._asked_once(replica, params, left)
            except (aiohttp.ClientError, OSError, ApiError, msgspec.DecodeError) as trouble:  # a TimeoutError is an OSError
                if is_refusal(trouble):
                    return []
                told = None
            if told is not None and all(one.caught_up or not one.serving for one in told):
                return told
            await asyncio.sleep(min(SECONDS_BETWEEN, max(0.0, deadline - time.monotonic())))
        return None

    async def _asked_once(self, replica: Replica, params: dict[str, str], seconds: float) -> list[ReplicaState] | None:
        headers = {"Authorization": f"Bearer {await self._authorize()}", "Host": replica.host}
        question = {**params, "seconds": f"{min(seconds, LONGEST_WAIT):.3f}"}
        async with self._session.get(replica.url + APPLIED_PATH, params=question, headers=headers) as response:
            body = await response.read()
            return _TOLD.decode(body) if response.status == HTTPStatus.OK else None


def is_refusal(trouble: Exception) -> bool:
    """Nothing listens there, so nothing is served there; whatever starts there later lists what is in force by then."""
    return isinstance(trouble, aiohttp.ClientConnectorError) and isinstance(trouble.os_error, ConnectionRefusedError)
