"""Kopf's requests, over a connection that follows the files of its identity.

A session that Kopf makes itself keeps the authorities and the client certificate of its start for ever. This one has the part
of `aiohttp.ClientSession` that Kopf uses.
"""

from http import HTTPStatus
from typing import Any

import aiohttp

from agentidp.kube.connection import Connection
from agentidp.kube.errors import ConfigError

KOPF_CONNECTIONS = 0
"""Its watches must not wait for one another."""


class KopfSession:
    """The part of `aiohttp.ClientSession` that Kopf uses."""

    def __init__(self, connection: Connection) -> None:
        self.headers: dict[str, str] = {}
        self._connection = connection

    @property
    def closed(self) -> bool:
        """No request can be made any more."""
        return self._connection.closed

    async def request(
        self, method: str, url: str, headers: dict[str, str] | None = None, **options: Any
    ) -> aiohttp.ClientResponse:
        """Any answer but 401, which the connection has tried to mend already; Kopf then tries again after a pause."""
        try:
            answer = await self._connection.request(method, url, [*self.headers.items(), *(headers or {}).items()], **options)
        except ConfigError as error:
            raise aiohttp.ClientConnectionError(str(error)) from error
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        answer.release()
        raise aiohttp.ClientConnectionError("the API server does not accept the operator's identity")

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()
