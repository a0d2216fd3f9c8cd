"""How a change is made of an object that others write, too. A script stands for the API server: a race cannot be timed."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from agentidp.domain.resources import Agent, AgentState
from agentidp.kube.errors import Conflict
from agentidp.kube.kinds import AGENTS
from kubectl_agentidp import client as access
from kubectl_agentidp.client import TRIES, PluginClient
from kubectl_agentidp.errors import CommandError
from tests.support.worlds import an_agent

CONFLICT = Conflict(409, "Conflict", "the object has been modified")


class Script:
    """An agent that has changed each time it is looked at; so many changes meet a conflict."""

    server = "https://kube.example"

    def __init__(self, conflicts: int) -> None:
        self.conflicts = conflicts
        self.version = 0
        self.sent: list[Mapping[str, Any]] = []

    async def get(self, *_: object) -> Agent:
        """As it is now."""
        self.version += 1
        agent = an_agent()
        return replace(agent, metadata=replace(agent.metadata, resource_version=str(self.version)))

    async def patch(self, *arguments: Any) -> Agent:
        """A conflict, while there are any left."""
        self.sent.append(arguments[-1])
        if len(self.sent) <= self.conflicts:
            raise CONFLICT
        return an_agent(state=AgentState.SUSPENDED)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries."""
    monkeypatch.setattr(access, "BETWEEN_TRIES_SECONDS", 0)


def accessed(script: Any) -> PluginClient:
    """The script as a cluster."""
    return PluginClient(script, "talent")


async def test_what_is_written_was_decided_on_what_is_there() -> None:
    """Each try looks again, and is bound to the version that it saw."""
    script = Script(conflicts=2)
    assert await accessed(script).change(AGENTS, "screener", lambda one: {"owner": f"of {one.metadata.resource_version}"})
    assert script.sent == [
        {"metadata": {"resourceVersion": version}, "spec": {"owner": f"of {version}"}} for version in ("1", "2", "3")
    ]


async def test_nothing_wanted_is_nothing_written() -> None:
    """It is well as it is."""
    script = Script(conflicts=0)
    assert await accessed(script).change(AGENTS, "screener", lambda _: None) is None
    assert not script.sent


async def test_it_does_not_try_for_ever() -> None:
    """Somebody else writes it all the time, and that is said."""
    script = Script(conflicts=TRIES)
    with pytest.raises(CommandError, match="Agent talent/screener keeps changing: the object has been modified"):
        await accessed(script).change(AGENTS, "screener", lambda _: {})
    assert len(script.sent) == TRIES
