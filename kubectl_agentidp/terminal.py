"""The person at the other end: results go to standard output, everything else to standard error.

What others wrote into resources and answers cannot steer the terminal: control characters are not passed on.
"""

import sys
from typing import TextIO

from kubectl_agentidp.errors import CommandError

ASCII_LINES = str.maketrans("├└│─", "|`|-")
"""How a tree is drawn where its lines cannot be."""


def show(result: str) -> None:
    """What was asked for."""
    _print(result, sys.stdout)


def note(remark: str) -> None:
    """What is good to know besides."""
    _print(remark, sys.stderr)


def confirm(question: str) -> None:
    """Go on only after a yes. Raises Failure after anything else."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    if answer.strip().lower() not in {"y", "yes"}:
        raise CommandError("not confirmed.", "Nothing was done; answer y, or give --yes where nobody can answer.")


def _print(text: str, stream: TextIO) -> None:
    print(_encodable(_plain(text), stream.encoding or "utf-8"), file=stream)


def _encodable(text: str, encoding: str) -> str:
    """Return the text, with ASCII lines and `?` in place of characters that the locale's encoding lacks."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII_LINES).encode(encoding, "replace").decode(encoding)
    return text


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text)
