"""One tenant against another: whoever may write in a namespace gets nothing of what belongs to others.

The attacker brings a secret of its own by its hash (`spec.secretHash`), so a refusal is about who it is, not about the secret.
"""

import secrets
import uuid

import bcrypt
import pytest

from devcluster.programs import OPERATOR, Programs
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.tenants import NAME, Tenant, condition_of
from tests.support.waiting import eventually
from tests.support.workload import Pair, ask, is_refused, is_served, verified


@pytest.fixture
def victim(tenant: Tenant) -> Tenant:
    """Another tenant."""
    return Tenant.new(tenant.objects)


@pytest.fixture
def attacker(tenant: Tenant) -> Tenant:
    """Who may write in this namespace, and nowhere else."""
    return tenant


@pytest.fixture
def organization(victim: Tenant, objects: Objects) -> str:
    """The victim's, which admits its namespace only."""
    name = f"org-{victim.namespace}"
    objects.create(a_resource("Organization", {"namespaces": [victim.namespace]}, name))
    return name


def test_a_foreign_organization_cannot_be_claimed(
    attacker: Tenant, organization: str, programs: Programs, objects: Objects
) -> None:
    """No token, and the agent's status says why; where the organization admits it later, it gets some."""
    attacker.create("Agent", organizationId=organization)
    pair = attacker_pair(attacker, programs)
    assert_told(attacker, "Agent", "OrganizationNotAdmitted", f"{organization!r} does not admit namespace")
    assert_told(attacker, "AgentCredential", "AgentNotReady", "does not admit namespace")
    assert is_refused(pair)
    objects.change("Organization", organization, {"spec": {"namespaces": [attacker.namespace]}})
    attacker.until("AgentCredential", "Provided")
    eventually("it is served", lambda: is_served(pair))
    assert verified(ask(pair).json()["access_token"], programs.token_url)["organization_id"] == organization


def test_an_organization_that_does_not_exist_cannot_be_claimed(attacker: Tenant, programs: Programs, objects: Objects) -> None:
    """Until somebody makes it, and lists the namespace."""
    attacker.create("Agent", organizationId=f"of-{attacker.namespace}")
    pair = attacker_pair(attacker, programs)
    assert_told(attacker, "Agent", "OrganizationNotFound", "does not exist")
    assert is_refused(pair)
    objects.create(a_resource("Organization", {"namespaces": [attacker.namespace]}, f"of-{attacker.namespace}"))
    eventually("it is served", lambda: is_served(pair))


def test_an_organization_that_admits_no_longer_ends_the_tokens(
    victim: Tenant, organization: str, programs: Programs, objects: Objects
) -> None:
    """And the status says so; the secret is kept."""
    victim.create("Agent", organizationId=organization)
    pair = victim.issue()
    eventually("it is served", lambda: is_served(pair))
    objects.change("Organization", organization, {"spec": {"namespaces": []}})
    eventually("it is refused", lambda: is_refused(pair))
    assert_told(victim, "Agent", "OrganizationNotAdmitted", "does not admit")
    assert victim.pair() == pair


@pytest.mark.parametrize("explicit", [True, False], ids=["a chosen id", "the uid of another agent"])
def test_an_id_that_is_taken_stays_with_its_holder(
    explicit: bool, attacker: Tenant, victim: Tenant, programs: Programs
) -> None:
    """The claimant gets no token with it, not even when the holder is gone, nor after a restart."""
    chosen = {"agentId": str(uuid.uuid4())} if explicit else {}
    victim.create("Agent", **chosen)
    pair = victim.issue()
    eventually("the holder is served", lambda: is_served(pair))

    attacker.create("Agent", agentId=pair.client_id)
    stolen = attacker_pair(attacker, programs, client_id=pair.client_id)
    assert_told(attacker, "Agent", "AgentIdConflict", "belongs to another Agent")
    assert_told(attacker, "AgentCredential", "AgentNotReady", "belongs to another Agent")
    assert "agentId" not in attacker.get("Agent")["status"]
    assert is_refused(stolen)
    assert is_served(pair)

    victim.remove("AgentCredential")
    victim.remove("Agent")
    eventually("the holder is refused", lambda: is_refused(pair))
    programs.restart(OPERATOR.name)
    Tenant.new(attacker.objects).issue()  # the operator is at work again
    assert_told(attacker, "Agent", "AgentIdConflict", "belongs to another Agent")
    assert is_refused(stolen)


