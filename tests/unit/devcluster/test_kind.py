"""kind: which node image it uses."""

from pathlib import Path

from devcluster.kind import create_command

KUBECONFIG = Path("kubeconfig")


def test_kind_uses_the_named_node_image() -> None:
    """As KIND_NODE_IMAGE names it."""
    assert "--image=kindest/node:v1.33.7" in create_command(KUBECONFIG, "kindest/node:v1.33.7")


def test_kind_uses_its_own_node_image_by_default() -> None:
    """Also where the variable is empty, as in a Makefile."""
    for nothing in (None, ""):
        assert not [option for option in create_command(KUBECONFIG, nothing) if option.startswith("--image")]
