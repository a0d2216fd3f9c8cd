"""The command line: kubectl's flags, before or after the name of the command, and help texts with examples."""

import argparse
import textwrap
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from agentidp.domain.resources.meta import parse_duration
from kubectl_agentidp.client import PluginClient

PROGRAM = "kubectl agentidp"
SUMMARY = "Show and change agents and their credentials with your own rights in the cluster."
EXIT_STATUS = "exit status: 0 done, 1 failed or not done, 2 the command line is not valid"
WIDTH = 100
CLUSTER_FLAGS = ("namespace", "context", "cluster", "user", "kubeconfig", "as_user", "as_uid")

RepeatedFlags = dict[str, list[str]]
"""The values of the flags that may be given several times, by destination."""
Run = Callable[[PluginClient, argparse.Namespace], Awaitable[None]]


class Commands:
    """The parser of the command line; each command adds its own subparser."""

    def __init__(self) -> None:
        self._repeated = RepeatedFlags()
        self.parser = argparse.ArgumentParser(prog=PROGRAM, parents=[_flags(self._repeated)], **_texts(SUMMARY, EXIT_STATUS))
        self.parser.set_defaults(**dict.fromkeys(CLUSTER_FLAGS), as_group=[], as_user_extra=[])
        self._commands = self.parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(self, name: str, run: Run, summary: str, *, details: str = "", examples: Sequence[str]) -> argparse.ArgumentParser:
        """Add a command; each example is the text after `kubectl agentidp`."""
        epilog = "\n".join(["examples:", *(f"  {PROGRAM} {example}" for example in examples)])
        parser = self._commands.add_parser(
            name, help=summary, parents=[_flags(self._repeated)], **_texts(f"{summary} {details}", epilog)
        )
        parser.set_defaults(run=run)
        return parser


def duration(text: str) -> timedelta:
    """Parse a duration like `1h30m` (an argparse type)."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def declared_duration(text: str) -> str:
    """Check a duration, and keep it as it is written (an argparse type)."""
    duration(text)
    return text


def http_url(text: str) -> str:
    """Check an absolute HTTP or HTTPS URL (an argparse type)."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL like http://127.0.0.1:8080/api/v1/token")
    return text


class _Append(argparse.Action):
    """A flag that may be given several times, before and after the name of the command.

    argparse starts the parser of a command with empty values, so this action keeps the values from before the name.
    """

    def __init__(self, *, repeated: RepeatedFlags, **options: Any) -> None:
        super().__init__(**options)
        self._repeated = repeated

    def __call__(self, _: object, namespace: argparse.Namespace, values: Any, __: str | None = None) -> None:
        collected = self._repeated.setdefault(self.dest, [])
        collected.append(values)
        setattr(namespace, self.dest, collected)


def _flags(repeated: RepeatedFlags) -> argparse.ArgumentParser:
    """Return a new parent parser with the flags of all commands: two parsers may not share one, because it holds defaults."""
    flags = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    flags.add_argument("-n", "--namespace", help="default: the namespace of the context")
    flags.add_argument("--context", help="a context of the kubeconfig; default: the current one")
    flags.add_argument("--cluster", help="a cluster of the kubeconfig; default: the one of the context")
    flags.add_argument("--user", help="a user of the kubeconfig; default: the one of the context")
    flags.add_argument("--kubeconfig", metavar="FILE", help="default: $KUBECONFIG, else ~/.kube/config")
    flags.add_argument("--as", dest="as_user", metavar="USER", help="impersonate this user; needs the right to impersonate")
    append: dict[str, Any] = {"action": _Append, "repeated": repeated}
    flags.add_argument("--as-group", **append, metavar="GROUP", help="impersonate a member of this group; repeatable")
    flags.add_argument("--as-uid", metavar="UID", help="impersonate with this UID")
    flags.add_argument("--as-user-extra", **append, metavar="KEY=VALUE", help="impersonate with this extra field; repeatable")
    return flags


def _texts(description: str, epilog: str) -> dict[str, Any]:
    return {
        "description": textwrap.fill(description, WIDTH),
        "epilog": epilog,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }
