"""kubectl as one identity: run to its end, its output as text, its error message raised."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError


class KubectlError(DevclusterError):
    """kubectl refused or failed; `stderr` is what it said."""

    def __init__(self, arguments: tuple[str, ...], result: subprocess.CompletedProcess[str]) -> None:
        super().__init__(f"kubectl {' '.join(arguments)} ended with code {result.returncode}: {result.stderr.strip()}")
        self.stderr = result.stderr
        self.returncode = result.returncode


@dataclass(frozen=True)
class Kubectl:
    """Calls kubectl with one kubeconfig, and with nothing of the person's own settings."""

    kubeconfig: Path
    cache: Path

    def __call__(self, *arguments: str, input: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:  # noqa: A002  (as in subprocess.run)
        """Run `kubectl arguments…`; KubectlError unless it ends with 0 or `check` is false."""
        result = subprocess.run(
            [kubectl_program(), *arguments], env=self.environment(), input=input, capture_output=True, text=True, check=False
        )
        if check and result.returncode != 0:
            raise KubectlError(arguments, result)
        return result

    def environment(self) -> dict[str, str]:
        """What kubectl needs in its environment to talk to this cluster."""
        return os.environ | self.variables()

    def variables(self) -> dict[str, str]:
        """What of that is about this cluster."""
        return {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.cache), "KUBERC": "off"}


def kubectl_program() -> Path:
    """The kubectl of the virtual environment, or the one on PATH."""
    beside_python = Path(sys.executable).parent / "kubectl"
    found = beside_python if beside_python.exists() else shutil.which("kubectl")
    if found is None:
        raise DevclusterError("kubectl is not installed; run `make` targets, which install it, or put kubectl on PATH")
    return Path(found)
