"""`agentidp-operator`: reads its settings, waits for its lease, and runs until it is told to stop."""

import argparse
import asyncio
import os
import signal
import sys

import structlog

from agent_operator.leader import NotLeading
from agent_operator.program import NAME, Operator
from agent_operator.settings import OperatorSettings
from agentidp.kube.cluster import Cluster
from agentidp.runtime.garbage import spare_what_is_loaded
from agentidp.runtime.logs import configure_logs
from agentidp.runtime.settings import InvalidSettings, describe_settings, read_settings

log = structlog.get_logger()


async def serve(settings: OperatorSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    spare_what_is_loaded()  # now, so that there is less to do when it takes over
    cluster = await Cluster.connect(NAME)
    running = asyncio.current_task()
    assert running  # noqa: S101 there is one: this runs in it
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, running.cancel)
    try:
        await Operator(settings, cluster).run()
    finally:
        await cluster.close()


def main() -> None:
    """The console script. Exit status 0 when told to stop, 1 when the lease was lost, 2 when the settings are not valid."""
    parser = argparse.ArgumentParser(
        NAME,
        description="Reconcile Agents and AgentCredentials: issue, rotate and revoke client credentials.",
        epilog=describe_settings(OperatorSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    try:
        settings = read_settings(OperatorSettings, os.environ)
    except InvalidSettings as wrong:
        sys.exit(_refuse(wrong))
    configure_logs(NAME, settings.log_level, settings.log_format)
    try:
        asyncio.run(serve(settings))  # not uvloop: with it, a connection that failed may close the descriptor of another
    except* NotLeading as lost:
        log.error("stopped: this operator does not lead any more", why=str(lost.exceptions[0]))  # noqa: TRY400
        sys.exit(1)
    except* asyncio.CancelledError:
        log.info("stopped")


def _refuse(wrong: InvalidSettings) -> int:
    print(f"{NAME}: {wrong}", file=sys.stderr)  # noqa: T201 logs are not set up yet
    return 2
