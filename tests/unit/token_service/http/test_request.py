"""Reading a body: no more of it than is allowed, and no longer."""

import asyncio
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
from token_service.http import request as requests
from token_service.http.request import (
    MAX_AUTHORIZATION_BYTES,
    MAX_BODY_BYTES,
    FormRequest,
    RawRequest,
    parse_request,
    read_request,
)

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


async def test_a_body_in_pieces_is_one_body() -> None:
    """However it is cut."""
    read = await read_request(scope(), Sender(b"a=", b"", b"1&b", b"=2"))
    assert isinstance(read, RawRequest)
    assert read.body == b"a=1&b=2"


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1).encode(), b"9" * 30, b"-1", b"x"])
async def test_a_body_that_announces_too_much_is_not_read(length: bytes) -> None:
    """Its announcement is enough."""
    sender = Sender(b"a=1")
    read = await read_request(scope((b"content-length", length)), sender)
    assert isinstance(read, OAuthError)
    assert (read.status, sender.asked) == (413, 0)


async def test_a_body_that_announces_nothing_is_read_up_to_the_limit() -> None:
    """And not a piece further."""
    sender = Sender(*[b"x" * 4096] * 100)
    read = await read_request(scope(), sender)
    assert isinstance(read, OAuthError)
    assert (read.status, sender.asked) == (413, 5)


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    """The limit itself is allowed."""
    body = b"a=" + b"x" * (MAX_BODY_BYTES - 2)
    assert isinstance(await read_request(scope((b"content-length", str(len(body)).encode())), Sender(body)), RawRequest)


async def test_a_long_authorization_header_is_refused() -> None:
    """Before anything is done with it, its body included."""
    for length, status in ((MAX_AUTHORIZATION_BYTES, None), (MAX_AUTHORIZATION_BYTES + 1, 400)):
        sender = Sender(b"a=1")
        read = await read_request(scope((b"authorization", b"x" * length)), sender)
        assert (getattr(read, "status", None), sender.asked) == (status, 0 if status else 1)


def test_the_largest_access_token_is_no_longer_than_the_header_may_be() -> None:
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
    assert 20_000 < len(token) < MAX_AUTHORIZATION_BYTES - 2_000


async def test_a_client_that_goes_away_is_no_error_of_ours() -> None:
    """Nobody reads the answer."""
    assert isinstance(await read_request(scope(), Sender(b"a", ends=False)), OAuthError)


async def test_a_body_that_does_not_end_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """408."""
    monkeypatch.setattr(requests, "MAX_BODY_SECONDS", 0.01)

    async def drip() -> Message:
        await asyncio.sleep(0.002)
        return {"type": "http.request", "body": b"x", "more_body": True}

    read = await read_request(scope(), drip)
    assert isinstance(read, OAuthError)
    assert read.status == 408


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"content-type", b"content-length", b"authorization", b"user-agent", b"x"]),
        st.binary(max_size=12) | st.sampled_from([FORM_TYPE[1], FORM_TYPE[1].upper() + b"; charset=utf-8", b"7", b"99999"]),
    ),
    max_size=4,
)


@given(HEADERS, st.lists(st.binary(max_size=60), min_size=1, max_size=4), st.booleans())
async def test_any_request_is_read_or_refused(headers: list[tuple[bytes, bytes]], pieces: list[bytes], ends: bool) -> None:
    """It never raises; and what is read is what was sent, to its end."""
    read = await read_request({"type": "http", "headers": headers}, Sender(*pieces, ends=ends))
    if isinstance(read, RawRequest):
        assert ends
        assert read.body == b"".join(pieces)
        assert read.authorization in {None, *(value for name, value in headers if name == b"authorization")}
        assert isinstance(parse_request(read), FormRequest | OAuthError)
    else:
        assert 400 <= read.status < 500
