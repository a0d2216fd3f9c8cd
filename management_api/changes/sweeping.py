"""Undoes changes that nobody confirms any more: the process that made them has died, or could not reach the API server."""

import asyncio
from datetime import timedelta

import structlog

from agentidp.kube.errors import ApiError
from management_api.changes.credentials import CredentialChanges
from management_api.changes.unconfirmed import unconfirmed_change
from management_api.failures import Failure
from management_api.registry.registry import Registry

EVERY_SECONDS = 5.0

log = structlog.get_logger()


async def sweep(registry: Registry, changes: CredentialChanges, age: timedelta) -> None:
    """For ever: those that are older than any request lives."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        await sweep_once(registry, changes, age)


async def sweep_once(registry: Registry, changes: CredentialChanges, age: timedelta) -> None:
    """What is there now."""
    for seen in registry.credentials.table.unconfirmed():
        change = unconfirmed_change(seen.unconfirmed)
        if change is None or not change.is_older_than(age):
            continue
        try:
            await changes.undo(seen, change)
        except (ApiError, Failure) as trouble:
            log.warning("a change could not be undone yet", request_id=change.request_id, why=str(trouble))
