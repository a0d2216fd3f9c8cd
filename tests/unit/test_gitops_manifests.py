"""The manifests for Argo CD and Flux in the guides. The tools cannot run here, so each former fault has a test."""

from typing import Any

import pytest
import yaml

from devcluster.chart import CHART
from tests.support.guides import PAGES, blocks_of

Manifest = dict[str, Any]
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


@pytest.fixture(scope="module")
def shown() -> dict[str, Manifest]:
    """By their kinds."""
    found = [one for block in blocks_of(PAGES["install"], "yaml") for one in yaml.safe_load_all(block)]
    return {one["kind"]: one for one in found}


def test_argo_cd_manifest_names_the_chart_as_an_oci_artifact(shown: dict[str, Manifest]) -> None:
    """`oci://` goes with a path, and never with `chart`, which is of Helm repositories."""
    source = shown["Application"]["spec"]["source"]
    assert (source["repoURL"], source["path"]) == ("oci://registry.example/charts/agentidp", ".")
    assert "chart" not in source


def test_flux_manifest_refers_to_the_repository_of_the_guide(shown: dict[str, Manifest]) -> None:
    """The release refers to it by kind and name, in the same namespace; it is a chart's layer that is taken."""
    release, source = shown["HelmRelease"], shown["OCIRepository"]
    assert release["spec"]["chartRef"] == {"kind": source["kind"], "name": source["metadata"]["name"]}
    assert release["metadata"]["namespace"] == source["metadata"]["namespace"]
    assert source["spec"]["layerSelector"] == {"mediaType": CHART_LAYER, "operation": "copy"}


def test_gitops_manifests_name_the_same_version_and_values(shown: dict[str, Manifest]) -> None:
    """The chart's present one."""
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    argo, flux = shown["Application"]["spec"]["source"], shown["HelmRelease"]["spec"]
    assert argo["targetRevision"] == shown["OCIRepository"]["spec"]["ref"]["tag"] == version
    assert argo["helm"]["valuesObject"] == flux["values"]
