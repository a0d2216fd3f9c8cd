"""Install, upgrade, rollback and uninstall by Helm, and the manifest by kubectl, on a real API server that runs no pods."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from devcluster.chart import CHART, RELEASE, VALUE_FILES, helm
from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE, manifest, namespace_manifest
from tests.support.chart import Manifest, a_later_chart, fields_of_agents, pods, rendered
from tests.support.crd_schema import crds

Helm = Callable[..., str]
OF_OTHERS = {"Certificate", "HTTPRoute", "PrometheusRule", "ServiceMonitor"}
"""Kinds of other projects, which this API server does not know."""


@pytest.fixture(scope="module")
def release(empty_cluster: ControlPlane) -> Helm:
    """Helm on that cluster, in a namespace that is held to the restricted Pod Security Standard."""
    empty_cluster.kubectl("apply", "--filename=-", input=namespace_manifest(NAMESPACE))

    def run(*arguments: str) -> str:
        done = helm(*arguments, f"--kubeconfig={empty_cluster.kubeconfig}", f"--namespace={NAMESPACE}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("values", VALUE_FILES)
def test_the_api_server_takes_all_of_it(values: str, empty_cluster: ControlPlane, release: Helm) -> None:
    """Field by field (strict validation), and without a warning of Pod Security about what would not run."""
    known = [one for one in rendered(*VALUE_FILES[values]) if one["kind"] not in OF_OTHERS]
    told = empty_cluster.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "--filename=-", input=yaml.safe_dump_all(known)
    )
    assert told.stderr == ""
    assert len(told.stdout.splitlines()) == len(known)


def test_pods_are_admitted_where_only_restricted_ones_are(empty_cluster: ControlPlane, release: Helm) -> None:
    """As the Deployments would make them; one that may become root is refused, so somebody looks."""
    for name, spec in pods(rendered()).items():
        assert "created" in dry_run(empty_cluster, name, spec)
        careless = {"containers": [{"name": "main", "image": spec["containers"][0]["image"]}]}
        assert "violates PodSecurity" in dry_run(empty_cluster, name, careless)


def test_the_life_of_a_release(empty_cluster: ControlPlane, release: Helm, tmp_path: Path) -> None:
    """Each step ends in exactly what is declared, CRDs included, and the last one leaves what the docs say."""
    release("install", RELEASE, str(CHART))
    assert deployed(empty_cluster) == {"agentidp-operator": 2, "agentidp-token-service": 2, "agentidp-management-api": 2}
    an_agent_is_declared(empty_cluster)

    release("upgrade", RELEASE, str(a_later_chart(tmp_path)), "--reset-then-reuse-values", "--set=tokenService.replicas=5")
    assert deployed(empty_cluster) == {"agentidp-operator": 2, "agentidp-token-service": 5, "agentidp-management-api": 2}
    assert "newField" in fields_of_agents(empty_cluster.kubectl), "an upgrade of the release upgrades the kinds"

    release("rollback", RELEASE, "1")
    assert deployed(empty_cluster) == {"agentidp-operator": 2, "agentidp-token-service": 2, "agentidp-management-api": 2}
    assert "newField" not in fields_of_agents(empty_cluster.kubectl)

    release("uninstall", RELEASE)
    assert everything_of_the_release(empty_cluster) == {
        f"customresourcedefinition/{one['metadata']['name']}" for one in crds().values()
    }
    assert "screener" in empty_cluster.kubectl("get", "agents", "--all-namespaces").stdout, "the agents are still there"

    release("install", RELEASE, str(CHART))
    release("uninstall", RELEASE)

    empty_cluster.kubectl("delete", "crd", "--selector=app.kubernetes.io/part-of=agentidp", "--wait=true")
    assert everything_of_the_release(empty_cluster) == set()


def test_crds_that_were_applied_otherwise_are_taken_over(empty_cluster: ControlPlane, release: Helm) -> None:
    """As the guide says for who comes from `kubectl apply`."""
    empty_cluster.kubectl("apply", "--server-side", "--filename=-", input=manifest())
    release("install", RELEASE, str(CHART), "--take-ownership", "--force-conflicts")
    release("uninstall", RELEASE)


def test_without_helm_the_manifest_does_the_same(empty_cluster: ControlPlane) -> None:
    """Twice, as an upgrade is; the second changes nothing."""
    text = manifest()
    empty_cluster.kubectl("apply", "--server-side", "--filename=-", input=text)
    again = empty_cluster.kubectl("diff", "--server-side", "--filename=-", input=text, check=False)
    assert (again.returncode, again.stdout) == (0, "")
    empty_cluster.kubectl("delete", "--filename=-", "--wait=true", input=text)


def deployed(cluster: ControlPlane) -> dict[str, int]:
    """Replicas wanted of each Deployment."""
    found = json.loads(cluster.kubectl("get", "deployments", f"--namespace={NAMESPACE}", "--output=json").stdout)
    return {one["metadata"]["name"]: one["spec"]["replicas"] for one in found["items"]}


def an_agent_is_declared(cluster: ControlPlane) -> None:
    """The quickstart's."""
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/agents.idp.sentryagent.ai")
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/agentcredentials.idp.sentryagent.ai")
    cluster.kubectl("apply", f"--filename={CHART.parent.parent / 'examples' / 'quickstart.yaml'}")


def everything_of_the_release(cluster: ControlPlane) -> set[str]:
    """All objects that were rendered and are there, written kind/name."""
    wanted: list[Manifest] = [one for one in rendered() if one["kind"] != "Pod"]
    names = cluster.kubectl(
        "get", "--ignore-not-found", "--output=name", "--filename=-", input=yaml.safe_dump_all(wanted)
    ).stdout.split()
    return {name.replace(".apiextensions.k8s.io", "", 1) for name in names}


def dry_run(cluster: ControlPlane, name: str, spec: Manifest) -> str:
    """What the API server says to a pod."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
    done = cluster.kubectl("create", "--dry-run=server", "--filename=-", input=json.dumps(pod), check=False)
    return done.stdout + done.stderr
