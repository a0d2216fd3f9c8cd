"""`python -m devcluster …`: what the Makefile calls, and what a person may call."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from devcluster.binary import control_plane_binary
from devcluster.errors import DevclusterError
from devcluster.folder import Folder
from devcluster.install import manifest
from devcluster.linters.chart import lint_chart
from devcluster.node.node import prepare_node
from devcluster.node.requirements import CannotRunHereError, missing_for_tests, missing_packages
from devcluster.prometheus.program import prometheus_program
from devcluster.proxies.reverse_proxies import missing_proxies
from devcluster.settings import read_settings
from devcluster.supervisor import supervise
from devcluster.up import down, up

FOLDER = Path(__file__).resolve().parent.parent / ".dev"
INTERRUPTED = 130
CANNOT_RUN_HERE = 77
"""As Automake and others read it: not run, which is neither success nor failure."""


def main() -> int:
    """Run one command; an error that is meant for a person is printed without a traceback."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["helm"]:
        return _helm(arguments[1:])
    command = _parser().parse_args(arguments)
    try:
        _run(command)
    except CannotRunHereError as error:
        print(f"not run: {error}", file=sys.stderr)
        return CANNOT_RUN_HERE
    except DevclusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devcluster", description="A real Kubernetes control plane on this machine."
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="what `up` keeps; default: .dev in the checkout")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("compile", help="compile the control plane, unless that has been done, and say where it is")
    commands.add_parser("compile-prometheus", help="compile Prometheus, unless that has been done, and say where it is")
    commands.add_parser(
        "prepare-node", help="compile and make what a node needs, as `make e2e` has it, unless that has been done"
    )
    commands.add_parser(
        "missing-packages", help="name the packages of Debian that a node and the tests need and this machine lacks"
    )
    commands.add_parser("helm", help="run Helm, which is part of the compiled binary: helm …")
    commands.add_parser("manifest", help="write the chart, rendered for `kubectl apply`, to standard output")
    commands.add_parser(
        "lint-chart", help="let kubeconform and kube-score read the chart with all its value files, and the examples"
    )
    for name, text in {
        "up": "start a control plane and all programs in the background; write .dev/env when they are ready",
        "supervise": "what `up` runs in the background",
    }.items():
        command = commands.add_parser(
            name, help=text, epilog="CLUSTER=kubeconfig in the environment: use the cluster of KUBECONFIG."
        )
        command.add_argument("settings", nargs="*", metavar="AGENTIDP_NAME=VALUE", help="a setting for the programs")
    commands.add_parser("down", help="end what `up` started")
    return parser


def _run(command: argparse.Namespace) -> None:
    folder = Folder(command.folder.resolve())
    match command.command:
        case "compile":
            print(control_plane_binary())
        case "compile-prometheus":
            print(prometheus_program())
        case "prepare-node":
            prepare_node()
        case "missing-packages":
            print(*missing_packages(), *missing_for_tests(), *missing_proxies())
        case "manifest":
            print(manifest(), end="")
        case "lint-chart":
            lint_chart()
        case "up":
            up(folder, command.settings)
        case "supervise":
            supervise(folder, read_settings(command.settings, os.environ))
        case "down":
            down(folder)


def _helm(arguments: Sequence[str]) -> int:
    binary = control_plane_binary()
    os.execv(binary, [str(binary), "helm", *arguments])  # noqa: S606  (no shell is meant)


if __name__ == "__main__":
    sys.exit(main())
