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
"""Seconds: for what comes in the end, and for what never does while others answer within it."""
VERSION = "17"
CAUGHT_UP = ReplicaState(serving=True, caught_up=True, accepts=(fingerprint(HASH),))
BEHIND = replace(CAUGHT_UP, caught_up=False)
NOT_LISTED = ReplicaState(serving=False)

Stand = Callable[..., Any]


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    """Starts a replica that answers with these lists, the last of them again and again; gives its URL and what it was asked."""
    runners: list[web.AppRunner] = []

    async def start(*answers: list[ReplicaState] | int) -> tuple[str, list[web.Request]]:
        left, asked = list(answers), []

        async def tell(request: web.Request) -> web.Response:
            asked.append(request)
            answer = left.pop(0) if len(left) > 1 else left[0]
            return web.Response(status=answer) if isinstance(answer, int) else web.Response(body=msgspec.json.encode(answer))

        app = web.Application()
        app.router.add_get(APPLIED_PATH, tell)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runners[-1].addresses[0][1]}", asked

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def hanging() -> Iterator[str]:
    """The URL of a replica that takes connections and says nothing, as one that was stopped."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing() -> str:
    """The URL of a replica that has ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


async def token() -> str:
    """What replicas are shown."""
    return "a-token"


async def wait(urls: Sequence[str], credential: AgentCredential | None = None, seconds: float = PATIENCE) -> None:
    """Wait for this credential."""
    written = credential or the_credential()
    replicas = Replicas(urls, token, Limits(propagation_seconds=seconds))
    await replicas.wait(replace(written, metadata=replace(written.metadata, resource_version=VERSION)))


async def test_propagation_ends_when_every_replica_confirms(stand: Stand) -> None:
    """Each is asked for the version that was written, with a token."""
    replicas = [await stand([CAUGHT_UP]) for _ in range(3)]
    await wait([url for url, _ in replicas])
    for _, asked in replicas:
        assert [one.query["version"] for one in asked] == [VERSION]
        assert [one.headers["Authorization"] for one in asked] == ["Bearer a-token"]


LATE: dict[str, list[ReplicaState] | int] = {
    "that is behind": [BEHIND],
    "of an earlier version, one of whose processes is behind": [CAUGHT_UP, BEHIND],
    "that answers for nobody": [],
    "that cannot say": 503,
}


@pytest.mark.parametrize("which", LATE)
async def test_propagation_asks_a_replica_until_it_confirms(which: str, stand: Stand) -> None:
    """Decision 15: one that is behind may catch up."""
    url, asked = await stand(LATE[which], [CAUGHT_UP])
    await wait([url])
    assert len(asked) == 2


@pytest.mark.parametrize("which", LATE)
async def test_propagation_failure_names_the_replica_that_never_confirms(which: str, stand: Stand) -> None:
    """And no other."""
    slow, (good, _) = (await stand(LATE[which]))[0], await stand([CAUGHT_UP])
    with pytest.raises(PropagationFailure) as raised:
        await wait([good, slow], seconds=IMPATIENCE)
    assert raised.value.replicas == (slow,)


async def test_propagation_failure_names_a_replica_that_hangs(stand: Stand, hanging: str) -> None:
    """It may go on with what it has."""
    good, _ = await stand([CAUGHT_UP])
    with pytest.raises(PropagationFailure) as raised:
        await wait([good, hanging], seconds=IMPATIENCE)
    assert raised.value.replicas == (hanging,)


async def test_propagation_does_not_wait_for_a_replica_that_refuses_connections(stand: Stand, refusing: str) -> None:
    """Nothing is served there, and a replica that starts later lists what is in force."""
    good, _ = await stand([CAUGHT_UP])
    await wait([good, refusing])


async def test_propagation_does_not_wait_for_a_replica_that_has_not_listed_yet(stand: Stand) -> None:
    """It will not begin to serve before it has this version."""
    starting, asked = await stand([NOT_LISTED])
    await wait([starting])
    assert len(asked) == 1


async def test_propagation_asks_a_replica_that_comes_meanwhile(stand: Stand) -> None:
    """Until no more are found."""
    (first, _), (second, asked) = await stand([CAUGHT_UP]), await stand([CAUGHT_UP])
    urls = [first]

    async def token_while_another_starts() -> str:
        urls.append(second)
        return await token()

    await Replicas(urls, token_while_another_starts, Limits()).require_ready()
    assert len(asked) == 1


async def test_propagation_of_a_superseded_secret_fails(stand: Stand) -> None:
    """Every replica may have a later change before it is asked."""
    url, _ = await stand([replace(CAUGHT_UP, accepts=("0" * 16,))])
    with pytest.raises(SupersededChange):
        await wait([url])


async def test_propagation_of_a_revocation_needs_replicas_that_accept_nothing(stand: Stand) -> None:
    """A replica that accepts a hash has an older or a later state."""
    revoked = the_credential(state=CredentialState.REVOKED)
    (url, _), (accepting, _) = await stand([replace(CAUGHT_UP, accepts=())]), await stand([CAUGHT_UP])
    await wait([url], revoked)
    with pytest.raises(SupersededChange):
        await wait([url, accepting], revoked)


async def test_propagation_without_a_name_server_fails() -> None:
    """It must not look like a service without replicas."""
    with pytest.raises(PropagationFailure):
        await wait(["http://nobody.invalid"])


async def test_propagation_without_a_token_of_this_api_fails(stand: Stand) -> None:
    """The API server issues it, and may be away."""
    url, asked = await stand([CAUGHT_UP])

    async def no_token() -> str:
        raise Unreachable("away")

    replicas = Replicas([url], no_token, Limits(propagation_seconds=IMPATIENCE))
    with pytest.raises(PropagationFailure):
        await replicas.require_ready()
    assert not asked


async def test_change_needs_an_answer_of_every_replica_before_it_begins(stand: Stand, hanging: str) -> None:
    """Else it could not be confirmed. How far the replicas are does not matter then."""
    url, _ = await stand([CAUGHT_UP])
    both, alone = Replicas([url, hanging], token, Limits()), Replicas([url], token, Limits())
    await alone.require_ready()
    with pytest.raises(PropagationFailure) as raised:
        await both.require_ready()
    assert raised.value.replicas == (hanging,)
