"""The clients and resource servers of `examples/`, as they are: libraries as people have them, with their own discovery."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec
import pytest

from agentidp.domain.tokens.signing_keys import SECRET_KEY, KeySet, SigningKey
from devcluster.install import NAMESPACE
from devcluster.ports import ReservedPort
from devcluster.processes import Children
from devcluster.programs import Programs
from tests.support.crd_schema import CHECKOUT
from tests.support.languages import LANGUAGES, Command, prepared
from tests.support.objects import Objects
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served, token, value_in

AUDIENCE, OTHER_AUDIENCE = "https://resumes.example", "https://scores.example"


@pytest.fixture(scope="module")
def tenant(programs: Programs, objects: Objects) -> Tenant:
    """With an agent that the examples fit."""
    tenant = Tenant.new(objects)
    tenant.create("Agent", scopes=["resumes:read", "scores:write"], audiences=[AUDIENCE, OTHER_AUDIENCE])
    return tenant


@pytest.fixture(scope="module")
def pair(tenant: Tenant) -> Pair:
    """The agent's, served."""
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    return pair


@pytest.fixture(scope="module")
def mounted(tenant: Tenant, pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent's Secret as a folder, as a pod has it."""
    folder = tmp_path_factory.mktemp("secret")
    secret = tenant.get("Secret", NAME)
    for key in secret["data"]:
        (folder / key).write_text(value_in(secret, key))
    return folder


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """Each in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def api_url(language: str, programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of the resource server in this language, running."""
    directory, port = tmp_path_factory.mktemp("resource-server"), ReservedPort()
    told = {"ISSUER": programs.token_url, "AUDIENCE": AUDIENCE, "PORT": str(port.number)}
    command = serving(prepared(CHECKOUT / "examples/resource-servers" / language, directory), port.number)
    url = f"http://127.0.0.1:{port.number}/resumes"
    with Children() as children:
        children.start("resource-server", command, directory / "log", os.environ | told)
        eventually(f"it serves; {directory}/log", lambda: answer_to(url))
        yield url
    port.release()


def serving(command: Command, port: int) -> Command:
    """An ASGI application is run by a server."""
    interpreter, program = command[0], Path(command[-1])
    if program.suffix != ".py":
        return command
    return [interpreter, "-m", "uvicorn", "main:app", "--app-dir", program.parent, "--port", str(port)]


def answer_to(url: str, bearer: str | None = None) -> httpx.Response | None:
    """With this token or without one; None where nobody answers."""
    try:
        return httpx.get(url, headers={"Authorization": f"Bearer {bearer}"} if bearer else {}, timeout=30)
    except httpx.TransportError:
        return None


def test_a_client_gets_uses_introspects_and_revokes_a_token(
    language: str, mounted: Path, pair: Pair, api_url: str, tmp_path: Path
) -> None:
    """Of an API in the same language; after the revocation the token is not active any more."""
    command = [*prepared(CHECKOUT / "examples/clients" / language, tmp_path), api_url]
    ran = subprocess.run(
        command, env=os.environ | {"AGENT_SECRET": str(mounted)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answer = {"agent": pair.client_id, "resumes": []}
    assert json.loads(ran.stdout) == {"scope": "resumes:read", "answer": answer, "active": [True, False]}
    assert pair.client_secret not in ran.stdout + ran.stderr


Forged = Callable[[SigningKey, dict[str, Any]], str]

BAD_TOKENS: dict[str, Forged] = {
    "expired": lambda key, claims: signed(key, claims | {"exp": int(time.time()) - 3600}),
    "for another audience": lambda key, claims: signed(key, claims | {"aud": OTHER_AUDIENCE}),
    "of another issuer": lambda key, claims: signed(key, claims | {"iss": "https://elsewhere.example"}),
    "of another type": lambda key, claims: signed(key, claims, typ="JWT"),
    "of an unknown key": lambda key, claims: signed(key, claims, kid="unknown"),
    "with other claims than were signed": lambda key, claims: mixed(signed(key, claims), signed(key, claims | {"sub": "root"})),
    "not signed": lambda _, claims: jwt.encode(claims, None, algorithm="none", headers={"typ": "at+jwt"}),
    "not a token": lambda *_: "e30.e30.",
}


@pytest.mark.parametrize("bad", BAD_TOKENS)
def test_a_resource_server_refuses_a_token_that_is(bad: str, api_url: str, pair: Pair, key: SigningKey) -> None:
    """Though the issuer's own key made most of them, and the same claims as they should be are taken."""
    claims = jwt.decode(token(pair, resource=AUDIENCE), options={"verify_signature": False})
    good = answer_to(api_url, signed(key, claims))
    assert good
    assert good.status_code == 200
    answer = answer_to(api_url, BAD_TOKENS[bad](key, claims))
    assert answer is not None
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_resource_server_takes_a_fresh_token_of_an_issuer_whose_clock_is_ahead(
    api_url: str, pair: Pair, key: SigningKey
) -> None:
    """The threat model asks for clocks within a few seconds of each other; RFC 7519, section 4.1, has a leeway for that."""
    claims = jwt.decode(token(pair, resource=AUDIENCE), options={"verify_signature": False})
    answer = answer_to(api_url, signed(key, claims | {"iat": int(time.time()) + 3}))
    assert answer is not None
    assert answer.status_code == 200


def test_a_resource_server_refuses_a_request_without_a_token(api_url: str) -> None:
    """Saying no more than how to authenticate (RFC 6750, section 3.1)."""
    answer = answer_to(api_url)
    assert answer is not None
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_resource_server_refuses_a_token_without_the_scope(api_url: str, pair: Pair) -> None:
    """Which is another thing than a token that is not good."""
    answer = answer_to(api_url, token(pair, resource=AUDIENCE, scope="scores:write"))
    assert answer is not None
    assert (answer.status_code, answer.headers["www-authenticate"]) == (403, 'Bearer error="insufficient_scope"')


@pytest.fixture(scope="module")
def key(pair: Pair, objects: Objects) -> SigningKey:
    """The issuer's own."""
    secret = objects.get("Secret", "agentidp-signing-keys", NAMESPACE)
    return msgspec.json.decode(value_in(secret, SECRET_KEY), type=KeySet).keys[-1]


def signed(key: SigningKey, claims: dict[str, Any], **header: str) -> str:
    """By the issuer's key."""
    headers = {"typ": "at+jwt", "kid": key.kid} | header
    return jwt.encode(claims, key.load(), algorithm=key.algorithm, headers=headers)


def mixed(one: str, other: str) -> str:
    """The claims of the other under the signature of the one."""
    return ".".join([*other.split(".")[:2], one.split(".")[2]])
