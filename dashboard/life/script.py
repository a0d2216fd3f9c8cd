"""What happens when."""

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
class World:
    """Who acts, and on what."""

    stage: Stage
    owner: Owner
    clients: Clients


@dataclass(frozen=True)
class Scene:
    """Something that begins so many seconds after the start, in the words of a person."""

    at: float
    title: str
    act: Callable[[World], Awaitable[None]]


def names(kind: str, count: int) -> list[str]:
    """Of so many agents of a kind."""
    return [f"{kind}-{number:02}" for number in range(1, count + 1)]


async def begin(world: World, agents: int) -> None:
    """A life as it is on most days: agents at work, some of them with a schedule, and callers of the REST API."""
    settled, scheduled = names("screener", agents), names("extractor", max(1, agents // 3))
    await world.owner.begin()
    await world.owner.declare(settled)
    await world.owner.declare(scheduled, Rotation(every="1m30s", overlap="30s"))
    world.clients.begin(settled + scheduled, per_second=0.5)
    world.clients.keep(troubles.kept_running(world.stage))
    manager = await world.owner.declare_manager(MANAGER)
    ids = [(await world.owner.agent(name)).status.agent_id or "" for name in settled]
    callers = Callers(world.stage.api_url, world.stage.token_endpoints[0], manager, ids)
    world.clients.keep(callers.look())
    world.clients.keep(callers.change())


async def play(world: World, scenes: Sequence[Scene], seconds: float, say: Callable[[str], None]) -> None:
    """All scenes, each at its time, also while an earlier one goes on; done when so many seconds are over."""

    async def one(scene: Scene) -> None:
        await asyncio.sleep(scene.at)
        say(scene.title)
        await scene.act(world)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.sleep(seconds))
        for scene in scenes:
            tasks.create_task(one(scene))


async def new_agents(world: World, count: int) -> None:
    """Declared at once, and at work at once: each secret is used for the first time."""
    declared = names("classifier", count)
    await world.owner.declare(declared)
    world.clients.begin(declared, per_second=0.5)


async def guesses(world: World, per_second: float, seconds: float) -> None:
    """Somebody shows wrong secrets."""
    await world.clients.guess(names("screener", 3), per_second, seconds)


async def suspended(world: World, count: int, seconds: float) -> None:
    """Some agents, for a while."""
    chosen = names("screener", count)
    await world.owner.change_agents(chosen, state=AgentState.SUSPENDED)
    await asyncio.sleep(seconds)
    await world.owner.change_agents(chosen, state=AgentState.ACTIVE)


async def rotated(world: World, count: int) -> None:
    """All at once, with an overlap."""
    await world.owner.rotate(names("classifier", count), overlap="30s")


async def api_server_away(world: World, seconds: float) -> None:
    """And back."""
    await troubles.api_server_away(world.stage, seconds)


async def leader_lost(world: World) -> None:
    """It is started again at once; which of the two leads then does not matter."""
    await troubles.leader_lost(world.stage)


async def in_the_way(world: World) -> None:
    """One Secret is written by two, another belongs to somebody else."""
    await troubles.contested(world.owner, "screener-05")
    await troubles.not_delivered(world.owner, "screener-06")


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
