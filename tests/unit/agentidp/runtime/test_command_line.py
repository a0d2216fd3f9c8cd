"""The command line of a program."""

import sys

import pytest

from agentidp.runtime.command_line import refuse, settings_for
from agentidp.runtime.settings import CommonSettings


def test_settings_for_a_program_ends_it_where_they_are_not_valid(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit status 2, as for a wrong option."""
    monkeypatch.setattr(sys, "argv", ["program"])
    monkeypatch.setenv("AGENTIDP_ISSUER", "no URL")
    with pytest.raises(SystemExit) as ended:
        settings_for("program", "A program.", CommonSettings)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("program: AGENTIDP_ISSUER='no URL' is not valid")


def test_settings_for_a_program_are_listed_by_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their defaults."""
    monkeypatch.setattr(sys, "argv", ["program", "--help"])
    with pytest.raises(SystemExit) as ended:
        settings_for("program", "A program.", CommonSettings)
    assert ended.value.code == 0
    assert "AGENTIDP_ISSUER" in capsys.readouterr().out


def test_refuse_ends_the_program_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, before logs are set up."""
    with pytest.raises(SystemExit) as ended:
        refuse("program", "the reason", 3)
    assert ended.value.code == 3
    assert capsys.readouterr() == ("", "program: the reason\n")
