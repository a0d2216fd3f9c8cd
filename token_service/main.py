"""`agentidp-token-service`: reads its settings, follows the cluster, and answers until it is told to stop."""

import asyncio

import structlog

from agentidp.runtime.command import refuse, require_identity, settings_for
from agentidp.runtime.logs import configure_logs
from agentidp.serving.listening import listen
from agentidp.serving.server import event_loop
from token_service.running import run
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
