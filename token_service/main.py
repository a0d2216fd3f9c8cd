"""`agentidp-token-service`: reads its settings, follows the cluster, and answers until it is told to stop."""

import asyncio

import structlog

from agentidp.runtime.command import refuse, require_identity, settings_for
from agentidp.runtime.logs import configure_logs
from agentidp.serving.server import event_loop
from token_service.listening import Listening
from token_service.processes import Processes
from token_service.running import end_with, run
from token_service.settings import TokenServiceSettings
from token_service.shared import Shared

NAME = "agentidp-token-service"

log = structlog.get_logger()


def main() -> None:
    """The console script. Exit status 0 if told to stop, 1 if it cannot listen, 2 if settings or kubeconfig are not valid."""
    settings = settings_for(NAME, "Trade client credentials for signed access tokens.", TokenServiceSettings)
    try:
        listening = Listening(settings)
    except OSError as trouble:
        refuse(NAME, f"{trouble.filename}: {trouble.strerror}", 1)
    require_identity(NAME)
    configure_logs(NAME, settings.log_level, settings.log_format)
    serve(settings, listening)
    log.info("stopped")


def serve(settings: TokenServiceSettings, listening: Listening) -> None:
    """In this process, or in as many as are wanted."""
    shared = Shared(settings)

    def work(number: int, parent_lives: int | None = None) -> None:
        async def alive() -> None:
            if parent_lives is not None:
                end_with(parent_lives)
            await run(settings, shared, listening.sockets_of(number), listening.peers_of(number))

        shared.of_process(number)
        with asyncio.Runner(loop_factory=event_loop()) as runner:
            runner.run(alive())

    if settings.processes == 1:
        work(0)
    else:
        Processes(settings.processes, work, shared.gauges.beat, shared.gauges.silence).run()
