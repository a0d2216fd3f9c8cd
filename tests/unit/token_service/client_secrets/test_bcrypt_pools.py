"""The bcrypt pools: turns by namespace, equal checks once, and a pool of its own for guesses."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from agentidp.runtime.pools.bcrypt_pool import Busy
from tests.support.token_services import HASH, OTHER_SECRET, SECRET
from token_service.client_secrets.bcrypt_pools import BcryptPools, Check
from token_service.client_secrets.verified_secrets import RejectedSecrets

DEAR, CHEAP = "$2b$14$dear", "$2b$10$cheap"


class SlowBcrypt:
    """Stands for bcrypt until it is let go, where `is_slow` says so. A secret is right that ends with "right"."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.is_slow = DEAR
        self.begun: list[bytes] = []

    def __call__(self, secret: bytes, hashed: str) -> bool:
        """In a thread."""
        self.begun.append(secret)
        if hashed.startswith(self.is_slow):
            self.go.wait(10)
        return secret.endswith(b"right")


@pytest.fixture
def bcrypt() -> Iterator[SlowBcrypt]:
    """Held until the test lets go."""
    bcrypt = SlowBcrypt()
    yield bcrypt
    bcrypt.go.set()


@pytest.fixture
def pools(bcrypt: SlowBcrypt) -> Iterator[BcryptPools]:
    """Of two cores."""
    pools = BcryptPools(2, 400, RejectedSecrets(), bcrypt=bcrypt)
    yield pools
    bcrypt.go.set()
    pools.close()


def check(secret: str, hashed: str = CHEAP) -> Check:
    """Each secret has a digest of its own."""
    return Check(hashed, secret.encode(), secret.encode())


def begin(pools: BcryptPools, namespace: str, *checks: Check) -> "list[asyncio.Task[bool]]":
    """All of them at once."""
    return [asyncio.create_task(pools.matches(namespace, one)) for one in checks]


async def test_bcrypt_pools_use_bcrypt() -> None:
    """The real one."""
    pools = BcryptPools(1, 10, RejectedSecrets())
    assert await pools.matches("a", Check(HASH, b"1", SECRET.encode())) is True
    assert await pools.matches("a", Check(HASH, b"2", OTHER_SECRET.encode())) is False
    assert len(pools) == 0
    pools.close()


async def test_bcrypt_pools_let_no_namespace_wait_for_another(pools: BcryptPools) -> None:
    """20 right secrets of one, whose hashes take 16 times as long, are shown at once: another's is checked at once."""
    dear = begin(pools, "a", *(check(f"{number} right", f"{DEAR}{number}") for number in range(20)))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(pools.matches("b", check("right")), 5)
    assert not any(one.done() for one in dear)
    assert len(pools) == 20


async def test_bcrypt_pools_let_no_hash_with_a_hint_wait_for_those_without(pools: BcryptPools) -> None:
    """Guesses at hashes that take long keep a thread busy that others do not need: not those of the same namespace either."""
    guesses = [asyncio.create_task(pools.matches_guess("a", check(f"{number}", DEAR))) for number in range(16)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(pools.matches("a", check("right")), 5)
    assert await asyncio.wait_for(pools.matches("b", check("b right")), 5)
    assert not any(one.done() for one in guesses)


async def test_bcrypt_pools_run_equal_checks_once(pools: BcryptPools, bcrypt: SlowBcrypt) -> None:
    """All who ask get its result."""
    checks = begin(pools, "a", *[check("right", DEAR)] * 20)
    await asyncio.sleep(0)
    bcrypt.go.set()
    assert await asyncio.gather(*checks) == [True] * 20
    assert bcrypt.begun == [b"right"]


async def test_bcrypt_pools_say_when_to_come_back(pools: BcryptPools, bcrypt: SlowBcrypt) -> None:
    """By what waits of this namespace; and there is room again later."""
    checks = begin(pools, "a", *(check(f"{number} right", DEAR) for number in range(102)))
    await asyncio.sleep(0)
    with pytest.raises(Busy) as busy:
        await pools.matches("a", check("right", DEAR))
    assert busy.value.retry_after == 1 + 100 // 2
    bcrypt.go.set()
    assert await asyncio.gather(*checks) == [True] * 102
    assert await pools.matches("a", check("right", DEAR)) is True


async def test_bcrypt_pools_report_rejected_hashes(bcrypt: SlowBcrypt) -> None:
    """Of this secret and this hash, and every check is counted."""
    told: list[bool] = []
    rejected = RejectedSecrets()
    pools = BcryptPools(1, 10, rejected, told.append, bcrypt)
    assert await pools.matches_guess("a", check("1")) is False
    assert await pools.matches("a", check("right")) is True
    assert [rejected.has_hash(CHEAP, secret) for secret in (b"1", b"right")] == [True, False]
    assert told == [False, True]
    pools.close()


def test_bcrypt_pools_check_never_shows_its_secret() -> None:
    """Not in a traceback either."""
    assert "right" not in repr(Check(CHEAP, b"digest", b"right"))
