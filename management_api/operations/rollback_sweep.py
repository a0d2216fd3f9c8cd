"""Rolls back changes that nobody confirms any more: the process that made them has died, or could not reach the API server."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from agentidp.domain.resources import PendingChange
from agentidp.kube.errors import ApiError
from management_api.errors import ApiFailure
from management_api.operations.pending_changes import PendingChanges
from management_api.operations.rollback import is_abandoned

EVERY_SECONDS = 5.0

RollBack = Callable[[PendingChange], Awaitable[None]]
"""Rolls a change back, if it still stands. Raises Failure and ApiError."""

log = structlog.get_logger()


async def sweep(pending: PendingChanges, roll_back: RollBack, age: timedelta) -> None:
    """For ever: those that are older than any request lives."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            found = await pending.all()
        except ApiError as trouble:
            log.warning("pending changes could not be listed", why=str(trouble))
            continue
        await sweep_once(found, roll_back, datetime.now(UTC), age)


async def sweep_once(found: list[PendingChange], roll_back: RollBack, now: datetime, age: timedelta) -> None:
    """What is there now. Whatever is wrong with one of them harms no other."""
    for change in (one for one in found if is_abandoned(one, now, age)):
        about = {"credential": f"{change.spec.credential.namespace}/{change.spec.credential.name}"}
        try:
            await roll_back(change)
        except (ApiError, ApiFailure) as trouble:
            log.warning("a change could not be rolled back yet", **about, why=str(trouble))
        except Exception as fault:  # noqa: BLE001 one that cannot be rolled back must not end the process, nor get into the log
            log.error("a change cannot be rolled back", **about, error=type(fault).__name__)  # noqa: TRY400
