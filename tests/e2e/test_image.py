"""What is in the image that ships, and what a container of it may do."""

import json
import re
from pathlib import Path

import pytest

from devcluster.node.node import Node
from tests.e2e.conftest import Cluster
from tests.support.crd_schema import CHECKOUT
from tests.support.guides import GUIDES
from tests.support.oci_layouts import Image
from tests.support.releases import DEPLOYMENTS, IMAGE, Release

AGAIN = "localhost/agentidp:e2e-again"
OURS = "opt/agentidp/"
COMPILERS = re.compile(r"(^|/)(gcc|g\+\+|cc|c\+\+|clang|cc1|[\w-]+-gcc)(-\d+)?$")
PIP = re.compile(r"site-packages/pip/|/bin/pip[\d.]*$|\.whl$")
CACHES = re.compile(r"(^|/)(\.cache|pip-cache|pip-wheel-\w+|pip-build-\w+)/")
NON_ROOT = "65532:65532"
MB = 1_000_000
LOOK = """
import json, os, pathlib
def refuses(path):
    try: pathlib.Path(path, "written").write_text("")
    except OSError: return True
places = ["/", "/opt/agentidp", "/usr", "/etc", "/var", "/home", "/root"]
print(json.dumps({"user": os.getuid(), "group": os.getgid(), "written": [one for one in places if not refuses(one)]}))
"""


@pytest.fixture(scope="module")
def node(cluster: Cluster) -> Node:
    """The cluster, where images are kept in a store that can be looked into."""
    if not isinstance(cluster, Node):
        pytest.skip("kind has the images of its container engine")
    return cluster


@pytest.fixture(scope="module")
def image(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The one that the tests run."""
    return Image(node.images.write_layout(IMAGE, tmp_path_factory.mktemp("image") / "layout"))


def test_there_is_no_compiler_in_it_and_no_cache(image: Image) -> None:
    """In no layer, since what a later one removes would still be shipped."""
    files = [name for layer in image.layers for name in layer.files]
    assert files
    assert [name for name in files if COMPILERS.search(name) or CACHES.search(name)] == []


def test_its_own_layer_is_the_programs_and_nothing_else(image: Image) -> None:
    """With no pip of their own, whatever the base image has."""
    *_, own = [layer for layer in image.layers if any(name.startswith(OURS) for name in layer.files)]
    assert {name for name in own.files if not name.startswith(OURS)} == set()
    assert [name for name in own.files if PIP.search(name)] == []


def test_it_is_as_small_as_the_docs_say(image: Image) -> None:
    """Its own layer, as files and compressed."""
    said = re.search(r"own layer is (\d+) MB, (\d+) MB compressed", (GUIDES / "install.md").read_text())
    assert said
    *_, own = [layer for layer in image.layers if any(name.startswith(OURS) for name in layer.files)]
    assert sum(own.files.values()) <= (int(said[1]) + 0.5) * MB
    assert own.compressed_size <= (int(said[2]) + 0.5) * MB


def test_its_labels_are_those_of_the_dockerfile(image: Image) -> None:
    """With the arguments' defaults in them, where a build names no others."""
    text = (CHECKOUT / "Dockerfile").read_text()
    arguments = {name: value.strip('"') for name, value in re.findall(r"^ARG (\w+)=(.*)$", text, re.MULTILINE)}
    labels = re.findall(r'(org\.opencontainers\.image\.\w+)="([^"]*)"', text)
    assert len(labels) == 6
    expected = {name: re.sub(r"\$\{(\w+)}", lambda used: arguments[used[1]], value) for name, value in labels}
    shown = {name: value for name, value in image.configuration["Labels"].items() if name in expected}
    assert shown == expected
    assert image.configuration["User"] == NON_ROOT


def test_two_builds_of_one_commit_give_the_same_layers(image: Image, node: Node, tmp_path: Path) -> None:
    """The other one takes nothing from the first."""
    arguments = {"BASE_IMAGE": node.base_image}
    node.images.build(AGAIN, CHECKOUT, arguments, options=("--no-cache", "--layers"))
    again = Image(node.images.write_layout(AGAIN, tmp_path / "layout"))
    node.images.remove(AGAIN)
    assert [layer.digest for layer in again.layers] == [layer.digest for layer in image.layers]


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_program_runs_as_nobody_and_cannot_write(deployment: str, release: Release) -> None:
    """Not even where its user could: the whole root file system is read-only."""
    seen = json.loads(release.kubectl("exec", f"deployment/{deployment}", "--", "python", "-c", LOOK))
    assert seen == {"user": 65532, "group": 65532, "written": []}
    mounts = release.kubectl("exec", f"deployment/{deployment}", "--", "cat", "/proc/self/mounts").splitlines()
    (root,) = (mount.split() for mount in mounts if mount.split()[1] == "/")
    assert "ro" in root[3].split(",")
