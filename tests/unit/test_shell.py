"""The shell that runs the commands of the pages: what it requires of a page, and what it allows."""

from pathlib import Path

import pytest

from tests.support.shell import Shell

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkcCJ9.c2lnbmF0dXJl"
SECRET = "sk_live_0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("secret", [TOKEN, SECRET])
def test_shell_finds_a_secret_on_a_command_line(secret: str, tmp_path: Path) -> None:
    """However it comes there."""
    for command in (f"env true {secret}", f"S={secret}\nenv true --user=a:$S", f"f() {{\n  env true $1\n}}\nf {secret}"):
        with Shell(tmp_path, tmp_path) as shell, pytest.raises(AssertionError, match="among their arguments"):
            shell.type(command)
        (tmp_path / "trace").unlink()


def test_shell_allows_a_secret_in_a_pipe(tmp_path: Path) -> None:
    """What bash does by itself is on no command line."""
    with Shell(tmp_path, tmp_path) as shell:
        assert shell.type(f"S={SECRET}\nprintf %s $S | cat") == SECRET


def test_shell_reports_the_output_of_a_failed_command(tmp_path: Path) -> None:
    """A variable that only a test would have set is not set."""
    with Shell(tmp_path, tmp_path) as shell, pytest.raises(AssertionError, match="PORT: unbound variable"):
        shell.type('env true "${PORT:=8000}" &\necho "$PORT"')


def test_shell_keeps_variables_and_functions(tmp_path: Path) -> None:
    """As in the one shell of a person."""
    with Shell(tmp_path, tmp_path) as shell:
        shell.type("A=1\nsay() {\n  echo $A\n}")
        assert shell.type("say") == "1\n"
