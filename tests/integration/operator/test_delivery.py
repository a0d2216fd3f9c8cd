"""The Secret of a credential: what it looks like, and what happens when somebody else changes it."""

import base64
import re

import pytest

from devcluster.programs import Programs
from tests.support.crd_schema import Manifest
from tests.support.manifests import BCRYPT
from tests.support.tenants import NAME, Tenant, told
from tests.support.waiting import eventually
from tests.support.workload import value_in

pytestmark = pytest.mark.usefixtures("operator")


def test_a_secret_holds_the_pair_and_where_to_use_it(tenant: Tenant, operator: Programs) -> None:
    """Four keys by default, and a type of its own."""
    tenant.issue()
    secret = tenant.get("Secret")
    assert secret["type"] == "idp.sentryagent.ai/credential"
    assert set(secret["data"]) == {"client_id", "client_secret", "token_endpoint", "issuer"}
    assert value_in(secret, "client_id") == tenant.get("Agent")["metadata"]["uid"]
    assert re.fullmatch("sk_live_[0-9a-f]{32}", value_in(secret, "client_secret"))
    assert value_in(secret, "issuer") == operator.token_url
    assert value_in(secret, "token_endpoint") == f"{operator.token_url}/api/v1/token"


def test_a_secret_belongs_to_its_credential(tenant: Tenant) -> None:
    """An owner reference that the garbage collector follows, and that does not hold up a deletion."""
    tenant.issue()
    credential, secret = tenant.get("AgentCredential"), tenant.get("Secret")
    assert secret["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "idp.sentryagent.ai/v1alpha1",
            "kind": "AgentCredential",
            "name": NAME,
            "uid": credential["metadata"]["uid"],
            "controller": True,
        }
    ]
    assert secret["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "agentidp"}
    assert credential["status"]["binding"] == {"name": NAME}
    assert told(credential, "SecretDelivered") == "SecretDelivered"


def test_a_secret_is_delivered_as_declared(tenant: Tenant) -> None:
    """Under the name, keys, labels and annotations of the spec."""
    keys = {"clientId": "ID", "clientSecret": "SECRET", "tokenEndpoint": "URL", "issuer": "ISSUER"}
    template = {"name": "for-my-pod", "keys": keys, "labels": {"team": "talent"}, "annotations": {"a.example/b": "c"}}
    tenant.create("Agent")
    tenant.create("AgentCredential", secret=template)
    credential = tenant.until("AgentCredential", "Issued")
    secret = tenant.get("Secret", "for-my-pod")
    assert set(secret["data"]) == set(keys.values())
    assert secret["metadata"]["labels"]["team"] == "talent"
    assert secret["metadata"]["annotations"]["a.example/b"] == "c"
    assert credential["status"]["binding"] == {"name": "for-my-pod"}
    assert tenant.find("Secret") is None


def test_status_holds_only_a_hash_and_its_hint(tenant: Tenant) -> None:
    """Of the value in the Secret; ids and times beside it."""
    pair = tenant.issue()
    credential = tenant.get("AgentCredential")
    status = credential["status"]
    assert status["credentialId"] == credential["metadata"]["uid"]
    assert status["clientId"] == pair.client_id
    assert status["phase"] == "Active"
    (accepted,) = status["secretHashes"]
    assert accepted.keys() == {"hash", "hint", "createdAt"}
    assert accepted["hash"].startswith("$2b$10$")
    assert status["createdAt"] == accepted["createdAt"]


def test_a_removed_secret_is_issued_anew_under_the_same_client_id(tenant: Tenant) -> None:
    """With another value; the old one is accepted no more."""
    before = tenant.issue()
    tenant.remove("Secret")
    after = tenant.another_pair(before)
    assert after.client_id == before.client_id
    eventually("one hash is left", lambda: hints(tenant), lambda seen: len(seen) == 1)


def test_an_edited_value_is_replaced(tenant: Tenant) -> None:
    """Whoever may write the Secret does not thereby choose the agent's secret."""
    before = tenant.issue()
    chosen = "sk_live_" + "0" * 32
    edit(tenant, data={"client_secret": base64.b64encode(chosen.encode()).decode()})
    after = eventually(
        "the value is another one", tenant.pair, lambda pair: pair.client_secret not in {chosen, before.client_secret}
    )
    assert after.client_id == before.client_id


@pytest.mark.parametrize(
    "damage",
    {
        "its owner reference": {"metadata": {"ownerReferences": None}},
        "its label": {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}},
        "its label's value": {"metadata": {"labels": {"app.kubernetes.io/managed-by": "somebody"}}},
        "its annotation": {"metadata": {"annotations": None}},
        "all that says whose it is": {"metadata": {"annotations": None, "ownerReferences": None, "labels": None}},
        "its client id": {"data": {"client_id": None}},
        "its endpoint": {"data": {"token_endpoint": "aHR0cHM6Ly9ldmlsLmV4YW1wbGU="}},
        "a key that is not declared": {"data": {"more": "bW9yZQ=="}},
    }.items(),
    ids=lambda damage: damage[0],
)
def test_a_damaged_secret_is_repaired_with_the_same_value(damage: tuple[str, Manifest], tenant: Tenant) -> None:
    """Nothing that still works is replaced."""
    tenant.issue()
    before = tenant.get("Secret")
    edit(tenant, **damage[1])
    eventually("the Secret is as it was", lambda: tenant.get("Secret"), lambda seen: facts(seen) == facts(before))


