"""The hashing pool: bounded, each check once, and apart for hashes that anybody can try."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.support.token_services import HASH, OTHER_SECRET, SECRET
from token_service import hashing
from token_service.hashing import Busy, HashingPool


class SlowBcrypt:
    """Stands for bcrypt until it is let go; counts."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.calls = 0

    def __call__(self, secret: bytes, hashed: str) -> bool:
        """Matches when they are equal."""
        self.calls += 1
        self.go.wait(5)
        return secret.decode() == hashed


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowBcrypt]:
    """Held until the test lets go."""
    bcrypt = SlowBcrypt()
    monkeypatch.setattr(hashing, "secret_matches", bcrypt)
    yield bcrypt
    bcrypt.go.set()


async def test_it_is_bcrypt() -> None:
    """The real one."""
    pool = HashingPool(1, 10)
    assert await pool.matches(SECRET.encode(), HASH, b"1") is True
    assert await pool.matches(OTHER_SECRET.encode(), HASH, b"2") is False
    assert len(pool) == 0
    pool.close()


async def test_the_same_check_runs_once(slow: SlowBcrypt) -> None:
    """All who ask get its result."""
    pool = HashingPool(2, 10)
    checks = [asyncio.create_task(pool.matches(b"a", "a", b"1")) for _ in range(20)]
    await asyncio.sleep(0.05)
    slow.go.set()
    assert await asyncio.gather(*checks) == [True] * 20
    assert slow.calls == 1
    pool.close()


async def test_one_who_gives_up_does_not_end_the_check_of_others(slow: SlowBcrypt) -> None:
    """A client that disconnects harms only itself."""
    pool = HashingPool(1, 10)
    leaves, stays = (asyncio.create_task(pool.matches(b"a", "a", b"1")) for _ in range(2))
    await asyncio.sleep(0.01)
    leaves.cancel()
    await asyncio.sleep(0.01)
    slow.go.set()
    assert await stays is True
    pool.close()


async def test_a_full_queue_says_when_to_come_back(slow: SlowBcrypt) -> None:
    """And it is empty again later."""
    pool = HashingPool(1, 3)
    checks = [asyncio.create_task(pool.matches(b"a", "a", bytes([number]))) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Busy) as busy:
        await pool.matches(b"a", "a", b"more")
    assert busy.value.retry_after >= 1
    slow.go.set()
    assert await asyncio.gather(*checks) == [True] * 3
    assert await pool.matches(b"a", "a", b"more") is True
    pool.close()


async def test_what_bcrypt_has_refused_is_remembered(slow: SlowBcrypt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this secret and this hash; the oldest are forgotten."""
    monkeypatch.setattr(hashing, "MOST_MISMATCHES", 2)
    slow.go.set()
    pool = HashingPool(1, 10)
    for digest in (b"1", b"2", b"3"):
        assert await pool.matches_guess(b"a", "b", digest) is False
    assert await pool.matches(b"b", "b", b"4") is True
    assert [pool.has_refused("b", digest) for digest in (b"1", b"2", b"3", b"4")] == [False, True, True, False]
    assert not pool.has_refused("a", b"3")
    pool.close()


async def test_a_hash_with_a_hint_does_not_wait_for_those_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever provides hashes that take long, and lets them be tried, keeps a thread busy that others do not need."""
    go = threading.Event()

    def matches(_secret: bytes, hashed: str) -> bool:
        return hashed == "quick" or go.wait(5)

    monkeypatch.setattr(hashing, "secret_matches", matches)
    pool = HashingPool(1, 100)
    slow = [asyncio.create_task(pool.matches_guess(b"a", "slow", bytes([number]))) for number in range(16)]
    await asyncio.sleep(0.05)
    assert await asyncio.wait_for(pool.matches(b"a", "quick", b"1"), 1)
    go.set()
    await asyncio.gather(*slow)
    pool.close()
