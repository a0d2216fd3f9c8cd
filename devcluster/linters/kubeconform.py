"""kubeconform: every field of every object is one that a version of Kubernetes, or its CRD, knows, and of its type."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from devcluster.linters.findings import Finding, report
from devcluster.linters.programs import linter
from devcluster.linters.schemas import published_schemas

KINDS_OF_KUBERNETES = "{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json"
OTHER_KINDS = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"


def conform(manifests: Sequence[Path], kubernetes_version: str, our_schemas: Path) -> list[Finding]:
    """What is wrong with the manifests; an object that there is no schema for is wrong, too."""
    published = published_schemas()
    locations = (published / KINDS_OF_KUBERNETES, published / OTHER_KINDS, our_schemas / OTHER_KINDS)
    command: list[str | Path] = [linter("kubeconform"), "-strict", "-output=json", f"-kubernetes-version={kubernetes_version}"]
    found = report([*command, *(f"-schema-location={one}" for one in locations), *manifests])
    return [
        Finding(
            f"kubeconform, Kubernetes {kubernetes_version}",
            f"{Path(one['filename']).name}, {one['kind']} {one['name']}",
            _told(one),
        )
        for one in found["resources"]
    ]


def _told(invalid: Mapping[str, str]) -> str:
    """Where in the object something is wrong, and what, without the path of the schema that says so."""
    _, _, detail = invalid["msg"].partition("#' - ")
    return detail or invalid["msg"]
