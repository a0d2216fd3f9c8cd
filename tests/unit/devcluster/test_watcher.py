"""What the watcher will kill when its parent is gone."""

from devcluster.watcher import watched


def test_what_has_ended_is_forgotten() -> None:
    """Its number may belong to somebody else by then."""
    assert watched(["+ 10\n", "+ 11\n", "- 10\n"]) == {11}
