"""Container images without a container engine and without a registry: built by buildah, kept in a store of our own.

The store is beside the compiled programs, outside the checkout: layers that did not change are not built again.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.go_module import cache_directory, only_one

# Mounts of its own, so that a build that is killed leaves none behind.
BUILDAH = ("unshare", "--mount", "buildah")
LAST_LINES = 15
# Of all files in a layer and of the image: the earliest that a wheel can have. So an image is the same whenever it is built.
TIMESTAMP = 315532800


@dataclass(frozen=True)
class ImageStore:
    """Images by name, in one folder."""

    directory: Path

    @classmethod
    def open(cls) -> "ImageStore":
        """The one of this person."""
        directory = cache_directory() / "images"
        directory.mkdir(parents=True, exist_ok=True)
        settings = f'[storage]\ndriver = "overlay"\nrunroot = "{directory}/run"\ngraphroot = "{directory}/store"\n'
        (directory / "storage.conf").write_text(settings)
        return cls(directory)

    def has(self, name: str) -> bool:
        """Whether there is an image of this name."""
        return self._buildah("inspect", "--type=image", name, check=False).returncode == 0

    def build(
        self,
        name: str,
        context: Path,
        arguments: Mapping[str, str] | None = None,
        dockerfile: Path | None = None,
        options: Sequence[str] = ("--layers",),
    ) -> str:
        """Build an image, by default from the context's own Dockerfile and from layers of before; its name is returned."""
        given = [f"--build-arg={key}={value}" for key, value in (arguments or {}).items()]
        given += [*options, f"--timestamp={TIMESTAMP}", f"--file={dockerfile or context / 'Dockerfile'}", f"--tag={name}"]
        with only_one(self.directory / "lock", "another checkout that builds images"):
            self._buildah("build", "--quiet", *given, str(context))
        return name

    def write_archive(self, name: str, archive: Path) -> Path:
        """The image as a file that every container runtime reads."""
        archive.unlink(missing_ok=True)
        self._buildah("push", "--quiet", name, f"docker-archive:{archive}:{name}")
        return archive

    def write_layout(self, name: str, directory: Path) -> Path:
        """The image as a folder of the OCI image layout, its layers compressed."""
        self._buildah("push", "--quiet", name, f"oci:{directory}:latest")
        return directory

    def remove(self, name: str) -> None:
        """Forget it, with the layers that no other image has."""
        self._buildah("rmi", "--force", name)

    def _buildah(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "CONTAINERS_STORAGE_CONF": str(self.directory / "storage.conf"),
            "BUILDAH_ISOLATION": "chroot",
            "TMPDIR": str(self.directory),
        }
        result = subprocess.run([*BUILDAH, *arguments], env=environment, capture_output=True, text=True, check=False)
        if check and result.returncode != 0:
            end = "\n".join(f"    {line}" for line in (result.stdout + result.stderr).splitlines()[-LAST_LINES:])
            raise DevclusterError(f"buildah {arguments[0]} failed:\n{end}")
        return result
