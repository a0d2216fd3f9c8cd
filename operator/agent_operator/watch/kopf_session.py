"""Kopf's requests, over a connection that rereads the files of its identity.

A session of Kopf keeps the CA and the client certificate of its start. This session has the part of `aiohttp.ClientSession`
that Kopf uses.
"""

from http import HTTPStatus
from typing import Any

import aiohttp

from agentidp.kube.connection import Connection
from agentidp.kube.errors import ConfigError

KOPF_CONNECTIONS = 0
"""No limit: a watch must not wait for another watch."""


class KopfSession:
    """The part of `aiohttp.ClientSession` that Kopf uses."""

    def __init__(self, connection: Connection) -> None:
        self.headers: dict[str, str] = {}
        self._connection = connection

    @property
    def closed(self) -> bool:
        """Whether no further request can be made."""
        return self._connection.closed

    async def request(
        self, method: str, url: str, headers: dict[str, str] | None = None, **options: Any
    ) -> aiohttp.ClientResponse:
        """Return any answer but 401, after which Kopf retries: the connection has reread the identity already."""
        try:
            answer = await self._connection.request(method, url, [*self.headers.items(), *(headers or {}).items()], **options)
        except ConfigError as error:
            raise aiohttp.ClientConnectionError(str(error)) from error
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        answer.release()
        raise aiohttp.ClientConnectionError("the API server does not accept the operator's identity")

    async def close(self) -> None:
        """Close all connections to the server."""
        await self._connection.close()
