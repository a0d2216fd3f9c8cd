"""`kubectl agentidp` as a person on call types it: through kubectl, as a plain user, with the operator at work."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agentidp.domain.resources import Agent
from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import ClientIdentity, source_of
from agentidp.kube.kinds import Kind
from devcluster.cluster import ControlPlane
from devcluster.programs import OPERATOR, Programs
from kubectl_agentidp.client import FIELD_MANAGER, PluginClient
from kubectl_agentidp.errors import CommandError
from tests.support.crd_schema import Manifest
from tests.support.manifests import a_resource
from tests.support.on_call import CHANGE, PLUGINS, READ, Person
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def person(cluster: ControlPlane, tenant: Tenant) -> Person:
    """On call for one namespace: may see and change agents and credentials there, and nothing else."""
    return Person.with_rights(cluster, tenant, "on-call", READ, CHANGE)


def test_kubectl_lists_it_among_its_plugins(person: Person) -> None:
    """Executable, and hidden by no other command."""
    listed = person.kubectl("plugin", "list")
    assert str(PLUGINS / "kubectl-agentidp") in listed.stdout
    assert "agentidp" not in listed.stderr


def test_status_and_tree_show_what_there_is_and_no_secret(person: Person, tenant: Tenant) -> None:
    """Phase, reason, what is due; hashes by their hints."""
    pair = tenant.issue(rotation={"every": "720h"})
    tenant.create("AgentCredential", "orphan", agentRef={"name": "nobody"})
    tenant.until("AgentCredential", "AgentNotFound", "orphan")
    shown = [line.split() for line in person.types("status").stdout.splitlines()]
    assert [NAME, "Active", "Registered"] in [line[:3] for line in shown]
    assert [NAME, NAME, "Active", "Issued", NAME, "-", "rotation", "in", "29d"] in [line[:9] for line in shown]
    assert ["orphan", "nobody", "Pending", "AgentNotFound"] in [line[:4] for line in shown]
    (hashed,) = tenant.get("AgentCredential")["status"]["secretHashes"]
    drawn = person.types("tree").stdout
    assert f"└── Agent {NAME}  Active  {pair.client_id}" in drawn
    assert f"        └── hash {hashed['hint']}  created " in drawn
    assert "No agent nobody\n└── Credential orphan  Pending  There is no Agent 'nobody' in this namespace." in drawn
    everything = drawn + person.types("status -o json").stdout
    assert pair.client_secret not in everything
    assert hashed["hash"] not in everything


def test_status_of_one_name(person: Person, tenant: Tenant) -> None:
    """An agent with its credentials, or one credential; a name that nobody has is an error."""
    tenant.issue()
    tenant.issue("second")
    told = json.loads(person.types("status second -o json").stdout)
    assert (told["agents"], [one["name"] for one in told["credentials"]]) == ([], ["second"])
    told = json.loads(person.types(f"status {NAME} -o json").stdout)
    assert ([one["name"] for one in told["agents"]], len(told["credentials"])) == ([NAME], 2)
    assert f"there is no agent or credential 'third' in namespace '{tenant.namespace}'" in person.is_refused("status third")


def test_rotate_returns_when_the_new_secret_is_delivered(person: Person, tenant: Tenant) -> None:
    """With an overlap the former one is accepted still; nothing but the rotation was written."""
    before = tenant.issue()
    done = person.types(f"rotate {NAME} --overlap 1h --wait")
    after, credential = tenant.pair(), tenant.get("AgentCredential")
    assert done.stdout.endswith(f"agentcredential.idp.sentryagent.ai/{NAME} rotated\n")
    assert f"Secret '{NAME}' holds the new secret. The former one is accepted until " in done.stderr
    assert after.client_id == before.client_id
    assert after.client_secret != before.client_secret
    assert credential["status"]["rotatedAt"] >= credential["spec"]["rotation"]["requestedAt"]
    assert fields_of(credential, "kubectl-agentidp") == {"spec.rotation.requestedAt", "spec.rotation.overlap"}
    assert "1, ends in 59m" in person.types("status").stdout


def test_rotations_follow_one_another(person: Person, tenant: Tenant) -> None:
    """However soon: each is later than the last secret, and makes one of its own."""
    secrets = {tenant.issue().client_secret}
    for _ in range(3):
        person.types(f"rotate {NAME} --wait")
        secrets.add(tenant.pair().client_secret)
    assert len(secrets) == 4


def test_a_rotation_that_does_not_come_is_told(person: Person, tenant: Tenant, operator: Programs) -> None:
    """The request stands: it is done as soon as the operator runs."""
    before = tenant.issue()
    with stopped(operator):
        said = person.kubectl("agentidp", "rotate", NAME, "--wait", "--timeout=1s", "-n", tenant.namespace, check=False)
        assert said.returncode == 1
        assert "error: not rotated within 1 s." in said.stderr
        assert "The operator has not acted on the latest change of the spec yet" in person.types("status").stdout
    eventually("it is rotated", lambda: tenant.pair().client_secret != before.client_secret)


def test_suspend_and_resume(person: Person, tenant: Tenant) -> None:
    """Asking twice is no error, and changes nothing."""
    tenant.issue()
    assert person.types(f"suspend {NAME}").stdout == f"agent.idp.sentryagent.ai/{NAME} suspended\n"
    tenant.until("AgentCredential", "AgentSuspended")
    generation = tenant.get("Agent")["metadata"]["generation"]
    assert person.types(f"suspend {NAME}").stdout == f"agent.idp.sentryagent.ai/{NAME} is Suspended already\n"
    assert tenant.get("Agent")["metadata"]["generation"] == generation
    assert person.types(f"resume {NAME}").stdout == f"agent.idp.sentryagent.ai/{NAME} resumed\n"
    tenant.until("AgentCredential", "Issued")
    assert fields_of(tenant.get("Agent"), "kubectl-agentidp") == {"spec.state"}


def test_revoke_asks_first(person: Person, tenant: Tenant) -> None:
    """Anything but a yes does nothing; what was revoked is not rotated, and has no token."""
    tenant.issue()
    for answer in ("n\n", ""):
        said = person.is_refused(f"revoke {NAME}", answer)
        assert f"Revoke AgentCredential {tenant.namespace}/{NAME}? This cannot be undone. [y/N]" in said
    assert tenant.get("AgentCredential")["spec"]["state"] == "Active"
    assert person.types(f"revoke {NAME}", "y\n").stdout == f"agentcredential.idp.sentryagent.ai/{NAME} revoked\n"
    tenant.until("AgentCredential", "CredentialRevoked")
    assert "is revoked, for good: it is not rotated." in person.is_refused(f"rotate {NAME}")
    assert "has no Secret. Revoked:" in person.is_refused(f"token {NAME}")


def test_decommission_ends_everything(person: Person, tenant: Tenant) -> None:
    """And there is no way back."""
    tenant.issue()
    assert person.types(f"decommission {NAME} --yes").stdout == f"agent.idp.sentryagent.ai/{NAME} decommissioned\n"
    tenant.until("AgentCredential", "AgentDecommissioned")
    assert "is Decommissioned, which is final.\nDeclare a new Agent." in person.is_refused(f"resume {NAME}")


def test_git_and_a_person_do_not_fight(person: Person, tenant: Tenant, cluster: ControlPlane) -> None:
    """A GitOps controller applies what it declares before and after: no conflict, and what it does not declare stays."""
    manifests = [a_resource("Agent", name=NAME), a_resource("AgentCredential", {"rotation": {"overlap": "2h"}}, NAME)]
    apply(cluster, tenant, manifests)
    tenant.until("AgentCredential", "Issued")
    person.types(f"rotate {NAME} --wait")
    person.types(f"suspend {NAME}")
    tenant.until("AgentCredential", "AgentSuspended")
    apply(cluster, tenant, manifests)
    assert tenant.get("Agent")["spec"]["state"] == "Suspended"
    assert tenant.get("AgentCredential")["spec"]["rotation"].keys() == {"overlap", "requestedAt"}
    assert len(tenant.get("AgentCredential")["status"]["secretHashes"]) == 2


def test_a_change_is_made_while_others_write(person: Person, tenant: Tenant) -> None:
    """Conflicts are decided again, on what is there then."""
    tenant.issue()
    with written_all_the_time(tenant):
        person.types(f"rotate {NAME}")
        person.types(f"suspend {NAME}")
    assert "requestedAt" in tenant.get("AgentCredential")["spec"]["rotation"]
    assert tenant.get("Agent")["spec"]["state"] == "Suspended"


def test_a_missing_right_is_named(cluster: ControlPlane, tenant: Tenant) -> None:
    """Verb, resource and namespace, and nothing is done."""
    tenant.issue()
    reader = Person.with_rights(cluster, tenant, "reader", READ)
    said = reader.is_refused(f"suspend {NAME}")
    assert f'User "system:serviceaccount:{tenant.namespace}:reader" cannot patch resource "agents"' in said
    where = f"in namespace '{tenant.namespace}'"
    assert f"Ask for a role that allows the verb 'patch' on the resource 'agents.idp.sentryagent.ai' {where}" in said
    assert "verb 'patch' on the resource 'agentcredentials.idp.sentryagent.ai'" in reader.is_refused(f"rotate {NAME}")
    assert f"verb 'get' on the resource 'secrets' {where}" in reader.is_refused(f"token {NAME}")
    assert "verb 'list' on the resource 'agents.idp.sentryagent.ai', cluster-wide" in reader.is_refused("status -A")
    assert tenant.get("Agent")["spec"]["state"] == "Active"


def test_what_is_not_there_is_named(person: Person, tenant: Tenant) -> None:
    """An empty namespace is no error."""
    assert f"there is no Agent 'nobody' in namespace '{tenant.namespace}'." in person.is_refused("suspend nobody")
    done = person.types("status")
    assert (done.stdout, done.stderr) == ("", f"No agents or credentials in namespace '{tenant.namespace}'.\n")


async def test_a_cluster_without_agentidp_is_told_from_one_where_an_object_is_missing(cluster: ControlPlane) -> None:
    """What the API server answers for a kind that it does not serve."""
    elsewhere = Kind("nowhere.example", "v1", "agents", "Agent", Agent)
    connection = KubeClient(ClientIdentity(source_of({"KUBECONFIG": str(cluster.kubeconfig)})), FIELD_MANAGER)
    with pytest.raises(CommandError, match=r"the cluster does not serve agents\.nowhere\.example"):
        await PluginClient(connection, "default").list(elsewhere)
    await connection.close()


def test_the_context_says_where(person: Person, tenant: Tenant, tmp_path: Path) -> None:
    """Its namespace is the default one; another context and another file can be chosen; a dead server is named."""
    tenant.issue()
    config = json.loads(person.kubectl.kubeconfig.read_text())
    (context,), (server,) = config["contexts"], config["clusters"]
    config["contexts"].append({"name": "here", "context": context["context"] | {"namespace": tenant.namespace}})
    config["clusters"].append({"name": "dead", "cluster": server["cluster"] | {"server": "https://127.0.0.1:1"}})
    config["contexts"].append({"name": "dead", "context": context["context"] | {"cluster": "dead"}})
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    person.kubectl("agentidp", "suspend", NAME, f"--kubeconfig={path}", "--context=here")
    assert tenant.get("Agent")["spec"]["state"] == "Suspended"
    dead = person.kubectl("agentidp", "status", f"--kubeconfig={path}", "--context=dead", check=False)
    assert (dead.returncode, dead.stdout) == (1, "")
    assert "the API server https://127.0.0.1:1 did not answer" in dead.stderr
    none = person.kubectl("agentidp", "status", f"--kubeconfig={path}", "--context=none", check=False)
    assert (none.returncode, "the kubeconfig has no context 'none'" in none.stderr) == (1, True)


def test_a_command_line_that_is_not_valid_ends_with_2(person: Person) -> None:
    """Through kubectl, too."""
    done = person.kubectl("agentidp", "rotate", check=False)
    assert (done.returncode, "required: CREDENTIAL" in done.stderr) == (2, True)


def fields_of(resource: Manifest, manager: str) -> set[str]:
    """The fields that a manager has set: `spec.state`."""

    def leaves(fields: Manifest, path: tuple[str, ...]) -> Iterator[str]:
        for key, below in fields.items():
            name = key.removeprefix("f:")
            if below:
                yield from leaves(below, (*path, name))
            elif name != ".":
                yield ".".join((*path, name))

    entries = [one for one in resource["metadata"]["managedFields"] if one["manager"] == manager]
    return {leaf for entry in entries for leaf in leaves(entry["fieldsV1"], ())}


def apply(cluster: ControlPlane, tenant: Tenant, manifests: list[Manifest]) -> None:
    """As a GitOps controller does; a conflict would be an error."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    options = ("--server-side", "--field-manager=gitops", f"--namespace={tenant.namespace}")
    cluster.kubectl("apply", "--filename=-", *options, input=listed)


@contextmanager
def stopped(programs: Programs) -> Iterator[None]:
    """Without the operator."""
    programs.stop(OPERATOR.name)
    try:
        yield
    finally:
        programs.start(OPERATOR.name)


@contextmanager
def written_all_the_time(tenant: Tenant) -> Iterator[None]:
    """Somebody else changes the metadata of agent and credential, as fast as the API server lets them."""
    over = threading.Event()

    def write() -> None:
        count = 0
        while not over.is_set():
            count += 1
            for kind in ("Agent", "AgentCredential"):
                labels = {"metadata": {"labels": {"count": str(count)}}}
                tenant.objects.change(kind, NAME, labels, tenant.namespace)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
