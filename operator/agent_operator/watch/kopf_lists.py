"""Bounds for what Kopf reads: lists and events of objects that tenants make deep or large.

Kopf decodes whole answers with `metadata.managedFields`. A RecursionError ends the operator, and a page of 500 objects of
1.5 MiB each exhausts its memory. So Kopf lists through `agentidp.kube.pager` (4 MiB or one object at a time, a few objects in
a chunk), and gets of each object what the schemas bound: identity, spec and status. Kopf's copy of each object, which fails at
a quarter of the depth at which decoding fails, is switched off.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import aiohttp
import kopf
import msgspec
from kopf._cogs.clients import api, fetching, scanning
from kopf._cogs.structs import references
from msgspec import UNSET

from agentidp.kube.client import KubeClient
from agentidp.kube.deep_json import shallow
from agentidp.kube.errors import ApiError
from agentidp.kube.kinds import Kind
from agentidp.kube.pager import Pager

RETRY_SECONDS = 1.0

VERBS = frozenset({"list", "watch"})
"""What Kopf must be able to do with a kind."""

Body = dict[str, Any]

_api: Any = api
_fetching: Any = fetching
_scanning: Any = scanning
_scan_of_kopf = scanning.scan_resources


def read_through(cluster: KubeClient, kinds: Iterable[Kind[Any]], versions: Mapping[str, int]) -> None:
    """Replace Kopf's lists of these kinds, in this process, by lists of our client; see `Lists`."""
    _api.json = SimpleNamespace(loads=loads)  # the one function that its watches call
    _fetching.fetch_objs = Lists(cluster, kinds, versions).fetch_objs
    _scanning.scan_resources = partial(served, tuple(kinds))


async def served(kinds: Iterable[Kind[Any]], **options: Any) -> set[references.Resource]:
    """These kinds, and namespaces, which Kopf waits for.

    Kopf asks the API server once, and never watches a kind that it does not name. A kind that was declared a moment ago can be
    listed before it is named. Kopf's question is asked all the same: its other tasks begin meanwhile to wait for this.
    """
    await _scan_of_kopf(**options)
    ours = ((kind.group, kind.version, kind.plural) for kind in kinds)
    return {references.Resource(*names, preferred=True, verbs=VERBS) for names in (*ours, ("", "v1", "namespaces"))}


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
    """Lists of the operator's kinds, for Kopf. A kind with one of `versions` is watched from there, and not listed again."""

    def __init__(
        self,
        cluster: KubeClient,
        kinds: Iterable[Kind[Any]],
        versions: Mapping[str, int],
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._versions = dict(versions)
        self._retry_seconds = retry_seconds
        self._bodies = {kind.plural: Bodies(kind) for kind in kinds}

    async def fetch_objs(self, *, resource: Any, **_: Any) -> AsyncIterator[tuple[Collection[Body], str]]:
        """Yield objects in chunks, with the version of the list; errors become an error that Kopf retries."""
        if version := self._versions.pop(resource.plural, 0):
            yield (), str(version)
            return
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
