"""bcrypt, where it harms nobody: in a few threads that give way to the event loop, each check run once, never too many waiting.

A hash that was found by its hint is nearly always the right one. Others can be tried by anybody who knows the client's id, so
they get a thread of their own (whose turn it is there: see `guesses`). What bcrypt has refused it is not asked again.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from agentidp.domain.secrets import secret_matches

NICENESS = 10
MOST_MISMATCHES = 20_000


class Busy(Exception):
    """The queue is full; `retry_after` seconds are a good time to wait."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many secrets are being checked")
        self.retry_after = retry_after


class HashingPool:
    """The threads and their bounded queue."""

    def __init__(self, threads: int, queue: int, checked: Callable[[bool], None] = lambda _: None) -> None:
        self._executor = ThreadPoolExecutor(threads, "bcrypt", initializer=_give_way)
        self._executor_of_guesses = ThreadPoolExecutor(1, "bcrypt-guesses", initializer=_give_way)
        self._threads = threads
        self._queue = queue
        self._checked = checked
        self._running: dict[tuple[str, bytes], asyncio.Future[bool]] = {}
        self._mismatches: dict[tuple[str, bytes], None] = {}

    def __len__(self) -> int:
        return len(self._running)

    async def matches(self, secret: bytes, hashed: str, digest: bytes) -> bool:
        """Whether the hash is that of the secret, whose digest tells it from others. Raises Busy."""
        return await self._shared(self._executor, secret, hashed, digest)

    async def matches_guess(self, secret: bytes, hashed: str, digest: bytes) -> bool:
        """The same where nothing says that it may be so. Raises Busy."""
        return await self._shared(self._executor_of_guesses, secret, hashed, digest)

    def has_refused(self, hashed: str, digest: bytes) -> bool:
        """Whether it was found before that the hash is not that of this secret."""
        return (hashed, digest) in self._mismatches

    def close(self) -> None:
        """Stop; what has not begun is not begun."""
        for executor in (self._executor, self._executor_of_guesses):
            executor.shutdown(wait=False, cancel_futures=True)

    async def _shared(self, executor: ThreadPoolExecutor, secret: bytes, hashed: str, digest: bytes) -> bool:
        """The result of this check, which is begun unless it is under way."""
        key = hashed, digest
        check = self._running.get(key) or self._start(executor, key, secret)
        return await asyncio.shield(check)  # the others that wait for it must not be cancelled with one

    def _start(self, executor: ThreadPoolExecutor, key: tuple[str, bytes], secret: bytes) -> asyncio.Future[bool]:
        if len(self._running) >= self._queue:
            raise Busy(1 + len(self._running) // (16 * self._threads))  # bcrypt takes about a sixteenth of a second
        check = asyncio.get_running_loop().run_in_executor(executor, secret_matches, secret, key[0])
        self._running[key] = check
        check.add_done_callback(lambda done: self._done(key, done))
        return check

    def _done(self, key: tuple[str, bytes], check: asyncio.Future[bool]) -> None:
        del self._running[key]
        if check.cancelled() or check.exception():
            return
        self._checked(check.result())
        if not check.result():
            self._remember(key)

    def _remember(self, mismatch: tuple[str, bytes]) -> None:
        """The oldest are forgotten."""
        if len(self._mismatches) >= MOST_MISMATCHES:
            del self._mismatches[next(iter(self._mismatches))]
        self._mismatches[mismatch] = None


def _give_way() -> None:
    """Linux has a priority for each thread: the event loop's comes first."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
