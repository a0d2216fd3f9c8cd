"""`kubectl-agentidp`, which kubectl finds on the PATH as `kubectl agentidp`."""

import asyncio
import os
import sys
from argparse import Namespace

from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.commands import rotate, states, status, token, tree
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.session import connected
from kubectl_agentidp.terminal import note

FAMILIES = (status, tree, rotate, states, token)
FAILED, INTERRUPTED = 1, 130


def main() -> None:
    """The console script."""
    options = commands().parser.parse_args()
    try:
        asyncio.run(_run(options))
        sys.stdout.flush()
    except CommandError as failure:
        note(f"error: {failure.problem}" + (f"\n{failure.advice}" if failure.advice else ""))
        sys.exit(FAILED)
    except BrokenPipeError:  # whoever reads, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def commands() -> Commands:
    """All of them."""
    every = Commands()
    for family in FAMILIES:
        family.add(every)
    return every


async def _run(options: Namespace) -> None:
    async with connected(options) as access:
        await options.run(access, options)
