"""Back-off for statuses that another writer reverts: each rewrite waits longer, as for Secrets.

Flows in: each status before it is written. Flows out: `LeftAlone` where it must wait. A status that differs from the one that
this process wrote last was reverted by another writer. Bounded: a digest of each of the last `max_objects` statuses.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import structlog

from agent_operator.clock import now
from agent_operator.limits import LIMITS
from agentidp.domain.lifecycle.repair_backoff import current_window, is_conflict, next_repair_at, with_repair
from agentidp.domain.resources import Agent, AgentCredential, Organization, Reissues
from agentidp.kube.errors import ApiError
from agentidp.runtime.bounded_cache import BoundedCache

Stated = Agent | AgentCredential | Organization

log = structlog.get_logger()


class LeftAlone(ApiError):
    """Another writer reverts this status, so it is not written before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(0, "StatusContested", f"something else keeps changing this status: left alone until {until:%H:%M:%S}Z")
        self.until = until


class StatusRecord(NamedTuple):
    """Digest and generation of the status that was written last, and the count of repairs."""

    digest: bytes
    generation: int
    mended: Reissues | None


class StatusBackoff:
    """The status that was written last, by uid."""

    def __init__(self, clock: Callable[[], datetime] = now, max_objects: int = LIMITS.max_status_records) -> None:
        self._clock = clock
        self._written: BoundedCache[str, StatusRecord] = BoundedCache(max_objects)

    def require(self, current: Stated) -> None:
        """Raise LeftAlone where this object's status was reverted too often to be written now."""
        lately = self._recent_repairs(current)
        if lately and self._clock() < (until := next_repair_at(lately)):
            raise LeftAlone(until)

    def written(self, before: Stated, after: Stated) -> None:
        """Record that the status of `after` was written over the status of `before`."""
        lately = self._recent_repairs(before)
        mended = with_repair(lately) if lately else self._count_of(before)
        if lately and mended and is_conflict(mended):
            log.warning("something else keeps changing a status", name=str(after.key), until=str(next_repair_at(mended)))
        self._written.put(after.metadata.uid, StatusRecord(_digest(after), after.metadata.generation, mended))

    def forget(self, one: Stated) -> None:
        """Drop the record of an object whose last write may not have been carried out."""
        self._written.discard(one.metadata.uid)

    def _recent_repairs(self, current: Stated) -> Reissues | None:
        """Return the repairs in this window, if the status was reverted."""
        last = self._written.get(current.metadata.uid)
        if last is None or last.digest == _digest(current):
            return None
        return current_window(self._count_of(current), self._clock())

    def _count_of(self, current: Stated) -> Reissues | None:
        """Return the count of repairs; a new generation starts a new count."""
        last = self._written.get(current.metadata.uid)
        return last.mended if last and last.generation == current.metadata.generation else None


def _digest(one: Stated) -> bytes:
    return blake2b(msgspec.json.encode(one.status), digest_size=16).digest()
