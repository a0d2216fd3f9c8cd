"""A person on call: a plain user of one namespace, who types `kubectl agentidp ...` and reads what it says."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from devcluster.cluster import ControlPlane
from devcluster.kubectl import Kubectl
from tests.support.tenants import Tenant

READ = ("get,list", "agents.idp.sentryagent.ai,agentcredentials.idp.sentryagent.ai")
CHANGE = ("patch", "agents.idp.sentryagent.ai,agentcredentials.idp.sentryagent.ai")
READ_SECRETS = ("get", "secrets")
PLUGINS = Path(sys.executable).parent
"""Where kubectl must look for `kubectl-agentidp`."""


@dataclass(frozen=True)
class KubectlWithPlugins(Kubectl):
    """kubectl, with our plugin on its PATH."""

    def environment(self) -> dict[str, str]:
        """Where kubectl itself was installed."""
        return super().environment() | {"PATH": f"{PLUGINS}{os.pathsep}{os.environ['PATH']}"}


@dataclass(frozen=True)
class Person:
    """Somebody with some rights in a namespace, and with no others."""

    kubectl: Kubectl
    namespace: str

    @classmethod
    def with_rights(cls, cluster: ControlPlane, tenant: Tenant, name: str, *rights: tuple[str, str]) -> "Person":
        """A new one; each right is verbs and resources, as `kubectl create role` takes them."""
        namespace = f"--namespace={tenant.namespace}"
        cluster.kubectl("create", "serviceaccount", name, namespace)
        for number, (verbs, resources) in enumerate(rights):
            role = f"{name}-{number}"
            cluster.kubectl("create", "role", role, f"--verb={verbs}", f"--resource={resources}", namespace)
            account = f"--serviceaccount={tenant.namespace}:{name}"
            cluster.kubectl("create", "rolebinding", role, f"--role={role}", account, namespace)
        kubeconfig = cluster.identity(tenant.namespace, name)
        return cls(KubectlWithPlugins(kubeconfig, cluster.access.kubectl_cache), tenant.namespace)

    def types(self, line: str, answer: str | None = None) -> CompletedProcess[str]:
        """Of `kubectl agentidp`, in the namespace; KubectlError unless it ends with 0."""
        return self.kubectl("agentidp", *line.split(), "-n", self.namespace, input=answer)

    def is_refused(self, line: str, answer: str | None = None) -> str:
        """What it says on standard error when it ends with 1."""
        done = self.kubectl("agentidp", *line.split(), "-n", self.namespace, input=answer, check=False)
        assert (done.returncode, done.stdout) == (1, ""), done
        return done.stderr
