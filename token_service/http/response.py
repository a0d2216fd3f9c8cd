"""Responses of the form endpoints as ASGI messages; OAuth errors as JSON.

No response may be stored by a cache (RFC 6749, section 5.1).
"""

import msgspec
from fastapi import Response
from msgspec import Struct

from agentidp.domain.tokens.oauth_errors import ErrorCode, OAuthError
from agentidp.http_server.asgi import Send

Headers = tuple[tuple[bytes, bytes], ...]

_HEADERS: Headers = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
)
CHALLENGES = {
    ErrorCode.INVALID_CLIENT: (b"www-authenticate", b'Basic realm="agentidp", charset="UTF-8"'),
    ErrorCode.INVALID_TOKEN: (b"www-authenticate", b'Bearer realm="agentidp", error="invalid_token"'),
    ErrorCode.INSUFFICIENT_SCOPE: (b"www-authenticate", b'Bearer realm="agentidp", error="insufficient_scope"'),
}
"""How to authenticate (RFC 9110, section 11.6.1)."""


class JsonResponse(Struct, frozen=True, gc=False):
    """A response with its JSON body, as bytes."""

    status: int
    body: bytes
    headers: Headers = ()


def error_response(error: OAuthError) -> JsonResponse:
    """The response that reports an error (RFC 6749, section 5.2)."""
    body = msgspec.json.encode({"error": error.error, "error_description": error.description})
    challenge = CHALLENGES.get(error.error)
    headers: Headers = (challenge,) if challenge else ()
    if error.retry_after is not None:
        headers = (*headers, (b"retry-after", str(error.retry_after).encode()))
    headers += tuple((name.lower().encode(), value.encode()) for name, value in error.headers)
    return JsonResponse(error.status, body, headers)


def framework_response(response: JsonResponse) -> Response:
    """The same response for a FastAPI route."""
    headers = {name.decode(): value.decode() for name, value in _HEADERS + response.headers}
    return Response(response.body, response.status, headers)


async def write(response: JsonResponse, send: Send) -> None:
    """Send a response as ASGI messages."""
    length = (b"content-length", str(len(response.body)).encode())
    headers = [length, *(_HEADERS if response.body else _HEADERS[1:]), *response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
