"""AgentIdP's own programs on this machine: each with its own identity, port and log, as the installed wheel has them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from devcluster.access import Access
from devcluster.errors import DevclusterError
from devcluster.install import NAMESPACE
from devcluster.ports import ReservedPort
from devcluster.processes import Child, Children
from devcluster.readiness import answers, wait_until


@dataclass(frozen=True)
class Program:
    """One console script. Its ServiceAccount has the same name."""

    name: str
    listen_setting: str
    """The variable that tells it where to serve HTTP."""
    ready_path: str
    """What answers with 2xx there as soon as it is ready."""
    url_variable: str | None = None
    """The variable in which people find its base URL."""


OPERATOR = Program("agentidp-operator", "AGENTIDP_PROBE_LISTEN", "/healthz")
TOKEN_SERVICE = Program("agentidp-token-service", "AGENTIDP_LISTEN", "/readyz", url_variable="AGENTIDP_TOKEN_URL")
MANAGEMENT_API = Program("agentidp-management-api", "AGENTIDP_LISTEN", "/readyz", url_variable="AGENTIDP_API_URL")
PROGRAMS = (OPERATOR, TOKEN_SERVICE, MANAGEMENT_API)


class Programs:
    """The programs, running against one cluster in which AgentIdP is installed.

    They end with `close`, at the end of a `with` block, and in any case with the process that started them.
    """

    def __init__(self, access: Access, logs: Path, settings: Mapping[str, str], chosen: Sequence[Program]) -> None:
        self._chosen = chosen
        self._logs = logs
        self._settings = dict(settings)
        self._kubeconfigs = {program.name: access.identity(NAMESPACE, program.name) for program in PROGRAMS}
        self._ports = {program.name: ReservedPort() for program in PROGRAMS}
        self._children = Children()
        self._running: dict[str, Child] = {}

    @classmethod
    def launch(
        cls, access: Access, logs: Path, settings: Mapping[str, str] | None = None, chosen: Sequence[Program] = PROGRAMS
    ) -> Self:
        """The chosen programs, ready; the settings (AGENTIDP_…) go to each of them, over what is set here."""
        programs = cls(access, logs, settings or {}, chosen)
        try:
            programs._start_all()
        except BaseException:
            programs.close()
            raise
        return programs

    @property
    def token_url(self) -> str:
        """The base URL of the token service, which is the issuer."""
        return self.url(TOKEN_SERVICE.name)

    def url(self, name: str) -> str:
        """Where a program serves HTTP; the same over all its starts."""
        return f"http://127.0.0.1:{self._ports[name].number}"

    def url_variables(self) -> dict[str, str]:
        """The variables in which people find the programs' URLs."""
        return {program.url_variable: self.url(program.name) for program in self._chosen if program.url_variable}

    def process(self, name: str) -> Child:
        """The process of a program: its pid, its log, signals to it."""
        return self._running[name]

    def log(self, name: str) -> Path:
        """The log file of a program, over all its starts."""
        return self._logs / f"{name}.log"

    def start(self, name: str, settings: Mapping[str, str] | None = None) -> None:
        """Start one program and wait until it is ready; these settings are for this start only."""
        self._wait_until_ready(self._begin(_program(name), settings or {}))

    def stop(self, name: str) -> None:
        """SIGTERM, and wait for its end."""
        self._children.end(self._running.pop(name))

    def kill(self, name: str) -> None:
        """SIGKILL, and wait for its end."""
        child = self._running.pop(name)
        child.signal(signal.SIGKILL)
        self._children.end(child)

    def restart(self, name: str, settings: Mapping[str, str] | None = None) -> None:
        """Stop the program and start it again."""
        self.stop(name)
        self.start(name, settings)

    def ended(self) -> list[str]:
        """The programs that have ended by themselves."""
        return [name for name, child in self._running.items() if not child.running]

    def close(self) -> None:
        """Stop all programs and wait for them."""
        self._children.end_all()
        for port in self._ports.values():
            port.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_all(self) -> None:
        """All begin before any is waited for: the token service is not ready without the operator's signing keys."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for program in self._chosen:
            self._begin(program, {})
        for program in self._chosen:
            self._wait_until_ready(program)

    def _begin(self, program: Program, settings: Mapping[str, str]) -> Program:
        environment = self._environment(program) | self._settings | dict(settings)
        self._running[program.name] = self._children.start(
            program.name, [_script(program)], self.log(program.name), environment
        )
        return program

    def _wait_until_ready(self, program: Program) -> None:
        wait_until(lambda: answers(self.url(program.name) + program.ready_path), self._running[program.name])

    def _environment(self, program: Program) -> dict[str, str]:
        """Nothing of AGENTIDP_ that happens to be set in this shell, and no kubeconfig but the program's own."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AGENTIDP_")}
        return inherited | {
            "KUBECONFIG": str(self._kubeconfigs[program.name]),
            "PYTHONUNBUFFERED": "1",
            "AGENTIDP_ISSUER": self.token_url,
            "AGENTIDP_NAMESPACE": NAMESPACE,
            "AGENTIDP_TOKEN_SERVICE_URL": self.token_url,
            program.listen_setting: f"127.0.0.1:{self._ports[program.name].number}",
        }


def require_known(settings: Iterable[str]) -> None:
    """Raise when no program reads a variable of this name: their `--help` lists what they read."""
    unread = set(settings)
    for program in PROGRAMS if unread else ():
        unread -= set(re.findall(r"\bAGENTIDP_[A-Z0-9_]+", _help(program)))
    if unread:
        raise DevclusterError(
            f"no program reads {', '.join(sorted(unread))}; `.venv/bin/{OPERATOR.name} --help` lists its settings"
        )


def _help(program: Program) -> str:
    result = subprocess.run([_script(program), "--help"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise DevclusterError(f"{program.name} --help failed:\n{result.stderr.strip()}")
    return result.stdout


def _program(name: str) -> Program:
    return next(program for program in PROGRAMS if program.name == name)


def _script(program: Program) -> Path:
    script = Path(sys.executable).parent / program.name
    if not script.exists():
        raise DevclusterError(f"{script} does not exist: `make` targets install the project's wheel, which has it")
    return script
