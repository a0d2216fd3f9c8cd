"""Propagation: waits until a change has reached the operator, and then every replica of the token service.

Flows in: a credential that was written. It is published when the operator has copied the change to the status: the watch-fed
cluster cache shows that, and waiting for it costs the API server nothing. It is propagated when every replica of the token
service has applied that resource version. A watch promises no time, so each replica is asked over HTTP (`GET
/internal/applied`); replicas that are found while others answer are asked, too. Flows out: a return, or an exception that says
what is missing. Both waits are bounded, by the setting `confirm_seconds` and by `Limits.propagation_seconds`. Decision
15 says what counts as an answer, and what callers are told without one.
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

from agentidp.domain.identity.propagation import APPLIED_PATH, LONGEST_WAIT, ReplicaState, is_in_effect, youngest_of
from agentidp.domain.resources import AgentCredential, CredentialPhase
from agentidp.domain.resources.reasons import Reason
from agentidp.kube.errors import ApiError
from agentidp.runtime.replicas import Replica, replicas_of
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import CachedCredential, Status
from management_api.errors import ApiFailure, agent_not_active, already_revoked, forbidden, unavailable
from management_api.limits import Limits

NOT_EVERYWHERE = "Not every replica of the token service answers as it should."
AGENT_REASONS = {
    Reason.AGENT_SUSPENDED,
    Reason.AGENT_DECOMMISSIONED,
    Reason.AGENT_NOT_READY,
    Reason.AGENT_NOT_FOUND,
    Reason.AGENT_REPLACED,
}

_REPLICA_STATES = msgspec.json.Decoder(Annotated[list[ReplicaState], Meta(min_length=1)])
"""One answer. A replica of an earlier version may have several processes: each has an entry, and all must be caught up."""

log = structlog.get_logger()


class PublicationTimeout(Exception):
    """The operator did not publish the change in time."""


class PropagationFailure(Exception):
    """Not every replica confirmed the change in time. The message is for the caller, `replicas` for the log."""

    def __init__(self, message: str, replicas: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.replicas = tuple(replicas)


class SupersededChange(PropagationFailure):
    """Every replica answered, but a later change of the credential is in force."""


class Publication:
    """Waits until the operator has published a change, at most `seconds`."""

    def __init__(self, cache: ClusterCache, seconds: float) -> None:
        self._cache = cache
        self._seconds = seconds

    async def wait(self, credential_id: str, is_published: Callable[[CachedCredential], bool]) -> CachedCredential:
        """Return the credential once `is_published` holds. Raises PublicationTimeout, or ApiFailure where it never will."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        while True:
            credential = self._cache.credentials.table.get(credential_id)
            if credential is not None:
                if credential.status is Status.REVOKED:
                    raise already_revoked(credential_id)
                if is_published(credential):
                    return credential
                if credential.is_settled and credential.phase is not CredentialPhase.ACTIVE:
                    raise _publication_refusal(credential)
            if not await self._cache.changes.wait(credential_id, deadline - loop.time()):
                raise PublicationTimeout(f"The operator did not publish the change within {self._seconds:g} s.")


class Replicas:
    """All replicas of the token service: every address behind its URLs, resolved anew for each question."""

    def __init__(self, urls: Sequence[str], authorize: Callable[[], Awaitable[str]], limits: Limits) -> None:
        """`authorize` returns a token for `agentidp.domain.identity.propagation.AUDIENCE`."""
        self._urls = urls
        self._authorize = authorize
        self._limits = limits

    async def require_ready(self) -> None:
        """Return when every replica answers. Raises PropagationFailure: a change that cannot be confirmed must not begin."""
        seconds = min(self._limits.propagation_seconds, self._limits.replica_answer_seconds)
        await self._ask_all({"credential": "", "version": "0"}, seconds)

    async def wait(self, credential: AgentCredential) -> None:
        """Return when every replica has applied this version. Raises PropagationFailure or SupersededChange."""
        meta = credential.metadata
        question = {"credential": meta.uid, "version": meta.resource_version}
        states = await self._ask_all(question, self._limits.propagation_seconds)
        if not is_in_effect(states, youngest_of(credential, time.time())):
            raise SupersededChange("The credential has changed again meanwhile.")

    async def _ask_all(self, question: dict[str, str], seconds: float) -> list[ReplicaState]:
        """Ask until no replica is left that has not answered, those included that are found meanwhile."""
        deadline = time.monotonic() + seconds
        states: dict[Replica, list[ReplicaState]] = {}
        async with aiohttp.ClientSession() as session:
            while missing := [replica for replica in await self._resolve() if replica not in states]:
                answers = await asyncio.gather(*(self._ask(session, replica, question, deadline) for replica in missing))
                states |= {replica: answer for replica, answer in zip(missing, answers, strict=True) if answer is not None}
                silent = [replica.url for replica in missing if replica not in states]
                if silent:
                    log.warning("replicas of the token service do not confirm a change", replicas=silent)
                    raise PropagationFailure(NOT_EVERYWHERE, silent)
        return [state for answer in states.values() for state in answer]

    async def _resolve(self) -> list[Replica]:
        try:
            return await replicas_of(self._urls)
        except OSError as error:
            log.warning("the token service cannot be found", urls=self._urls, why=str(error))
            raise PropagationFailure(NOT_EVERYWHERE, self._urls) from error

    async def _ask(
        self, session: aiohttp.ClientSession, replica: Replica, question: dict[str, str], deadline: float
    ) -> list[ReplicaState] | None:
        """Ask one replica until it has caught up. Returns its states, or None at the deadline."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    states = await self._ask_once(session, replica, question, left)
            except (aiohttp.ClientError, OSError, ApiError, msgspec.DecodeError) as error:  # a TimeoutError is an OSError
                if is_refused_connection(error):
                    return []
                states = None
            if states is not None and all(state.caught_up or not state.serving for state in states):
                return states
            await asyncio.sleep(min(self._limits.replica_retry_seconds, max(0.0, deadline - time.monotonic())))
        return None

    async def _ask_once(
        self, session: aiohttp.ClientSession, replica: Replica, question: dict[str, str], seconds: float
    ) -> list[ReplicaState] | None:
        headers = {"Authorization": f"Bearer {await self._authorize()}", "Host": replica.host}
        params = {**question, "seconds": f"{min(seconds, LONGEST_WAIT):.3f}"}
        async with session.get(replica.url + APPLIED_PATH, params=params, headers=headers) as response:
            body = await response.read()
            return _REPLICA_STATES.decode(body) if response.status == HTTPStatus.OK else None


def is_refused_connection(error: Exception) -> bool:
    """Return whether nothing listens there, and so nothing is served. A replica that starts later lists what is in force."""
    return isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError)


def _publication_refusal(credential: CachedCredential) -> ApiFailure:
    """Return what the operator's reason for publishing no secret means to the caller."""
    if credential.reason in AGENT_REASONS:
        return agent_not_active("The agent is not active, so it gets no secret.")
    if credential.reason == Reason.SECRETS_NOT_ALLOWED:
        return forbidden("The agent takes no secrets: it has its workload's identity.")
    if credential.reason == Reason.CREDENTIAL_LIMIT_REACHED:
        return forbidden("The agent has as many credentials as it may have; revoke one first.")
    return unavailable(f"The operator does not publish the change: {credential.reason}. Nothing was done.")
