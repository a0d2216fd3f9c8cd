"""Requests: a body is read within bounds of size and time, and only while the client is connected."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentidp.domain.identity.clients import client_agent
from agentidp.domain.tokens.access_tokens import prepare_claims
from agentidp.domain.tokens.grants import Grant
from agentidp.domain.tokens.oauth_errors import OAuthError
from agentidp.http_server.asgi import Message
from tests.support.token_services import ISSUER, signing_keys
from tests.support.worlds import CREDENTIAL_ID, a_registered_agent, a_uid
from token_service.cluster.signing_keys import SigningKeys
from token_service.http.request import ClientLeft, RawRequest, parse_request, read_request, while_connected
from token_service.limits import LIMITS, Limits

FORM_TYPE = (b"content-type", b"application/x-www-form-urlencoded")


class Sender:
    """Sends a body in pieces, and counts how many were asked for."""

    def __init__(self, *pieces: bytes, ends: bool = True) -> None:
        self._messages = [
            {"type": "http.request", "body": piece, "more_body": place < len(pieces) - 1 or not ends}
            for place, piece in enumerate(pieces)
        ]
        self.asked = 0

    async def __call__(self) -> Message:
        """The next piece; when there is none, a disconnect."""
        self.asked += 1
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}


def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """The scope of a form request."""
    return {"type": "http", "headers": [FORM_TYPE, *headers]}


async def test_request_body_in_pieces_is_one_body() -> None:
    """However it is cut."""
    read = await read_request(scope(), Sender(b"a=", b"", b"1&b", b"=2"))
    assert isinstance(read, RawRequest)
    assert read.body == b"a=1&b=2"


@pytest.mark.parametrize("length", [str(LIMITS.max_body_bytes + 1).encode(), b"9" * 30, b"-1", b"x"])
async def test_request_body_that_announces_too_much_is_not_read(length: bytes) -> None:
    """Its announcement is enough."""
    sender = Sender(b"a=1")
    with pytest.raises(OAuthError) as refused:
        await read_request(scope((b"content-length", length)), sender)
    assert (refused.value.status, sender.asked) == (413, 0)


@pytest.mark.parametrize("zeros", [0, 1, 30])
async def test_request_body_may_announce_its_length_with_leading_zeros(zeros: int) -> None:
    """Content-Length is `1*DIGIT` (RFC 9110, section 8.6)."""
    read = await read_request(scope((b"content-length", b"0" * zeros + b"3")), Sender(b"a=1"))
    assert read.body == b"a=1"


async def test_request_body_that_announces_nothing_is_read_up_to_the_limit() -> None:
    """And not a piece further."""
    sender = Sender(*[b"x" * 4096] * 100)
    with pytest.raises(OAuthError) as refused:
        await read_request(scope(), sender)
    assert (refused.value.status, sender.asked) == (413, 5)


async def test_request_body_of_exactly_the_limit_is_read() -> None:
    """The limit itself is allowed."""
    body = b"a=" + b"x" * (LIMITS.max_body_bytes - 2)
    assert isinstance(await read_request(scope((b"content-length", str(len(body)).encode())), Sender(body)), RawRequest)


async def test_request_with_a_long_authorization_header_is_rejected() -> None:
    """Before anything is done with it, its body included."""
    longest = b"x" * LIMITS.max_authorization_bytes
    assert (await read_request(scope((b"authorization", longest)), Sender(b"a=1"))).authorization == longest
    sender = Sender(b"a=1")
    with pytest.raises(OAuthError) as refused:
        await read_request(scope((b"authorization", longest + b"x")), sender)
    assert (refused.value.status, sender.asked) == (400, 0)


def test_request_header_has_room_for_the_largest_access_token() -> None:
    """With all scopes and audiences that an agent may have, each as long as it may be."""
    names = [f"{place:02}" for place in range(64)]
    scopes, audiences = (one + "s" * 126 for one in names), ("https://" + one + "a" * 502 for one in names[:16])
    agent = client_agent(a_registered_agent(organization_id="o" * 63))
    keys = SigningKeys()
    keys.put(signing_keys())
    writer = keys.writer()
    assert writer
    everything = prepare_claims(ISSUER, agent, CREDENTIAL_ID, Grant(" ".join(scopes), tuple(audiences)))
    token = writer.write(everything, 2**32, a_uid(1))
    assert 20_000 < len(token) < LIMITS.max_authorization_bytes - 2_000


async def test_request_of_a_client_that_disconnects_is_no_error_of_ours() -> None:
    """Nobody reads the answer."""
    with pytest.raises(ClientLeft):
        await read_request(scope(), Sender(b"a", ends=False))


async def test_request_body_that_does_not_end_times_out() -> None:
    """408 (RFC 9110, section 15.5.9)."""

    async def drip() -> Message:
        await asyncio.sleep(0.002)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(OAuthError) as refused:
        await read_request(scope(), drip, Limits(body_timeout_seconds=0.01))
    assert refused.value.status == 408


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"content-type", b"content-length", b"authorization", b"user-agent", b"x"]),
        st.binary(max_size=12) | st.sampled_from([FORM_TYPE[1], FORM_TYPE[1].upper() + b"; charset=utf-8", b"7", b"99999"]),
    ),
    max_size=4,
)


@given(HEADERS, st.lists(st.binary(max_size=60), min_size=1, max_size=4), st.booleans())
async def test_request_of_any_bytes_is_read_or_rejected(
    headers: list[tuple[bytes, bytes]], pieces: list[bytes], ends: bool
) -> None:
    """And it raises nothing else than OAuthError and ClientLeft; what is read is what was sent, to its end."""
    read = await read_or_failure({"type": "http", "headers": headers}, Sender(*pieces, ends=ends))
    match read:
        case RawRequest():
            assert ends
            assert read.body == b"".join(pieces)
            assert read.authorization in {None, *(value for name, value in headers if name == b"authorization")}
        case OAuthError():
            assert 400 <= read.status < 500
        case ClientLeft():
            assert not ends


async def read_or_failure(request: dict[str, Any], sender: Sender) -> RawRequest | OAuthError | ClientLeft:
    """The request, whose form is read as well, or what is raised."""
    try:
        read = await read_request(request, sender)
        with suppress(OAuthError):
            parse_request(read)
    except (OAuthError, ClientLeft) as failure:
        return failure
    return read


class ConnectedClient:
    """Sends nothing more, and leaves when it is told to."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()

    async def receive(self) -> Message:
        """As ASGI servers tell it."""
        await self.leaves.wait()
        return {"type": "http.disconnect"}


