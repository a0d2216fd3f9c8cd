"""A POST with a form body, read within bounds: its body and the headers that endpoints need.

A body is rejected by its announced length before it is read, and at the limit where it announced none. An Authorization header
that is longer than any access token is rejected as well.

A request that checks a secret ends when its client disconnects (`while_connected`). This cancels a check that a hint has caused
and that waits for a thread, which frees its place. Everything else runs on: guesses, live reads, reads of ServiceAccounts, and
waits for the watch or for `spec.tokensValidAfter`; `limits` bounds them. ASGI reports the disconnection to whoever reads on
after the body.
"""

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, TypeVar

from msgspec import Struct

from agentidp.domain.tokens.oauth_errors import OAuthError, invalid_request
from agentidp.http_server.asgi import Message, Receive, Scope
from agentidp.http_server.content_length import is_length_within
from token_service.http.form import Form, parse_form
from token_service.limits import LIMITS, Limits

FORM = b"application/x-www-form-urlencoded"

ResultT = TypeVar("ResultT")


class ClientLeft(Exception):
    """The client has disconnected, so there is nobody to answer."""


class RawRequest(Struct, frozen=True, gc=False):
    """A request as it was sent: its body, its Authorization header, the peer's address and the user agent."""

    body: bytes
    authorization: bytes | None = None
    address: str = ""
    user_agent: bytes | None = None

    def __repr__(self) -> str:
        """Return a text without body and header: both hold secrets, and tracebacks show this text."""
        return f"RawRequest({len(self.body)} bytes from {self.address})"


class FormRequest(Struct, frozen=True, gc=False):
    """A request with its parsed form."""

    form: Form
    raw: RawRequest
    receive: Receive | None = None
    """Reports when the client disconnects."""

    @property
    def authorization(self) -> bytes | None:
        """The Authorization header, None where there is none."""
        return self.raw.authorization


def parse_request(raw: RawRequest, receive: Receive | None = None) -> FormRequest:
    """Return the request with its form. Raises OAuthError where the body is no form."""
    return FormRequest(parse_form(raw.body), raw, receive)


async def read_request(scope: Scope, receive: Receive, limits: Limits = LIMITS) -> RawRequest:
    """Return a form request with its whole body. Raises OAuthError, and ClientLeft."""
    content_type = b""
    authorization: bytes | None = None
    user_agent: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"content-type":
            content_type = value
        elif name == b"authorization":
            if authorization is not None:
                raise invalid_request("There is more than one Authorization header.")
            if len(value) > limits.max_authorization_bytes:
                raise invalid_request(f"The Authorization header is longer than {limits.max_authorization_bytes} bytes.")
            authorization = value
        elif name == b"user-agent":
            user_agent = value
        elif name == b"content-length" and not is_length_within(value, limits.max_body_bytes):
            raise _too_large(limits)
    if content_type != FORM and content_type.partition(b";")[0].strip().lower() != FORM:
        raise invalid_request("The content type must be application/x-www-form-urlencoded.")
    body = await _read_body(receive, limits)
    peer = scope.get("client")
    return RawRequest(body, authorization, peer[0] if peer else "", user_agent)


async def while_connected(receive: Receive | None, work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Return what the work returns. The work is cancelled when the client disconnects.

    Raises ClientLeft where the work obeys the cancellation; work that ends in spite of it has its result returned.
    """
    if receive is None:
        return await work
    task, disconnection = asyncio.create_task(work), asyncio.create_task(_disconnection(receive))
    try:
        await asyncio.wait([task, disconnection], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        if task.cancelled():
            raise ClientLeft
        return task.result()
    finally:
        task.cancel()
        disconnection.cancel()


async def _disconnection(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_body(receive: Receive, limits: Limits) -> bytes:
    """Return the body, which nearly always comes in one message."""
    message = await receive()
    if message.get("more_body") or message["type"] != "http.request":
        return await _read_in_pieces(message, receive, limits)
    body: bytes = message.get("body", b"")
    if len(body) > limits.max_body_bytes:
        raise _too_large(limits)
    return body


async def _read_in_pieces(message: Message, receive: Receive, limits: Limits) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_timeout_seconds):
            while message["type"] == "http.request":
                body += message.get("body", b"")
                if len(body) > limits.max_body_bytes:
                    raise _too_large(limits)
                if not message.get("more_body"):
                    return bytes(body)
                message = await receive()
    except TimeoutError:
        raise invalid_request("The body did not come in time.", HTTPStatus.REQUEST_TIMEOUT) from None
    raise ClientLeft


def _too_large(limits: Limits) -> OAuthError:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return invalid_request(f"The body is larger than {limits.max_body_bytes} bytes.", status)
