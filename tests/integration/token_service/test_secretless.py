"""Clients without a secret, on a real control plane: tokens that the API server issues to ServiceAccounts, and forgeries."""

import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from devcluster.cluster import ControlPlane
from devcluster.programs import TOKEN_SERVICE, Programs
from tests.support.manifests import a_resource
from tests.support.metrics import metric
from tests.support.objects import Objects
from tests.support.service_accounts import ask_by_assertion, make_service_account, token_of
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import GRANT, is_refused, is_served, verified

WORKLOADS = [{"serviceAccountName": NAME}]


class Service:
    """The token endpoint, asked with assertions."""

    def __init__(self, programs: Programs) -> None:
        self.issuer = programs.token_url

    def ask(self, assertion: str, client_id: str | None = None, **form: str) -> httpx.Response:
        """The answer to a token request."""
        return ask_by_assertion(self.issuer, assertion, client_id, **form)

    def serves(self, assertion: str, client_id: str | None = None) -> bool:
        """Whether a token is given now."""
        return self.ask(assertion, client_id).status_code == 200

    def refuses(self, assertion: str, client_id: str | None = None) -> bool:
        """Whether the answer is the one that a wrong secret gets, too."""
        wrong, answer = self.wrong_secret(), self.ask(assertion, client_id)
        told = ("www-authenticate", "cache-control", "content-type", "content-length")
        alike = all(answer.headers.get(name) == wrong.headers.get(name) for name in told)
        return alike and (answer.status_code, answer.content) == (wrong.status_code, wrong.content) == (401, wrong.content)

    def wrong_secret(self) -> httpx.Response:
        """The answer to one."""
        pair = {"client_id": "00000000-0000-4000-8000-000000000000", "client_secret": "wrong"}
        return httpx.post(f"{self.issuer}/api/v1/token", data=GRANT | pair, timeout=30)

    def refuses_for(self, reason: str, assertion: str, client_id: str | None = None) -> bool:
        """Whether it refuses for this reason, which the metrics tell and the caller is not told."""
        name = f'agentidp_refusals_total{{reason="{reason}"}}'
        before = metric(self.issuer, name) or 0
        return self.refuses(assertion, client_id) and metric(self.issuer, name) == before + 1


@pytest.fixture(scope="module")
def service(programs: Programs) -> Service:
    """The one that all tests ask."""
    return Service(programs)


@pytest.fixture
def secretless(tenant: Tenant, service: Service) -> Tenant:
    """A tenant whose agent has a workload and no credential, and is served."""
    return ready(tenant, service)


def ready(tenant: Tenant, service: Service, **agent: Any) -> Tenant:
    """The tenant with such an agent, served."""
    make_service_account(tenant)
    tenant.create("Agent", **{"workloads": WORKLOADS} | agent)
    tenant.until("Agent", "Registered")
    eventually("it is served", lambda: service.serves(token_of(tenant, service.issuer)))
    return tenant


def client_id_of(tenant: Tenant) -> str:
    """The id of its agent."""
    return str(tenant.get("Agent")["status"]["agentId"])


def test_a_service_account_gets_a_token_without_any_secret(tenant: Tenant, service: Service) -> None:
    """No AgentCredential, no Secret; with and without the client_id, which the token carries as any other."""
    ready(tenant, service, scopes=["a:read", "b:read"], audiences=["https://a.example"])
    for client_id in (client_id_of(tenant), None):
        answer = service.ask(token_of(tenant, service.issuer), client_id, scope="b:read").json()
        claims = verified(answer["access_token"], service.issuer, audience="https://a.example")
        assert (claims["sub"], claims["client_id"], claims["scope"]) == (client_id_of(tenant), client_id_of(tenant), "b:read")
        assert "credential_id" not in claims
    assert [tenant.find(kind) for kind in ("AgentCredential", "Secret")] == [None, None]


