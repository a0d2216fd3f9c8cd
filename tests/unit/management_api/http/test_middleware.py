"""Middleware: exceptions, bounded logs, and bodies that are too large or break off."""

from http import HTTPStatus

import httpx
import pytest
import structlog
from fastapi import FastAPI

from agentidp.http_server.asgi import Message, Receive, Scope, Send
from management_api.http.error_handlers import add_error_handlers
from management_api.http.middleware import RequestMiddleware
from management_api.limits import DEFAULT_LIMITS
from management_api.metrics import Metrics
from tests.support.refusals import refused

INSIDE = "a text that no caller may read"


async def test_exception_is_answered_without_its_text() -> None:
    """500 in the form of all errors, with the request's id, under which the log has the trace."""
    app = FastAPI()
    add_error_handlers(app, {})

    @app.get("/")
    async def fail() -> None:
        raise RuntimeError(INSIDE)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=RequestMiddleware(app, Metrics(), DEFAULT_LIMITS)), base_url="http://api"
    ) as client:
        answer = await client.get("/", headers={"X-Request-Id": "mine"})
    assert refused(answer, HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR") == {}
    assert INSIDE not in answer.text
    assert answer.headers["x-request-id"] == "mine"


async def test_errors_are_logged_at_a_bounded_rate() -> None:
    """Each change is logged, and the metrics count every request."""
    statuses = iter([401] * 1_000 + [201])

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": next(statuses), "headers": []})
        await send({"type": "http.response.body", "body": b""})

    metrics = Metrics()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=RequestMiddleware(app, metrics, DEFAULT_LIMITS)), base_url="http://api"
    ) as client:
        with structlog.testing.capture_logs() as lines:
            for _ in range(1_001):
                await client.post("/")
    refusals = [line for line in lines if line["status"] == 401]
    assert len(refusals) < 1_000 / 2
    assert sum(line["left_out_before"] for line in refusals) + len(refusals) <= 1_000
    assert lines[-1]["status"] == 201
    assert b'status="401"} 1000.0' in metrics.text()


async def test_request_that_breaks_off_reaches_no_route() -> None:
    """A part of a body may mean something else than the whole."""
    reached, answers = [], []
    received: list[Message] = [
        {"type": "http.request", "body": b"{}", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return received.pop(0)

    async def send(message: Message) -> None:
        answers.append(message.get("status"))

    headers = [(b"content-type", b"application/json")]
    await RequestMiddleware(app, Metrics(), DEFAULT_LIMITS)(
        {"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send
    )
    assert reached == []
    assert answers[0] == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(("length", "status"), [("2", 200), ("0" * 30 + "2", 200), ("9" * 30, 413), ("\xb2", 413)])
async def test_request_is_served_by_the_length_that_it_announces(length: str, status: int) -> None:
    """Content-Length is `1*DIGIT` (RFC 9110, section 8.6)."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(app=RequestMiddleware(app, Metrics(), DEFAULT_LIMITS))
    headers = {b"Content-Length": length.encode("latin-1"), b"Content-Type": b"application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        assert (await client.post("/", content=b"{}", headers=headers)).status_code == status
