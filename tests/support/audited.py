"""An API server that writes down who it takes each caller for: what kubectl and our plugin are to it can be compared."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster.cluster import ControlPlane
from devcluster.kubectl import kubectl_program

RULES = [{"level": "Metadata"}]
POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": RULES}
AGENTS = "/apis/idp.sentryagent.ai/v1alpha1/namespaces/default/agents"
PLUGIN = Path(sys.executable).parent / "kubectl-agentidp"


def audit_flags(directory: Path) -> list[str]:
    """Flags of an API server that writes its audit log into this directory, each line before it answers."""
    policy = directory / "audit-policy.json"
    policy.write_text(json.dumps(POLICY))
    return [
        f"--audit-policy-file={policy}",
        f"--audit-log-path={directory / 'audit.log'}",
        "--audit-log-mode=blocking-strict",
    ]


@dataclass(frozen=True)
class Outcome:
    """What came of a command: as whom it was seen (nobody, where nothing was asked), and what it said."""

    seen_as: tuple[str, ...]
    status: int
    said: str


@dataclass(frozen=True)
class Audited:
    """The cluster, and the folder in which its audit log is."""

    cluster: ControlPlane
    folder: Path

    def kubectl(self, home: Path, *flags: str, **options: Any) -> Outcome:
        """`kubectl get --raw` of the agents, with the kubeconfig of this home folder."""
        return self._run(home, [kubectl_program(), "get", "--raw", AGENTS, *flags], options)

    def plugin(self, home: Path, *flags: str, **options: Any) -> Outcome:
        """`kubectl agentidp status` with the same."""
        return self._run(home, [PLUGIN, "status", *flags], options)

    def _run(self, home: Path, command: list[str | Path], options: dict[str, Any]) -> Outcome:
        before = self._lines()
        variables = options.pop("variables", {})
        done = subprocess.run(
            command,
            env=_environment(home) | variables,
            cwd=home,
            text=True,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            **({"stdin": subprocess.DEVNULL} | options),
        )
        told = {_who(json.loads(line)) for line in self._lines()[len(before) :]}
        return Outcome(tuple(sorted(told - {""})), done.returncode, done.stderr)

    def _lines(self) -> list[str]:
        log = self.folder / "audit.log"
        return log.read_text().splitlines() if log.exists() else []


def _environment(home: Path) -> dict[str, str]:
    """Of a person who has nothing but this home folder."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    for name in ("KUBECONFIG", "KUBERC", "KUBECTL_KUBERC"):
        kept.pop(name, None)
    return kept | {"HOME": str(home), "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _who(event: dict[str, Any]) -> str:
    """Of those who ask for agents."""
    if not event["requestURI"].startswith("/apis/idp.sentryagent.ai/v1alpha1/namespaces/default/agents"):
        return ""
    parts = {name: event.get(name, {}) for name in ("user", "impersonatedUser")}
    return json.dumps(parts | {"status": event["responseStatus"]["code"]}, sort_keys=True)
