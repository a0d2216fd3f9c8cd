"""The watcher: which processes it kills after its parent has ended."""

from devcluster.watcher import watched


def test_watcher_forgets_ended_processes() -> None:
    """Its number may belong to somebody else by then."""
    assert watched(["+ 10\n", "+ 11\n", "- 10\n"]) == {11}
