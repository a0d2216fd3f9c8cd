"""Responses: what the standards say about their headers."""

import pytest

from agentidp.domain.tokens.oauth_errors import insufficient_scope, invalid_client, invalid_token, too_many_requests
from agentidp.http_server.asgi import Message
from token_service.http.response import JsonResponse, error_response, framework_response, write


async def written(response: JsonResponse) -> tuple[dict[bytes, bytes], bytes]:
    """Headers and body as ASGI messages have them."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await write(response, send)
    return dict(sent[0]["headers"]), sent[1]["body"]


async def test_response_is_not_stored() -> None:
    """RFC 6749, section 5.1."""
    headers, body = await written(JsonResponse(200, b"{}"))
    assert (headers[b"cache-control"], headers[b"pragma"], headers[b"content-type"]) == (
        b"no-store",
        b"no-cache",
        b"application/json",
    )
    assert headers[b"content-length"] == str(len(body)).encode()


async def test_response_without_a_body_has_no_content_type() -> None:
    """RFC 7009, section 2.2: the content of the response is ignored."""
    headers, _ = await written(JsonResponse(200, b""))
    assert b"content-type" not in headers


@pytest.mark.parametrize(
    ("error", "challenge"),
    [
        (invalid_client(), "Basic "),
        (invalid_token(), 'Bearer realm="agentidp", error="invalid_token"'),
        (insufficient_scope("a"), 'Bearer realm="agentidp", error="insufficient_scope"'),
    ],
)
def test_response_tells_how_to_authenticate(error: Exception, challenge: str) -> None:
    """RFC 6749, section 5.2, and RFC 6750, section 3; the framework's response has the same."""
    response = framework_response(error_response(error))  # type: ignore[arg-type]
    assert response.headers["www-authenticate"].startswith(challenge)
    assert response.headers["cache-control"] == "no-store"


async def test_response_tells_when_to_come_back() -> None:
    """RFC 9110, section 10.2.3, and what else an error has."""
    headers, _ = await written(error_response(too_many_requests("Less.", 7, (("X-RateLimit-Limit", "3"),))))
    assert (headers[b"retry-after"], headers[b"x-ratelimit-limit"]) == (b"7", b"3")
