"""`agentidp-token-service`: reads its settings, follows the cluster, and answers until it is told to stop."""

import argparse
import asyncio
import os
import sys

import structlog

from agentidp.kube.cluster import Cluster
from agentidp.runtime.logs import configure_logs
from agentidp.runtime.settings import InvalidSettings, describe_settings, read_settings
from token_service.app import create_app
from token_service.server import event_loop, server_for
from token_service.service import connected
from token_service.settings import TokenServiceSettings

NAME = "agentidp-token-service"

log = structlog.get_logger()


async def serve(settings: TokenServiceSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    cluster = await Cluster.connect(NAME)
    service = connected(settings, cluster)
    try:
        async with asyncio.TaskGroup() as tasks:
            following = [tasks.create_task(reflector.run()) for reflector in service.reflectors]
            await server_for(create_app(service), settings.listen).serve()
            for task in following:
                task.cancel()
    finally:
        service.hashing.close()
        await cluster.close()


def main() -> None:
    """The console script. Exit status 0 when told to stop, 2 when the settings are not valid."""
    parser = argparse.ArgumentParser(
        NAME,
        description="Trade client credentials for signed access tokens.",
        epilog=describe_settings(TokenServiceSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    try:
        settings = read_settings(TokenServiceSettings, os.environ)
    except InvalidSettings as wrong:
        print(f"{NAME}: {wrong}", file=sys.stderr)  # noqa: T201 logs are not set up yet
        sys.exit(2)
    configure_logs(NAME, settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(serve(settings))
    log.info("stopped")
