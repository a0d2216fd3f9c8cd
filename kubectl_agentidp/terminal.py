"""The only module that prints: results go to standard output, remarks and questions to standard error.

Control characters are replaced, so that the text of a resource or of an answer cannot control the terminal.
"""

import sys
from typing import TextIO

from kubectl_agentidp.errors import CommandError

ASCII_LINES = str.maketrans("├└│─", "|`|-")
"""ASCII characters for the lines of a tree, for encodings without box-drawing characters."""


def show(result: str) -> None:
    """Print a result to standard output."""
    _print(result, sys.stdout)


def note(remark: str) -> None:
    """Print a remark or an error to standard error."""
    _print(remark, sys.stderr)


def confirm(question: str) -> None:
    """Ask, and return after `y` or `yes`. Raises CommandError after any other answer."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    if answer.strip().lower() not in {"y", "yes"}:
        raise CommandError("not confirmed.", "Nothing was done; answer y, or give --yes in a script.")


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
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)
