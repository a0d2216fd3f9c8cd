"""The application as a whole: what is documented is what answers, and whatever else is asked is refused in form."""

import json
from functools import partial

import httpx
import pytest
from fastapi import FastAPI

from tests.support.token_services import CLIENT, GRANT, ISSUER, ServedAlone, signing_keys
from token_service.app import LeanApp


def test_it_is_a_fastapi_app_that_documents_its_endpoints(served: ServedAlone) -> None:
    """Also those that are served without the framework."""
    assert isinstance(served.app, LeanApp)
    paths = served.app.openapi()["paths"]
    token = paths["/api/v1/token"]["post"]
    assert token == paths["/token"]["post"] | {"operationId": token["operationId"]}
    assert "application/x-www-form-urlencoded" in token["requestBody"]["content"]
    assert set(token["responses"]) == {"200", "400", "401", "408", "413", "429", "503"}
    assert {"/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/healthz", "/readyz", "/metrics"} <= set(
        paths
    )


async def test_the_document_is_served(served: ServedAlone) -> None:
    """At the framework's usual place."""
    assert (await served.http.get("/openapi.json")).json() == json.loads(json.dumps(served.app.openapi()))


async def test_the_short_way_and_the_frameworks_way_lead_to_the_same(served: ServedAlone) -> None:
    """The switch by path only saves time."""
    transport = httpx.ASGITransport(app=partial(FastAPI.__call__, served.app))
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
        answer = await http.post("/token", data=CLIENT | GRANT)
    assert answer.status_code == (await served.token()).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/token", 405), ("POST", "/", 404), ("POST", "/token/", 404)])
async def test_other_requests_are_refused(served: ServedAlone, method: str, path: str, status: int) -> None:
    """By method or path."""
    assert (await served.http.request(method, path)).status_code == status


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
async def test_the_metadata_lists_what_exists(served: ServedAlone, name: str) -> None:
    """RFC 8414, section 2; each endpoint that it names is documented."""
    answer = await served.http.get(f"/.well-known/{name}")
    told = answer.json()
    assert told["issuer"] == ISSUER
    assert told["token_endpoint"] == f"{ISSUER}/api/v1/token"
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    for endpoint in ("token", "introspection", "revocation"):
        assert told[f"{endpoint}_endpoint_auth_methods_supported"] == methods
        assert {"RS256", "ES256"} <= set(told[f"{endpoint}_endpoint_auth_signing_alg_values_supported"])
        assert not {"none", "HS256"} & set(told[f"{endpoint}_endpoint_auth_signing_alg_values_supported"])
    assert told["grant_types_supported"] == ["client_credentials"]
    paths = served.app.openapi()["paths"]
    endpoints = [url for field, url in told.items() if field.endswith(("_endpoint", "_uri"))]
    assert all(url.removeprefix(ISSUER) in paths for url in endpoints)


async def test_the_openid_document_has_what_discovery_requires_and_is_true_here(served: ServedAlone) -> None:
    """OpenID Connect Discovery 1.0, section 3, all REQUIRED members but the authorization endpoint, which does not exist."""
    oauth, openid = [
        (await served.http.get(f"/.well-known/{name}")).json()
        for name in ("oauth-authorization-server", "openid-configuration")
    ]
    required = {"issuer", "token_endpoint", "jwks_uri", "response_types_supported"}
    beyond_rfc_8414 = {"subject_types_supported", "id_token_signing_alg_values_supported"}
    assert required <= oauth.keys()
    assert openid.keys() - oauth.keys() == beyond_rfc_8414
    assert openid["subject_types_supported"] == ["public"]
    assert "RS256" in openid["id_token_signing_alg_values_supported"], "it MUST be included"
    keys = (await served.http.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["alg"] for key in keys} <= set(openid["id_token_signing_alg_values_supported"])
    claimed = {"authorization_endpoint", "userinfo_endpoint", "scopes_supported", "claims_supported"}
    assert not claimed & openid.keys()
    assert openid["response_types_supported"] == []


async def test_an_issuer_with_a_path_is_served_below_it() -> None:
    """RFC 8414, section 3.1, and what OpenID libraries try."""
    alone = ServedAlone(issuer=f"{ISSUER}/tenant")
    alone.keys.put(signing_keys())
    paths = ["/.well-known/oauth-authorization-server/tenant", "/tenant/.well-known/openid-configuration"]
    told = [(await alone.http.get(f"{ISSUER}{path}")).json() for path in paths]
    assert told[0].items() <= told[1].items()
    assert (await alone.http.get(told[0]["jwks_uri"])).status_code == 200
    assert (await alone.http.post(told[0]["token_endpoint"], data=CLIENT | GRANT)).status_code == 401
    await alone.close()


async def test_the_keys_may_be_kept_for_a_while(served: ServedAlone) -> None:
    """A key is published for longer than that before it signs."""
    answer = await served.http.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert [key["use"] for key in answer.json()["keys"]] == ["sig"]


async def test_without_keys_there_is_nothing_to_keep(served: ServedAlone) -> None:
    """An empty set would be kept for as long as a full one."""
    served.keys.remove(signing_keys().metadata)
    assert (await served.http.get("/.well-known/jwks.json")).status_code == 503


async def test_the_probes(served: ServedAlone) -> None:
    """Healthy is not ready."""
    assert (await served.http.get("/readyz")).json() == {"ready": True, "missing": []}
    served.keys.remove(signing_keys().metadata)
    ready = await served.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"ready": False, "missing": ["there is no signing key"]})
    assert (await served.http.get("/healthz")).status_code == 200
