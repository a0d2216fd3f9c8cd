"""The command line of a program: nothing but `--help`, for everything else is told by the environment."""

import argparse
import os
import sys
from typing import NoReturn

from agentidp.runtime.settings import InvalidSettings, SettingsT, describe_settings, read_settings


def settings_for(name: str, description: str, kind: type[SettingsT]) -> SettingsT:
    """The settings that the program was started with; where they are not valid, it ends with exit status 2."""
    parser = argparse.ArgumentParser(
        name, description=description, epilog=describe_settings(kind), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    try:
        return read_settings(kind, os.environ)
    except InvalidSettings as wrong:
        refuse(name, wrong, 2)


def refuse(name: str, why: object, status: int) -> NoReturn:
    """End before logs are set up, and say why."""
    print(f"{name}: {why}", file=sys.stderr)  # noqa: T201 logs are not set up yet
    sys.exit(status)
