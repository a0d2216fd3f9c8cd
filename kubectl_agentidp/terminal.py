"""The person at the other end: results go to standard output, everything else to standard error.

What others wrote into resources and answers cannot steer the terminal: control characters are not passed on.
"""

import sys

from kubectl_agentidp.errors import CommandError


def show(result: str) -> None:
    """What was asked for."""
    print(_plain(result))


def note(remark: str) -> None:
    """What is good to know besides."""
    print(_plain(remark), file=sys.stderr)


def confirm(question: str) -> None:
    """Go on only after a yes. Raises Failure after anything else."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    if answer.strip().lower() not in {"y", "yes"}:
        raise CommandError("not confirmed.", "Nothing was done; answer y, or give --yes where nobody can answer.")


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text)
