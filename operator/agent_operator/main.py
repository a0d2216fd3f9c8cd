"""Console script `agentidp-operator`: reads the settings, waits for the Lease, and runs until SIGTERM or SIGINT."""

import asyncio
import os
import signal
import sys
import threading

import structlog

from agent_operator.leadership.leader_election import NotLeading
from agent_operator.settings import OperatorSettings
from agent_operator.wiring import NAME, Operator
from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import require_identity
from agentidp.runtime.command_line import settings_for
from agentidp.runtime.garbage_collection import spare_what_is_loaded
from agentidp.runtime.logs import configure_logs

FAILED = 1
LAST_SECONDS = 10.0
"""The time from the end of the work to the end of the process."""

log = structlog.get_logger()


async def serve(settings: OperatorSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    spare_what_is_loaded()  # before it leads, so that a takeover is faster
    cluster = await KubeClient.connect(NAME)
    running = asyncio.current_task()
    assert running  # noqa: S101 there is one: this runs in it
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, running.cancel)
    try:
        await Operator(settings, cluster).run()
    finally:
        end_within(LAST_SECONDS)
        await cluster.close()


def end_within(seconds: float) -> None:
    """End the process with status 1 after this time, if it has not ended by itself.

    A watch of Kopf may ignore its cancellation after a failure; the process would then go on without leading.
    """
    last = threading.Timer(seconds, os._exit, (FAILED,))
    last.daemon = True
    last.start()


def main() -> None:
    """Run the operator. Exit status: 0 after a signal, 1 if the lease was lost, 2 if settings or kubeconfig are invalid."""
    settings = settings_for(
        NAME, "Reconcile Agents and AgentCredentials: issue, rotate and revoke client credentials.", OperatorSettings
    )
    require_identity(NAME)
    configure_logs(NAME, settings.log_level, settings.log_format)
    try:
        asyncio.run(serve(settings))  # not uvloop: with it, a connection that failed may close the descriptor of another
    except* NotLeading as lost:
        log.error("stopped: this operator does not lead any more", why=str(lost.exceptions[0]))  # noqa: TRY400
        sys.exit(FAILED)
    except* asyncio.CancelledError:
        log.info("stopped")
