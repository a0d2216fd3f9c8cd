"""Let Kopf list again after any error of a watch, as client-go's reflector does.

Kopf lists again after 410 alone: any other error of a watch ends all watches, and the operator with them. A watch is answered
with 404 while somebody deletes a kind and declares it anew, and it may report an error of etcd. Decision 50.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
from kopf._cogs.clients import errors, watching

RETRY_SECONDS = 1.0
ERROR = "ERROR"
EXPIRED = {"type": ERROR, "object": {"code": 410}}
"""The event after which Kopf lists again."""

Event = dict[str, Any]
Watch = Callable[..., AsyncIterator[Event]]

log = structlog.get_logger()

_watching: Any = watching
_watch_of_kopf: Watch = _watching.watch_objs


def survive_errors(retry_seconds: float) -> None:
    """From now on, in this process: Kopf's watches end with a list, whatever the API server answers."""
    _watching.watch_objs = Watches(_watch_of_kopf, retry_seconds).watch_objs


class Watches:
    """Kopf's watches; an error becomes the event after which Kopf lists again, a pause later."""

    def __init__(self, watch: Watch, retry_seconds: float) -> None:
        self._watch = watch
        self._retry_seconds = retry_seconds

    async def watch_objs(self, *, resource: Any, **options: Any) -> AsyncIterator[Event]:
        """As Kopf's own: the events of one watch. None of them ends the operator."""
        try:
            async for event in self._watch(resource=resource, **options):
                yield event if event["type"] != ERROR else await self._expired(resource, event["object"])
        except errors.APIError as refusal:
            yield await self._expired(resource, refusal)

    async def _expired(self, resource: Any, why: object) -> Event:
        log.warning("a watch ended with an error, listing again", kind=resource.plural, why=str(why))
        await asyncio.sleep(self._retry_seconds)
        return EXPIRED
