"""Client secrets: hashes without a hint, many credentials, and changes during a bcrypt check."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from agentidp.domain.identity import client_status as acceptance
from agentidp.domain.identity.clients import ClientCredential
from agentidp.domain.resources import AgentCredential, AgentRef, CredentialState
from agentidp.domain.resources.reasons import Reason
from agentidp.http_server.asgi import Endpoint
from agentidp.http_server.server import server_for
from tests.support.token_services import (
    CLIENT,
    FORM,
    GRANT,
    HASH,
    SECRET,
    ServedAlone,
    the_credential,
    the_hash,
    while_bcrypt_runs,
    with_limits,
)
from tests.support.worlds import NOW, a_fake_hash, a_registered_agent, a_uid, a_value, restated
from token_service.authentication import client_secret as authentication
from token_service.limits import LIMITS, Limits

ATTACKERS = [f"10.0.1.{number}" for number in range(10)]


@pytest.fixture
def limits() -> Limits:
    """Without a pause after a wrong guess."""
    return Limits(wrong_secret_pause_seconds=0)


def guess(number: int) -> dict[str, str]:
    """A request with a wrong secret that is not one of ours."""
    return CLIENT | GRANT | {"client_secret": f"guess-{number}"}


@pytest.fixture
def unhinted(empty: ServedAlone) -> ServedAlone:
    """A client that keeps its secret itself, and told no hint."""
    empty.declare(a_registered_agent(), the_credential(the_hash(hint=False)))
    return empty


async def test_client_secret_of_a_hash_without_a_hint_is_accepted(unhinted: ServedAlone) -> None:
    """Bcrypt alone decides."""
    assert (await unhinted.token()).status_code == 200
    assert (await unhinted.token(CLIENT | GRANT | {"client_secret": "guess"})).status_code == 401


@with_limits(wrong_secret_pause_seconds=0, wrong_secrets_per_second=0.001)
async def test_client_secret_guesses_are_slowed_down(unhinted: ServedAlone) -> None:
    """After so many failures no bcrypt is run for it for a while; whom it knows already is served."""
    assert (await unhinted.token()).status_code == 200
    statuses = [(await unhinted.token(guess(number))).status_code for number in range(12)]
    assert statuses == [401] * LIMITS.wrong_secrets_burst + [429] * (12 - LIMITS.wrong_secrets_burst)
    assert int((await unhinted.token(guess(99))).headers["retry-after"]) >= 1
    assert (await unhinted.token()).status_code == 200


async def test_client_secret_is_accepted_while_others_guess(unhinted: ServedAlone) -> None:
    """Also one whose secret was never verified before, as after each rollout; and from ever so many addresses."""
    unhinted.bcrypt = _matches
    for address in ATTACKERS:
        for number in range(LIMITS.wrong_secrets_burst + 1):
            last = await unhinted.token_from(address, guess(number) | {"client_secret": f"{address} {number}"})
        assert last.status_code == 429
    assert (await unhinted.token_from("10.0.0.1")).status_code == 200


@with_limits(wrong_secret_pause_seconds=0.01)
async def test_client_secret_gets_its_turn_beside_guessers_who_never_rest(unhinted: ServedAlone) -> None:
    """Each address stands in line once, however many guesses it sends."""
    unhinted.bcrypt = _matches_slowly
    attack = [
        asyncio.create_task(unhinted.token_from(address, guess(number) | {"client_secret": f"{address} {number}"}))
        for number in range(20)
        for address in ATTACKERS
    ]
    await asyncio.sleep(0.02)
    began = time.monotonic()
    assert (await unhinted.token_from("10.0.0.1")).status_code == 200
    assert time.monotonic() - began < 2
    await asyncio.gather(*attack)


@with_limits(wrong_secret_pause_seconds=0.01)
async def test_client_secret_guesses_at_one_client_leave_another_its_share(unhinted: ServedAlone) -> None:
    """Which has no hint either."""
    unhinted.bcrypt = _matches_slowly
    other = a_uid(600)
    spec = replace(the_credential().spec, agent_ref=AgentRef(name="other"))
    credential = the_credential(the_hash(hint=False), uid=other)
    unhinted.declare(
        a_registered_agent(other, name="other", uid=other),
        replace(credential, spec=spec, status=replace(credential.status, client_id=other)),
    )
    attack = [asyncio.create_task(unhinted.token_from(address, guess(1))) for address in ATTACKERS]
    await asyncio.sleep(0.02)
    began = time.monotonic()
    assert (await unhinted.token(CLIENT | GRANT | {"client_id": other})).status_code == 200
    assert time.monotonic() - began < 0.5
    await asyncio.gather(*attack)


async def test_client_secret_that_was_rejected_is_no_guess_again(unhinted: ServedAlone) -> None:
    """A client that was not told of a new secret costs nothing, and keeps nobody out."""
    assert [(await unhinted.token(guess(1))).status_code for _ in range(30)] == [401] * 30
    assert (await unhinted.token()).status_code == 200


async def test_client_secret_is_found_among_many_hashes_without_a_hint(empty: ServedAlone) -> None:
    """However many of them the secret does not fit: to show it is one try."""
    empty.declare(
        a_registered_agent(), *(another(number, hint=None) for number in range(20)), the_credential(the_hash(hint=False))
    )
    assert (await empty.token()).status_code == 200


async def test_client_secret_that_no_hint_fits_never_reaches_bcrypt(served: ServedAlone) -> None:
    """Its hint fits nothing."""
    checked = []

    def matches(*arguments: Any) -> bool:
        checked.append(arguments)
        return False

    served.bcrypt = matches
    for number in range(20):
        await served.token(CLIENT | GRANT | {"client_secret": f"sk_test_{number:032x}"})
    assert checked == []


def another(number: int, *, hint: str | None = "00000000") -> AgentCredential:
    """One more credential of the same agent, with another secret."""
    one = the_credential(replace(the_hash(), hash=a_fake_hash(a_value(number)), hint=hint), uid=a_uid(number))
    return replace(one, metadata=replace(one.metadata, name=f"key-{number}"))


async def test_client_secret_is_found_among_many_credentials(served: ServedAlone) -> None:
    """The hint finds the one."""
    served.declare(*(another(number) for number in range(100)))
    assert (await served.token()).status_code == 200


async def test_client_secret_check_skips_credentials_without_a_hash(
    served: ServedAlone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent may have any number of them, such as revoked ones; the log still tells what is wrong with them."""
    looked_at = []

    def looked(credential: ClientCredential, *agent_and_time: Any) -> Reason | None:
        looked_at.append(credential)
        return acceptance.credential_failure(credential, *agent_and_time)

    monkeypatch.setattr(authentication, "credential_failure", looked)
    ended = [restated(another(number), secret_hashes=(), revoked_at=NOW) for number in range(100)]
    served.declare(*ended)
    assert (await served.token(guess(1))).status_code == 401
    assert len(looked_at) < 5
    served.index.credentials.remove(the_credential().metadata)
    with capture_logs() as logs:
        assert (await served.token(guess(1))).status_code == 401
    assert [one["reason"] for one in logs] == [Reason.CREDENTIAL_REVOKED]


