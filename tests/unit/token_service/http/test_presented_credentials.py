"""Client authentication: any header is read or rejected, as the client has encoded it (RFC 6749, section 2.3.1)."""

import base64
from urllib.parse import quote, quote_plus

from hypothesis import example, given
from hypothesis import strategies as st

from agentidp.domain.secrets.client_secrets import MAX_SECRET_BYTES
from tests.support.worlds import AGENT_ID
from token_service.http.form import Form
from token_service.http.presented_credentials import (
    JWT_BEARER,
    MAX_BASIC_BYTES,
    ClientAssertion,
    ClientCredentials,
    parse_basic,
    presented_by_client,
)
from token_service.http.request import FormRequest, RawRequest


@given(st.binary(max_size=60))
@example(b"")
@example(b"basic")
@example(b"Basic \xff")
@example(b"Basic =")
def test_client_secret_basic_of_any_bytes_is_read_or_rejected(header: bytes) -> None:
    """It never raises."""
    for one in (header, b"Basic " + header, b"Basic " + base64.b64encode(header)):
        parsed = parse_basic(one)
        assert isinstance(parsed, ClientCredentials) or parsed is None


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from([quote, quote_plus]))
def test_client_secret_basic_is_what_the_client_encodes(client_id: str, secret: str, escape: object) -> None:
    """RFC 6749, section 2.3.1: each part is form-encoded before base64."""
    assert callable(escape)
    encoded = base64.b64encode(f"{escape(client_id, safe='')}:{escape(secret, safe='')}".encode())
    assert parse_basic(b"Basic " + encoded) == ClientCredentials(client_id, secret.encode())


def test_client_secret_basic_scheme_has_any_case() -> None:
    """RFC 9110, section 11.1."""
    encoded = base64.b64encode(b"a:b")
    assert parse_basic(b"bAsIc  " + encoded) == ClientCredentials("a", b"b")


def test_client_secret_basic_secret_may_hold_colons() -> None:
    """The first one ends the client_id."""
    assert parse_basic(b"Basic " + base64.b64encode(b"a:b:c")) == ClientCredentials("a", b"b:c")


def test_client_secret_basic_has_room_for_the_longest_secret() -> None:
    """With each character escaped that could be."""
    secret = b"\xff" * MAX_SECRET_BYTES
    pair = b":".join("".join(f"%{byte:02x}" for byte in part).encode() for part in (AGENT_ID.encode(), secret))
    assert parse_basic(b"Basic " + base64.b64encode(pair)) == ClientCredentials(AGENT_ID, secret)


def test_client_secret_basic_that_is_too_long_is_not_decoded() -> None:
    """It is refused like a wrong secret: a client with it would be none."""
    secret = b"x" * (MAX_BASIC_BYTES * 3 // 4 - 2)
    assert isinstance(parse_basic(b"Basic " + base64.b64encode(b"a:" + secret)), ClientCredentials)
    assert parse_basic(b"Basic " + base64.b64encode(b"a:" + secret + b"x")) is None


def test_client_credentials_never_show_the_secret() -> None:
    """Not in a traceback, not in a log."""
    form = Form({"client_id": "a", "client_secret": "hidden"})
    request = FormRequest(form, RawRequest(b"client_id=a&client_secret=hidden", b"Basic hidden"))
    pair = presented_by_client(FormRequest(form, RawRequest(b"")))
    assert isinstance(pair, ClientCredentials)
    assert "hidden" not in f"{pair} {pair!r} {request} {request!r}"


def test_client_assertion_is_never_shown() -> None:
    """Whoever reads it could be the client."""
    form = Form({"client_id": "a", "client_assertion_type": JWT_BEARER, "client_assertion": "hidden"})
    shown = presented_by_client(FormRequest(form, RawRequest(b"")))
    assert shown == ClientAssertion("hidden", "a")
    assert "hidden" not in f"{shown} {shown!r} {form!r}"
