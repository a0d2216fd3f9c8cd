"""Kopf's event handlers: every change goes into the cluster cache, which enqueues requests. No policy lives here.

Raw event handlers leave no trace on objects: no finalizer, no annotation, no last-handled state. So nothing hangs when the
operator is away, and a restart over settled objects writes nothing.
"""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from typing import Any

import kopf
import msgspec
import structlog

from agent_operator.cache.cluster_cache import ClusterCache, Store
from agent_operator.watch.kopf_lists import NothingHandledLast, read_through
from agent_operator.watch.kopf_session import KOPF_CONNECTIONS, KopfSession
from agent_operator.watch.kopf_watches import RETRY_SECONDS, survive_errors
from agentidp.domain.resources import GROUP, VERSION, ObjectRef
from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.connection import Connection
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS, Kind, ObjectT

WATCH_SECONDS = 290
# Kopf's peers are not used. It would ask for the name of the user that it runs as, and a pod's user has a number only.
NO_PEER: Any = "agentidp-operator"

log = structlog.get_logger()


def registry(cache: ClusterCache, identity: ClientIdentity) -> kopf.OperatorRegistry:
    """Return handlers that put what Kopf reads, with this identity, into the cache."""
    handlers = kopf.OperatorRegistry()
    kopf.on.startup(registry=handlers)(configure)
    _log_in(handlers, identity)
    _feed(handlers, AGENTS, cache.agents)
    _feed(handlers, CREDENTIALS, cache.credentials)
    _feed(handlers, ORGANIZATIONS, cache.organizations)
    return handlers


def _feed(handlers: kopf.OperatorRegistry, kind: Kind[ObjectT], store: Store[ObjectT]) -> None:
    @kopf.on.event(GROUP, VERSION, kind.plural, id=f"see-{kind.plural}", registry=handlers)
    async def see(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 Kopf's name
        value = _read(kind, body) if type != "DELETED" else None
        if value is None:
            store.remove(msgspec.convert(dict(body["metadata"]), ObjectRef))
        else:
            store.put(value)


def _read(kind: Kind[ObjectT], body: kopf.Body) -> ObjectT | None:
    """Return the object, or None where it cannot be read."""
    try:
        return msgspec.convert(dict(body), kind.type)
    except msgspec.ValidationError as error:
        log.error(  # noqa: TRY400 its trace says nothing more
            "ignored an object that cannot be read",
            kind=kind.name,
            name=body.get("metadata", {}).get("name"),
            why=str(error),
        )
        return None


class EndlessBackoffs:
    """Seconds before each retry of a request, without end: when they run out, Kopf ends the operator.

    Kopf also retries after 403, which a starting API server answers until it has read its RBAC rules.
    """

    def __iter__(self) -> Iterator[float]:
        """Return new delays for each request."""
        return chain((0.2, 0.5, 1.0, 2.0), repeat(3.0))


async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Set what Kopf may do: watch without end, post no events, and leave no trace on objects."""
    settings.posting.enabled = False  # the operator records its own events; Kopf's repeat its log
    settings.scanning.disabled = True  # the kinds are known, and reading CRDs and namespaces would need more rights
    settings.watching.server_timeout = WATCH_SECONDS
    settings.watching.connect_timeout = 5
    settings.watching.inactivity_timeout = 100  # bookmarks come every minute
    settings.watching.reconnect_backoff = 0.2
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = EndlessBackoffs()
    settings.persistence.finalizer = f"{GROUP}/operator"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = NothingHandledLast()
    settings.queueing.idle_timeout = 0.5


def _log_in(handlers: kopf.OperatorRegistry, identity: ClientIdentity) -> None:
    """Give Kopf the identity of the process, which rereads its files.

    Kopf's own identity is read once, at its start; after a half-written file Kopf waits 60 s.
    """

    @kopf.on.login(registry=handlers)
    async def log_in(**_: Any) -> kopf.AiohttpSession:
        connection = Connection(identity, KOPF_CONNECTIONS)
        session: Any = KopfSession(connection)
        return kopf.AiohttpSession(server=connection.server, aiohttp_session=session)


async def run_kopf(
    cluster: KubeClient,
    handlers: kopf.OperatorRegistry,
    versions: Mapping[str, int] | None = None,
    retry_seconds: float = RETRY_SECONDS,
) -> None:
    """Watch until a signal stops it.

    `kopf.operator` is not used: at its end it waits 5 s for every task of the event loop, and cancels it.
    """
    read_through(cluster, (AGENTS, CREDENTIALS, ORGANIZATIONS), versions or {})
    survive_errors(retry_seconds)
    watching = await kopf.spawn_tasks(registry=handlers, identity=NO_PEER, standalone=True, clusterwide=True)
    try:
        ended, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in watching:
            task.cancel()
        await asyncio.wait(watching)
    for task in ended:
        await task  # raises what it has failed with
