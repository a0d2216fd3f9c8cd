"""Which ServiceAccount has a name now: a token names one, and its uid tells whether it was issued to this one.

In come tokens that the cluster's keys have verified, with the Agent that names their ServiceAccount. The API server is asked
for the ServiceAccount, once for all who wait for it, and the answer serves for a minute. It serves that one Agent object: an
Agent that was made anew is never served by an answer from before its time. A token that is not of the ServiceAccount that was
read leads to a new read only where it may be younger than the answer, and to one a second.

Reads are bounded for each namespace, so that none reads at another's cost. While the API server is away, answers serve until
they are as old as the index may be. docs/decisions/0016 and 0033 say why.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from msgspec import Struct
from msgspec.structs import replace

from agentidp.domain.resources import ObjectMeta
from agentidp.domain.tokens.client_assertions import LEEWAY_SECONDS, Assertion, Workload
from agentidp.kube.errors import ApiError, Unreachable
from agentidp.runtime.bounded_cache import BoundedCache
from agentidp.runtime.single_flight import SingleFlight
from agentidp.runtime.token_buckets import TokenBuckets

Fetch = Callable[[Workload], Awaitable[ObjectMeta | None]]
"""Reads the metadata of the ServiceAccount that has this name now, None where there is none. Raises ApiError."""

log = structlog.get_logger()


class Limits(Struct, frozen=True):
    """What may be tuned."""

    fresh_seconds: float = 60.0
    """How long an answer is not read again."""
    seconds_between: float = 1.0
    """Between two reads of one ServiceAccount."""
    retry_seconds: float = 5.0
    """How long a former answer serves where a read has failed."""
    timeout_seconds: float = 2.0
    reads_per_second: float = 20.0
    """Of each namespace."""
    reads_at_once: int = 200
    """Of a namespace that was quiet."""
    max_entries: int = 50_000
    log_lines_per_second: float = 0.2


LIMITS = Limits()


class TooManyReads(ApiError):
    """The namespace has had its reads."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(0, "TooManyReads", "too many ServiceAccounts of one namespace are being read")
        self.retry_after = retry_after


class Entry(Struct, frozen=True):
    """What the API server said when it was asked at `read_at`, and until when that serves; in seconds since the epoch."""

    account: ObjectMeta | None
    read_at: float
    until: float


_Key = tuple[Workload, str]


class ServiceAccounts:
    """A bounded cache of answers; the oldest go first."""

    def __init__(
        self, fetch: Fetch, max_staleness: float, limits: Limits = LIMITS, clock: Callable[[], float] = time.time
    ) -> None:
        self._fetch = fetch
        self._max_staleness = max_staleness
        self._limits = limits
        self._clock = clock
        self._entries: BoundedCache[_Key, Entry] = BoundedCache(limits.max_entries)
        self._reads: SingleFlight[_Key, Entry] = SingleFlight()
        self._budgets = TokenBuckets(limits.reads_per_second, limits.reads_at_once)
        self._lines = TokenBuckets(limits.log_lines_per_second, 1)

    async def relied_on_until(self, shown: Assertion, owner: str) -> float | None:
        """Until when this token counts as one of the ServiceAccount of its name; None where it is not one.

        `owner` is the uid of the Agent that names the ServiceAccount. Raises ApiError, TooManyReads among them.
        """
        key = (shown.workload, owner)
        if not self._decides(key, shown) and (reading := self._reads.running(key)):
            await asyncio.wait([reading])  # what is being read may be older than the token
        entry = self._entries.get(key) if self._decides(key, shown) else None
        entry = entry or await self._read(key)
        return min(entry.until, shown.expires) if shown.is_of(entry.account) else None

    def _decides(self, key: _Key, shown: Assertion) -> bool:
        """An answer is fresh, and the token is that ServiceAccount's, or older than the answer, so not of a later one."""
        entry = self._entries.get(key)
        if entry is None or not entry.read_at - LEEWAY_SECONDS <= self._clock() < entry.until:
            return False
        return shown.is_of(entry.account) or shown.issued < entry.read_at - LEEWAY_SECONDS

    async def _read(self, key: _Key) -> Entry:
        """As it is after this moment, for all who ask until there is an answer."""
        namespace = key[0].namespace
        if not self._reads.running(key) and not self._budgets.take(namespace):
            raise TooManyReads(self._budgets.wait(namespace))
        return await self._reads.run(key, lambda: self._ask(key))

    async def _ask(self, key: _Key) -> Entry:
        try:
            await self._pause(self._entries.get(key))
            read_at = self._clock()
            async with asyncio.timeout(self._limits.timeout_seconds):
                account = await self._fetch(key[0])
        except TimeoutError:
            return self._without_answer(key, Unreachable("the API server did not answer in time"))
        except ApiError as trouble:
            return self._without_answer(key, trouble)
        return self._keep(key, Entry(account, read_at, read_at + self._limits.fresh_seconds))

    async def _pause(self, before: Entry | None) -> None:
        """Until the ServiceAccount may be read again."""
        between = self._limits.seconds_between
        if before:
            await asyncio.sleep(min(before.read_at + between - self._clock(), between))

    def _without_answer(self, key: _Key, trouble: ApiError) -> Entry:
        """The former answer, for a while, unless it is too old. Raises `trouble`."""
        if self._lines.take(""):
            log.warning("a ServiceAccount could not be read", service_account=str(key[0]), why=str(trouble))
        entry, now = self._entries.get(key), self._clock()
        if entry is None or not 0 <= now - entry.read_at < self._max_staleness:
            raise trouble
        return self._keep(key, replace(entry, until=now + self._limits.retry_seconds))

    def _keep(self, key: _Key, entry: Entry) -> Entry:
        self._entries.put(key, entry)
        return entry
