"""What may be typed, and what a mistake says."""

import re
from datetime import timedelta
from typing import Any

import pytest

from kubectl_agentidp.main import commands
from tests.support.crd_schema import CHECKOUT

COMMANDS = ("status", "tree", "rotate", "suspend", "resume", "decommission", "revoke", "token")
NAMED = tuple(f"{command} screener" for command in COMMANDS if command != "tree")


def parsed(line: str) -> dict[str, Any]:
    """What a command gets to see."""
    return vars(commands().parser.parse_args(line.split()))


def refused(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a command line that is not valid, which ends with status 2."""
    with pytest.raises(SystemExit) as ended:
        parsed(line)
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "line", ["-n talent status", "status -n talent", "status --namespace talent", "-n other status -n talent"]
)
def test_flags_stand_before_or_after_the_command(line: str) -> None:
    """As with kubectl; the last one counts."""
    assert parsed(line)["namespace"] == "talent"


@pytest.mark.parametrize("command", [*NAMED, "tree", "status"])
def test_all_commands_say_whose_cluster_is_meant(command: str) -> None:
    """Nothing said is nothing decided: the kubeconfig decides then."""
    unsaid = dict.fromkeys(("namespace", "context", "cluster", "user", "kubeconfig", "as_user", "as_uid"))
    assert (unsaid | {"as_group": [], "as_user_extra": []}).items() <= parsed(command).items()
    told = parsed(f"{command} --context prod --kubeconfig /k -n talent --as bob --as-group a --as-group b")
    said = {"namespace": "talent", "context": "prod", "kubeconfig": "/k", "as_user": "bob", "as_group": ["a", "b"]}
    assert said.items() <= told.items()


def test_groups_count_before_and_after_the_command() -> None:
    """All of them: whoever acts with fewer is somebody else."""
    assert parsed("--as-group a status --as-group b")["as_group"] == ["a", "b"]


UNDERSTOOD: dict[str, dict[str, Any]] = {
    "status": {"name": None, "all_namespaces": False, "output": None},
    "status screener -o json": {"name": "screener", "output": "json"},
    "status -A": {"all_namespaces": True},
    "tree --all-namespaces": {"all_namespaces": True},
    "rotate key": {"name": "key", "overlap": None, "wait": False, "timeout": timedelta(minutes=1)},
    "rotate key --overlap 1h30m --wait --timeout 5m": {"overlap": "1h30m", "wait": True, "timeout": timedelta(minutes=5)},
    "revoke key": {"yes": False},
    "revoke key -y": {"yes": True},
    "decommission screener --yes": {"yes": True},
    "token key": {"endpoint": None, "scope": None, "resource": [], "output": None, "claims": False},
    "token key --resource https://a --resource https://b": {"resource": ["https://a", "https://b"]},
    "token key --endpoint http://127.0.0.1:8080/api/v1/token": {"endpoint": "http://127.0.0.1:8080/api/v1/token"},
}


@pytest.mark.parametrize(("line", "told"), UNDERSTOOD.items(), ids=UNDERSTOOD)
def test_a_command_line_is_understood(line: str, told: dict[str, Any]) -> None:
    """What is not said has a default."""
    assert told.items() <= parsed(line).items()


MISTAKES = {
    "": "the following arguments are required: COMMAND",
    "rotat key": "invalid choice: 'rotat'",
    "rotate": "the following arguments are required: CREDENTIAL",
    "suspend": "the following arguments are required: AGENT",
    "rotate key --overlap 5": "'5' is not a duration: write hours, minutes and seconds in this order, like 720h or 1h30m",
    "rotate key --overlap 1d": "'1d' is not a duration",
    "rotate key --timeout soon": "'soon' is not a duration",
    "rotate key --over 1h": "unrecognized arguments: --over",
    "suspend screener --yes": "unrecognized arguments: --yes",
    "token key --endpoint idp.example/token": "'idp.example/token' is not a URL like http://127.0.0.1:8080/api/v1/token",
    "token key --claims -o json": "not allowed with argument",
    "status -o yaml": "invalid choice: 'yaml'",
}


@pytest.mark.parametrize(("line", "complaint"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_named(line: str, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and the way it should be where there is one."""
    assert complaint in refused(line, capsys)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_how_a_command_is_typed(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With an example that the parser itself understands, and the rights that it takes."""
    with pytest.raises(SystemExit) as ended:
        parsed(f"{command} --help")
    assert ended.value.code == 0
    text = capsys.readouterr().out
    examples = [
        line.removeprefix("  kubectl agentidp ") for line in text.splitlines() if line.startswith("  kubectl agentidp ")
    ]
    assert examples
    assert all(parsed(example)["run"] for example in examples)
    assert "Needs" in text


def test_the_readme_shows_what_can_be_typed() -> None:
    """Line by line."""
    shown = re.findall(r"^kubectl agentidp (.*?)(?: +#.*)?$", (CHECKOUT / "README.md").read_text(), re.MULTILINE)
    assert {line.split()[0] for line in shown} >= {"tree", "status", "rotate", "suspend", "revoke", "token"}
    assert all(parsed(line)["run"] for line in shown)


def test_help_lists_the_commands_and_the_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with a sentence."""
    with pytest.raises(SystemExit):
        parsed("--help")
    text = capsys.readouterr().out
    assert all(f"\n    {command} " in text for command in COMMANDS)
    assert "exit status: 0 done, 1 failed or not done, 2 the command line is not valid" in text
