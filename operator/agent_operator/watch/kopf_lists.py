"""Bounds for what Kopf reads: lists and events of objects that tenants make deep or large.

Kopf decodes whole answers with `metadata.managedFields`. A RecursionError ends the operator, and a page of 500 objects of
1.5 MiB each exhausts its memory. So Kopf lists through `agentidp.kube.pager` (4 MiB at a time, a few objects in a chunk), and
gets of each object what the schemas bound: identity, spec and status. Kopf's copy of each object, which fails at a quarter of
the depth at which decoding fails, is switched off.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
import kopf
import msgspec
from kopf._cogs.clients import api, fetching
from msgspec import UNSET

from agentidp.kube.client import KubeClient
from agentidp.kube.deep_json import shallow
from agentidp.kube.errors import ApiError
from agentidp.kube.kinds import Kind
from agentidp.kube.pager import Pager

RETRY_SECONDS = 1.0

Body = dict[str, Any]

_api: Any = api
_fetching: Any = fetching


def read_through(cluster: KubeClient, kinds: Iterable[Kind[Any]]) -> None:
    """Replace Kopf's lists of these kinds, in this process, by lists of our client."""
    _api.json = SimpleNamespace(loads=loads)  # the one function that its watches call
    _fetching.fetch_objs = Lists(cluster, kinds).fetch_objs


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """The metadata that handlers and Kopf read; the operator sets no finalizers or annotations."""

    name: Any = UNSET
    namespace: Any = UNSET
    uid: Any = UNSET
    resource_version: Any = UNSET
    generation: Any = UNSET
    creation_timestamp: Any = UNSET
    deletion_timestamp: Any = UNSET


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    """An object with the fields that schemas bound, or the Status that ends a watch."""

    api_version: Any = UNSET
    kind: Any = UNSET
    metadata: _Metadata = _Metadata()
    spec: Any = UNSET
    status: Any = UNSET
    code: Any = UNSET
    reason: Any = UNSET
    message: Any = UNSET


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: _Body


_EVENT = msgspec.json.Decoder(_Event)
_BODY = msgspec.json.Decoder(_Body)


def loads(text: str) -> Any:
    """Decode a watch event without creating the fields that are left out; Kopf calls this synchronously."""
    try:
        event = _EVENT.decode(text)
    except RecursionError:
        event = _EVENT.decode(shallow(text.encode()))
    return msgspec.to_builtins(event)


@dataclass(frozen=True)
class Bodies:
    """A source for the pager: objects as Kopf reads them."""

    kind: Kind[Any]

    @property
    def plural(self) -> str:
        """As paths and logs write it."""
        return self.kind.plural

    def path(self, namespace: str = "") -> str:
        """The path of the collection."""
        return self.kind.path(namespace)

    def decode(self, body: bytes | msgspec.Raw) -> Body:
        """Decode an object, and add its kind, which lists omit."""
        found: Body = msgspec.to_builtins(_BODY.decode(body))
        return found | {"apiVersion": self.kind.api_version, "kind": self.kind.name}


class Lists:
    """Lists of the operator's kinds, for Kopf."""

    def __init__(self, cluster: KubeClient, kinds: Iterable[Kind[Any]], retry_seconds: float = RETRY_SECONDS) -> None:
        self._cluster = cluster
        self._retry_seconds = retry_seconds
        self._bodies = {kind.plural: Bodies(kind) for kind in kinds}

    async def fetch_objs(self, *, resource: Any, **_: Any) -> AsyncIterator[tuple[Collection[Body], str]]:
        """Yield objects in chunks, with the version of the list; errors become an error that Kopf retries."""
        listing = Pager(self._cluster, self._bodies[resource.plural])
        try:
            async for bodies in listing:
                yield bodies, str(listing.version)
        except (ApiError, msgspec.DecodeError) as error:
            await asyncio.sleep(self._retry_seconds)
            raise aiohttp.ClientConnectionError(str(error)) from error
        yield (), str(listing.version)


class NothingHandledLast(kopf.DiffBaseStorage):
    """Stores nothing: only change handlers, which the operator does not have, need the former object."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None) -> kopf.BodyEssence:  # noqa: ARG002 Kopf's
        """Return an empty essence of the object."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:  # noqa: ARG002 Kopf's
        """Return None, because nothing was stored."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Store nothing on the object."""
