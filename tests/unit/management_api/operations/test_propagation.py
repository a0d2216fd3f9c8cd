"""When a change counts as in force everywhere, and what is said when it does not. The replicas here are real sockets."""

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


async def test_it_is_in_force_when_all_say_so(stand: Stand) -> None:
    """Each was asked for the version that was written, with a token."""
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
async def test_a_replica_is_asked_until_it_confirms(which: str, stand: Stand) -> None:
    """In bounded time."""
    url, asked = await stand(LATE[which], [CAUGHT_UP])
    await wait([url])
    assert len(asked) == 2


@pytest.mark.parametrize("which", LATE)
async def test_a_replica_that_never_confirms_is_named(which: str, stand: Stand) -> None:
    """And nobody else."""
    slow, (good, _) = (await stand(LATE[which]))[0], await stand([CAUGHT_UP])
    with pytest.raises(PropagationFailure) as raised:
        await wait([good, slow], seconds=IMPATIENCE)
    assert raised.value.replicas == (slow,)


async def test_a_replica_that_hangs_is_named(stand: Stand, hanging: str) -> None:
    """It may be serving what it knew."""
    good, _ = await stand([CAUGHT_UP])
    with pytest.raises(PropagationFailure) as raised:
        await wait([good, hanging], seconds=IMPATIENCE)
    assert raised.value.replicas == (hanging,)


async def test_where_nothing_listens_nothing_is_served(stand: Stand, refusing: str) -> None:
    """What starts there later lists what is in force by then."""
    good, _ = await stand([CAUGHT_UP])
    await wait([good, refusing])


async def test_a_replica_that_gives_no_tokens_yet_is_not_waited_for(stand: Stand) -> None:
    """It has promised not to begin before this version."""
    starting, asked = await stand([NOT_LISTED])
    await wait([starting])
    assert len(asked) == 1


async def test_a_replica_that_comes_meanwhile_is_asked_as_well(stand: Stand) -> None:
    """Until no other is found."""
    (first, _), (second, asked) = await stand([CAUGHT_UP]), await stand([CAUGHT_UP])
    urls = [first]

    async def token_while_another_starts() -> str:
        urls.append(second)
        return await token()

    await Replicas(urls, token_while_another_starts, Limits()).require_ready()
    assert len(asked) == 1


async def test_a_secret_that_is_not_in_force_any_more_was_overtaken(stand: Stand) -> None:
    """By another change, which every replica may have before this one is asked for."""
    url, _ = await stand([replace(CAUGHT_UP, accepts=("0" * 16,))])
    with pytest.raises(SupersededChange):
        await wait([url])


async def test_a_revocation_is_in_force_when_nothing_is_accepted(stand: Stand) -> None:
    """And not while something is."""
    revoked = the_credential(state=CredentialState.REVOKED)
    (url, _), (accepting, _) = await stand([replace(CAUGHT_UP, accepts=())]), await stand([CAUGHT_UP])
    await wait([url], revoked)
    with pytest.raises(SupersededChange):
        await wait([url, accepting], revoked)


async def test_nobody_found_is_nobody_that_confirms() -> None:
    """A name server that is away must not look like a service without replicas."""
    with pytest.raises(PropagationFailure):
        await wait(["http://nobody.invalid"])


async def test_without_a_token_of_our_own_nobody_confirms(stand: Stand) -> None:
    """The API server makes it, and may be away."""
    url, asked = await stand([CAUGHT_UP])

    async def no_token() -> str:
        raise Unreachable("away")

    replicas = Replicas([url], no_token, Limits(propagation_seconds=IMPATIENCE))
    with pytest.raises(PropagationFailure):
        await replicas.require_ready()
    assert not asked


async def test_before_a_change_all_must_answer(stand: Stand, hanging: str) -> None:
    """So that what could not be confirmed is not begun. How far they are does not matter then."""
    url, _ = await stand([CAUGHT_UP])
    both, alone = Replicas([url, hanging], token, Limits()), Replicas([url], token, Limits())
    await alone.require_ready()
    with pytest.raises(PropagationFailure) as raised:
        await both.require_ready()
    assert raised.value.replicas == (hanging,)
