"""Clients and resource servers as people have them, unmodified: they discover, get, check, introspect and revoke tokens."""

from typing import Any

import httpx
import jwt
import pytest
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from devcluster.programs import Programs
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served

AUDIENCE = "https://api.example/v1"


@pytest.fixture(scope="module")
def pair(programs: Programs, objects: Objects) -> Pair:
    """Of an agent that may read and write."""
    tenant = Tenant.new(objects)
    tenant.create("Agent", scopes=["resume:read", "resume:write"], audiences=[AUDIENCE])
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    return pair


@pytest.fixture(scope="module")
def metadata(programs: Programs) -> dict[str, Any]:
    """What the issuer says of itself (RFC 8414)."""
    told: dict[str, Any] = httpx.get(f"{programs.token_url}/.well-known/oauth-authorization-server").json()
    return told


@pytest.mark.parametrize("basic", [True, False], ids=["HTTP Basic", "form fields"])
def test_requests_oauthlib_gets_a_token(
    metadata: dict[str, Any], pair: Pair, basic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By either way of authentication, with the scopes that it asks for."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    session = OAuth2Session(client=BackendApplicationClient(client_id=pair.client_id, scope=["resume:read"]))
    options: dict[str, Any] = (
        {"auth": HTTPBasicAuth(pair.client_id, pair.client_secret)}
        if basic
        else {"client_secret": pair.client_secret, "include_client_id": True}
    )
    token = session.fetch_token(metadata["token_endpoint"], **options)
    assert token["scope"] == ["resume:read"]
    assert token["token_type"] == "Bearer"
    assert verified(metadata, token["access_token"])["client_id"] == pair.client_id


def test_a_resource_server_checks_introspects_and_sees_a_revocation(metadata: dict[str, Any], pair: Pair) -> None:
    """With nothing but what the metadata says."""
    auth = (pair.client_id, pair.client_secret)
    token = httpx.post(metadata["token_endpoint"], data={"grant_type": "client_credentials"}, auth=auth).json()["access_token"]
    assert verified(metadata, token)["scope"] == "resume:read resume:write"
    assert httpx.post(metadata["introspection_endpoint"], data={"token": token}, auth=auth).json()["active"]
    assert httpx.post(metadata["revocation_endpoint"], data={"token": token}, auth=auth).status_code == 200
    assert httpx.post(metadata["introspection_endpoint"], data={"token": token}, auth=auth).json() == {"active": False}


def verified(metadata: dict[str, Any], token: str) -> dict[str, Any]:
    """The claims, by PyJWT's own client for key sets."""
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token)
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=metadata["issuer"])
    return claims
