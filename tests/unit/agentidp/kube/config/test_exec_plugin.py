"""When a credential plugin is asked again. What it is told and gives is compared with kubectl in tests/integration."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agentidp.kube.config.exec_plugin import ExecPlugin
from agentidp.kube.config.kubeconfig import ExecConfig
from agentidp.kube.config.rest_config import RestConfig
from tests.support.kubeconfigs import V1, Home, printing

NOW = datetime(2026, 11, 29, tzinfo=UTC)


class Asked:
    """A plugin that gives something for a minute, a clock, and how often it was run."""

    def __init__(self, home: Home) -> None:
        self.now = NOW
        ends = (NOW + timedelta(minutes=1)).isoformat()
        command = home.program("plugin", f'echo >> "$0.runs"\n{printing({"token": "t", "expirationTimestamp": ends})}')
        config = ExecConfig(str(command), api_version=V1, interactive_mode="Never")
        self.plugin = ExecPlugin(RestConfig("https://here.example"), config, clock=lambda: self.now)
        self._runs = Path(f"{command}.runs")

    @property
    def runs(self) -> int:
        """How often."""
        return self._runs.read_text().count("\n")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """In a folder of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return Asked(Home(tmp_path))


async def test_exec_plugin_runs_again_when_its_credential_expires(asked: Asked) -> None:
    """Its time is told by `expirationTimestamp`."""
    for _ in range(3):
        assert (await asked.plugin.credential()).token == "t"
    assert asked.runs == 1
    asked.now += timedelta(minutes=2)
    await asked.plugin.credential()
    assert asked.runs == 2


async def test_exec_plugin_runs_again_when_its_credential_is_refused(asked: Asked) -> None:
    """The API server knows better than a time."""
    await asked.plugin.credential()
    asked.plugin.forget()
    await asked.plugin.credential()
    assert asked.runs == 2
