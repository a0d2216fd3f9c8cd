"""POST /token, from the request to the response (RFC 6749, sections 4.4 and 5)."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from msgspec.structs import replace

from agentidp.domain.resources import AgentState, CredentialState, ObjectMeta, Organization, OrganizationSpec, SecretHash
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.tokens.signing_keys import Algorithm
from tests.support.token_services import (
    CLIENT,
    FORM,
    GRANT,
    ISSUER,
    OTHER_SECRET,
    SECRET,
    ServedAlone,
    basic,
    signing_keys,
    the_credential,
    the_hash,
)
from tests.support.worlds import (
    AGENT_ID,
    CREDENTIAL_ID,
    NAMESPACE,
    a_decommissioned_agent,
    a_registered_agent,
    a_suspended_agent,
    a_uid,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def wrong_hint() -> SecretHash:
    """The hash of another secret, as far as its hint tells."""
    return replace(the_hash(), hint="00000000")


def claims_of(answer: httpx.Response, served: ServedAlone, audience: str | None = ISSUER) -> dict[str, Any]:
    """What PyJWT reads from the token, checked with the published keys."""
    assert answer.status_code == 200, answer.text
    encoded = answer.json()["access_token"]
    keys = jwt.PyJWKSet.from_json(served.keys.jwks().decode())
    kid = jwt.get_unverified_header(encoded)["kid"]
    options: Any = {"verify_aud": audience is not None}
    claims: dict[str, Any] = jwt.decode(
        encoded, keys[kid], algorithms=["ES256", "RS256"], issuer=ISSUER, audience=audience, options=options
    )
    return claims


async def test_token_has_the_claims_of_the_contract(served: ServedAlone) -> None:
    """RFC 9068's claims, and ours, in a token that a JWT library verifies."""
    answer = await served.token()
    claims = claims_of(answer, served)
    times = {name: claims.pop(name) for name in ("iat", "exp")}
    assert times["exp"] - times["iat"] == 3600
    assert len(claims.pop("jti")) == 36
    assert claims == {
        "iss": ISSUER,
        "sub": AGENT_ID,
        "client_id": AGENT_ID,
        "aud": ISSUER,
        "scope": "resume:read resume:write",
        "credential_id": CREDENTIAL_ID,
    }


async def test_token_header_says_access_token(served: ServedAlone) -> None:
    """RFC 9068, section 2.1."""
    header = jwt.get_unverified_header((await served.token()).json()["access_token"])
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")


async def test_token_response_is_that_of_the_rfc_and_is_never_stored(served: ServedAlone) -> None:
    """RFC 6749, section 5.1."""
    answer = await served.token()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    del told["access_token"]
    assert told == {"token_type": "Bearer", "expires_in": 3600, "scope": "resume:read resume:write"}


async def test_token_is_signed_with_rs256_where_that_is_the_key(served: ServedAlone) -> None:
    """The algorithm follows from the key."""
    served.keys.put(signing_keys(Algorithm.ES256, Algorithm.RS256))
    answer = await served.token()
    assert jwt.get_unverified_header(answer.json()["access_token"])["alg"] == "RS256"
    assert claims_of(answer, served)["sub"] == AGENT_ID


async def test_token_id_is_unique(served: ServedAlone) -> None:
    """`jti` is what a revocation is named by."""
    ids = {claims_of(await served.token(), served)["jti"] for _ in range(50)}
    assert len(ids) == 50


@pytest.mark.parametrize("path", ["/token", "/api/v1/token"])
async def test_token_endpoint_has_two_paths(served: ServedAlone, path: str) -> None:
    """Both paths are the same endpoint."""
    assert (await served.http.post(path, data=CLIENT | GRANT)).status_code == 200


AUTHENTICATIONS: dict[str, dict[str, Any]] = {
    "form fields": {"data": CLIENT | GRANT},
    "HTTP Basic": {"data": GRANT, "headers": basic(AGENT_ID, SECRET)},
    "HTTP Basic with escapes": {"data": GRANT, "headers": basic(AGENT_ID.replace("-", "%2D"), SECRET.replace("_", "%5f"))},
    "HTTP Basic with the client_id in the form, too": {
        "data": GRANT | {"client_id": AGENT_ID},
        "headers": basic(AGENT_ID, SECRET),
    },
    "a form with a character set": {
        "content": f"grant_type=client_credentials&client_id={AGENT_ID}&client_secret={SECRET}",
        "headers": {"Content-Type": f"{FORM}; charset=UTF-8"},
    },
    "a parameter that nobody knows": {"data": CLIENT | GRANT | {"more": "of it"}},
    "a scope without a value": {"data": CLIENT | GRANT | {"scope": ""}},
}


@pytest.mark.parametrize("request_", AUTHENTICATIONS.values(), ids=AUTHENTICATIONS)
async def test_token_request_may_authenticate_with(served: ServedAlone, request_: dict[str, Any]) -> None:
    """RFC 6749, section 2.3.1."""
    answer = await served.http.post("/token", **request_)
    assert answer.status_code == 200, answer.text


