"""HTTP to one API server as one identity: each request presents the credentials that the identity has then.

A request has the identity's TLS context. When an authority or a client certificate has changed, the next request makes a new
connection, and a running request, such as a watch, continues over the earlier one.
"""

import os
from http import HTTPStatus
from typing import Any

import aiohttp

from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.proxy import proxy_to

BUFFER_BYTES = 2**23
"""Bytes that are read ahead. A line of a watch may have twice as many: no object has more than 12 MiB (see `PageLimits`)."""


class Connection:
    """An HTTP client for the API server of this identity. `limit` bounds its connections; 0 is no bound."""

    def __init__(self, identity: ClientIdentity, limit: int) -> None:
        config = identity.config
        self.server = config.server
        self._identity = identity
        self._server_name = config.tls_server_name or None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limit),
            read_bufsize=BUFFER_BYTES,
            proxy=proxy_to(
                config.server, config.proxy, os.environ
            ),  # once: with `trust_env`, aiohttp looks in a thread each time
        )

    @property
    def closed(self) -> bool:
        """Whether no request can be made any more."""
        return self._session.closed

    async def close(self) -> None:
        """Close all connections to the server."""
        await self._session.close()

    async def request(self, method: str, url: str, headers: list[tuple[str, str]], **options: Any) -> aiohttp.ClientResponse:
        """The response, whatever its status. A 401 is tried once more with renewed credentials. Raises ConfigError."""
        response = await self._request(method, url, headers, options)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        response.release()
        self._identity.renew()
        return await self._request(method, url, headers, options)

    async def _request(
        self, method: str, url: str, headers: list[tuple[str, str]], options: dict[str, Any]
    ) -> aiohttp.ClientResponse:
        credentials = await self._identity.credentials()
        return await self._session.request(
            method,
            url,
            headers=[*headers, *credentials.headers],
            ssl=credentials.tls,
            server_hostname=self._server_name,
            **options,
        )


def failure_text(error: Exception) -> str:
    """The reason why a request failed, for people."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not accepted: {getattr(error.certificate_error, 'verify_message', 'it is not valid')}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "there is no TLS connection to it; is it a server with TLS, and is the client certificate one that it takes?"
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        return os.strerror(cause.errno) if cause.errno and cause.errno > 0 else str(cause.strerror)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection before it answered"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"it answered {error.status} {error.message}"
    return str(error) or ("no answer in time" if isinstance(error, TimeoutError) else "the connection broke")
