"""AgentIdP in a cluster that runs pods, as Helm installed it."""

import json
from pathlib import Path
from typing import Any

from devcluster.access import Access
from devcluster.chart import CHART, RELEASE, helm
from devcluster.install import NAMESPACE, namespace_manifest

IMAGE = "localhost/agentidp:e2e"
NEXT_IMAGE = "localhost/agentidp:e2e-next"
EARLIER_IMAGE = "localhost/agentidp:e2e-earlier"
OPERATOR, TOKEN_SERVICE, MANAGEMENT_API = DEPLOYMENTS = (
    f"{RELEASE}-operator",
    f"{RELEASE}-token-service",
    f"{RELEASE}-management-api",
)
TIMEOUT = "180s"


class Release:
    """The release `agentidp` in its namespace, which is held to the restricted Pod Security Standard."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def install(self, *options: str, chart: Path = CHART, image: str = IMAGE) -> None:
        """Install or upgrade; done when all pods are ready. `options` are those of `helm upgrade`."""
        self.kubectl("apply", "--filename=-", input=namespace_manifest(NAMESPACE))
        repository, _, tag = image.rpartition(":")
        given = (f"--set=image.repository={repository},image.tag={tag}", *options)
        self.helm("upgrade", "--install", RELEASE, str(chart), "--wait", f"--timeout={TIMEOUT}", *given)

    def remove(self) -> None:
        """All of it, with the kinds, and so all agents and credentials."""
        self.helm("uninstall", RELEASE, "--wait", f"--timeout={TIMEOUT}", "--ignore-not-found")
        self.access.kubectl("delete", "crd", "--selector=app.kubernetes.io/part-of=agentidp", "--ignore-not-found")
        self.access.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")

    def helm(self, *arguments: str) -> str:
        """What Helm says, in the release's namespace; it must succeed."""
        done = helm(*arguments, f"--kubeconfig={self.access.kubeconfig}", f"--namespace={NAMESPACE}")
        assert done.returncode == 0, done.stdout + done.stderr + self._what_is_wrong()
        return done.stdout

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 as in subprocess.run
        """What kubectl says, in the release's namespace."""
        return self.access.kubectl(f"--namespace={NAMESPACE}", *arguments, input=input).stdout

    def pods(self, deployment: str) -> list[dict[str, Any]]:
        """The pods of a Deployment."""
        component = deployment.removeprefix(f"{RELEASE}-")
        listed = self.kubectl("get", "pods", f"--selector=app.kubernetes.io/component={component}", "--output=json")
        return list(json.loads(listed)["items"])

    def images(self) -> set[str]:
        """The images that its pods run."""
        return {pod["spec"]["containers"][0]["image"] for name in DEPLOYMENTS for pod in self.pods(name)}

    def _what_is_wrong(self) -> str:
        """For a person who reads why a test failed."""
        questions = [["get", "pods", "--output=wide"], ["get", "events", "--sort-by=.lastTimestamp"]]
        questions += [["logs", f"deployment/{name}", "--tail=20"] for name in DEPLOYMENTS]
        return "\n\n".join(self.access.kubectl(*one, f"--namespace={NAMESPACE}", check=False).stdout for one in questions)
