"""ServiceAccounts: whether a token was issued to the ServiceAccount that has its name now, by the uid.

Flows in: tokens that the cluster's keys have verified, with the Agent that names their ServiceAccount. The API server is asked
for the ServiceAccount, once for all who wait for it, and the answer serves for a minute. It serves that one Agent object: an
Agent that was made anew is never served by an answer from before its time. A token that is not of the ServiceAccount that was
read leads to a new read only where it may be younger than the answer, and to one a second.

Reads are bounded for each namespace, so that none reads at another's cost. While the API server is away, answers serve until
they are as old as the cluster cache may be. Decisions 16 and 33 say why.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from msgspec import Struct
from msgspec.structs import replace

from agentidp.domain.tokens.client_assertions import LEEWAY_SECONDS, Assertion, ServiceAccountIdentity, Workload
from agentidp.kube.errors import ApiError, Unreachable
from agentidp.runtime.bounded_cache import BoundedCache
from agentidp.runtime.single_flight import SingleFlight
from agentidp.runtime.token_buckets import TokenBuckets
from token_service.limits import LIMITS, Limits

Fetch = Callable[[Workload], Awaitable[ServiceAccountIdentity | None]]
"""Reads the identity of the ServiceAccount that has this name now, None where there is none. Raises ApiError."""

log = structlog.get_logger()


class TooManyReads(ApiError):
    """The namespace has used up its reads."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(0, "TooManyReads", "too many ServiceAccounts of one namespace are being read")
        self.retry_after = retry_after


class Entry(Struct, frozen=True):
    """What the API server had at `read_at`, and until when that serves, both in seconds since the epoch."""

    account: ServiceAccountIdentity | None
    read_at: float
    until: float


_Key = tuple[Workload, str]


class ServiceAccounts:
    """Cache of reads, bounded; the oldest go first."""

    def __init__(
        self, fetch: Fetch, max_staleness: float, limits: Limits = LIMITS, clock: Callable[[], float] = time.time
    ) -> None:
        self._fetch = fetch
        self._max_staleness = max_staleness
        self._limits = limits
        self._clock = clock
        self._entries: BoundedCache[_Key, Entry] = BoundedCache(limits.max_service_accounts)
        self._reads: SingleFlight[_Key, Entry] = SingleFlight()
        self._budgets = TokenBuckets(limits.service_account_reads_per_second, limits.service_account_reads_burst)
        self._log_lines = TokenBuckets(limits.service_account_log_lines_per_second, 1)

    async def relied_on_until(self, assertion: Assertion, owner: str) -> float | None:
        """Until when this token counts as one of the ServiceAccount of its name; None where it is not one.

        `owner` is the uid of the Agent that names the ServiceAccount. Raises ApiError, TooManyReads among them.
        """
        key = (assertion.workload, owner)
        if not self._decides(key, assertion) and (reading := self._reads.running(key)):
            await asyncio.wait([reading])  # what is being read may be older than the token
        entry = self._entries.get(key) if self._decides(key, assertion) else None
        entry = entry or await self._read(key)
        return min(entry.until, assertion.expires) if assertion.is_of(entry.account) else None

    def _decides(self, key: _Key, assertion: Assertion) -> bool:
        """An answer is fresh, and the token is that ServiceAccount's, or older than the answer, so not of a later one."""
        entry = self._entries.get(key)
        if entry is None or not entry.read_at - LEEWAY_SECONDS <= self._clock() < entry.until:
            return False
        return assertion.is_of(entry.account) or assertion.issued < entry.read_at - LEEWAY_SECONDS

    async def _read(self, key: _Key) -> Entry:
        """As it is after this moment, for all who ask until there is an answer."""
        namespace = key[0].namespace
        if not self._reads.running(key) and not self._budgets.take(namespace):
            raise TooManyReads(self._budgets.wait(namespace))
        return await self._reads.run(key, lambda: self._fetched(key))

    async def _fetched(self, key: _Key) -> Entry:
        try:
            await self._pause(self._entries.get(key))
            read_at = self._clock()
            async with asyncio.timeout(self._limits.service_account_timeout_seconds):
                account = await self._fetch(key[0])
        except TimeoutError:
            return self._without_answer(key, Unreachable("the API server did not answer in time"))
        except ApiError as error:
            return self._without_answer(key, error)
        return self._keep(key, Entry(account, read_at, read_at + self._limits.service_account_fresh_seconds))

    async def _pause(self, before: Entry | None) -> None:
        """Until the ServiceAccount may be read again."""
        between = self._limits.service_account_seconds_between
        if before:
            await asyncio.sleep(min(before.read_at + between - self._clock(), between))

    def _without_answer(self, key: _Key, error: ApiError) -> Entry:
        """The former answer, for a while, unless it is too old. Raises `error`."""
        if self._log_lines.take(""):
            log.warning("a ServiceAccount could not be read", service_account=str(key[0]), why=str(error))
        entry, now = self._entries.get(key), self._clock()
        if entry is None or not 0 <= now - entry.read_at < self._max_staleness:
            raise error
        return self._keep(key, replace(entry, until=now + self._limits.service_account_retry_seconds))

    def _keep(self, key: _Key, entry: Entry) -> Entry:
        self._entries.put(key, entry)
        return entry
