"""Identities outlive their cluster: a namespace moves to another one, and etcd is set back to an earlier backup."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devcluster.access import Access
from devcluster.cluster import ControlPlane
from devcluster.components import API_SERVER, ETCD
from devcluster.kubectl import kubectl_program
from devcluster.programs import PROGRAMS, Programs
from tests.support.control_planes import installed_cluster
from tests.support.crd_schema import CHECKOUT
from tests.support.guides import steps_of
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.rotations import request_rotations
from tests.support.shell import typed
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import is_refused, is_served

SCRIPT = CHECKOUT / "examples" / "move_namespace.py"
ELSEWHERE = "delivered-elsewhere"


@pytest.fixture(scope="module")
def target(own_cluster: ControlPlane) -> ControlPlane:
    """Another cluster with everything but the programs."""
    return own_cluster


@pytest.fixture(scope="module")
def programs_there(target: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """The programs of the other cluster."""
    with Programs.launch(target.access, tmp_path_factory.mktemp("programs-there")) as programs:
        yield programs


@pytest.fixture
def there(target: ControlPlane, tenant: Tenant) -> Iterator[Tenant]:
    """The tenant's new home: a namespace of the same name."""
    with Objects(target.kubeconfig) as objects:
        objects.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": tenant.namespace}})
        yield Tenant(objects, tenant.namespace)


def test_a_namespace_moves_with_its_ids_and_secrets(
    cluster: ControlPlane, target: ControlPlane, programs: Programs, programs_there: Programs, tenant: Tenant, there: Tenant
) -> None:
    """Workloads that know their pair get tokens from the new cluster, and the operator there goes on from where it was."""
    pairs = {NAME: tenant.issue(), ELSEWHERE: tenant.issue("renamed", secret={"name": ELSEWHERE})}

    move(cluster.access, target.access, tenant.namespace)

    for secret, pair in pairs.items():
        assert there.pair(secret)[:2] == pair[:2], "the same client id, the same secret"
        assert is_served(there.pair(secret))
    assert there.get("Agent")["status"]["agentId"] == tenant.get("Agent")["status"]["agentId"]
    assert there.get("AgentCredential", "renamed")["spec"]["secret"] == {"name": ELSEWHERE}
    owners = eventually("the operator takes the Secret over", lambda: there.get("Secret")["metadata"].get("ownerReferences"))
    assert [one["uid"] for one in owners] == [there.get("AgentCredential")["metadata"]["uid"]]


def test_the_commands_of_the_guide(
    cluster: ControlPlane, target: ControlPlane, programs: Programs, programs_there: Programs, objects: Objects, tmp_path: Path
) -> None:
    """Where the organization is there already, the agent goes on with its secret."""
    *_, move_it = steps_of("install")
    (tmp_path / "examples").symlink_to(CHECKOUT / "examples")
    shutil.copy(target.kubeconfig, tmp_path / "there")
    cluster.kubectl("apply", f"--filename={CHECKOUT / 'examples' / 'quickstart.yaml'}")
    here = Tenant(objects, "agents-demo")
    here.until("AgentCredential", "Issued")
    acme = a_resource("Organization", {"namespaces": ["agents-demo"]}, "acme")
    logs = tmp_path / "logs"
    logs.mkdir()
    path = f"{kubectl_program().parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = cluster.access.kubectl.variables() | {"PATH": path}
    with Objects(target.kubeconfig) as there:
        there.create(acme)
        typed(move_it, tmp_path, logs, variables)
        moved = Tenant(there, "agents-demo").pair("screener-credentials")
    assert moved[:2] == here.pair("screener-credentials")[:2]
    assert is_served(moved)
    cluster.kubectl("delete", "agentcredentials,agents", "--all", "--namespace=agents-demo")
    cluster.kubectl("delete", "organization", "acme")


def test_what_was_moved_rotates_as_before(
    cluster: ControlPlane, target: ControlPlane, programs: Programs, programs_there: Programs, tenant: Tenant, there: Tenant
) -> None:
    """The restored Secret is the operator's own: it is rotated, and the old secret stops working."""
    tenant.issue()
    move(cluster.access, target.access, tenant.namespace)
    before = there.pair()
    request_rotations(there)
    after = there.another_pair(before)
    assert is_served(after)
    eventually("the old secret is refused", lambda: is_refused(before))


def test_what_was_not_accepted_is_not_accepted_there(
    cluster: ControlPlane, target: ControlPlane, programs: Programs, programs_there: Programs, tenant: Tenant, there: Tenant
) -> None:
    """A suspended agent and a revoked credential stay so; resumed, the agent gets a fresh secret."""
    suspended = tenant.issue()
    tenant.create("Agent", "other")
    tenant.create("AgentCredential", "revoked", agentRef={"name": "other"})
    tenant.until("AgentCredential", "Issued", "revoked")
    tenant.change("AgentCredential", "revoked", state="Revoked")
    tenant.until("AgentCredential", "CredentialRevoked", "revoked")
    tenant.change("Agent", state="Suspended")
    tenant.until("AgentCredential", "AgentSuspended")

    move(cluster.access, target.access, tenant.namespace)

    there.until("AgentCredential", "AgentSuspended")
    there.until("AgentCredential", "CredentialRevoked", "revoked")
    assert there.find("Secret", "revoked") is None
    there.change("Agent", state="Active")
    there.until("AgentCredential", "Issued")
    fresh = there.pair()
    assert (fresh.client_id, fresh.client_secret == suspended.client_secret) == (suspended.client_id, False)
    assert is_served(fresh)


def test_etcd_is_set_back_to_a_backup(tmp_path: Path) -> None:
    """Once the programs start anew, what worked at the time of the backup works again, and what came later does not."""
    with (
        installed_cluster(tmp_path / "cluster") as cluster,
        Programs.launch(cluster.access, tmp_path / "programs") as programs,
        Objects(cluster.kubeconfig) as objects,
    ):
        tenant = Tenant.new(objects)
        before = tenant.issue()
        backup = while_stopped(cluster, lambda: shutil.copytree(cluster.layout.etcd_data, tmp_path / "backup"))

        request_rotations(tenant)
        after = tenant.another_pair(before)
        eventually("the old secret is refused", lambda: is_refused(before))
        while_stopped(cluster, lambda: set_back(cluster.layout.etcd_data, backup))
        for program in PROGRAMS:
            programs.restart(program.name)

        eventually("what worked at the time of the backup works again", lambda: is_served(before))
        eventually("what came later does not", lambda: is_refused(after))
        assert tenant.pair() == before


def move(source: Access, target: Access, namespace: str) -> None:
    """As the guide says."""
    saved = run(source, "save", namespace)
    run(target, "restore", namespace, text=saved)


def run(access: Access, *arguments: str, text: str | None = None) -> str:
    """The script, with a cluster's kubectl on its PATH."""
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment = access.kubectl.environment() | path
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments], env=environment, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def while_stopped(cluster: ControlPlane, act: Callable[[], Path]) -> Path:
    """With the API server and etcd down."""
    cluster.stop(API_SERVER)
    cluster.stop(ETCD)
    done = act()
    cluster.start(ETCD)
    cluster.start(API_SERVER)
    return done


def set_back(data: Path, backup: Path) -> Path:
    """The data as they were."""
    shutil.rmtree(data)
    return shutil.copytree(backup, data)
