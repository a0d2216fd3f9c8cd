"""`agentidp-management-api`: reads its settings, follows the cluster, and answers until it is told to stop."""

import argparse
import asyncio
import os
import sys

import structlog

from agentidp.runtime.logs import configure_logs
from agentidp.runtime.settings import InvalidSettings, describe_settings, read_settings
from agentidp.serving.listening import listen
from agentidp.serving.server import event_loop
from management_api.running import run
from management_api.settings import ManagementApiSettings

NAME = "agentidp-management-api"

log = structlog.get_logger()


def main() -> None:
    """The console script. Exit status 0 when told to stop, 1 when it cannot listen, 2 when the settings are not valid."""
    parser = argparse.ArgumentParser(
        NAME,
        description="Manage agents and their credentials over REST.",
        epilog=describe_settings(ManagementApiSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    try:
        settings = read_settings(ManagementApiSettings, os.environ)
    except InvalidSettings as wrong:
        sys.exit(_refuse(wrong, 2))
    try:
        listening = listen(settings.listen)
    except OSError as trouble:
        sys.exit(_refuse(f"AGENTIDP_LISTEN={settings.listen}: {trouble.strerror}", 1))
    configure_logs(NAME, settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(run(settings, listening))
    log.info("stopped")


def _refuse(why: object, status: int) -> int:
    print(f"{NAME}: {why}", file=sys.stderr)  # noqa: T201 logs are not set up yet
    return status
