"""`python -m demo`: a control plane of its own, the programs, the story, and nothing left behind.

Exit status 0 only if everything that the story claims was checked and holds.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from demo.stage import Stage, Unexpected
from demo.story import Cast, play
from demo.workload import Workload
from devcluster.binary import control_plane_binary
from devcluster.cluster import ControlPlane
from devcluster.errors import DevclusterError
from devcluster.install import install
from devcluster.kubectl import kubectl_program
from devcluster.programs import Programs

ROOT = Path(__file__).resolve().parent.parent
INTERRUPTED = 130


def main() -> int:
    """Run the demo and print its duration."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="agentidp-demo-") as directory:
            _perform(Path(directory))
    except (Unexpected, DevclusterError) as trouble:
        Console(stderr=True).print(f"\n[bold red]✘ the demo failed:[/bold red] {trouble}")
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("\ninterrupted; everything was stopped")
        return INTERRUPTED
    Console().print(f"\n[bold green]Everything shown was checked.[/bold green] {time.monotonic() - started:.1f} s in all.")
    Console().print("[dim]Next: `make up` keeps a cluster running for you to try; README.md shows how.[/dim]")
    return 0


def _perform(directory: Path) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print("[bold]AgentIdP for Kubernetes[/bold]: identities for AI agents, declared like everything else")
    logs = directory / "log"
    control_plane_binary()
    console.print("[dim]starting kube-apiserver, etcd and controller manager …[/dim]")
    with ControlPlane.launch(directory / "cluster", logs=logs) as cluster:
        console.print(f"[dim]… which serve {cluster.server}; installing the CRDs, ServiceAccounts and roles …[/dim]")
        install(cluster.access)
        console.print("[dim]starting operator and token service, each under its own ServiceAccount …[/dim]")
        with Programs.launch(cluster.access, logs) as programs:
            console.print(f"[dim]… which issue tokens at {programs.token_url}[/dim]")
            stage = Stage(_shell(cluster.kubeconfig, cluster.access.kubectl_cache))
            play(Cast(stage, Workload(directory / "mount"), programs.token_url, ROOT, logs))


def _shell(kubeconfig: Path, cache: Path) -> dict[str, str]:
    """What a person's shell would have set; kubectl is the one of the virtual environment."""
    path = f"{Path(kubectl_program()).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"KUBECONFIG": str(kubeconfig), "KUBECACHEDIR": str(cache), "PATH": path}


if __name__ == "__main__":
    sys.exit(main())
