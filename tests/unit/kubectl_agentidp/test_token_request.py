"""Token request: its form, its responses, and that nothing shows a secret."""

import json

import pytest

from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.token_request import ClientCredentials, TokenRequest, TokenResponse, request_token
from tests.support.odd_endpoints import answering


def client(endpoint: str) -> ClientCredentials:
    """Client credentials for an endpoint."""
    return ClientCredentials(endpoint, "id", "sk_live_secret")


def test_token_request_sends_only_the_given_parameters() -> None:
    """`scope` is optional (RFC 6749, section 4.4.2), `resource` may be repeated (RFC 8707, section 2)."""
    assert TokenRequest().form() == [("grant_type", "client_credentials")]
    assert TokenRequest("a b", ("https://x", "https://y")).form()[1:] == [
        ("scope", "a b"),
        ("resource", "https://x"),
        ("resource", "https://y"),
    ]


def test_token_request_values_hide_the_secret_and_the_token() -> None:
    """A traceback may print their `repr`."""
    text = repr(client("https://idp.example/token")) + repr(TokenResponse("eyJ-token", b"eyJ-token"))
    assert "sk_live_secret" not in text
    assert "eyJ-token" not in text


async def test_token_response_is_returned_with_its_body() -> None:
    """`-o json` prints the body as it came."""
    body = json.dumps({"access_token": "t", "token_type": "Bearer", "expires_in": 60})
    with answering(200, body) as endpoint:
        response = await request_token(client(endpoint.url), TokenRequest())
    assert (response.access_token, response.body) == ("t", body.encode())


ERRORS = {
    "invalid_client": (401, '{"error": "invalid_client"}', {}, "no token: invalid_client", "status` shows"),
    "a rate limit": (429, '{"error": "slow_down"}', {"Retry-After": "3"}, "no token: slow_down", "Try again in 3 s."),
    "another error": (400, '{"error": "invalid_scope", "error_description": "d"}', {}, r"invalid_scope \(400\): d", ""),
    "no OAuth response": (502, "<html>", {}, "answered 502 Bad Gateway: is it a token endpoint?", ""),
    "a response without a token": (200, "{}", {}, "its answer has no access_token", ""),
}


@pytest.mark.parametrize(("status", "body", "headers", "problem", "advice"), ERRORS.values(), ids=ERRORS)
async def test_token_request_fails(status: int, body: str, headers: dict[str, str], problem: str, advice: str) -> None:
    """The error has the words of the endpoint (RFC 6749, section 5.2); an unknown body is not printed."""
    with answering(status, body, headers) as endpoint, pytest.raises(CommandError, match=problem) as error:
        await request_token(client(endpoint.url), TokenRequest())
    assert advice in error.value.advice
    assert "<html>" not in error.value.problem
