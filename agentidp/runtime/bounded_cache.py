"""Bounded cache: keeps the newest entries, and drops the oldest ones beyond a bound.

Flows in: entries by key; an entry that is put again is the newest. Flows out: values, by a `get` that is the dict's own, so it
costs nothing more. Bounded: the sum of the sizes of all entries, by default their number. An entry does not expire, and reading
it does not make it newer; `TokenBuckets` drop the least recently used bucket instead.

| what is cached | where | at most |
|---|---|---|
| requests and their grants | `token_service.issuance.request_cache` | 67,108,864 bytes |
| accepted secrets, mismatches, rejected secrets | `token_service.client_secrets.verified_secrets` | 200,000, 20,000, 50,000 |
| ServiceAccounts of client assertions | `token_service.authentication.service_accounts` | 50,000 |
| statuses that were written | `agent_operator.leadership.status_backoff` | 10,000 |
| names of removed objects | `agent_operator.cache.cluster_cache` | 10,000 |
| events that were sent | `agentidp.kube.events` | 10,000 |

The numbers are in `token_service.limits`, `agent_operator.limits` and the modules. A user discards an entry that is not valid
any more. Other caches: `management_api.auth.expiring_cache` (answers about callers; they expire, 10,000 at most in each cache
and 1,000 of a tenant), and those that a watch feeds, as large as the cluster's objects, of which an item goes when its object
is deleted (`agentidp.cache`, `token_service.cluster.cache`, `management_api.cache`, `agent_operator.cache`).
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class BoundedCache(Generic[KeyT, ValueT]):
    """Entries by key, of `max_size` in all; `size_of` tells the size of one, 1 by default."""

    def __init__(self, max_size: int, size_of: Callable[[ValueT], int] = lambda _: 1) -> None:
        self._max_size = max_size
        self._size_of = size_of
        self._size = 0
        self._entries: dict[KeyT, ValueT] = {}
        self.get = self._entries.get

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[KeyT]:
        return iter(self._entries)

    @property
    def size(self) -> int:
        """The sum of the sizes of all entries."""
        return self._size

    def put(self, key: KeyT, value: ValueT) -> None:
        """Add an entry, or replace the one of this key; the oldest entries go while all are too large together."""
        self.discard(key)
        self._entries[key] = value
        self._size += self._size_of(value)
        while self._size > self._max_size:
            self.discard(next(iter(self._entries)))

    def discard(self, key: KeyT) -> None:
        """Remove the entry of this key, if there is one."""
        if key in self._entries:
            self._size -= self._size_of(self._entries.pop(key))