async def test_client_secret_revoked_during_the_check_is_rejected(served: ServedAlone) -> None:
    """What counts is what is so when bcrypt is done."""

    async def revoke() -> None:
        served.declare(the_credential(state=CredentialState.REVOKED))

    while_bcrypt_runs(served, revoke)
    assert (await served.token()).status_code == 401


async def test_client_secret_is_found_where_two_hashes_share_a_hint(served: ServedAlone) -> None:
    """The hint only chooses whom to ask."""
    wrong = replace(the_hash(), hash=HASH[:-1] + ("a" if HASH[-1] != "a" else "b"))
    served.declare(the_credential(wrong, the_hash()), another(1))
    assert (await served.token()).status_code == 200
    served.declare(the_credential(the_hash(), wrong))
    assert (await served.token()).status_code == 200


@pytest.fixture
def misleading(served: ServedAlone, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The hint fits every secret; those that bcrypt has checked."""
    checked: list[bytes] = []

    def counted(secret: bytes, hashed: str) -> bool:
        checked.append(secret)
        return _matches(secret, hashed)

    served.bcrypt = counted
    monkeypatch.setattr(acceptance, "hint_of", lambda *_: the_hash().hint)
    return checked


async def test_client_secret_with_a_misleading_hint_says_nothing_against_the_hash(
    served: ServedAlone, misleading: list[bytes]
) -> None:
    """Whoever reads the hint can find one, and show it again and again."""
    assert [(await served.token(guess(1))).status_code for _ in range(30)] == [401] * 30
    assert misleading == [b"guess-1"]
    assert (await served.token()).status_code == 200


async def test_client_secret_is_accepted_beside_many_with_misleading_hints(
    served: ServedAlone, misleading: list[bytes]
) -> None:
    """Few of them reach the threads that all clients share; the others are guesses, of which few are checked."""
    await asyncio.gather(*(served.token_from("10.0.9.9", guess(number)) for number in range(50)))
    for number in range(100, 130):
        last = await served.token_from("10.0.9.9", guess(number))
    assert last.status_code == 429
    assert len(misleading) <= LIMITS.misleading_hints_burst + LIMITS.wrong_secrets_burst
    assert (await served.token_from("10.0.0.1")).status_code == 200


async def test_client_secret_burst_of_first_uses_is_served(empty: ServedAlone, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 clients that nobody has seen before: none is told to come back later."""
    empty.bcrypt = _matches_soon
    clients = [a_uid(number) for number in range(200)]
    for client_id in clients:
        credential = the_credential(the_hash(credential_id=client_id), uid=client_id)
        status = replace(credential.status, client_id=client_id)
        spec = replace(credential.spec, agent_ref=replace(credential.spec.agent_ref, name=client_id))
        empty.declare(a_registered_agent(client_id, name=client_id, uid=client_id))
        empty.declare(replace(credential, status=status, spec=spec))
    answers = await asyncio.gather(*(empty.token(CLIENT | GRANT | {"client_id": client_id}) for client_id in clients))
    assert [answer.status_code for answer in answers] == [200] * 200


def _matches(secret: bytes, _: str) -> bool:
    return secret == SECRET.encode()


def _matches_slowly(secret: bytes, hashed: str) -> bool:
    time.sleep(0.02)
    return _matches(secret, hashed)


def _matches_soon(*_: Any) -> bool:
    time.sleep(0.01)
    return True


class HeldBcrypt:
    """Takes every secret; at cost 14 it waits until it may go on."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = 0

    def __call__(self, _: bytes, hashed: str) -> bool:
        """In a thread."""
        self.begun += 1
        return not hashed.startswith("$2b$14$") or self.go.wait(10)


@pytest.fixture
def held(empty: ServedAlone) -> Iterator[HeldBcrypt]:
    """Of a service in which the namespace `evil` has 20 hashes of cost 14 and their hints, and `team` has one of cost 10."""
    empty.bcrypt = bcrypt = HeldBcrypt()
    empty.declare(a_registered_agent(), the_credential())
    for number in range(100, 120):
        uid, dear = a_uid(number), HASH.replace("$2b$10$", "$2b$14$")
        credential = the_credential(the_hash(credential_id=uid, hash=dear), uid=uid)
        empty.declare(
            a_registered_agent(uid, name=uid, uid=uid, namespace="evil"),
            replace(
                credential,
                metadata=replace(credential.metadata, namespace="evil"),
                spec=replace(credential.spec, agent_ref=AgentRef(name=uid)),
                status=replace(credential.status, client_id=uid),
            ),
        )
    yield bcrypt
    bcrypt.go.set()


def dear_requests(empty: ServedAlone) -> "list[asyncio.Task[httpx.Response]]":
    """Right secrets of `evil`, all at once."""
    pairs = [CLIENT | GRANT | {"client_id": a_uid(number)} for number in range(100, 120)]
    return [asyncio.create_task(empty.token(pair)) for pair in pairs]


async def test_client_secret_first_use_does_not_wait_for_another_namespaces(empty: ServedAlone, held: HeldBcrypt) -> None:
    """However many right secrets of hashes that take long are shown at once; they are served as well, later."""
    dear = dear_requests(empty)
    async with asyncio.timeout(5):
        assert (await empty.token()).status_code == 200
    assert not any(one.done() for one in dear)
    held.go.set()
    assert [(await one).status_code for one in dear] == [200] * 20


async def test_client_secret_check_ends_with_its_connection(empty: ServedAlone, held: HeldBcrypt) -> None:
    """Over real connections: no bcrypt is begun for it; what has begun is finished."""
    pairs = [CLIENT | GRANT | {"client_id": a_uid(number)} for number in range(100, 120)]
    async with serving(empty.app) as port:
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in pairs]
        for (_, writer), pair in zip(connections, pairs, strict=True):
            body = urlencode(pair).encode()
            head = f"POST /api/v1/token HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
        await until(lambda: len(empty.service.bcrypt_pools) == 20 and held.begun == 2)
        for _, writer in connections:
            writer.close()
        await until(lambda: len(empty.service.bcrypt_pools) == 2)
        held.go.set()
    assert held.begun == 2


@asynccontextmanager
async def serving(app: Endpoint) -> AsyncIterator[int]:
    """The server that ships, and its port."""
    server = server_for(app)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started)
        yield listening.getsockname()[1]
        server.handle_exit(signal.SIGTERM, None)
        await running


async def until(holds: Callable[[], bool]) -> None:
    """Nobody tells when. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
