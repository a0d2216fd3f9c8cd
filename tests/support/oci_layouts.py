"""An image in an OCI image layout (image-spec, image-layout.md): what a registry would be given."""

import gzip
import json
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Layer:
    """One layer, compressed as it is kept."""

    digest: str
    blob: Path

    @property
    def compressed_size(self) -> int:
        """In bytes."""
        return self.blob.stat().st_size

    @cached_property
    def files(self) -> dict[str, int]:
        """The size of each file in bytes, by its path without a slash at its beginning."""
        with gzip.open(self.blob) as content, tarfile.open(fileobj=content, mode="r|") as archive:
            return {member.name.removeprefix("./"): member.size for member in archive if not member.isdir()}


@dataclass(frozen=True)
class Image:
    """The one that a layout holds."""

    directory: Path

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """What a container of it is by default: user, environment, labels, command."""
        configuration: dict[str, Any] = json.loads(self._blob(self._manifest["config"]["digest"]).read_text())["config"]
        return configuration

    @cached_property
    def layers(self) -> list[Layer]:
        """The lowest first."""
        return [Layer(one["digest"], self._blob(one["digest"])) for one in self._manifest["layers"]]

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        (only,) = json.loads((self.directory / "index.json").read_text())["manifests"]
        manifest: dict[str, Any] = json.loads(self._blob(only["digest"]).read_text())
        return manifest

    def _blob(self, digest: str) -> Path:
        return self.directory / "blobs" / digest.replace(":", "/")
