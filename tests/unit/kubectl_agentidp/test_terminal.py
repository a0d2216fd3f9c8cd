"""The terminal: where text goes, which characters reach it, and which answers confirm."""

import contextlib
import io

import pytest

from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import confirm, note, show


def test_terminal_separates_results_from_remarks(capsys: pytest.CaptureFixture[str]) -> None:
    """A result can be piped: remarks go to standard error."""
    show("result")
    note("remark")
    assert capsys.readouterr() == ("result\n", "remark\n")


def test_terminal_gets_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """Line ends and box characters pass, escape sequences do not."""
    show("└── one\ntwo\x1b[2J\x07\rthree")
    assert capsys.readouterr().out == "└── one\ntwo�[2J��three\n"


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", "└── größe ☃"), ("latin-1", "`-- größe ?"), ("ascii", "`-- gr??e ?")]
)
def test_what_the_terminal_cannot_show_does_not_end_a_command(encoding: str, shown: str) -> None:
    """The encoding is the locale's; on Windows it is that of the code page."""
    written = io.BytesIO()
    terminal = io.TextIOWrapper(written, encoding, write_through=True)
    with contextlib.redirect_stdout(terminal):
        show("└── größe ☃")
    assert written.getvalue().decode(encoding) == f"{shown}\n"


@pytest.mark.parametrize("answer", ["y\n", "Y\n", "yes\n", " yes \n", "y"])
def test_confirm_returns_after_a_yes(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case and spaces around it do not matter."""
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    confirm("Revoke?")


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "ye\n", "revoke\n"])
def test_confirm_fails_after_another_answer(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the input is such an answer, too."""
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    with pytest.raises(CommandError, match="not confirmed") as failure:
        confirm("Revoke?")
    assert "--yes" in failure.value.advice
