"""What stands in for the Dockerfile's base image where no registry can be reached: Debian with its Python, from packages."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.node.images import ImageStore
from devcluster.node.requirements import CannotRunHereError
from devcluster.progress import Progress

RELEASE = "bookworm"
PACKAGES = ("ca-certificates", "python3", "python3-venv", "python3-pip", "python-is-python3")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
DOCKERFILE = """FROM scratch
ADD root/ /
ENV LANG=C.UTF-8
CMD ["python3"]
"""
# Debian's pip leaves Debian's Python alone; in a stage of a build it is nobody else's.
PIP_SETTINGS = f"[global]\nbreak-system-packages = true\ncert = {AUTHORITIES}\n"
NO_MIRROR = "Failed getting release file"  # in debootstrap's words
NOT_NEEDED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt/lists")


def base_image(store: ImageStore) -> str:
    """The name of the image, which is made on first use; this takes minutes."""
    authorities = AUTHORITIES.read_bytes() if AUTHORITIES.exists() else b""
    recipe = "\0".join([RELEASE, *PACKAGES, DOCKERFILE, PIP_SETTINGS, *NOT_NEEDED]).encode() + authorities
    name = f"localhost/agentidp-base:{hashlib.sha256(recipe).hexdigest()[:16]}"
    if not store.has(name):
        _make(store, name)
    return name


def _make(store: ImageStore, name: str) -> None:
    progress = Progress()
    progress.show("making the base image from Debian's packages")
    context = store.directory / "base"
    shutil.rmtree(context, ignore_errors=True)
    root = context / "root"
    root.mkdir(parents=True)
    try:
        _install_debian(root)
        _furnish(root)
        (context / "Dockerfile").write_text(DOCKERFILE)
        store.build(name, context)
    finally:
        shutil.rmtree(context, ignore_errors=True)
    progress.done("made the base image from Debian's packages")


def _install_debian(root: Path) -> None:
    """In a mount namespace of its own: debootstrap mounts /proc and /sys into what it makes."""
    command = ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE, str(root)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    if NO_MIRROR in output:
        raise CannotRunHereError("the base image is made from Debian's packages, and their mirror cannot be reached")
    if result.returncode != 0:
        end = "\n".join(f"    {line}" for line in output.splitlines()[-10:])
        raise DevclusterError(f"debootstrap failed:\n{end}")


def _furnish(root: Path) -> None:
    """This machine's certificate authorities, since its way to the package index may need them."""
    if AUTHORITIES.exists():
        shutil.copy(AUTHORITIES, root / AUTHORITIES.relative_to("/"))
    (root / "etc" / "pip.conf").write_text(PIP_SETTINGS)
    for folder in NOT_NEEDED:
        shutil.rmtree(root / folder, ignore_errors=True)
