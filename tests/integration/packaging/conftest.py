"""A control plane for tests of the chart: nothing of AgentIdP is in it. It runs no pods, so nothing waits for any."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devcluster.binary import control_plane_binary
from devcluster.chart import CHART
from devcluster.cluster import ControlPlane
from devcluster.folder import Folder
from devcluster.install import manifest
from devcluster.kubectl import kubectl_program
from tests.support.shell import newcomers_variables, typed


@pytest.fixture(scope="module")
def empty_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One for each module, since they install the same release."""
    with ControlPlane.launch(tmp_path_factory.mktemp("empty")) as cluster:
        yield cluster


@pytest.fixture
def type_in(empty_cluster: ControlPlane, tmp_path: Path) -> Callable[[str], str]:
    """A shell in a checkout of which there is no more than the chart, and what `make manifest` makes."""
    (tmp_path / "charts").symlink_to(CHART.parent)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "agentidp.yaml").write_text(manifest())
    folder = Folder(tmp_path / "dev")
    folder.path.mkdir()
    folder.write_commands(kubectl_program(), control_plane_binary())
    path = f"{folder.commands}:{newcomers_variables()['PATH']}"
    variables = empty_cluster.access.kubectl.variables() | {"PATH": path}
    return lambda text: typed(text, tmp_path, folder.path, variables)
