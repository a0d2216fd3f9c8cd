"""The application: what is documented is what answers, and any other request is rejected in form."""

import json
from functools import partial

import httpx
import pytest
from fastapi import FastAPI

from tests.support.token_services import CLIENT, GRANT, ISSUER, ServedAlone, signing_keys
from token_service.app import TokenServiceApp


def test_app_documents_every_endpoint(served: ServedAlone) -> None:
    """Also those that are served without the framework."""
    assert isinstance(served.app, TokenServiceApp)
    paths = served.app.openapi()["paths"]
    token = paths["/api/v1/token"]["post"]
    assert token == paths["/token"]["post"] | {"operationId": token["operationId"]}
    assert "application/x-www-form-urlencoded" in token["requestBody"]["content"]
    assert set(token["responses"]) == {"200", "400", "401", "408", "413", "429", "503"}
    assert {"/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/healthz", "/readyz", "/metrics"} <= set(
        paths
    )


async def test_app_serves_its_openapi_document(served: ServedAlone) -> None:
    """At the framework's usual place."""
    assert (await served.http.get("/openapi.json")).json() == json.loads(json.dumps(served.app.openapi()))


async def test_app_answers_alike_through_the_switch_and_through_fastapi(served: ServedAlone) -> None:
    """The switch by path only saves time."""
    transport = httpx.ASGITransport(app=partial(FastAPI.__call__, served.app))
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
        answer = await http.post("/token", data=CLIENT | GRANT)
    assert answer.status_code == (await served.token()).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/token", 405), ("POST", "/", 404), ("POST", "/token/", 404)])
async def test_app_rejects_other_methods_and_paths(served: ServedAlone, method: str, path: str, status: int) -> None:
    """By method or path."""
    assert (await served.http.request(method, path)).status_code == status


async def test_app_has_probes(served: ServedAlone) -> None:
    """Healthy is not ready."""
    assert (await served.http.get("/readyz")).json() == {"ready": True, "missing": []}
    served.keys.remove(signing_keys().metadata)
    ready = await served.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"ready": False, "missing": ["there is no signing key"]})
    assert (await served.http.get("/healthz")).status_code == 200
