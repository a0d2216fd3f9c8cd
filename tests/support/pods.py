"""Pods that a test runs in a tenant's namespace: AgentIdP's own image with a program of `tests/e2e/workloads`.

They are as the restricted Pod Security Standard wants pods to be.
"""

import base64
import io
import json
import zipfile
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Any

from devcluster.kubectl import Kubectl
from tests.support.crd_schema import CHECKOUT, Manifest
from tests.support.waiting import eventually

WORKLOADS = CHECKOUT / "tests" / "e2e" / "workloads"
START_SECONDS = 90.0
SECRETS = "/var/run/secrets/agents"
# What the load generator of the benchmarks imports, none of which is in the image.
LOAD_GENERATOR = (
    "benchmarks/__init__.py",
    "benchmarks/measure/__init__.py",
    "benchmarks/measure/http_generator.py",
    "benchmarks/measure/http_load.py",
    "benchmarks/stage/__init__.py",
    "benchmarks/stage/workload.py",
)


def mounted_at(secret: str) -> str:
    """The folder in which a workload finds a Secret's values."""
    return f"{SECRETS}/{secret}"


@dataclass(frozen=True)
class Pod:
    """One pod, by its name."""

    kubectl: Kubectl
    namespace: str
    name: str

    def uid(self) -> str:
        """By which its control group is named."""
        return self._kubectl("get", "pod", self.name, "--output=jsonpath={.metadata.uid}").stdout

    def until_it_ends(self) -> Any:
        """What it printed, as JSON; it must have ended well."""
        phase = eventually(f"pod {self.name} ends", self._phase, lambda phase: phase in {"Succeeded", "Failed"}, START_SECONDS)
        assert phase == "Succeeded", self.logs()
        return json.loads(self.logs())

    def until_it_runs(self) -> None:
        """Its container has been started."""
        eventually(f"pod {self.name} runs", self._phase, lambda phase: phase == "Running", START_SECONDS)

    def logs(self, *options: str) -> str:
        """What it has printed."""
        return self._kubectl("logs", self.name, *options).stdout

    def run(self, *command: str, given: str | None = None) -> str:
        """What a command in its container prints."""
        return self._kubectl("exec", "--stdin", self.name, "--", *command, input=given).stdout

    def end(self) -> None:
        """As it ends when a node is drained: it is told, and has its time."""
        self._kubectl("delete", "pod", self.name, "--wait=true")

    def _phase(self) -> str:
        return self._kubectl("get", "pod", self.name, "--output=jsonpath={.status.phase}").stdout

    def _kubectl(self, *arguments: str, input: str | None = None) -> CompletedProcess[str]:  # noqa: A002 as in subprocess.run
        return self.kubectl(f"--namespace={self.namespace}", *arguments, input=input)


@dataclass(frozen=True)
class Pods:
    """What makes pods in one namespace."""

    kubectl: Kubectl
    namespace: str
    image: str

    def start(self, name: str, *command: str, secrets: tuple[str, ...] = ()) -> Pod:
        """A pod with the programs in /workloads, and Secrets where `mounted_at` says."""
        self._apply(self._programs())
        self._apply(self._pod(name, command, secrets))
        return Pod(self.kubectl, self.namespace, name)

    def _pod(self, name: str, command: tuple[str, ...], secrets: tuple[str, ...]) -> Manifest:
        volumes = {"workloads": ("/workloads", {"configMap": {"name": "workloads"}})}
        volumes |= {secret: (mounted_at(secret), {"secret": {"secretName": secret}}) for secret in secrets}
        container = {
            "name": "workload",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python", *command],
            "env": [{"name": "PYTHONPATH", "value": "/workloads/benchmarks.zip"}],
            "volumeMounts": [{"name": volume, "mountPath": path} for volume, (path, _) in volumes.items()],
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "containers": [container],
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 5,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 65532,
                    "runAsGroup": 65532,
                    "fsGroup": 65532,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "volumes": [{"name": volume} | source for volume, (_, source) in volumes.items()],
            },
        }

    def _programs(self) -> Manifest:
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "workloads", "namespace": self.namespace},
            "data": {program.name: program.read_text() for program in WORKLOADS.glob("*.py")},
            "binaryData": {"benchmarks.zip": base64.b64encode(_zipped(LOAD_GENERATOR)).decode()},
        }

    def _apply(self, manifest: Manifest) -> None:
        self.kubectl("apply", "--filename=-", input=json.dumps(manifest))


def _zipped(files: tuple[str, ...]) -> bytes:
    """Files of the checkout, as Python imports them from an archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name in files:
            opened.writestr(name, (CHECKOUT / name).read_text())
    return archive.getvalue()
