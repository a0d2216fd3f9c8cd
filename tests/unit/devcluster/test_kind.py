"""Which cluster kind is asked for."""

from pathlib import Path

from devcluster.kind import create_command

KUBECONFIG = Path("kubeconfig")


def test_the_version_of_kubernetes_is_that_of_the_node_image_that_is_named() -> None:
    """As KIND_NODE_IMAGE names it."""
    assert "--image=kindest/node:v1.33.7" in create_command(KUBECONFIG, "kindest/node:v1.33.7")


def test_without_a_name_kind_takes_its_own() -> None:
    """Also where the variable is empty, as in a Makefile."""
    for nothing in (None, ""):
        assert not [option for option in create_command(KUBECONFIG, nothing) if option.startswith("--image")]