def test_only_a_token_for_us_is_taken(secretless: Tenant, service: Service) -> None:
    """One that was given to another server, or to several, is worth nothing here."""
    audiences: dict[str, tuple[str, ...]] = {
        "the API server itself": (),
        "another server": ("https://other.example",),
        "the token endpoint's address": (f"{service.issuer}/api/v1/token",),
        "us and another": (service.issuer, "https://other.example"),
    }
    for audience in audiences.values():
        assert service.refuses_for("AssertionForAnotherAudience", token_of(secretless, *audience))


def test_only_the_agents_own_namespace_counts(secretless: Tenant, service: Service) -> None:
    """A ServiceAccount of the same name elsewhere is another one; and a name says nothing about others."""
    stranger = Tenant.new(secretless.objects)
    make_service_account(stranger)
    make_service_account(secretless, "another")
    for token in (token_of(stranger, service.issuer), token_of(secretless, service.issuer, name="another")):
        assert service.refuses_for("WorkloadNotNamed", token, client_id_of(secretless))
        assert service.refuses_for("WorkloadNotNamed", token)


def test_an_agent_of_another_organization_is_out_of_reach(secretless: Tenant, service: Service, objects: Objects) -> None:
    """A workload is its own agent only, whatever id it names; and an agent that its organization does not admit is none."""
    other = Tenant.new(objects)
    objects.create(a_resource("Organization", {"namespaces": [other.namespace]}, f"org-{other.namespace}"))
    ready(other, service, organizationId=f"org-{other.namespace}")
    mine = token_of(secretless, service.issuer)
    assert service.refuses(mine, client_id_of(other))
    claims = verified(service.ask(token_of(other, service.issuer)).json()["access_token"], service.issuer)
    assert claims["organization_id"] == f"org-{other.namespace}"
    objects.change("Organization", f"org-{other.namespace}", {"spec": {"namespaces": []}})
    eventually("it is refused", lambda: service.refuses(token_of(other, service.issuer)))


