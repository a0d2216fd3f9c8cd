"""What a node needs of the machine. Asked before anything is started, so that a person is told all of it at once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from devcluster.errors import DevclusterError

NETWORK_PLUGINS = Path("/usr/lib/cni")
PACKAGES = {
    "runc": "runc",
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "nft": "nftables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
"""Programs, and the packages of Debian that have them."""
FOR_TESTS = {"java": "default-jdk-headless", "mvn": "maven"}
"""The same for tests that are skipped where these are missing."""
NEW_NAMESPACES = ("unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child=KILL")
"""What runs a command in namespaces of its own; should it die, so do they."""


class CannotRunHereError(DevclusterError):
    """This machine cannot run a node; the message says what is missing."""


def require_a_machine_that_can() -> None:
    """Raise with everything that is missing."""
    if missing := list(_missing()):
        raise CannotRunHereError("a node cannot run on this machine: " + "; ".join(missing))


def _missing() -> Iterator[str]:
    if sys.platform != "linux":
        yield "it needs Linux"
        return
    if packages := missing_packages():
        yield f"it needs packages: apt-get install --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0:
        yield "it needs root"
    elif shutil.which("unshare") and (refusal := _refusal()):
        yield f"it may not make namespaces: {refusal}"
    if not Path("/sys/fs/cgroup").is_dir() or not os.access("/sys/fs/cgroup", os.W_OK):
        yield "it needs control groups that can be written, in /sys/fs/cgroup"


def missing_packages() -> list[str]:
    """The packages of Debian that a node needs and this machine has not."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    packages = {package for program, package in PACKAGES.items() if not shutil.which(program, path=path)}
    if not NETWORK_PLUGINS.is_dir():
        packages.add("containernetworking-plugins")
    return sorted(packages)


def missing_for_tests() -> list[str]:
    """The packages of Debian without which some tests are skipped, and which this machine has not."""
    return sorted(package for program, package in FOR_TESTS.items() if not shutil.which(program))


def _refusal() -> str:
    """What the kernel says against new namespaces, if it does."""
    result = subprocess.run([*NEW_NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return result.stderr.strip() if result.returncode else ""
