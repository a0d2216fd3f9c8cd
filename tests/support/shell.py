"""A shell in which a person types what a page says, with nothing exported that the page does not export.

Nothing may fail in it, and no secret may be on a command line, where all users of the machine could read it: bash writes down
each command with its arguments, and these are searched after each text. Variables and functions last from one text to the
next, as they do for a person.
"""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

MACHINE = ("HOME", "PATH", "LANG", "TMPDIR")
"""What a login shell has."""
REGISTRIES = ("PIP_", "UV_", "GO", "NPM_CONFIG_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""What tells clients of package registries where these are, on this machine."""
PORT = re.compile(r"^PORT=8000\b", re.MULTILINE)
"""How a page chooses a port of which it says that any free one will do."""

SECRET = re.compile(r"sk_live_[0-9a-f]{32}|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.")
"""A secret that the operator has made, and a JWT."""
TRACED = re.compile(r"^\++@ ", re.MULTILINE)
NOT_RUN = re.compile(r"(?:\w+=|(?:echo|printf|local|for|case|eval|test|\[)\b)")
"""What bash does itself, which shows its arguments to nobody."""
FUNCTION = re.compile(r"^(\w+)\(\) \{", re.MULTILINE)


def newcomers_variables() -> dict[str, str]:
    """Home, PATH without what is installed for the tests, and where packages come from."""
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if one != beside)
    kept = {name: value for name, value in os.environ.items() if name in MACHINE or name.upper().startswith(REGISTRIES)}
    return kept | {"PATH": path}


class Shell:
    """One bash, until `close` or the end of a `with` block; what it left running in the background ends with it."""

    def __init__(self, folder: Path, logs: Path, variables: Mapping[str, str] | None = None, port: int = 8000) -> None:
        self._logs = logs
        self._port = port
        self._trace, self._errors, self._step = (logs / name for name in ("trace", "errors", "step.sh"))
        self._functions: set[str] = set()
        with self._errors.open("a") as errors:
            self._bash = subprocess.Popen(
                ["bash", "--norc", "--noprofile", "-euo", "pipefail"],
                cwd=folder,
                env=newcomers_variables() | dict(variables or {}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._say("trap 'kill $(jobs -p) 2> /dev/null || true' EXIT")
        self._say(f"exec 9>>'{self._trace}'; BASH_XTRACEFD=9; PS4='+@ '; set -x")

    def type(self, text: str) -> str:
        """What is said on standard output; everything has to succeed."""
        text = PORT.sub(f"PORT={self._port}", text)
        self._functions.update(FUNCTION.findall(text))
        self._step.write_text(text)
        self._errors.write_text("")
        end = secrets.token_hex()
        self._say(f". '{self._step}' < /dev/null; echo; echo {end}")
        said, ended = self._read_until(end)
        assert ended, f"{text}\n{said}{self._errors.read_text()}"
        assert self.shown_secrets() == [], "these commands have a secret among their arguments"
        return said

    def shown_secrets(self) -> list[str]:
        """The commands that were run with a secret among their arguments."""
        commands = TRACED.split(self._trace.read_text())
        return [one.split(maxsplit=1)[0] for one in commands if SECRET.search(one) and not self._is_bashs_own(one)]

    def close(self) -> None:
        """End it."""
        if self._bash.stdin:
            self._bash.stdin.close()
        self._bash.wait()
        if self._bash.stdout:
            self._bash.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _say(self, line: str) -> None:
        assert self._bash.stdin is not None
        self._bash.stdin.write(line + "\n")
        self._bash.stdin.flush()

    def _read_until(self, end: str) -> tuple[str, bool]:
        """What comes before this line, and whether that came: bash has ended where it did not."""
        said: list[str] = []
        for line in self._bash.stdout or ():
            if line == end + "\n":
                return "".join(said).removesuffix("\n"), True
            said.append(line)
        return "".join(said), False

    def _is_bashs_own(self, command: str) -> bool:
        return bool(NOT_RUN.match(command)) or command.split(maxsplit=1)[0] in self._functions


def typed(text: str, folder: Path, logs: Path, variables: Mapping[str, str] | None = None) -> str:
    """What a shell of its own says to this."""
    with Shell(folder, logs, variables) as shell:
        return shell.type(text)