@pytest.fixture(scope="module")
def cluster_key(cluster: ControlPlane) -> ec.EllipticCurvePrivateKey:
    """What the API server signs with; nobody outside a test has it."""
    key = load_pem_private_key(cluster.layout.service_account_key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def resigned(token: str, key: ec.EllipticCurvePrivateKey, **changes: Any) -> str:
    """A real token with other claims, signed by this key under the name of the API server's."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims | changes, key, "ES256", {"kid": jwt.get_unverified_header(token)["kid"]})


def test_a_token_that_has_expired_is_refused(
    secretless: Tenant, service: Service, cluster_key: ec.EllipticCurvePrivateKey
) -> None:
    """And so is one that is yet to begin, or would live for weeks; with the same key and the right times it is taken."""
    token, now = token_of(secretless, service.issuer), int(time.time())
    assert service.serves(resigned(token, cluster_key))
    expired = resigned(token, cluster_key, iat=now - 7200, nbf=now - 7200, exp=now - 3600)
    assert service.refuses_for("AssertionExpired", expired)
    assert service.refuses_for("AssertionNotYetValid", resigned(token, cluster_key, nbf=now + 3600))
    assert service.refuses_for("AssertionLivesTooLong", token_of(secretless, service.issuer, seconds=14 * 86_400))


def test_a_forged_token_is_refused(secretless: Tenant, service: Service) -> None:
    """Whoever signs it, and however."""
    token = token_of(secretless, service.issuer)
    header, claims, signature = token.split(".")
    stranger = ec.generate_private_key(ec.SECP256R1())
    told = jwt.decode(token, options={"verify_signature": False})
    unsigned = jwt.encode(told, "", "none", jwt.get_unverified_header(token) | {"alg": "none"})
    shared = jwt.encode(told, "x" * 64, "HS256", {"kid": jwt.get_unverified_header(token)["kid"]})
    other = jwt.encode(told | {"sub": "system:serviceaccount:kube-system:default"}, stranger, "ES256").split(".")[1]
    forgeries = [resigned(token, stranger), unsigned, shared, f"{header}.{claims}.", f"{header}.{other}.{signature}", "x"]
    for forged in forgeries:
        assert service.refuses_for("AssertionNotGenuine", forged, client_id_of(secretless))
    assert service.refuses_for("AssertionKeyUnknown", jwt.encode(told, stranger, "ES256", {"kid": "unknown"}))
    assert service.serves(token)


def test_a_suspended_agents_workloads_are_refused(secretless: Tenant, service: Service) -> None:
    """At once and with the same token; resumed, it works again; decommissioned, never."""
    token = token_of(secretless, service.issuer)
    secretless.change("Agent", state="Suspended")
    eventually("it is refused", lambda: service.refuses(token))
    secretless.change("Agent", state="Active")
    eventually("it is served", lambda: service.serves(token))
    secretless.change("Agent", state="Decommissioned")
    eventually("it is refused", lambda: service.refuses(token))


def test_a_workload_that_is_named_no_longer_is_refused(secretless: Tenant, service: Service) -> None:
    """And one that is named later is served."""
    make_service_account(secretless, "second")
    first, second = token_of(secretless, service.issuer), token_of(secretless, service.issuer, name="second")
    assert service.refuses(second)
    secretless.change("Agent", workloads=[{"serviceAccountName": "second"}])
    eventually("the second is served", lambda: service.serves(second))
    assert service.refuses(first)


def test_a_team_moves_from_secrets_to_none(tenant: Tenant, service: Service) -> None:
    """Both at first; then the policy closes the door to secrets, and it can be opened again: the very same Secret works."""
    pair = tenant.issue()
    make_service_account(tenant)
    tenant.change("Agent", workloads=WORKLOADS)
    token = token_of(tenant, service.issuer)
    eventually("the workload is served", lambda: service.serves(token, pair.client_id))
    assert is_served(pair)
    version = tenant.version("Secret")

    tenant.change("Agent", credentialPolicy="WorkloadOnly")
    eventually("the secret is refused", lambda: is_refused(pair))
    assert tenant.until("AgentCredential", "SecretsNotAllowed")["status"]["phase"] == "Suspended"
    assert service.serves(token)

    tenant.change("Agent", credentialPolicy="SecretsAllowed")
    tenant.until("AgentCredential", "Issued")
    eventually("the secret is accepted", lambda: is_served(pair))
    assert tenant.version("Secret") == version


def test_a_secret_is_refused_by_the_spec_alone(tenant: Tenant, service: Service, programs: Programs) -> None:
    """While the operator is away."""
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    programs.stop("agentidp-operator")
    tenant.change("Agent", workloads=WORKLOADS, credentialPolicy="WorkloadOnly")
    eventually("the secret is refused", lambda: is_refused(pair))
    assert tenant.get("AgentCredential")["status"]["phase"] == "Active"
    programs.start("agentidp-operator")
    tenant.until("AgentCredential", "SecretsNotAllowed")


MALFORMED: dict[str, tuple[str, int, str]] = {
    "the assertion twice": ("&client_assertion=a&client_assertion=b", 400, "invalid_request"),
    "its type twice": ("&client_assertion_type=a&client_assertion_type=b&client_assertion=a", 400, "invalid_request"),
    "a secret beside it": ("&client_assertion=a&client_assertion_type=b&client_secret=c", 400, "invalid_request"),
    "no type": ("&client_assertion=a", 400, "invalid_request"),
    "another type": ("&client_assertion=a&client_assertion_type=b", 401, "invalid_client"),
}


@pytest.mark.parametrize(("form", "status", "error"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_request_gets_the_error_of_the_rfc(service: Service, form: str, status: int, error: str) -> None:
    """RFC 6749, section 5.2."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = "grant_type=client_credentials" + form
    answer = httpx.post(f"{service.issuer}/api/v1/token", content=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_no_assertion_is_in_the_log(secretless: Tenant, service: Service, programs: Programs) -> None:
    """Whoever reads it could be the workload for as long as it is good."""
    token = token_of(secretless, service.issuer)
    assert service.serves(token)
    assert service.refuses(token, "00000000-0000-4000-8000-000000000000")
    log = Path(programs.log(TOKEN_SERVICE.name)).read_text()
    assert not any(part in log for part in token.split(".")[1:])
