"""Undoes changes that nobody confirms any more: the process that made them has died, or could not reach the API server."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from agentidp.kube.errors import ApiError
from management_api.changes.unconfirmed import UnconfirmedChange, unconfirmed_change
from management_api.failures import Failure
from management_api.registry.credentials import CredentialTable, RegisteredCredential

EVERY_SECONDS = 5.0

Undo = Callable[[RegisteredCredential, UnconfirmedChange], Awaitable[None]]
"""Undoes a change, if it still stands. Raises Failure and ApiError."""

log = structlog.get_logger()


async def sweep(credentials: CredentialTable, undo: Undo, age: timedelta) -> None:
    """For ever: those that are older than any request lives."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        await sweep_once(credentials, undo, age)


async def sweep_once(credentials: CredentialTable, undo: Undo, age: timedelta) -> None:
    """What is there now. Whatever is wrong with one of them harms no other."""
    for seen in credentials.unconfirmed():
        where = f"{seen.namespace}/{seen.name}"
        try:
            await _look_at(seen, undo, age)
        except (ApiError, Failure) as trouble:
            log.warning("a change could not be undone yet", credential=where, why=str(trouble))
        except Exception as fault:  # noqa: BLE001 what a tenant can write must not end the process, nor get into the log
            log.error("a mark could not be looked at", credential=where, error=type(fault).__name__)  # noqa: TRY400


async def _look_at(seen: RegisteredCredential, undo: Undo, age: timedelta) -> None:
    change = unconfirmed_change(seen.unconfirmed)
    if change and change.is_older_than(age):
        await undo(seen, change)
