"""The form endpoint: each failure has one answer, and is counted by it."""

from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from agentidp.domain.tokens.oauth_errors import OAuthError, too_many_requests, unavailable
from agentidp.http_server.asgi import Message, Receive
from agentidp.runtime.pools.bcrypt_pool import Busy
from token_service.authentication.result import AuthenticationFailed, AuthenticationFailure, FailureLog
from token_service.client_secrets.brute_force import TooManyAttempts
from token_service.cluster.live_reads import TooManyWaiting
from token_service.endpoints.form_endpoint import ERRORS, FormEndpoint
from token_service.http.request import ClientLeft, RawRequest
from token_service.http.response import JsonResponse
from token_service.limits import Limits
from token_service.metrics import RouteMetrics
from token_service.rate_limits import Tarpit

FAILURES: dict[str, tuple[Exception, int, str, str]] = {
    "a failed client authentication": (
        AuthenticationFailed(AuthenticationFailure.WRONG_SECRET),
        401,
        "invalid_client",
        "invalid_client",
    ),
    "an OAuth error": (unavailable("Later.", 5), 503, "temporarily_unavailable", "temporarily_unavailable"),
    "a rate limit": (too_many_requests("Less.", 1), 429, "temporarily_unavailable", "rate_limited"),
    "too many wrong secrets": (TooManyAttempts(3), 429, "temporarily_unavailable", "rate_limited"),
    "too many checks": (Busy(3), 503, "temporarily_unavailable", "temporarily_unavailable"),
    "too many that wait": (TooManyWaiting(), 503, "temporarily_unavailable", "temporarily_unavailable"),
    "a client that has left": (ClientLeft(), 400, "invalid_request", "invalid_request"),
    "a defect": (LookupError("sk_live_hidden"), 500, "server_error", "server_error"),
}


async def answer(endpoint: FormEndpoint) -> tuple[int, dict[str, Any]]:
    """The status and the body of the response to a form request."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"a=1"}

    async def send(message: Message) -> None:
        sent.append(message)

    await endpoint({"type": "http", "headers": [(b"content-type", b"application/x-www-form-urlencoded")]}, receive, send)
    return sent[0]["status"], msgspec.json.decode(sent[1]["body"])


def failing(failure: Exception, metrics: RouteMetrics, reasons: list[Any]) -> FormEndpoint:
    """An endpoint in which every request fails like this."""

    async def handle(_: RawRequest, __: Receive) -> JsonResponse:
        raise failure

    return FormEndpoint("token", handle, metrics, FailureLog(reasons.append), Tarpit(Limits(rejections_per_second=9)))


@pytest.mark.parametrize(("failure", "status", "error", "outcome"), FAILURES.values(), ids=FAILURES)
async def test_form_endpoint_answers_a_failure(failure: Exception, status: int, error: str, outcome: str) -> None:
    """RFC 6749, section 5.2; the body tells nothing of the inside."""
    metrics, reasons = RouteMetrics("token"), list[Any]()
    with capture_logs() as logs:
        answered_status, body = await answer(failing(failure, metrics, reasons))
    assert (answered_status, body["error"]) == (status, error)
    assert "hidden" not in str(body)
    assert metrics.requests[outcome] == sum(metrics.requests.values()) == 1
    assert reasons == ([failure.reason] if isinstance(failure, AuthenticationFailed) else [])
    assert [line["event"] for line in logs if line["log_level"] == "error"] == (["a request failed"] if status == 500 else [])


def test_form_endpoint_knows_every_failure() -> None:
    """The table above has one of each kind."""
    kinds = {type(failure) for failure, *_ in FAILURES.values()}
    assert set(ERRORS) < kinds
    assert OAuthError in kinds
