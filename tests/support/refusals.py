"""The one form in which the management API refuses."""

from http import HTTPStatus
from typing import Any

import httpx


def refused(answer: httpx.Response, status: HTTPStatus, code: str) -> dict[str, Any]:
    """The details of a refusal, which has this form and no other."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert body.keys() == {"code", "message", "details"}
    assert body["code"] == code
    assert body["message"]
    details: dict[str, Any] = body["details"]
    return details
