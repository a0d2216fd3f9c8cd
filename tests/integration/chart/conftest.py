"""A control plane for tests of the chart: nothing of AgentIdP is in it. It runs no pods, so nothing waits for any."""

from collections.abc import Iterator

import pytest

from devcluster.cluster import ControlPlane


@pytest.fixture(scope="module")
def empty_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One for each module, since they install the same release."""
    with ControlPlane.launch(tmp_path_factory.mktemp("empty")) as cluster:
        yield cluster
