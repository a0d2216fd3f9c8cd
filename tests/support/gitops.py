"""What a GitOps controller does to a cluster: it applies what is in Git, every second, whatever has become of it."""

import json
import threading
import time
from subprocess import CompletedProcess
from typing import Self

from devcluster.kubectl import Kubectl
from tests.support.crd_schema import Manifest
from tests.support.waiting import eventually

EVERY_SECONDS = 1.0

SERVER_SIDE = ("--server-side", "--field-manager=gitops")
CLIENT_SIDE = ()


class GitOps:
    """Runs while the block does, in one namespace, with these arguments of `kubectl apply`."""

    def __init__(self, kubectl: Kubectl, namespace: str, arguments: tuple[str, ...]) -> None:
        self.done: list[CompletedProcess[str]] = []
        self._kubectl = kubectl
        self._command = ("apply", f"--namespace={namespace}", "--filename=-", *arguments)
        self._manifests = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def commit(self, *manifests: Manifest) -> None:
        """This is in Git from now on, and was applied when this returns."""
        self._manifests = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self.goes_on()

    def goes_on(self) -> None:
        """Wait until everything was applied once more at least; one that is under way already does not count."""
        enough = len(self.done) + 2
        eventually("it is applied again", lambda: len(self.done) >= enough)

    def _run(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            if self._manifests:
                self.done.append(self._kubectl(*self._command, input=self._manifests, check=False))
            self._ended.wait(began + EVERY_SECONDS - time.monotonic())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
