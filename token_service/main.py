"""`agentidp-token-service`: reads its settings, follows the cluster, and answers until it is told to stop."""

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
    """The console script. Exit status 0 if told to stop, 1 if it cannot listen, 2 if settings or kubeconfig are not valid."""
    settings = settings_for(NAME, "Trade client credentials for signed access tokens.", TokenServiceSettings)
    try:
        listening = listen(settings.listen, settings.metrics_listen)
    except OSError as trouble:
        refuse(NAME, f"{trouble.filename}: {trouble.strerror}", 1)
    require_identity(NAME)
    configure_logs(NAME, settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(run(settings, listening))
    log.info("stopped")
