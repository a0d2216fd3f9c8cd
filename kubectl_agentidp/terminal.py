"""The only module that prints: results go to standard output, remarks and questions to standard error.

Control characters are replaced, so that the text of a resource or of an answer cannot control the terminal.
"""

import sys

from kubectl_agentidp.errors import CommandError


def show(result: str) -> None:
    """Print a result to standard output."""
    print(_plain(result))


def note(remark: str) -> None:
    """Print a remark or an error to standard error."""
    print(_plain(remark), file=sys.stderr)


def confirm(question: str) -> None:
    """Ask, and return after `y` or `yes`. Raises CommandError after any other answer."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    if answer.strip().lower() not in {"y", "yes"}:
        raise CommandError("not confirmed.", "Nothing was done; answer y, or give --yes in a script.")


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)
