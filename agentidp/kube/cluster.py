"""A connection to one API server as one identity.

The Kubernetes client finds the server and the identity (in a pod, or from KUBECONFIG); requests go through aiohttp with raw
bytes, because its typed models are many times slower than msgspec and its debug log shows bodies.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from kubernetes.aio import config
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from agentidp.kube.depth import decoded_at_any_depth
from agentidp.kube.errors import NotFound, TooLarge, Unreachable, error_from
from agentidp.kube.kinds import Kind, ObjectT

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
CONNECTIONS = 100
JSON = "application/json"
ACCEPTED = f"{JSON}, application/jwk-set+json"  # the second is how the API server writes its keys, and nothing else
MERGE_PATCH = "application/merge-patch+json"

ReadConfiguration = Callable[[], Awaitable[Configuration]]
"""Finds server and identity; asked again where the API server no longer takes the identity."""


async def configuration() -> Configuration:
    """Server and identity: from KUBECONFIG if it is set, else the pod's own ServiceAccount."""
    found = Configuration()
    if file := os.environ.get("KUBECONFIG"):
        await config.load_kube_config(file, client_configuration=found, persist_config=False)  # type: ignore[no-untyped-call]
    else:
        config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]
    return found


def proxy_to(found: Configuration) -> str | None:
    """The proxy that the kubeconfig names, else the environment's for this server, which NO_PROXY may exempt.

    Looked up once: aiohttp's `trust_env` does it for every request, in a thread, which costs more than the request itself.
    """
    server = urlsplit(str(found.host))
    if found.proxy or not server.hostname or proxy_bypass(server.hostname):
        return found.proxy or None
    return getproxies().get(server.scheme)


class Cluster:
    """Typed requests to one API server; every failure is an `ApiError`.

    `compressed` answers are for who is far away. Within a cluster they cost more time than they save: a page of a list is
    inflated at a stretch, during which an event loop serves nobody.
    """

    def __init__(
        self,
        found: Configuration,
        field_manager: str,
        read: ReadConfiguration = configuration,
        *,
        compressed: bool = False,
    ) -> None:
        self.server = str(found.host)
        self._encoding = "gzip" if compressed else "identity"
        self._configuration = found
        self._read_configuration = read
        self._writer = {"fieldManager": field_manager}
        tls = RESTClientObject(found).ssl_context
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=tls)
        self._session = aiohttp.ClientSession(connector=connector, read_bufsize=2**23, proxy=proxy_to(found))

    @classmethod
    async def connect(cls, field_manager: str) -> Self:
        """As whom the environment says; `field_manager` names the writer in managed fields. Nothing is sent yet."""
        return cls(await configuration(), field_manager)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def get(self, kind: Kind[ObjectT], namespace: str, name: str) -> ObjectT:
        """One object. Raises NotFound."""
        return await decoded_at_any_depth(kind.decode, await self.request("GET", kind.path(namespace, name)))

    async def find(self, kind: Kind[ObjectT], namespace: str, name: str) -> ObjectT | None:
        """One object, or None where there is none."""
        try:
            return await self.get(kind, namespace, name)
        except NotFound:
            return None

    async def create(self, kind: Kind[ObjectT], value: ObjectT) -> ObjectT:
        """Create the object and return it as stored. Raises Conflict where one of this name exists."""
        path = kind.path(value.metadata.namespace)
        body = await self.request("POST", path, body=kind.encode(value), params=self._writer)
        return await decoded_at_any_depth(kind.decode, body)

    async def replace(self, kind: Kind[ObjectT], value: ObjectT, subresource: str = "") -> ObjectT:
        """Replace the object, or only its `subresource`. Raises Conflict where it has changed since it was read."""
        path = kind.path(value.metadata.namespace, value.metadata.name, subresource)
        body = await self.request("PUT", path, body=kind.encode(value), params=self._writer)
        return await decoded_at_any_depth(kind.decode, body)

    async def patch(
        self, kind: Kind[ObjectT], namespace: str, name: str, change: Mapping[str, Any], subresource: str = ""
    ) -> ObjectT:
        """Merge `change` into the object (RFC 7396); no other field is touched, and None removes one.

        Raises NotFound, and Conflict where `change` names a `metadata.resourceVersion` that the object no longer has.
        """
        path = kind.path(namespace, name, subresource)
        body = await self.request("PATCH", path, body=change, params=self._writer, content_type=MERGE_PATCH)
        return await decoded_at_any_depth(kind.decode, body)

    async def delete(self, kind: Kind[ObjectT], value: ObjectT) -> None:
        """Delete exactly this version of this object. Raises Conflict where it has changed, NotFound where it is gone."""
        meta = value.metadata
        preconditions = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        await self.request("DELETE", kind.path(meta.namespace, meta.name), body=body)

    async def clock(self) -> datetime:
        """The time at the API server, to the second: its machine's clock may not be this one's."""
        async with self._send("GET", "/version", timeout=REQUEST_TIMEOUT) as response:
            return parsedate_to_datetime(response.headers["Date"])

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        content_type: str = JSON,
        most: int | None = None,
    ) -> bytes:
        """The body of a successful answer. Raises TooLarge where it has more than `most` bytes; then no more is read."""
        data = msgspec.json.encode(body) if body is not None else None
        options = {"data": data, "params": params, "content_type": content_type, "timeout": REQUEST_TIMEOUT}
        async with self._send(method, path, **options) as response:
            return await response.read() if most is None else await _read(response.content, most)

    @asynccontextmanager
    async def stream(self, path: str, params: Mapping[str, str], idle: float) -> AsyncIterator[aiohttp.StreamReader]:
        """The body of a long answer as it comes; more than `idle` seconds without a byte end it."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=idle)
        async with self._send("GET", path, params=params, timeout=timeout) as response:
            yield response.content

    @asynccontextmanager
    async def _send(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """A successful answer, its body not read yet."""
        try:
            async with await self._answer(method, path, **options) as response:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise error_from(response.status, await response.read())
                yield response
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            raise Unreachable(f"{method} {path}: {type(error).__name__}: {error}") from error

    async def _answer(self, method: str, path: str, **options: Any) -> aiohttp.ClientResponse:
        """Any answer; the identity is read anew, once, where the API server no longer takes the one at hand."""
        response = await self._ask(method, path, **options)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        response.release()
        self._configuration = await self._read_configuration()
        return await self._ask(method, path, **options)

    async def _ask(self, method: str, path: str, content_type: str = JSON, **options: Any) -> aiohttp.ClientResponse:
        url = self.server + path  # joined like this because a server behind a gateway has a path of its own
        name = self._configuration.tls_server_name
        return await self._session.request(
            method, url, headers=await self._headers(content_type), server_hostname=name, **options
        )

    async def _headers(self, content_type: str) -> dict[str, str]:
        token = await self._configuration.get_api_key_with_prefix("BearerToken")
        headers = {"Accept": ACCEPTED, "Accept-Encoding": self._encoding, "Content-Type": content_type}
        return headers | {"Authorization": token} if token else headers


async def _read(body: aiohttp.StreamReader, most: int) -> bytes:
    parts, size = list[bytes](), 0
    async for part in body.iter_any():
        parts.append(part)
        size += len(part)
        if size > most:
            raise TooLarge(f"the answer has more than {most} bytes")
    return b"".join(parts)
