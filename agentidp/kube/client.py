"""Typed requests to one API server as one identity, and their retry after a conflict.

`agentidp.kube.config` finds the server and the identity, in a pod or from KUBECONFIG. Requests go through aiohttp as raw bytes,
which msgspec decodes many times faster than typed models do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Self, TypeVar

import aiohttp
import msgspec

from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.connection import Connection, failure_text
from agentidp.kube.deep_json import decoded_at_any_depth
from agentidp.kube.errors import Conflict, NotFound, TooLarge, Unreachable, error_from
from agentidp.kube.kinds import Kind, ObjectT

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
MAX_CONNECTIONS = 100
JSON = "application/json"
ACCEPTED = f"{JSON}, application/jwk-set+json"  # the second is the content type of the API server's key set
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

_decode_manifest = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

ResultT = TypeVar("ResultT")


class KubeClient:
    """Typed requests to one API server; every failure is an `ApiError`.

    `compressed` answers are for a distant API server. Within a cluster they cost more time than they save: the event loop
    serves nothing else while a page of a list is inflated.
    """

    def __init__(self, identity: ClientIdentity, field_manager: str, *, compressed: bool = False) -> None:
        self.identity = identity
        self.server = identity.config.server
        self._encoding = "gzip" if compressed and identity.config.compressed else "identity"
        self._writer = {"fieldManager": field_manager}
        self._connection = Connection(identity, MAX_CONNECTIONS)

    @classmethod
    async def connect(cls, field_manager: str) -> Self:
        """A client as the identity of the environment. `field_manager` names the writer in managed fields. Nothing is sent yet.

        Raises ConfigError.
        """
        return cls(ClientIdentity.of_environment(), field_manager)

    async def close(self) -> None:
        """Close all connections of the client."""
        await self._connection.close()

    async def get(self, kind: Kind[ObjectT], namespace: str, name: str) -> ObjectT:
        """Read one object. Raises NotFound."""
        return await decoded_at_any_depth(kind.decode, await self.request("GET", kind.path(namespace, name)))

    async def find(self, kind: Kind[ObjectT], namespace: str, name: str) -> ObjectT | None:
        """Read one object; None where there is none."""
        try:
            return await self.get(kind, namespace, name)
        except NotFound:
            return None

    async def create(self, kind: Kind[ObjectT], value: ObjectT) -> ObjectT:
        """Create the object and return it as stored. Raises Conflict where one of this name exists."""
        return await self.create_manifest(kind, value.metadata.namespace, kind.encode(value))

    async def create_manifest(
        self, kind: Kind[ObjectT], namespace: str, manifest: Mapping[str, Any], field_manager: str | None = None
    ) -> ObjectT:
        """Create an object from its manifest, which may have fields that no Struct here knows. Raises Conflict.

        `field_manager` is the writer in managed fields; without one, it is this client's.
        """
        writer = {"fieldManager": field_manager} if field_manager else self._writer
        body = await self.request("POST", kind.path(namespace), body=manifest, params=writer)
        return await decoded_at_any_depth(kind.decode, body)

    async def manifest(self, kind: Kind[ObjectT], namespace: str, name: str) -> dict[str, msgspec.Raw]:
        """One object with all its fields, undecoded but for the first level. Raises NotFound."""
        return await decoded_at_any_depth(_decode_manifest, await self.request("GET", kind.path(namespace, name)))

    async def replace_status(self, kind: Kind[ObjectT], value: ObjectT) -> ObjectT:
        """Replace the object's status. Raises Conflict where the object has changed since it was read.

        Nothing else is ever replaced: of what others write, a Struct holds only the fields that are read here (decision 43).
        """
        path = kind.path(value.metadata.namespace, value.metadata.name, "status")
        body = await self.request("PUT", path, body=kind.encode(value), params=self._writer)
        return await decoded_at_any_depth(kind.decode, body)

    async def patch(
        self, kind: Kind[ObjectT], namespace: str, name: str, patch: Mapping[str, Any], content_type: str = MERGE_PATCH
    ) -> ObjectT:
        """Merge `patch` into the object; no other field is touched, and None removes one.

        By RFC 7396 a list is replaced. With STRATEGIC_MERGE_PATCH, which only built-in kinds have, the owner references are
        merged by `uid`. Raises NotFound, and Conflict where `patch` names a `metadata.resourceVersion` that has passed.
        """
        path = kind.path(namespace, name)
        body = await self.request("PATCH", path, body=patch, params=self._writer, content_type=content_type)
        return await decoded_at_any_depth(kind.decode, body)

    async def delete(self, kind: Kind[ObjectT], value: ObjectT) -> None:
        """Delete exactly this version of this object. Raises Conflict where it has changed, NotFound where it is gone."""
        meta = value.metadata
        preconditions = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        await self.request("DELETE", kind.path(meta.namespace, meta.name), body=body)

    async def clock(self) -> datetime:
        """The time at the API server in whole seconds, which may differ from the clock of this machine."""
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
        max_bytes: int | None = None,
    ) -> bytes:
        """The body of a successful response. Raises TooLarge where it has more than `max_bytes`; then no more is read."""
        data = msgspec.json.encode(body) if body is not None else None
        options = {"data": data, "params": params, "content_type": content_type, "timeout": REQUEST_TIMEOUT}
        async with self._send(method, path, **options) as response:
            return await response.read() if max_bytes is None else await _read(response.content, max_bytes)

    @asynccontextmanager
    async def stream(self, path: str, params: Mapping[str, str], idle: float) -> AsyncIterator[aiohttp.StreamReader]:
        """The body of a watch as it arrives; more than `idle` seconds without a byte end it."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=idle)
        async with self._send("GET", path, params=params, timeout=timeout) as response:
            yield response.content

    @asynccontextmanager
    async def _send(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """A successful response, whose body is not read yet."""
        try:
            async with await self._request(method, path, **options) as response:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise error_from(response.status, await response.read())
                yield response
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            raise Unreachable(f"{method} {path}: {failure_text(error)}") from error

    async def _request(self, method: str, path: str, content_type: str = JSON, **options: Any) -> aiohttp.ClientResponse:
        url = self.server + path  # not urljoin: the URL of a server behind a gateway has a path
        headers = [("Accept", ACCEPTED), ("Accept-Encoding", self._encoding), ("Content-Type", content_type)]
        return await self._connection.request(method, url, headers, **options)


async def _read(body: aiohttp.StreamReader, max_bytes: int) -> bytes:
    parts, size = list[bytes](), 0
    async for part in body.iter_any():
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            raise TooLarge(f"the answer has more than {max_bytes} bytes")
    return b"".join(parts)


async def retry_on_conflict(
    attempt: Callable[[], Awaitable[ResultT]], max_attempts: int, pause_seconds: float = 0.0
) -> ResultT:
    """Return the result of the first attempt without Conflict, as client-go's `RetryOnConflict`. Raises the last Conflict.

    An attempt reads the object, decides on what it has read, and writes with its resourceVersion.
    """
    for _ in range(max_attempts - 1):
        try:
            return await attempt()
        except Conflict:
            await asyncio.sleep(pause_seconds)
    return await attempt()
