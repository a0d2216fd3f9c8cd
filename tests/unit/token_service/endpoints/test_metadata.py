"""The metadata: what it lists exists, at the paths where libraries look for it; and the JWK Set."""

import pytest

from tests.support.token_services import CLIENT, GRANT, ISSUER, ServedAlone, signing_keys


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
async def test_metadata_lists_what_exists(served: ServedAlone, name: str) -> None:
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


async def test_openid_metadata_has_what_discovery_requires_and_is_true_here(served: ServedAlone) -> None:
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


async def test_metadata_of_an_issuer_with_a_path_is_below_it() -> None:
    """RFC 8414, section 3.1, and what OpenID libraries try."""
    alone = ServedAlone(issuer=f"{ISSUER}/tenant")
    alone.keys.put(signing_keys())
    paths = ["/.well-known/oauth-authorization-server/tenant", "/tenant/.well-known/openid-configuration"]
    told = [(await alone.http.get(f"{ISSUER}{path}")).json() for path in paths]
    assert told[0].items() <= told[1].items()
    assert (await alone.http.get(told[0]["jwks_uri"])).status_code == 200
    assert (await alone.http.post(told[0]["token_endpoint"], data=CLIENT | GRANT)).status_code == 401
    await alone.close()


async def test_jwks_may_be_kept_for_a_while(served: ServedAlone) -> None:
    """A key is published for longer than that before it signs."""
    answer = await served.http.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert [key["use"] for key in answer.json()["keys"]] == ["sig"]


async def test_jwks_without_keys_is_no_empty_set(served: ServedAlone) -> None:
    """An empty set would be kept for as long as a full one."""
    served.keys.remove(signing_keys().metadata)
    assert (await served.http.get("/.well-known/jwks.json")).status_code == 503
