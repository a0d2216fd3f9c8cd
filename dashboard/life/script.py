"""The script: which event happens at which time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from agentidp.domain.resources import Rotation
from agentidp.domain.resources.agent import AgentState
from dashboard.life import troubles
from dashboard.life.callers import Callers
from dashboard.life.clients import Clients
from dashboard.life.owner import Owner
from dashboard.stage import Stage

MANAGER = "pipeline"


@dataclass(frozen=True)
class Actors:
    """Who acts, and on what."""

    stage: Stage
    owner: Owner
    clients: Clients


@dataclass(frozen=True)
class Scene:
    """Something that begins so many seconds after the start, in the words of a person."""

    at: float
    title: str
    act: Callable[[Actors], Awaitable[None]]


def names(kind: str, count: int) -> list[str]:
    """Of so many agents of a kind."""
    return [f"{kind}-{number:02}" for number in range(1, count + 1)]


async def begin(actors: Actors, agents: int) -> None:
    """A life as it is on most days: agents at work, some of them with a schedule, and callers of the REST API."""
    settled, scheduled = names("screener", agents), names("extractor", max(1, agents // 3))
    await actors.owner.begin()
    await actors.owner.declare(settled)
    await actors.owner.declare(scheduled, Rotation(every="1m30s", overlap="30s"))
    actors.clients.begin(settled + scheduled, per_second=0.5)
    actors.clients.keep(troubles.kept_running(actors.stage))
    manager = await actors.owner.declare_manager(MANAGER)
    ids = [(await actors.owner.agent(name)).status.agent_id or "" for name in settled]
    callers = Callers(actors.stage.api_url, actors.stage.token_endpoints[0], manager, ids)
    actors.clients.keep(callers.look())
    actors.clients.keep(callers.change())


async def play(actors: Actors, scenes: Sequence[Scene], seconds: float, say: Callable[[str], None]) -> None:
    """All scenes, each at its time, also while an earlier one goes on; done when so many seconds are over."""

    async def one(scene: Scene) -> None:
        await asyncio.sleep(scene.at)
        say(scene.title)
        await scene.act(actors)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.sleep(seconds))
        for scene in scenes:
            tasks.create_task(one(scene))


async def new_agents(actors: Actors, count: int) -> None:
    """Declared at once, and at work at once: each secret is used for the first time."""
    declared = names("classifier", count)
    await actors.owner.declare(declared)
    actors.clients.begin(declared, per_second=0.5)


async def guesses(actors: Actors, per_second: float, seconds: float) -> None:
    """Present wrong secrets at this rate."""
    await actors.clients.guess(names("screener", 3), per_second, seconds)


async def suspended(actors: Actors, count: int, seconds: float) -> None:
    """Some agents, for a while."""
    chosen = names("screener", count)
    await actors.owner.change_agents(chosen, state=AgentState.SUSPENDED)
    await asyncio.sleep(seconds)
    await actors.owner.change_agents(chosen, state=AgentState.ACTIVE)


async def rotated(actors: Actors, count: int) -> None:
    """All at once, with an overlap."""
    await actors.owner.rotate(names("classifier", count), overlap="30s")


async def api_server_away(actors: Actors, seconds: float) -> None:
    """Stop the API server, and start it again."""
    await troubles.api_server_away(actors.stage, seconds)


async def leader_lost(actors: Actors) -> None:
    """It is started again at once; which of the two leads then does not matter."""
    await troubles.leader_lost(actors.stage)


async def in_the_way(actors: Actors) -> None:
    """One Secret is written by two, another belongs to somebody else."""
    await troubles.contested(actors.owner, "screener-05")
    await troubles.not_delivered(actors.owner, "screener-06")


AGENTS = 24
SECONDS = 720
WHOLE_LIFE = (
    Scene(60, "forty new agents begin at once", partial(new_agents, count=40)),
    Scene(150, "somebody guesses secrets, for 50 s", partial(guesses, per_second=6, seconds=50)),
    Scene(240, "eight agents are suspended, for 60 s", partial(suspended, count=8, seconds=60)),
    Scene(340, "the API server is away, for 25 s", partial(api_server_away, seconds=25)),
    Scene(440, "the operator that leads is killed", leader_lost),
    Scene(530, "forty secrets are rotated at once", partial(rotated, count=40)),
    Scene(610, "two Secrets are also written by others", in_the_way),
)