MALFORMED: dict[str, tuple[int, str, dict[str, Any]]] = {
    "no body": (400, "invalid_request", {"headers": {"Content-Type": FORM}}),
    "no grant type": (400, "invalid_request", {"data": CLIENT}),
    "an empty grant type": (400, "invalid_request", {"data": CLIENT | {"grant_type": ""}}),
    "another grant type": (400, "unsupported_grant_type", {"data": CLIENT | {"grant_type": "password"}}),
    "a parameter twice": (
        400,
        "invalid_request",
        {"content": "grant_type=client_credentials&scope=a&scope=a", "headers": {"Content-Type": FORM}},
    ),
    "an unknown parameter twice": (400, "invalid_request", {"content": "x=1&x=2", "headers": {"Content-Type": FORM}}),
    "both ways to authenticate": (400, "invalid_request", {"data": CLIENT | GRANT, "headers": basic(AGENT_ID, SECRET)}),
    "two different clients": (
        400,
        "invalid_request",
        {"data": GRANT | {"client_id": a_uid(1)}, "headers": basic(AGENT_ID, SECRET)},
    ),
    "JSON": (400, "invalid_request", {"json": CLIENT | GRANT}),
    "no content type": (400, "invalid_request", {"content": b"grant_type=client_credentials"}),
    "a large body": (413, "invalid_request", {"data": {"scope": "x" * 1_000_000}}),
    "a body that is not UTF-8": (400, "invalid_request", {"content": b"scope=\xff", "headers": {"Content-Type": FORM}}),
    "an escape that is not UTF-8": (400, "invalid_request", {"content": b"scope=%ff", "headers": {"Content-Type": FORM}}),
    "a NUL": (400, "invalid_request", {"data": CLIENT | GRANT | {"client_secret": "a\0b"}}),
    "no authentication": (401, "invalid_client", {"data": GRANT}),
    "a client without a secret": (401, "invalid_client", {"data": GRANT | {"client_id": AGENT_ID}}),
    "a secret of a thousand bytes": (401, "invalid_client", {"data": CLIENT | GRANT | {"client_secret": "x" * 1000}}),
    "a client_id that is none": (401, "invalid_client", {"data": CLIENT | GRANT | {"client_id": "root"}}),
    "a bearer token": (401, "invalid_client", {"data": GRANT, "headers": {"Authorization": "Bearer abc"}}),
    "Basic without a value": (401, "invalid_client", {"data": GRANT, "headers": {"Authorization": "Basic"}}),
    "Basic that is not base64": (401, "invalid_client", {"data": GRANT, "headers": {"Authorization": "Basic ***"}}),
    "Basic without a colon": (
        401,
        "invalid_client",
        {"data": GRANT, "headers": {"Authorization": "Basic " + base64.b64encode(b"abc").decode()}},
    ),
    "Basic that is not UTF-8": (
        401,
        "invalid_client",
        {"data": GRANT, "headers": {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()}},
    ),
    "Basic with bytes that are not ASCII": (
        401,
        "invalid_client",
        {"data": GRANT, "headers": {"Authorization": b"Basic \xff\xff"}},
    ),
    "a scope that is none": (400, "invalid_scope", {"data": CLIENT | GRANT | {"scope": 'a"b'}}),
    "a scope that the agent has not": (400, "invalid_scope", {"data": CLIENT | GRANT | {"scope": "resume:read root"}}),
    "a resource that is no URI": (400, "invalid_target", {"data": CLIENT | GRANT | {"resource": "api"}}),
    "a resource with a fragment": (400, "invalid_target", {"data": CLIENT | GRANT | {"resource": f"{ISSUER}#a"}}),
    "a resource of somebody else": (400, "invalid_target", {"data": CLIENT | GRANT | {"resource": "https://x.example"}}),
}


@pytest.mark.parametrize(("status", "error", "request_"), MALFORMED.values(), ids=MALFORMED)
async def test_token_request_is_rejected_for(served: ServedAlone, status: int, error: str, request_: dict[str, Any]) -> None:
    """RFC 6749, section 5.2; never a 500, and the next request is served."""
    answer = await served.http.post("/api/v1/token", **request_)
    told = answer.json()
    assert (answer.status_code, told["error"]) == (status, error)
    assert told.keys() == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get("www-authenticate", "").startswith("Basic ") == (status == 401)
    assert (await served.token()).status_code == 200


