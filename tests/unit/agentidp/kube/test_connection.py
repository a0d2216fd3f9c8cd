"""The connection to an API server: a 401 renews the credentials once, and failures have a reason."""

from pathlib import Path

import aiohttp
import pytest

from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.rest_config import KubeconfigSource
from agentidp.kube.connection import Connection, failure_text
from tests.support.kubeconfigs import Home, a_kubeconfig
from tests.support.odd_endpoints import answering


async def test_connection_tries_again_once_after_a_401(tmp_path: Path) -> None:
    """As client-go does with renewed credentials; then the 401 is the response."""
    with answering(401, "{}") as endpoint:
        file = Home(tmp_path).write(a_kubeconfig({"server": endpoint.url}, {"token": "t"}))
        connection = Connection(ClientIdentity(KubeconfigSource((file,))), 1)
        response = await connection.request("GET", endpoint.url, [])
        assert response.status == 401
        assert len(endpoint.asked) == 2
        response.release()
        await connection.close()
    assert connection.closed


async def test_connection_reads_a_watch_line_with_the_largest_object(tmp_path: Path) -> None:
    """What etcd takes has six times as many bytes as JSON; a watch must not end at it."""
    line = '{"type":"ADDED","object":"' + "x" * 12 * 2**20 + '"}\n'
    with answering(200, line) as endpoint:
        file = Home(tmp_path).write(a_kubeconfig({"server": endpoint.url}, {"token": "t"}))
        connection = Connection(ClientIdentity(KubeconfigSource((file,))), 1)
        response = await connection.request("GET", endpoint.url, [])
        assert await response.content.readline() == line.encode()
        response.release()
        await connection.close()


async def test_connection_failure_has_the_words_of_the_operating_system() -> None:
    """Nobody listens at this port."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as error:
            await session.get("http://127.0.0.1:1/")
    assert failure_text(error.value) == "Connection refused"
    assert failure_text(TimeoutError())
