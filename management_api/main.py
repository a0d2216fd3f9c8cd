"""`agentidp-management-api`: reads its settings, listens, and runs the server."""

import asyncio

import structlog

from agentidp.http_server.server import event_loop
from agentidp.http_server.sockets import listen
from agentidp.kube.config.identity import require_identity
from agentidp.runtime.command_line import refuse, settings_for
from agentidp.runtime.logs import configure_logs
from management_api.server import run
from management_api.settings import ManagementApiSettings

NAME = "agentidp-management-api"

log = structlog.get_logger()


def main() -> None:
    """Run the console script. Exit status 0 after SIGTERM, 1 if it cannot listen, 2 if settings or kubeconfig are invalid."""
    settings = settings_for(NAME, "Manage agents and their credentials over REST.", ManagementApiSettings)
    try:
        listening = listen(settings.listen, settings.metrics_listen)
    except OSError as error:
        refuse(NAME, f"{error.filename}: {error.strerror}", 1)
    require_identity(NAME)
    configure_logs(NAME, settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(run(settings, listening))
    log.info("stopped")
