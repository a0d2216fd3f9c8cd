"""Expiring cache: entries that are valid for a while, bounded in all and for each tenant.

Flows in: entries with the tenant that each is about. An entry expires after a fixed time. Where a tenant has too many, its own
oldest entry goes; only then, where all have too many, the oldest of all: no tenant evicts the entries of others first.
"""

import time
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

from management_api.limits import Limits

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class _Entry(NamedTuple, Generic[ValueT]):
    value: ValueT
    expires_at: float
    tenant: str


class ExpiringCache(Generic[KeyT, ValueT]):
    """Entries by key, each valid for `seconds`."""

    def __init__(self, seconds: float, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._limits = limits
        self._clock = clock
        self._entries: dict[KeyT, _Entry[ValueT]] = {}
        self._keys: dict[str, dict[KeyT, None]] = {}
        """By tenant, oldest first."""

    def find(self, key: KeyT) -> ValueT | None:
        """Return the value of the key, None where there is none that is still valid."""
        entry = self._entries.get(key)
        return entry.value if entry and self._clock() < entry.expires_at else None

    def add(self, key: KeyT, value: ValueT, tenant: str = "") -> None:
        """Add an entry, or replace the one of this key."""
        self._discard(key)
        keys = self._keys.get(tenant, {})
        if len(keys) >= self._limits.max_cache_entries_per_tenant:
            self._discard(next(iter(keys)))
        elif len(self._entries) >= self._limits.max_cache_entries:
            self._discard(next(iter(self._entries)))
        self._entries[key] = _Entry(value, self._clock() + self._seconds, tenant)
        self._keys.setdefault(tenant, {})[key] = None

    def _discard(self, key: KeyT) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        keys = self._keys[entry.tenant]
        del keys[key]
        if not keys:
            del self._keys[entry.tenant]