def test_the_id_comes_back_to_whoever_declares_it_anew(attacker: Tenant, programs: Programs) -> None:
    """A person who moves an agent to another namespace deletes it there and applies it here, in this order."""
    chosen = str(uuid.uuid4())
    before = Tenant.new(attacker.objects)
    before.create("Agent", agentId=chosen)
    before.until("Agent", "Registered")
    before.remove("Agent")
    attacker.create("Agent", agentId=chosen)
    pair = attacker.issue()
    assert pair.client_id == chosen
    eventually("it is served", lambda: is_served(pair))


def test_a_credential_reaches_no_agent_of_another_namespace(attacker: Tenant, victim: Tenant, programs: Programs) -> None:
    """An agent is named within the credential's own namespace, so one of the victim's name is not the victim's."""
    victim_pair = victim.issue()
    attacker.create("AgentCredential", secretHash={"hash": hash_of(secrets.token_hex(16))})
    assert_told(attacker, "AgentCredential", "AgentNotFound", f"There is no Agent {NAME!r} in this namespace")
    attacker_guess = attacker_pair(attacker, programs, client_id=victim_pair.client_id, name="another")
    assert is_refused(attacker_guess)
    assert is_served(victim_pair)


def test_somebody_elses_secret_is_never_touched(tenant: Tenant, programs: Programs) -> None:
    """Whatever its type, it stays as it is; the status says what to do, and the credential recovers by itself."""
    tenant.objects.create(a_secret(data={"password": "aHVudGVyMg=="}), tenant.namespace)
    before = tenant.get("Secret")
    tenant.create("Agent")
    tenant.create("AgentCredential")
    assert_told(tenant, "AgentCredential", "SecretNotOwned", "Remove it, or choose another spec.secret.name")
    tenant.change("AgentCredential", rotation={"requestedAt": "2026-01-01T00:00:00Z"})
    tenant.until("AgentCredential", "SecretNotOwned")
    assert tenant.get("Secret") == before
    tenant.remove("Secret")
    tenant.until("AgentCredential", "Issued")
    eventually("it is served", lambda: is_served(tenant.pair()))


def test_a_secret_of_our_type_is_not_ours_by_that(tenant: Tenant, programs: Programs) -> None:
    """A tenant that plants a Secret with the right type and keys, and a value that it knows, has chosen nobody's secret."""
    keys = dict.fromkeys(("client_id", "client_secret", "token_endpoint", "issuer"), "cGxhbnRlZA==")
    tenant.objects.create(a_secret(type="idp.sentryagent.ai/credential", data=keys), tenant.namespace)
    before = tenant.get("Secret")
    tenant.create("Agent")
    tenant.create("AgentCredential")
    credential = tenant.until("AgentCredential", "SecretNotOwned")
    assert "secretHashes" not in credential["status"]
    assert tenant.get("Secret") == before


def test_two_credentials_cannot_share_a_secret(tenant: Tenant, programs: Programs) -> None:
    """The first has it; the other says so, and takes its turn when the first is gone."""
    tenant.issue()
    before = tenant.get("Secret")
    tenant.create("AgentCredential", "second", secret={"name": NAME})
    assert_told(tenant, "AgentCredential", "SecretNotOwned", "is not this credential's", name="second")
    assert tenant.get("Secret") == before
    tenant.remove("AgentCredential")
    tenant.until("AgentCredential", "Issued", "second")
    eventually("it is served", lambda: is_served(tenant.pair()))


def assert_told(tenant: Tenant, kind: str, reason: str, message: str, name: str = NAME) -> None:
    """Its Ready condition has this reason, and the message says this."""
    ready = condition_of(tenant.until(kind, reason, name))
    assert ready
    assert ready["status"] == "False"
    assert message in ready["message"]


def attacker_pair(attacker: Tenant, programs: Programs, client_id: str = "", name: str = NAME) -> Pair:
    """A secret that the attacker has chosen, as a credential of its agent; by default with the id that the agent would have."""
    chosen = secrets.token_hex(16)
    attacker.create("AgentCredential", name, secretHash={"hash": hash_of(chosen)})
    own_id = client_id or attacker.get("Agent")["metadata"]["uid"]
    return Pair(own_id, chosen, f"{programs.token_url}/api/v1/token")


def hash_of(secret: str) -> str:
    """As its owner makes it."""
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(10)).decode()


def a_secret(**fields: object) -> dict[str, object]:
    """A Secret of somebody else."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}} | fields
