"""The command line: which arguments are accepted, and what an invalid one prints."""

import re
from datetime import timedelta
from typing import Any

import pytest

from kubectl_agentidp.main import commands
from tests.support.crd_schema import CHECKOUT

COMMANDS = ("status", "tree", "rotate", "suspend", "resume", "decommission", "revoke", "token")
NAMED = tuple(f"{command} screener" for command in COMMANDS if command != "tree")


def parsed(line: str) -> dict[str, Any]:
    """Return the options that a command is given."""
    return vars(commands().parser.parse_args(line.split()))


def error_of(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the error of an invalid command line, which ends with status 2."""
    with pytest.raises(SystemExit) as ended:
        parsed(line)
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "line", ["-n talent status", "status -n talent", "status --namespace talent", "-n other status -n talent"]
)
def test_arguments_before_or_after_the_command(line: str) -> None:
    """The last one counts, as with kubectl."""
    assert parsed(line)["namespace"] == "talent"


@pytest.mark.parametrize("command", [*NAMED, "tree", "status"])
def test_arguments_of_every_command_name_the_cluster(command: str) -> None:
    """A flag that is not given has no default: the kubeconfig decides."""
    defaults = dict.fromkeys(("namespace", "context", "cluster", "user", "kubeconfig", "as_user", "as_uid"))
    assert (defaults | {"as_group": [], "as_user_extra": []}).items() <= parsed(command).items()
    options = parsed(f"{command} --context prod --kubeconfig /k -n talent --as bob --as-group a --as-group b")
    expected = {"namespace": "talent", "context": "prod", "kubeconfig": "/k", "as_user": "bob", "as_group": ["a", "b"]}
    assert expected.items() <= options.items()


def test_arguments_as_group_add_up_before_and_after_the_command() -> None:
    """An identity with fewer groups would be another one."""
    assert parsed("--as-group a status --as-group b")["as_group"] == ["a", "b"]


ACCEPTED: dict[str, dict[str, Any]] = {
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


@pytest.mark.parametrize(("line", "options"), ACCEPTED.items(), ids=ACCEPTED)
def test_arguments_are_accepted(line: str, options: dict[str, Any]) -> None:
    """An argument that is not given has its default."""
    assert options.items() <= parsed(line).items()


INVALID = {
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


@pytest.mark.parametrize(("line", "error"), INVALID.items(), ids=INVALID)
def test_arguments_that_are_invalid_are_named(line: str, error: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status is 2, and the error shows a valid value."""
    assert error in error_of(line, capsys)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_rights(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The parser accepts each example; the help names the rights that the command needs."""
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


def test_arguments_of_the_readme_are_accepted() -> None:
    """Each line of the README is a valid command line."""
    lines = re.findall(r"^kubectl agentidp (.*?)(?: +#.*)?$", (CHECKOUT / "README.md").read_text(), re.MULTILINE)
    assert {line.split()[0] for line in lines} >= {"tree", "status", "rotate", "suspend", "revoke", "token"}
    assert all(parsed(line)["run"] for line in lines)


def test_help_lists_commands_and_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has a summary."""
    with pytest.raises(SystemExit):
        parsed("--help")
    text = capsys.readouterr().out
    assert all(f"\n    {command} " in text for command in COMMANDS)
    assert "exit status: 0 done, 1 failed or not done, 2 the command line is not valid" in text
