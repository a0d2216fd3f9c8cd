"""The manifests of `examples/` are what a person can apply as they are."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from devcluster.cluster import ControlPlane
from devcluster.kubectl import Kubectl
from tests.support.api_server import ApiServer
from tests.support.crd_schema import CHECKOUT
from tests.support.manifests import a_credential

EXAMPLES = CHECKOUT / "examples"


@pytest.fixture(scope="module")
def kubectl(cluster: ControlPlane) -> Iterator[Kubectl]:
    """kubectl, where the quickstart was applied, on which the other examples build."""
    kubectl = cluster.access.kubectl
    kubectl("apply", f"--filename={EXAMPLES / 'quickstart.yaml'}")
    yield kubectl
    # The namespace stays: it would take seconds to end, and whoever applies the quickstart meanwhile would be refused.
    kubectl("delete", "agentcredentials,agents,deployments", "--all", "--namespace=agents-demo")
    kubectl("delete", "organization", "acme")


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_an_example_applies_and_does_not_drift(kubectl: Kubectl, name: str) -> None:
    """What the API server keeps is what the file says: neither `apply` nor a comparison finds anything to do afterwards."""
    example = f"--filename={EXAMPLES / name}"
    kubectl("apply", example)
    assert {line.split()[-1] for line in kubectl("apply", example).stdout.splitlines()} == {"unchanged"}
    assert kubectl("diff", example).stdout == ""


def test_the_command_beside_the_hash_makes_one(api_server: ApiServer) -> None:
    """A secret as the operator would make it, and a hash of it that the API server accepts."""
    text = (EXAMPLES / "provided-hash.yaml").read_text()
    commands = "\n".join(re.findall(r"^#   (.*)$", text, re.MULTILINE)) + '\necho "$SECRET"'
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    output = subprocess.run(["sh", "-c", commands], env=environment, capture_output=True, text=True, check=True).stdout
    provided, secret = output.split()
    assert re.fullmatch(r"sk_live_[0-9a-f]{32}", secret)
    assert bcrypt.checkpw(secret.encode(), provided.encode())
    assert api_server.create(a_credential(secretHash={"hash": provided}), dry_run=True).message == ""
