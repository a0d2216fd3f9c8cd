"""The command line: flags as kubectl has them, before or after the command's name, and help texts with examples."""

import argparse
import textwrap
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from agentidp.domain.durations import parse_duration
from kubectl_agentidp.client import PluginClient

PROGRAM = "kubectl agentidp"
SUMMARY = "See and change agents and their credentials, with your own rights in the cluster."
EXIT_STATUS = "exit status: 0 done, 1 failed or not done, 2 the command line is not valid"
WIDTH = 100
CLUSTER_FLAGS = ("namespace", "context", "cluster", "user", "kubeconfig", "as_user", "as_uid")

Collected = dict[str, list[str]]
Run = Callable[[PluginClient, argparse.Namespace], Awaitable[None]]


class Commands:
    """The parser, to which each family of commands adds its own."""

    def __init__(self) -> None:
        self._collected = Collected()
        self.parser = argparse.ArgumentParser(prog=PROGRAM, parents=[_flags(self._collected)], **_texts(SUMMARY, EXIT_STATUS))
        self.parser.set_defaults(**dict.fromkeys(CLUSTER_FLAGS), as_group=[], as_user_extra=[])
        self._commands = self.parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(self, name: str, run: Run, summary: str, *, details: str = "", examples: Sequence[str]) -> argparse.ArgumentParser:
        """A command; `examples` are what is typed after `kubectl agentidp`."""
        epilog = "\n".join(["examples:", *(f"  {PROGRAM} {example}" for example in examples)])
        parser = self._commands.add_parser(
            name, help=summary, parents=[_flags(self._collected)], **_texts(f"{summary} {details}", epilog)
        )
        parser.set_defaults(run=run)
        return parser


def duration(text: str) -> timedelta:
    """A duration like `1h30m`, for `type=`."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def declared_duration(text: str) -> str:
    """A duration as resources declare it, for `type=`."""
    duration(text)
    return text


def http_url(text: str) -> str:
    """An absolute URL, for `type=`."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL like http://127.0.0.1:8080/api/v1/token")
    return text


class _Append(argparse.Action):
    """A flag that is given several times. A command's parser starts from nothing, so what came before its name is kept here."""

    def __init__(self, *, collected: Collected, **options: Any) -> None:
        super().__init__(**options)
        self._collected = collected

    def __call__(self, _: object, namespace: argparse.Namespace, values: Any, __: str | None = None) -> None:
        told = self._collected.setdefault(self.dest, [])
        told.append(values)
        setattr(namespace, self.dest, told)


def _flags(collected: Collected) -> argparse.ArgumentParser:
    """The flags of all commands; made anew each time, because parsers share the defaults of what they are made from."""
    flags = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    flags.add_argument("-n", "--namespace", help="default: the namespace of the context")
    flags.add_argument("--context", help="a context of the kubeconfig; default: the current one")
    flags.add_argument("--cluster", help="a cluster of the kubeconfig, in place of the context's")
    flags.add_argument("--user", help="a user of the kubeconfig, in place of the context's")
    flags.add_argument("--kubeconfig", metavar="FILE", help="default: $KUBECONFIG, else ~/.kube/config")
    flags.add_argument("--as", dest="as_user", metavar="USER", help="act as this user, which takes the right to impersonate")
    several: dict[str, Any] = {"action": _Append, "collected": collected}
    flags.add_argument("--as-group", **several, metavar="GROUP", help="and as a member of this group; repeatable")
    flags.add_argument("--as-uid", metavar="UID", help="and with this UID")
    flags.add_argument("--as-user-extra", **several, metavar="KEY=VALUE", help="and with this extra; repeatable")
    return flags


def _texts(description: str, epilog: str) -> dict[str, Any]:
    return {
        "description": textwrap.fill(description, WIDTH),
        "epilog": epilog,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }
