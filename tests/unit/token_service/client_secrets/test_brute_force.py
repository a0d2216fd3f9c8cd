"""The brute-force guard: which guess is checked, and when; `authentication/test_client_secret` has what clients notice."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from agentidp.runtime.pools.bcrypt_pool import Busy
from tests.support.token_services import with_limits
from token_service.client_secrets.bcrypt_pools import BcryptPools
from token_service.client_secrets.brute_force import BruteForceGuard, host_of
from token_service.client_secrets.verified_secrets import RejectedSecrets
from token_service.http.presented_credentials import ClientCredentials
from token_service.limits import Limits

WRONG = "wrong"


class Held:
    """A guard whose bcrypt waits until it may go on; it takes every secret that is its hash."""

    def __init__(self, limits: Limits) -> None:
        self.go = threading.Event()
        self.checked: list[str] = []
        self.pools = BcryptPools(1, 100, RejectedSecrets(), bcrypt=self._bcrypt)
        self.line = BruteForceGuard(self.pools, limits)

    def _bcrypt(self, secret: bytes, hashed: str) -> bool:
        self.go.wait(5)
        self.checked.append(secret.decode())
        return secret.decode() == hashed


@pytest.fixture
def limits() -> Limits:
    """Without a pause after a wrong guess."""
    return Limits(wrong_secret_pause_seconds=0)


@pytest.fixture
def held(limits: Limits) -> Iterator[Held]:
    """Guesses, none of which is checked before the test lets them go."""
    held = Held(limits)
    yield held
    held.go.set()
    held.pools.close()


def guess(
    of: BruteForceGuard, client_id: str, address: str, secret: str = WRONG, namespace: str = ""
) -> "asyncio.Task[str | None]":
    """Somebody tries a secret; the right one is "right". Each client has a namespace of its own, unless told otherwise."""
    pair, digest = ClientCredentials(client_id, secret.encode(), address), f"{client_id} {secret}".encode()
    return asyncio.create_task(of.match(pair, digest, namespace or client_id, ("other", "right")))


async def in_line() -> None:
    """Until all stand in line who can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_brute_force_guard_checks_one_guess_of_an_address_at_a_time(held: Held) -> None:
    """The same guess is shared still, and at another client it has one as well."""
    line = held.line
    first, same, other = guess(line, "a", "1", "right"), guess(line, "a", "1", "right"), guess(line, "b", "1", "right")
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await guess(line, "a", "1")
    held.go.set()
    assert await asyncio.gather(first, same, other) == ["right"] * 3
    assert await guess(line, "a", "1") is None


@with_limits(max_guarded_clients=2, max_guarded_addresses=3, wrong_secret_pause_seconds=0)
async def test_brute_force_guard_bounds_clients_and_addresses(held: Held) -> None:
    """So many clients, and so many addresses for each of them; they are gone when all were served."""
    line = held.line
    waiting = [guess(line, "a", f"{number}", f"wrong {number}") for number in range(3)] + [guess(line, "b", "1")]
    await asyncio.sleep(0)
    for client_id, address in (("a", "4"), ("c", "1")):
        with pytest.raises(Busy):
            await guess(line, client_id, address)
    held.go.set()
    assert await asyncio.gather(*waiting) == [None] * 4
    assert (line.queued("a"), line.queued("c"), len(line)) == (0, 0, 0)


async def test_brute_force_guard_leaves_queues_to_other_namespaces(held: Held) -> None:
    """Whoever has one leaves the others theirs, and whoever has several leaves some."""
    line, waiting, refused = held.line, [], 0
    for namespace in ("evil", "evil-too", "evil-as-well", "victim"):
        guesses_of_it = [guess(line, f"{namespace}-{number}", "1", namespace=namespace) for number in range(10)]
        await in_line()
        waiting += [one for one in guesses_of_it if not one.done()]
        refused += sum(isinstance(one.exception(), Busy) for one in guesses_of_it if one.done())
    assert [line.queued(one) for one in ("evil", "evil-too", "evil-as-well", "victim")] == [4, 3, 2, 2]
    assert refused == 40 - len(waiting)
    held.go.set()
    assert await asyncio.gather(*waiting) == [None] * 11


async def test_brute_force_guard_gives_each_namespace_its_turn(held: Held) -> None:
    """For one hash, whoever has how many to be checked: the victim's two are the second and the fourth."""
    line = held.line
    evil = [guess(line, f"evil-{number}", "1", f"evil {number}", "evil") for number in range(4)]
    await in_line()
    victim = guess(line, "victim", "2", "victim")
    await in_line()
    held.go.set()
    await asyncio.gather(*evil, victim)
    assert [place for place, secret in enumerate(held.checked) if secret == "victim"] == [1, 3]
    assert len(held.checked) == 10


async def test_brute_force_guard_weighs_turns_by_cost(held: Held) -> None:
    """Whose hashes take 16 times as long has one checked while another has 16."""
    hashes = {"dear": tuple(f"$2b$14$dear{number}" for number in range(2)), "cheap": ("$2b$10$cheap",) * 12}
    tasks = [
        asyncio.create_task(held.line.match(ClientCredentials(client, name.encode(), "1"), client.encode(), name, hashes[name]))
        for name, clients in (("dear", 2), ("cheap", 3))
        for client in (f"{name}-{number}" for number in range(clients))
    ]
    await in_line()
    held.go.set()
    assert await asyncio.gather(*tasks) == [None] * 5
    assert [place for place, secret in enumerate(held.checked) if secret == "dear"][:3] == [0, 17, 34]


@with_limits(wrong_secret_pause_seconds=0.05)
async def test_brute_force_guard_pauses_after_a_wrong_secret(held: Held) -> None:
    """For all addresses: a client has so many guesses a second and no more."""
    held.go.set()
    loop = asyncio.get_running_loop()
    line, began = held.line, loop.time()
    await asyncio.gather(*(guess(line, "a", f"{number}", f"wrong {number}") for number in range(4)))
    assert loop.time() - began >= 4 * 0.05


HOSTS = {
    "10.0.0.1": "10.0.0.1",
    "::ffff:10.0.0.1": "10.0.0.1",
    "2a00:1450:4001:82a:1:2:3:4": "2a00:1450:4001:82a::/64",
    "fd00:1:2:3::4": "fd00:1:2:3::4",
    "": "",
    "testclient": "testclient",
}


@pytest.mark.parametrize(("address", "host"), HOSTS.items())
def test_brute_force_guard_knows_a_host_by(address: str, host: str) -> None:
    """On the internet one has a whole /64; in a cluster such a network has many pods, which cannot choose."""
    assert host_of(address) == host