async def test_while_connected_work_is_done_while_the_client_waits() -> None:
    """And what it raises is raised."""

    async def fails() -> None:
        raise LookupError

    client = ConnectedClient()
    assert await while_connected(client.receive, asyncio.sleep(0, "done")) == "done"
    with pytest.raises(LookupError):
        await while_connected(client.receive, fails())


async def test_while_connected_work_is_cancelled_when_the_client_leaves() -> None:
    """It has ended then."""
    client, ended = ConnectedClient(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(while_connected(client.receive, work()))
    await asyncio.sleep(0)
    client.leaves.set()
    with pytest.raises(ClientLeft):
        await waiting
    assert ended.is_set()


async def test_while_connected_work_that_cannot_be_cancelled_counts() -> None:
    """Its result is returned, though nobody waits for it."""
    client = ConnectedClient()

    async def work() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done"
        return ""

    waiting = asyncio.create_task(while_connected(client.receive, work()))
    await asyncio.sleep(0)
    client.leaves.set()
    assert await waiting == "done"


async def test_while_connected_work_is_cancelled_with_whoever_waits_for_it() -> None:
    """Such as at the end of the process."""
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    waiting = asyncio.create_task(while_connected(ConnectedClient().receive, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.sleep(0)
    assert waiting.cancelled()
    assert cancelled.is_set()
