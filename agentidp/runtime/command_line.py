"""The command line of a program: `--help` only, because the environment has all settings."""

import argparse
import os
import sys
from typing import NoReturn

from agentidp.runtime.settings import InvalidSettings, SettingsT, describe_settings, read_settings


def settings_for(name: str, description: str, kind: type[SettingsT]) -> SettingsT:
    """The settings of the program from its environment. It ends with exit status 2 where they are not valid."""
    parser = argparse.ArgumentParser(
        name, description=description, epilog=describe_settings(kind), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    try:
        return read_settings(kind, os.environ)
    except InvalidSettings as error:
        refuse(name, error, 2)


def refuse(name: str, reason: object, status: int) -> NoReturn:
    """End the program with this exit status, and write the reason to standard error: logs are not set up yet."""
    print(f"{name}: {reason}", file=sys.stderr)  # noqa: T201 logs are not set up yet
    sys.exit(status)