def test_what_others_add_to_the_metadata_stays(tenant: Tenant) -> None:
    """A backup tool's label is nobody's drift."""
    tenant.issue()
    edit(tenant, metadata={"labels": {"velero.io/backup": "daily"}})
    tenant.change("AgentCredential", secret={"labels": {"team": "talent"}})
    labels = eventually("the declared label is there", lambda: labels_of(tenant), lambda seen: "team" in seen)
    assert labels["velero.io/backup"] == "daily"


def test_other_keys_move_the_same_value(tenant: Tenant) -> None:
    """The old keys go."""
    before = tenant.issue()
    tenant.change("AgentCredential", secret={"keys": {"clientSecret": "password"}})
    secret = eventually("the key is there", lambda: tenant.get("Secret"), lambda seen: "password" in seen["data"])
    assert value_in(secret, "password") == before.client_secret
    assert "client_secret" not in secret["data"]


def test_another_name_moves_the_same_value(tenant: Tenant) -> None:
    """And the old Secret goes."""
    before = tenant.issue()
    tenant.change("AgentCredential", secret={"name": "elsewhere"})
    eventually("the new Secret is there", lambda: tenant.find("Secret", "elsewhere"))
    eventually("the old one is gone", lambda: tenant.find("Secret") is None)
    assert tenant.pair("elsewhere") == before


def test_a_provided_hash_needs_no_secret(tenant: Tenant) -> None:
    """No Secret is written, and the hash is published as it is."""
    tenant.create("Agent")
    tenant.create("AgentCredential", secretHash={"hash": BCRYPT})
    credential = tenant.until("AgentCredential", "Provided")
    assert [one["hash"] for one in credential["status"]["secretHashes"]] == [BCRYPT]
    assert "binding" not in credential["status"]
    assert tenant.find("Secret") is None


def test_a_hash_instead_of_a_secret_removes_it(tenant: Tenant) -> None:
    """The delivered value ends with its Secret."""
    tenant.issue()
    tenant.change("AgentCredential", secretHash={"hash": BCRYPT})
    tenant.until("AgentCredential", "Provided")
    eventually("the Secret is gone", lambda: tenant.find("Secret") is None)
    assert hints(tenant) == [None]


def edit(tenant: Tenant, **changes: Manifest) -> None:
    """Change the Secret, as anybody who may write it can."""
    tenant.objects.change("Secret", NAME, changes, tenant.namespace)


def facts(secret: Manifest) -> tuple[object, ...]:
    """All of a Secret that somebody declared."""
    meta = secret["metadata"]
    return secret["data"], meta.get("labels"), meta.get("annotations"), meta.get("ownerReferences")


def labels_of(tenant: Tenant) -> dict[str, str]:
    """The Secret's labels."""
    labels: dict[str, str] = tenant.get("Secret")["metadata"]["labels"]
    return labels


def hints(tenant: Tenant) -> list[str | None]:
    """The hints of all published hashes."""
    return [one.get("hint") for one in tenant.get("AgentCredential")["status"]["secretHashes"]]
