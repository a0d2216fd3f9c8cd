"""The plugin's client: changes of an object that others write too.

A scripted API server stands for the real one, because a race cannot be timed.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from agentidp.domain.resources import Agent, AgentState
from agentidp.kube.errors import Conflict
from agentidp.kube.kinds import AGENTS
from kubectl_agentidp.client import PluginClient, RetryLimits
from kubectl_agentidp.errors import CommandError
from tests.support.worlds import an_agent

CONFLICT = Conflict(409, "Conflict", "the object has been modified")


class ScriptedApiServer:
    """Serves an agent with a new resourceVersion at each read, and answers the first `conflicts` patches with a Conflict."""

    server = "https://kube.example"

    def __init__(self, conflicts: int) -> None:
        self.conflicts = conflicts
        self.version = 0
        self.sent: list[Mapping[str, Any]] = []

    async def get(self, *_: object) -> Agent:
        """Return the agent with the next resourceVersion."""
        self.version += 1
        agent = an_agent()
        return replace(agent, metadata=replace(agent.metadata, resource_version=str(self.version)))

    async def patch(self, *arguments: Any) -> Agent:
        """Record the patch; raise a Conflict while any is left."""
        self.sent.append(arguments[-1])
        if len(self.sent) <= self.conflicts:
            raise CONFLICT
        return an_agent(state=AgentState.SUSPENDED)


def client(server: Any) -> PluginClient:
    """A client of the scripted API server that tries three times without a pause."""
    return PluginClient(server, "talent", RetryLimits(max_tries=3, pause_seconds=0))


async def test_change_decides_again_after_a_conflict() -> None:
    """Each patch has the resourceVersion that it was decided on."""
    server = ScriptedApiServer(conflicts=2)
    assert await client(server).change(AGENTS, "screener", lambda agent: {"owner": f"of {agent.metadata.resource_version}"})
    assert server.sent == [
        {"metadata": {"resourceVersion": version}, "spec": {"owner": f"of {version}"}} for version in ("1", "2", "3")
    ]


async def test_change_without_a_patch_writes_nothing() -> None:
    """The object is already as the command wants it."""
    server = ScriptedApiServer(conflicts=0)
    assert await client(server).change(AGENTS, "screener", lambda _: None) is None
    assert not server.sent


async def test_change_ends_after_the_last_try() -> None:
    """The error says that another writer keeps changing the object."""
    server = ScriptedApiServer(conflicts=3)
    with pytest.raises(CommandError, match="Agent talent/screener keeps changing: the object has been modified"):
        await client(server).change(AGENTS, "screener", lambda _: {})
    assert len(server.sent) == 3
