"""More replicas of the token service, as a Deployment would have them: one issuer, each with a port and a watch of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.stage.control_plane import Stage
from devcluster.programs import TOKEN_SERVICE, Programs


@contextmanager
def replicated(stage: Stage, count: int) -> Iterator[tuple[str, ...]]:
    """The base URLs of so many replicas, the stage's own first; the others end with the block."""
    issuer = stage.programs.token_url
    with ExitStack() as running:
        urls = [issuer]
        for number in range(2, count + 1):
            logs = stage.run.directory / f"replica-{number}"
            programs = Programs.launch(stage.cluster.access, logs, {"AGENTIDP_ISSUER": issuer}, chosen=[TOKEN_SERVICE])
            urls.append(running.enter_context(programs).token_url)
        yield tuple(urls)
