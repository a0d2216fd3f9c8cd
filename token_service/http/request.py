"""A POST with a form body, read with bounds: its form and its Authorization header, or the error that it is answered with.

A body is refused by its announced length, before it is read, and at the limit where it announced none. So is a header that is
longer than an access token with all scopes and audiences that an agent may have.
"""

import asyncio
from http import HTTPStatus

from msgspec import Struct

from agentidp.domain.tokens.oauth_errors import OAuthError, invalid_request
from agentidp.http_server.asgi import Message, Receive, Scope
from token_service.http.form import Form, parse_form

FORM = b"application/x-www-form-urlencoded"
MAX_BODY_BYTES = 16_384
MAX_BODY_SECONDS = 10
MAX_AUTHORIZATION_BYTES = 32_768
MAX_LENGTH_DIGITS = 20

_TOO_LARGE = invalid_request(f"The body is larger than {MAX_BODY_BYTES} bytes.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
_TOO_SLOW = invalid_request("The body did not come in time.", HTTPStatus.REQUEST_TIMEOUT)
_NOT_A_FORM = invalid_request("The content type must be application/x-www-form-urlencoded.")
_LONG_AUTHORIZATION = invalid_request(f"The Authorization header is longer than {MAX_AUTHORIZATION_BYTES} bytes.")
_TWO_AUTHORIZATIONS = invalid_request("There is more than one Authorization header.")
CLIENT_LEFT = invalid_request("The client went away.")


class RawRequest(Struct, frozen=True, gc=False):
    """What was sent, and by whom, as far as endpoints care."""

    body: bytes
    authorization: bytes | None = None
    address: str = ""
    user_agent: bytes | None = None

    def __repr__(self) -> str:
        """Never what was sent: it holds secrets, and this is what a traceback would show."""
        return f"Sent({len(self.body)} bytes by {self.address})"


class FormRequest(Struct, frozen=True, gc=False):
    """A request that is understood."""

    form: Form
    sent: RawRequest
    receive: Receive | None = None
    """Tells when the client has left."""

    @property
    def authorization(self) -> bytes | None:
        """The Authorization header."""
        return self.sent.authorization


def parse_request(sent: RawRequest, receive: Receive | None = None) -> FormRequest | OAuthError:
    """The form that was sent, or why it is refused."""
    form = parse_form(sent.body)
    return form if isinstance(form, OAuthError) else FormRequest(form, sent, receive)


async def read_request(scope: Scope, receive: Receive) -> RawRequest | OAuthError:
    """A form request with its whole body, or why it is refused."""
    content_type = b""
    authorization: bytes | None = None
    user_agent: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"content-type":
            content_type = value
        elif name == b"authorization":
            if authorization is not None:
                return _TWO_AUTHORIZATIONS
            if len(value) > MAX_AUTHORIZATION_BYTES:
                return _LONG_AUTHORIZATION
            authorization = value
        elif name == b"user-agent":
            user_agent = value
        elif name == b"content-length" and _is_too_large(value):
            return _TOO_LARGE
    if content_type != FORM and content_type.partition(b";")[0].strip().lower() != FORM:
        return _NOT_A_FORM
    body = await _read_body(receive)
    if isinstance(body, OAuthError):
        return body
    peer = scope.get("client")
    return RawRequest(body, authorization, peer[0] if peer else "", user_agent)


def _is_too_large(announced: bytes) -> bool:
    """By its length; one that is no number, or a very long one, is not worth reading either."""
    return not announced.isdigit() or len(announced) > MAX_LENGTH_DIGITS or int(announced) > MAX_BODY_BYTES


async def _read_body(receive: Receive) -> bytes | OAuthError:
    """The body, which nearly always comes in one piece."""
    message = await receive()
    if message.get("more_body") or message["type"] != "http.request":
        return await _read_slowly(message, receive)
    body: bytes = message.get("body", b"")
    return body if len(body) <= MAX_BODY_BYTES else _TOO_LARGE


async def _read_slowly(message: Message, receive: Receive) -> bytes | OAuthError:
    body = bytearray()
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            while message["type"] == "http.request":
                body += message.get("body", b"")
                if len(body) > MAX_BODY_BYTES:
                    return _TOO_LARGE
                if not message.get("more_body"):
                    return bytes(body)
                message = await receive()
    except TimeoutError:
        return _TOO_SLOW
    return CLIENT_LEFT
