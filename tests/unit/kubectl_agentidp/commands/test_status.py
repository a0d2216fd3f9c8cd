"""`status`: which agents and credentials a name selects, and what is printed where it selects none."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from kubectl_agentidp.errors import CommandError
from tests.support.object_server import run_command, serving
from tests.support.worlds import a_registered_agent, an_issued_credential

AGENT, CREDENTIAL = a_registered_agent(), an_issued_credential()
SECOND = replace(CREDENTIAL, metadata=replace(CREDENTIAL.metadata, name="second"))


@pytest.mark.parametrize(
    ("name", "agents", "credentials"),
    [
        ("", ["screener"], ["screener-key", "second"]),
        ("screener", ["screener"], ["screener-key", "second"]),
        ("second", [], ["second"]),
    ],
)
async def test_status_of_a_name(
    name: str, agents: list[str], credentials: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of an agent selects its credentials, too; the name of a credential selects it alone."""
    with serving(AGENT, CREDENTIAL, SECOND) as url:
        await run_command(f"status {name} -o json", url, tmp_path)
    printed = json.loads(capsys.readouterr().out)
    assert [agent["name"] for agent in printed["agents"]] == agents
    assert sorted(credential["name"] for credential in printed["credentials"]) == sorted(credentials)


async def test_status_of_an_unknown_name_fails(tmp_path: Path) -> None:
    """The advice says where else to look."""
    with serving(AGENT) as url, pytest.raises(CommandError, match="there is no agent or credential 'third'") as error:
        await run_command("status third", url, tmp_path)
    assert error.value.advice == "-n chooses another namespace, -A looks everywhere."


async def test_status_of_an_empty_namespace_prints_a_remark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty namespace is no error."""
    with serving(AGENT) as url:
        await run_command("status", url, tmp_path, namespace="default")
    assert capsys.readouterr() == ("", "No agents or credentials in namespace 'default'.\n")
