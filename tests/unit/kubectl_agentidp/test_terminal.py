"""What reaches the terminal, and what a question takes for a yes."""

import contextlib
import io

import pytest

from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.terminal import confirm, note, show


def test_results_and_remarks_go_different_ways(capsys: pytest.CaptureFixture[str]) -> None:
    """So that a result can be piped."""
    show("result")
    note("remark")
    assert capsys.readouterr() == ("result\n", "remark\n")


def test_what_others_wrote_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines and boxes pass, escape sequences do not."""
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
def test_a_yes_goes_on(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is written."""
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    confirm("Revoke?")


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "ye\n", "revoke\n"])
def test_anything_else_does_nothing(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the end of the input: nobody is there."""
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    with pytest.raises(CommandError, match="not confirmed") as failure:
        confirm("Revoke?")
    assert "--yes" in failure.value.advice
