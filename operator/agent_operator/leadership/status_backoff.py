"""Backoff of statuses that another writer reverts: each repair waits longer (`agentidp.domain.lifecycle.repair_backoff`).

Flows in: each status that was written. One that is to be written again, and is not what this process wrote last, was undone by
somebody: a second operator, or whoever may write statuses. Bounded: of the statuses that were written last, a digest is kept.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import structlog

from agent_operator.clock import now
from agentidp.domain.lifecycle.repair_backoff import current_window, is_conflict, next_repair_at, with_repair
from agentidp.domain.resources import Agent, AgentCredential, Organization, Reissues
from agentidp.kube.errors import ApiError
from agentidp.runtime.bounded_cache import BoundedCache

MAX_OBJECTS = 10_000

Stated = Agent | AgentCredential | Organization

log = structlog.get_logger()


class LeftAlone(ApiError):
    """Another writer undoes this status: it is not written before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(0, "StatusContested", f"something else keeps changing this status: left alone until {until:%H:%M:%S}Z")
        self.until = until


class Written(NamedTuple):
    """The status that was written last, for which generation, and how often it has replaced another writer's."""

    digest: bytes
    generation: int
    mended: Reissues | None


class StatusContest:
    """Remembers by uid what was written last."""

    def __init__(self, clock: Callable[[], datetime] = now, max_objects: int = MAX_OBJECTS) -> None:
        self._clock = clock
        self._written: BoundedCache[str, Written] = BoundedCache(max_objects)

    def require(self, current: Stated) -> None:
        """Raises LeftAlone where this object's status was undone too often to be written now."""
        lately = self._mended_lately(current)
        if lately and self._clock() < (until := next_repair_at(lately)):
            raise LeftAlone(until)

    def written(self, before: Stated, after: Stated) -> None:
        """This status was written in the place of that one."""
        lately = self._mended_lately(before)
        mended = with_repair(lately) if lately else self._count_of(before)
        if lately and mended and is_conflict(mended):
            log.warning("something else keeps changing a status", name=str(after.key), until=str(next_repair_at(mended)))
        self._written.put(after.metadata.uid, Written(_digest(after), after.metadata.generation, mended))

    def forget(self, one: Stated) -> None:
        """Whether the last write was carried out is not known."""
        self._written.discard(one.metadata.uid)

    def _mended_lately(self, current: Stated) -> Reissues | None:
        """How often in this window, if the status was undone."""
        last = self._written.get(current.metadata.uid)
        if last is None or last.digest == _digest(current):
            return None
        return current_window(self._count_of(current), self._clock())

    def _count_of(self, current: Stated) -> Reissues | None:
        """A new spec begins a new count."""
        last = self._written.get(current.metadata.uid)
        return last.mended if last and last.generation == current.metadata.generation else None


def _digest(one: Stated) -> bytes:
    return blake2b(msgspec.json.encode(one.status), digest_size=16).digest()
