"""Propagation: when every replica counts as up to date, and which one fails. The replicas here are real sockets."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from agentidp.domain.identity.propagation import APPLIED_PATH, ReplicaState
from agentidp.domain.resources import AgentCredential, CredentialState
from agentidp.domain.secrets.last_used import fingerprint
from agentidp.kube.errors import Unreachable
from management_api.limits import Limits
from management_api.operations.propagation import PropagationFailure, Replicas, SupersededChange
from tests.support.token_services import HASH, the_credential

PATIENCE, IMPATIENCE = 30.0, 3.0
"""Timeouts in seconds: of a change that is confirmed in the end, and of one that never is."""
VERSION = "17"
CAUGHT_UP = ReplicaState(serving=True, caught_up=True, accepts=(fingerprint(HASH),))
BEHIND = replace(CAUGHT_UP, caught_up=False)
NOT_LISTED = ReplicaState(serving=False)

StartReplica = Callable[..., Any]


@pytest.fixture
async def start_replica() -> AsyncIterator[StartReplica]:
    """Starts a replica that answers with these states in turn, then with the last; returns its URL and its requests."""
    runners: list[web.AppRunner] = []

    async def start(*answers: list[ReplicaState] | int) -> tuple[str, list[web.Request]]:
        left, requests = list(answers), []

        async def respond(request: web.Request) -> web.Response:
            requests.append(request)
            answer = left.pop(0) if len(left) > 1 else left[0]
            return web.Response(status=answer) if isinstance(answer, int) else web.Response(body=msgspec.json.encode(answer))

        app = web.Application()
        app.router.add_get(APPLIED_PATH, respond)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runners[-1].addresses[0][1]}", requests

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def hanging() -> Iterator[str]:
    """The URL of a replica that accepts connections and never answers, like a stopped process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing() -> str:
    """The URL of a replica that has ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


async def token() -> str:
    """The token that is presented to replicas."""
    return "a-token"


async def wait(urls: Sequence[str], credential: AgentCredential | None = None, seconds: float = PATIENCE) -> None:
    """Wait for this credential."""
    written = credential or the_credential()
    replicas = Replicas(urls, token, Limits(propagation_seconds=seconds))
    await replicas.wait(replace(written, metadata=replace(written.metadata, resource_version=VERSION)))


async def test_propagation_ends_when_every_replica_confirms(start_replica: StartReplica) -> None:
    """Each is asked for the version that was written, with a token."""
    replicas = [await start_replica([CAUGHT_UP]) for _ in range(3)]
    await wait([url for url, _ in replicas])
    for _, requests in replicas:
        assert [request.query["version"] for request in requests] == [VERSION]
        assert [request.headers["Authorization"] for request in requests] == ["Bearer a-token"]


LATE: dict[str, list[ReplicaState] | int] = {
    "that is behind": [BEHIND],
    "of an earlier version, one of whose processes is behind": [CAUGHT_UP, BEHIND],
    "that answers for nobody": [],
    "that cannot say": 503,
}


@pytest.mark.parametrize("which", LATE)
async def test_propagation_asks_a_replica_until_it_confirms(which: str, start_replica: StartReplica) -> None:
    """Decision 15: one that is behind may catch up."""
    url, requests = await start_replica(LATE[which], [CAUGHT_UP])
    await wait([url])
    assert len(requests) == 2


@pytest.mark.parametrize("which", LATE)
async def test_propagation_failure_names_the_replica_that_never_confirms(which: str, start_replica: StartReplica) -> None:
    """And no other."""
    slow, (good, _) = (await start_replica(LATE[which]))[0], await start_replica([CAUGHT_UP])
    with pytest.raises(PropagationFailure) as raised:
        await wait([good, slow], seconds=IMPATIENCE)
    assert raised.value.replicas == (slow,)


async def test_propagation_failure_names_a_replica_that_hangs(start_replica: StartReplica, hanging: str) -> None:
    """It may go on with what it has."""
    good, _ = await start_replica([CAUGHT_UP])
    with pytest.raises(PropagationFailure) as raised:
        await wait([good, hanging], seconds=IMPATIENCE)
    assert raised.value.replicas == (hanging,)


async def test_propagation_does_not_wait_for_a_replica_that_refuses_connections(
    start_replica: StartReplica, refusing: str
) -> None:
    """Nothing is served there, and a replica that starts later lists what is in force."""
    good, _ = await start_replica([CAUGHT_UP])
    await wait([good, refusing])


async def test_propagation_does_not_wait_for_a_replica_that_has_not_listed_yet(start_replica: StartReplica) -> None:
    """It will not begin to serve before it has this version."""
    starting, requests = await start_replica([NOT_LISTED])
    await wait([starting])
    assert len(requests) == 1


async def test_propagation_asks_a_replica_that_comes_meanwhile(start_replica: StartReplica) -> None:
    """Until no more are found."""
    (first, _), (second, requests) = await start_replica([CAUGHT_UP]), await start_replica([CAUGHT_UP])
    urls = [first]

    async def token_while_another_starts() -> str:
        urls.append(second)
        return await token()

    await Replicas(urls, token_while_another_starts, Limits()).require_ready()
    assert len(requests) == 1


async def test_propagation_of_a_superseded_secret_fails(start_replica: StartReplica) -> None:
    """Every replica may have a later change before it is asked."""
    url, _ = await start_replica([replace(CAUGHT_UP, accepts=("0" * 16,))])
    with pytest.raises(SupersededChange):
        await wait([url])


async def test_propagation_of_a_revocation_needs_replicas_that_accept_nothing(start_replica: StartReplica) -> None:
    """A replica that accepts a hash has an older or a later state."""
    revoked = the_credential(state=CredentialState.REVOKED)
    (url, _), (accepting, _) = await start_replica([replace(CAUGHT_UP, accepts=())]), await start_replica([CAUGHT_UP])
    await wait([url], revoked)
    with pytest.raises(SupersededChange):
        await wait([url, accepting], revoked)


async def test_propagation_without_a_name_server_fails() -> None:
    """It must not look like a service without replicas."""
    with pytest.raises(PropagationFailure):
        await wait(["http://nobody.invalid"])


async def test_propagation_without_a_token_of_this_api_fails(start_replica: StartReplica) -> None:
    """The API server issues it, and may be away."""
    url, requests = await start_replica([CAUGHT_UP])

    async def no_token() -> str:
        raise Unreachable("away")

    replicas = Replicas([url], no_token, Limits(propagation_seconds=IMPATIENCE))
    with pytest.raises(PropagationFailure):
        await replicas.require_ready()
    assert not requests


async def test_change_needs_an_answer_of_every_replica_before_it_begins(start_replica: StartReplica, hanging: str) -> None:
    """Else it could not be confirmed. How far the replicas are does not matter then."""
    url, _ = await start_replica([CAUGHT_UP])
    both, alone = Replicas([url, hanging], token, Limits()), Replicas([url], token, Limits())
    await alone.require_ready()
    with pytest.raises(PropagationFailure) as raised:
        await both.require_ready()
    assert raised.value.replicas == (hanging,)
