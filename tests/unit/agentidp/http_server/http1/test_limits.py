"""Limits of the HTTP server that depend on the process: how many connections its open files allow."""

import resource

import pytest

from agentidp.http_server.http1.limits import Limits, max_connections


@pytest.mark.parametrize(
    ("hard", "connections"),
    [(resource.RLIM_INFINITY, 20_000), (1_000_000, 20_000), (4_096, 3_840), (300, 256)],
    ids=["no limit", "more than needed", "less the reserved files", "at least as many as are reserved"],
)
def test_max_connections_leaves_files_to_others(hard: int, connections: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server's connections and everything else need files, too. The soft limit is raised to the hard one."""
    limits = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    assert max_connections(Limits()) == connections
    assert limits == [(hard, hard)]
