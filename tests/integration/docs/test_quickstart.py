"""The first thing that a person does, as the README and the example say it: apply, wait, and get a token."""

import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from devcluster.cluster import ControlPlane
from devcluster.kubectl import Kubectl
from devcluster.programs import Programs
from tests.support.crd_schema import CHECKOUT
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.workload import ask, pair_in, verified

QUICKSTART = CHECKOUT / "examples" / "quickstart.yaml"


@pytest.fixture
def kubectl(cluster: ControlPlane, programs: Programs) -> Iterator[Kubectl]:
    """As a person types it; what the quickstart made is removed in the end."""
    kubectl = cluster.access.kubectl
    yield kubectl
    kubectl("delete", "agentcredentials,agents", "--all", "--namespace=agents-demo")
    kubectl("delete", "organization", "acme")


def test_the_quickstart_ends_in_a_token_that_verifies(
    kubectl: Kubectl, programs: Programs, objects: Objects, tell: Callable[[str], None]
) -> None:
    """By PyJWT, through the JWKS URL: signature, issuer, audience, expiry, and all claims."""
    started = time.monotonic()
    kubectl("apply", f"--filename={QUICKSTART}")
    kubectl("wait", "--for=condition=Ready", "--namespace=agents-demo", "agentcredential/screener", "--timeout=60s")
    pair = pair_in(objects.get("Secret", "screener-credentials", "agents-demo"))
    answer = ask(pair)
    tell(f"from kubectl apply to the first token: {time.monotonic() - started:.1f} s")
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "scope"}
    claims = verified(answer.json()["access_token"], programs.token_url, audience="https://resumes.example")
    agent, credential = (objects.get(kind, "screener", "agents-demo") for kind in ("Agent", "AgentCredential"))
    issued_at, jti = claims.pop("iat"), claims.pop("jti")
    assert claims == {
        "iss": programs.token_url,
        "sub": agent["status"]["agentId"],
        "client_id": agent["status"]["agentId"],
        "aud": "https://resumes.example",
        "scope": "resumes:read scores:write",
        "exp": issued_at + 900,
        "credential_id": credential["metadata"]["uid"],
        "organization_id": "acme",
    }
    assert abs(issued_at - time.time()) < 60
    assert uuid.UUID(jti)


def test_a_token_carries_what_is_asked_for(tenant: Tenant, programs: Programs) -> None:
    """A part of the scopes, one of the audiences; each token its own id."""
    tenant.create("Agent", scopes=["a:read", "b:read"], audiences=["https://a.example", "https://b.example"])
    pair = tenant.issue()
    answers = [ask(pair, scope="b:read", resource="https://b.example").json() for _ in range(2)]
    claims = [verified(answer["access_token"], programs.token_url, audience="https://b.example") for answer in answers]
    assert {(one["scope"], one["aud"]) for one in claims} == {("b:read", "https://b.example")}
    assert len({one["jti"] for one in claims}) == 2


def test_an_agent_without_an_organization_has_none_in_its_tokens(tenant: Tenant, programs: Programs) -> None:
    """Nor a scope, if it was given none."""
    token = ask(tenant.issue()).json()["access_token"]
    assert not verified(token, programs.token_url).keys() & {"organization_id", "scope"}
