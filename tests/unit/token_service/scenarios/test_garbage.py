"""Requests leave no reference cycles: full garbage collections are rare, so what only they free would use up the memory."""

import asyncio
import gc
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.token_services import CLIENT, GRANT, ServedAlone

TOKEN = "/api/v1/token"
WRONG = {"client_secret": "sk_live_wrong"}
ROUNDS = 20
REQUESTS: dict[str, tuple[int, str, dict[str, str]]] = {
    "a token": (200, TOKEN, CLIENT | GRANT),
    "a wrong secret": (401, TOKEN, CLIENT | GRANT | WRONG),
    "an unknown client": (401, TOKEN, CLIENT | GRANT | {"client_id": "nobody"}),
    "a scope that the agent has not": (400, TOKEN, CLIENT | GRANT | {"scope": "other:scope"}),
    "no grant type": (400, TOKEN, dict(CLIENT)),
    "an empty form": (400, TOKEN, {}),
    "an assertion that is none": (
        401,
        TOKEN,
        GRANT
        | {"client_assertion": "a.b.c", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
    ),
    "an introspection": (200, f"{TOKEN}/introspect", CLIENT | {"token": "none"}),
    "an introspection with a wrong secret": (401, f"{TOKEN}/introspect", CLIENT | WRONG | {"token": "none"}),
    "a revocation": (200, f"{TOKEN}/revoke", CLIENT | {"token": "none"}),
    "a path that does not exist": (404, "/nothing", {}),
}


@pytest.mark.parametrize(("status", "path", "form"), REQUESTS.values(), ids=REQUESTS)
async def test_requests_leave_nothing_for_a_garbage_collection(
    served: ServedAlone, status: int, path: str, form: dict[str, str]
) -> None:
    """Of any outcome, the first request of its kind excepted, which may fill a cache."""
    assert await post(served.app, path, form) == status
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            await post(served.app, path, form)
        assert gc.collect() < ROUNDS
    finally:
        gc.enable()


async def post(app: Any, path: str, form: dict[str, str]) -> int:
    """One request as the server hands it to the application, so that no client's own garbage counts."""
    body = urlencode(form).encode()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages, None) or await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        answer.append(message)

    headers = [
        (b"host", b"idp"),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", b"%d" % len(body)),
    ]
    request = {"method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    connection = {"client": ("192.0.2.1", 5), "server": ("idp", 80), "scheme": "http", "root_path": "", "http_version": "1.1"}
    await app({"type": "http", "asgi": {"version": "3.0"}} | connection | request, receive, send)
    return int(answer[0]["status"])
