"""Control planes of a test's own."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devcluster.cluster import ControlPlane
from devcluster.install import install
from tests.support.waiting import eventually

SENTINEL = "all-policies-are-in-force"
REGISTRATION = "admissionregistration.k8s.io/v1"


@contextmanager
def installed_cluster(directory: Path, api_server_flags: Sequence[str] = ()) -> Iterator[ControlPlane]:
    """A running cluster with everything but the programs: the five kinds, and identities with their rules."""
    with ControlPlane.launch(directory, api_server_flags) as cluster:
        install(cluster.access)
        wait_for_policies(cluster)
        yield cluster


def wait_for_policies(cluster: ControlPlane) -> None:
    """Return when the API server enforces the admission policies that were applied before.

    It loads policies in the order of their creation, some time after it has accepted them. So a policy that is made last, and
    refuses one ConfigMap, is in force after all others.
    """
    config_map = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SENTINEL, "namespace": "default"}})
    for manifest in (policy(), binding()):
        cluster.kubectl("apply", "--filename=-", input=json.dumps(manifest))

    def refusal() -> str:
        return cluster.kubectl("create", "--dry-run=server", "--filename=-", input=config_map, check=False).stderr

    eventually("the admission policies are in force", refusal, lambda said: SENTINEL in said and "denied" in said)


def policy() -> dict[str, Any]:
    """A policy that refuses the ConfigMap of the sentinel's name."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    return {
        "apiVersion": REGISTRATION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": SENTINEL},
        "spec": {
            "matchConstraints": {"resourceRules": [rule | {"resourceNames": [SENTINEL]}]},
            "validations": [{"expression": "false"}],
        },
    }


def binding() -> dict[str, Any]:
    """What puts that policy in force."""
    return {
        "apiVersion": REGISTRATION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": SENTINEL},
        "spec": {"policyName": SENTINEL, "validationActions": ["Deny"]},
    }
