"""The console script `kubectl-agentidp`, which kubectl finds on the PATH as `kubectl agentidp`."""

import asyncio
import os
import sys
from argparse import Namespace

from kubectl_agentidp.arguments import Commands
from kubectl_agentidp.client import connect
from kubectl_agentidp.commands import rotate, states, status, token, tree
from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import note

COMMAND_MODULES = (status, tree, rotate, states, token)
FAILED, INTERRUPTED = 1, 130


def main() -> None:
    """Run the command; the exit status is 1 for a CommandError, 130 for an interrupt."""
    options = commands().parser.parse_args()
    try:
        asyncio.run(_run(options))
        sys.stdout.flush()
    except CommandError as error:
        note(f"error: {error.problem}" + (f"\n{error.advice}" if error.advice else ""))
        sys.exit(FAILED)
    except BrokenPipeError:  # the reader of the output, such as head, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def commands() -> Commands:
    """Return the command line with all commands."""
    command_line = Commands()
    for module in COMMAND_MODULES:
        module.add(command_line)
    return command_line


async def _run(options: Namespace) -> None:
    async with connect(options) as client:
        await options.run(client, options)