async def test_token_request_has_one_authorization_header(served: ServedAlone) -> None:
    """Which of them counts would be a guess."""
    headers = [("Authorization", basic(AGENT_ID, SECRET)["Authorization"])] * 2
    answer = await served.http.post("/token", data=GRANT, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


REFUSED: dict[str, list[Any]] = {
    "an unknown client": [],
    "an agent without a credential": [a_registered_agent()],
    "a wrong secret": [a_registered_agent(), the_credential(wrong_hint())],
    "a suspended agent": [a_suspended_agent(), the_credential()],
    "an agent whose spec alone is suspended": [a_registered_agent(state=AgentState.SUSPENDED), the_credential()],
    "an agent whose status alone is suspended": [a_registered_agent(reason=Reason.AGENT_SUSPENDED), the_credential()],
    "a decommissioned agent": [a_decommissioned_agent(), the_credential()],
    "an agent that lost its id": [a_registered_agent(reason=Reason.AGENT_ID_CONFLICT), the_credential()],
    "an agent of a missing organization": [a_registered_agent(organization_id="acme"), the_credential()],
    "a revoked credential": [a_registered_agent(), the_credential(state=CredentialState.REVOKED)],
    "an expired credential": [a_registered_agent(), the_credential(expires_at=LONG_AGO)],
    "a hash whose overlap has ended": [a_registered_agent(), the_credential(the_hash(not_after=LONG_AGO), wrong_hint())],
    "a credential of an agent in another namespace": [a_registered_agent(namespace="elsewhere"), the_credential()],
}


@pytest.mark.parametrize("declared", REFUSED.values(), ids=REFUSED)
async def test_token_rejections_look_alike(empty: ServedAlone, declared: list[Any]) -> None:
    """Body and headers tell nothing of what was wrong."""
    empty.declare(*declared)
    answer = await empty.token()
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client", "error_description": "Client authentication failed."}
    assert {name for name in answer.headers if name != "date"} == {
        "content-length",
        "content-type",
        "cache-control",
        "pragma",
        "www-authenticate",
    }


async def test_token_has_the_organization_that_admits_the_agent(served: ServedAlone) -> None:
    """`organization_id` is there when the agent has one."""
    organization = Organization(metadata=ObjectMeta(name="acme"), spec=OrganizationSpec(namespaces=(NAMESPACE,)))
    served.declare(organization, a_registered_agent(organization_id="acme"))
    assert claims_of(await served.token(), served)["organization_id"] == "acme"


async def test_token_follows_a_change_of_the_organization_at_once(served: ServedAlone) -> None:
    """What was prepared for the client is not used any more."""
    spec = OrganizationSpec(namespaces=(NAMESPACE,))
    served.declare(Organization(metadata=ObjectMeta(name="acme"), spec=spec))
    served.declare(a_registered_agent(organization_id="acme", scopes=("resume:read", "resume:write")))
    assert (await served.token()).json()["scope"] == "resume:read resume:write"
    narrowed = OrganizationSpec(namespaces=(NAMESPACE,), allowed_scopes=("resume:read",))
    served.declare(Organization(metadata=ObjectMeta(name="acme"), spec=narrowed))
    assert (await served.token()).json()["scope"] == "resume:read"


async def test_token_request_may_name_several_resources(served: ServedAlone) -> None:
    """RFC 8707, section 2: the one parameter that may be repeated."""
    served.declare(a_registered_agent(audiences=("https://a.example", "https://b.example", "urn:c")))
    asked = CLIENT | GRANT | {"resource": ["https://b.example", "urn:c"]}
    answer = await served.token(asked)
    assert claims_of(answer, served, audience=None)["aud"] == ["https://b.example", "urn:c"]


async def test_token_without_a_scope_says_nothing_of_scope(served: ServedAlone) -> None:
    """An empty scope is not a scope (RFC 6749, section 3.3)."""
    served.declare(a_registered_agent(scopes=()))
    answer = await served.token()
    assert "scope" not in answer.json()
    assert "scope" not in claims_of(answer, served)


async def test_token_needs_a_signing_key(served: ServedAlone) -> None:
    """503, and when to come back."""
    served.keys.remove(signing_keys().metadata)
    answer = await served.token()
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_token_lives_as_long_as_the_agent_says(served: ServedAlone) -> None:
    """`spec.accessTokenTTLSeconds`."""
    served.declare(a_registered_agent(access_token_ttl_seconds=60))
    answer = await served.token()
    claims = claims_of(answer, served)
    assert (answer.json()["expires_in"], claims["exp"] - claims["iat"]) == (60, 60)


async def test_token_endpoint_defect_is_no_traceback(served: ServedAlone, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the log, and the caller learns nothing of the inside."""
    monkeypatch.setattr(served.keys, "writer", lambda: 1 / 0)
    answer = await served.token()
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")


async def test_token_request_with_a_wrong_secret_is_rejected_after_a_right_one(served: ServedAlone) -> None:
    """What was verified says nothing about another secret."""
    assert (await served.token()).status_code == 200
    assert (await served.token(CLIENT | GRANT | {"client_secret": OTHER_SECRET})).status_code == 401


async def test_token_request_of_a_revoked_credential_is_rejected_though_its_secret_was_verified(served: ServedAlone) -> None:
    """From the spec alone, while the status still has its hash."""
    assert (await served.token()).status_code == 200
    served.declare(the_credential(state=CredentialState.REVOKED))
    assert (await served.token()).status_code == 401


async def test_token_request_of_a_credential_that_expires_is_rejected_from_then_on(served: ServedAlone) -> None:
    """Nobody tells the service when that is."""
    await served.token()
    soon = datetime.now(UTC) + timedelta(milliseconds=500)
    served.declare(the_credential(expires_at=soon))
    assert (await served.token()).status_code == 200
    await asyncio.sleep(0.6)
    assert (await served.token()).status_code == 401
