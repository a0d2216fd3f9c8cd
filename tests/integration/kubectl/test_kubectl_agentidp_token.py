"""`kubectl agentidp token`: an access token as the agent itself would get it, for whoever may read its Secret."""

import json
from http import HTTPStatus

import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import Programs
from tests.support.odd_endpoints import answering
from tests.support.on_call import CHANGE, READ, READ_SECRETS, Person
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_refused, is_served, verified

KEYS = {"clientId": "id", "clientSecret": "password", "tokenEndpoint": "url", "issuer": "iss"}


@pytest.fixture
def person(cluster: ControlPlane, tenant: Tenant) -> Person:
    """On call for one namespace, with the right to read its Secrets."""
    return Person.with_rights(cluster, tenant, "on-call", READ, CHANGE, READ_SECRETS)


@pytest.fixture
def pair(tenant: Tenant, programs: Programs) -> Pair:
    """Of an agent that may have two scopes."""
    tenant.create("Agent", scopes=["a:read", "b:read"], audiences=["https://a.example", "https://b.example"])
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    return pair


def test_a_token_is_printed_and_nothing_else(person: Person, pair: Pair, programs: Programs) -> None:
    """It verifies, and carries all that the agent may have."""
    done = person.types(f"token {NAME}")
    claims = verified(done.stdout.strip(), programs.token_url)
    assert (claims["client_id"], claims["scope"]) == (pair.client_id, "a:read b:read")
    assert done.stderr == ""


def test_the_whole_answer(person: Person, pair: Pair) -> None:
    """As the token endpoint gave it."""
    answer = json.loads(person.types(f"token {NAME} -o json").stdout)
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}


def test_the_claims(person: Person, pair: Pair) -> None:
    """Instead of the token; a part of what the agent may have can be asked for."""
    shown = person.types(f"token {NAME} --claims --scope b:read --resource https://b.example").stdout
    told = json.loads(shown)
    assert told["header"]["typ"] == "at+jwt"
    assert (told["claims"]["scope"], told["claims"]["aud"]) == ("b:read", "https://b.example")
    assert pair.client_secret not in shown


def test_the_secrets_keys_may_be_named_otherwise(person: Person, tenant: Tenant, programs: Programs) -> None:
    """The credential says how."""
    tenant.create("Agent")
    tenant.create("AgentCredential", secret={"name": "pair", "keys": KEYS})
    tenant.until("AgentCredential", "Issued")
    eventually("it is served", lambda: person.types(f"token {NAME}").stdout)


def test_a_refusal_is_told(person: Person, tenant: Tenant, pair: Pair) -> None:
    """In the words of the token endpoint, and where to look."""
    assert "error: no token: invalid_scope (400): scope goes beyond" in person.is_refused(f"token {NAME} --scope c:read")
    person.types(f"suspend {NAME}")
    eventually("it is refused", lambda: is_refused(pair))
    said = person.is_refused(f"token {NAME}")
    assert "error: no token: invalid_client (401)" in said
    assert "`kubectl agentidp status` shows" in said
    assert pair.client_secret not in said


def test_a_provided_secret_is_nowhere(person: Person, tenant: Tenant, programs: Programs) -> None:
    """Its owner keeps it."""
    tenant.create("Agent")
    tenant.create("AgentCredential", secretHash={"hash": "$2b$10$abcdefghijklmnopqrstuuE0XbJ2cyIHhBqyb2n4n2kkp3nSEWLbW"})
    tenant.until("AgentCredential", "Provided")
    assert "has a provided hash.\nNo Secret in the cluster holds the client secret." in person.is_refused(f"token {NAME}")


def test_a_redirection_gets_no_secret(person: Person, pair: Pair) -> None:
    """Whoever answers instead of the token endpoint must not send it elsewhere."""
    with answering(HTTPStatus.OK, "{}") as thief:
        with answering(HTTPStatus.TEMPORARY_REDIRECT, "", {"Location": thief.url}) as endpoint:
            said = person.is_refused(f"token {NAME} --endpoint {endpoint.url}")
        assert f"{endpoint.url} answered 307 Temporary Redirect: is it a token endpoint?" in said
        assert (endpoint.asked, thief.asked) == (["/token"], [])


ODD = {
    "a page": (HTTPStatus.OK, "<html>", {}, "is not a token endpoint: its answer has no access_token."),
    "an error page": (HTTPStatus.BAD_GATEWAY, "<html>", {}, "answered 502 Bad Gateway: is it a token endpoint?"),
    "too many requests": (
        HTTPStatus.TOO_MANY_REQUESTS,
        '{"error": "temporarily_unavailable", "error_description": "Enough."}',
        {"Retry-After": "7"},
        "no token: temporarily_unavailable (429): Enough.\nTry again in 7 s.",
    ),
}


@pytest.mark.parametrize(("status", "body", "headers", "said"), ODD.values(), ids=ODD)
def test_an_odd_answer_is_told(person: Person, pair: Pair, status: int, body: str, headers: dict[str, str], said: str) -> None:
    """What it holds is not: nobody knows what is in it."""
    with answering(status, body, headers) as endpoint:
        refusal = person.is_refused(f"token {NAME} --endpoint {endpoint.url}")
    assert said in refusal
    assert "<html>" not in refusal


def test_an_endpoint_that_is_away_is_named(person: Person, pair: Pair) -> None:
    """With what to do where it can be reached only inside the cluster."""
    said = person.is_refused(f"token {NAME} --endpoint http://127.0.0.1:1/token")
    assert "the token endpoint http://127.0.0.1:1/token did not answer" in said
    assert "kubectl port-forward" in said
