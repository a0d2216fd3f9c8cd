"""The client of an API server: requests over HTTP, and errors as exceptions. Writes run in `integration/operator`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentidp.kube.client import KubeClient, retry_on_conflict
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.rest_config import KubeconfigSource
from agentidp.kube.errors import Conflict, NotFound, TooLarge, Unreachable
from agentidp.kube.kinds import AGENTS
from tests.support.kubeconfigs import Home, a_kubeconfig
from tests.support.object_server import serving
from tests.support.worlds import an_agent

AGENT = an_agent()


def client(url: str, tmp_path: Path) -> KubeClient:
    """A client of the server at this URL."""
    file = Home(tmp_path).write(a_kubeconfig({"server": url}, {"token": "t"}))
    return KubeClient(ClientIdentity(KubeconfigSource((file,))), "test")


@pytest.fixture
async def kube(tmp_path: Path) -> AsyncIterator[KubeClient]:
    """A client of a server that has one agent."""
    with serving(AGENT) as url:
        connected = client(url, tmp_path)
        yield connected
        await connected.close()


async def test_client_reads_an_object(kube: KubeClient) -> None:
    """`find` returns None where `get` raises NotFound."""
    assert await kube.get(AGENTS, *AGENT.key) == AGENT
    assert await kube.find(AGENTS, "talent", "nobody") is None
    with pytest.raises(NotFound):
        await kube.get(AGENTS, "talent", "nobody")


async def test_client_reads_no_more_than_it_is_given(kube: KubeClient) -> None:
    """A larger body is not read to its end."""
    path = AGENTS.path(*AGENT.key)
    body = await kube.request("GET", path)
    assert await kube.request("GET", path, max_bytes=len(body)) == body
    with pytest.raises(TooLarge):
        await kube.request("GET", path, max_bytes=len(body) - 1)


async def test_client_of_a_server_that_is_down_says_so(tmp_path: Path) -> None:
    """The error has the request."""
    with serving() as url:
        gone = client(url, tmp_path)
    with pytest.raises(Unreachable, match="GET /apis"):
        await gone.get(AGENTS, *AGENT.key)
    await gone.close()


CONFLICT = Conflict(409, "Conflict", "changed")


@pytest.mark.parametrize(("conflicts", "attempts"), [(0, 1), (2, 3)])
async def test_retry_on_conflict_returns_the_first_success(conflicts: int, attempts: int) -> None:
    """After one attempt more than there were conflicts."""
    outcomes: list[Exception | str] = [*([CONFLICT] * conflicts), "done"]
    made = 0

    async def attempt() -> str:
        nonlocal made
        made += 1
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert await retry_on_conflict(attempt, max_attempts=3) == "done"
    assert made == attempts


@pytest.mark.parametrize(("error", "attempts"), [(CONFLICT, 3), (NotFound(404, "NotFound", "gone"), 1)])
async def test_retry_on_conflict_raises_the_last_conflict_and_any_other_error_at_once(error: Exception, attempts: int) -> None:
    """As `RetryOnConflict` of client-go."""
    made = 0

    async def attempt() -> None:
        nonlocal made
        made += 1
        raise error

    with pytest.raises(type(error)):
        await retry_on_conflict(attempt, max_attempts=3)
    assert made == attempts
