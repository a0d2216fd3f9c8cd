"""`make lint-chart`: the chart with all its value files, and the examples, before all linters."""

import tempfile
from pathlib import Path

from devcluster.chart import VALUE_FILES, render
from devcluster.errors import DevclusterError
from devcluster.install import NAMESPACE
from devcluster.linters.findings import Finding
from devcluster.linters.kube_score import score
from devcluster.linters.kubeconform import conform
from devcluster.linters.schemas import KUBERNETES_VERSIONS, write_our_schemas

EXAMPLES = Path(__file__).parents[2] / "examples"


def lint_chart() -> None:
    """Says that nothing was found; raises with everything that was."""
    with tempfile.TemporaryDirectory() as directory:
        renderings = _renderings(Path(directory))
        found = _conform(renderings, Path(directory)) or _score(renderings)  # what is not valid cannot be scored
    if found:
        raise DevclusterError("\n".join([f"{len(found)} findings", *map(str, found)]))
    print(f"kubeconform and kube-score find nothing in {len(renderings)} renderings of the chart")


def _renderings(directory: Path) -> list[Path]:
    files = [directory / f"{name.replace(' ', '-')}.yaml" for name in VALUE_FILES]
    for file, options in zip(files, VALUE_FILES.values(), strict=True):
        file.write_text(render(NAMESPACE, *options))
    return files


def _conform(renderings: list[Path], directory: Path) -> list[Finding]:
    write_our_schemas(directory)
    manifests = [*renderings, *sorted(EXAMPLES.glob("*.yaml"))]
    return [one for version in KUBERNETES_VERSIONS for one in conform(manifests, version, directory)]


def _score(renderings: list[Path]) -> list[Finding]:
    return [one for rendering in renderings for one in score([rendering], KUBERNETES_VERSIONS[-1])]
