"""The console script `agentidp-token-service`: reads the settings, opens the sockets and runs the server."""

import asyncio

import structlog

from agentidp.http_server.server import event_loop
from agentidp.http_server.sockets import listen
from agentidp.kube.config.identity import require_identity
from agentidp.runtime.command_line import refuse, settings_for
from agentidp.runtime.logs import configure_logs
from token_service.server import run
from token_service.settings import TokenServiceSettings

NAME = "agentidp-token-service"

log = structlog.get_logger()


def main() -> None:
    """Run until a signal. Exit status 0 after a signal, 1 without a socket, 2 where settings or kubeconfig are not valid."""
    settings = settings_for(NAME, "Trade client credentials for signed access tokens.", TokenServiceSettings)
    try:
        listening = listen(settings.listen, settings.metrics_listen)
    except OSError as error:
        refuse(NAME, f"{error.filename}: {error.strerror}", 1)
    require_identity(NAME)
    configure_logs(NAME, settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(run(settings, listening))
    log.info("stopped")
