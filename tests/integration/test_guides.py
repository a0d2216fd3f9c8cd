"""The guides: what they tell people to type works as it stands."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devcluster.cluster import ControlPlane
from devcluster.kubectl import kubectl_program
from devcluster.programs import Programs
from tests.support.crd_schema import CHECKOUT
from tests.support.workload import verified

Type = Callable[[str], str]


@pytest.fixture
def type_in(cluster: ControlPlane, all_programs: Programs, tmp_path: Path) -> Iterator[Type]:
    """A shell in which a person types, somewhere with the examples at hand; what these made is removed in the end."""
    (tmp_path / "examples").symlink_to(CHECKOUT / "examples")
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "kubectl").symlink_to(kubectl_program())
    kubectl = cluster.access.kubectl
    path = f"{commands}:{os.environ['PATH']}"
    environment = kubectl.environment() | {"PATH": path} | all_programs.url_variables()

    def run(text: str) -> str:
        shell = ["bash", "-euo", "pipefail", "-c", text]
        done = subprocess.run(shell, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout

    yield run
    kubectl("delete", "agentcredentials,agents,deployments,serviceaccounts", "--all", "--namespace=agents-demo")
    kubectl("delete", "organization", "acme")


def steps_of(guide: str) -> list[str]:
    """The commands of a guide, block by block."""
    text = (CHECKOUT / "docs" / "guides" / f"{guide}.md").read_text()
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_an_agent_without_a_secret(type_in: Type, all_programs: Programs) -> None:
    """From the start, and from secrets to none: the token is the agent's, and in the end there is no credential left."""
    apply, ask, *others = steps_of("secretless")
    type_in(apply)
    answer = type_in(ask)
    claims = verified(re.findall(r'"access_token":"([^"]+)"', answer)[0], all_programs.token_url, "https://tickets.example")
    assert claims["scope"] == "tickets:read tickets:route"
    type_in("kubectl wait --for=condition=Ready --namespace=agents-demo agentcredential/screener")
    for step in others:
        type_in(step)
    assert type_in("kubectl get agentcredentials --namespace=agents-demo --output=name") == ""


def test_managing_credentials_over_http(type_in: Type, tmp_path: Path) -> None:
    """From the first to the last day of a credential, and of an agent: each answer has the documented shape."""
    type_in("\n".join(steps_of("manage-credentials")))
    answers = {file.stem: json.loads(file.read_text()) for file in tmp_path.glob("*.json")}
    facts = {"credentialId", "clientId", "status", "createdAt", "expiresAt", "revokedAt"}
    assert answers["generated"].keys() == answers["rotated"].keys() == facts | {"clientSecret"}
    assert answers["rotated"]["credentialId"] == answers["generated"]["credentialId"]
    assert answers["rotated"]["clientSecret"] != answers["generated"]["clientSecret"]
    assert answers["generated"]["credentialId"] in {one["credentialId"] for one in answers["listed"]["data"]}
    assert answers["listed"].keys() == {"data", "total", "page", "limit"}
    assert answers["delivered"].keys() == facts | {"secretRef"}
    assert answers["delivered"]["secretRef"] == {"namespace": "agents-demo", "name": "screener-credentials"}
    assert answers["registered"]["email"] == "router@agents.example"
