"""The application: its OpenAPI document, its errors, and where its metrics are."""

from http import HTTPStatus

import httpx
import pytest

from management_api.app import create_app
from management_api.endpoints.dependencies import BASE_PATH
from management_api.limits import Limits
from tests.support.management_parts import an_api
from tests.support.refusals import refused


def a_client(*, with_metrics: bool = True, limits: Limits | None = None) -> httpx.AsyncClient:
    """A client of the whole application."""
    app = create_app(an_api()[0], limits or Limits(), with_metrics=with_metrics)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api")


async def test_app_documents_no_422() -> None:
    """A body that is not valid gets 400."""
    async with a_client() as client:
        document = (await client.get(f"{BASE_PATH}/openapi.json")).json()
    responses = [call["responses"] for path in document["paths"].values() for call in path.values()]
    assert responses
    assert not any("422" in statuses for statuses in responses)
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_app_answers_an_unknown_path_and_method_in_the_form_of_all_errors() -> None:
    """404, and 405 with Allow (RFC 9110, section 15.5.6)."""
    async with a_client() as client:
        refused(await client.get("/nowhere"), HTTPStatus.NOT_FOUND, "NOT_FOUND")
        answer = await client.put(f"{BASE_PATH}/agents")
    refused(answer, HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "GET, POST"


async def test_app_refuses_a_body_beyond_the_limit() -> None:
    """413, before the caller is authenticated."""
    async with a_client(limits=Limits(max_body_bytes=2)) as client:
        answer = await client.post(f"{BASE_PATH}/agents", json={"a": 1})
    refused(answer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("with_metrics", [True, False])
async def test_app_has_metrics_where_they_have_no_port_of_their_own(with_metrics: bool) -> None:
    """Else /metrics is not found here."""
    async with a_client(with_metrics=with_metrics) as client:
        assert ((await client.get("/metrics")).status_code == HTTPStatus.OK) == with_metrics
