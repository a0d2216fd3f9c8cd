"""Control planes of a test's own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devcluster.cluster import ControlPlane
from devcluster.install import install


@contextmanager
def installed_cluster(directory: Path, api_server_flags: Sequence[str] = ()) -> Iterator[ControlPlane]:
    """A running cluster with everything but the programs: the five kinds, and identities with their rules."""
    with ControlPlane.launch(directory, api_server_flags) as cluster:
        install(cluster.access)
        yield cluster
