"""What the operator remembers of the cluster after everything was listed again."""

from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.work_queue import WorkQueue
from agentidp.domain.resources import Agent
from tests.support.listings import Listed
from tests.support.worlds import a_registered_agent, a_uid


def an_agent_of_version(version: int, name: str = "screener", uid: str = a_uid(1)) -> Agent:
    """As it was at a resource version."""
    agent = a_registered_agent(name=name, uid=uid)
    return replace(agent, metadata=replace(agent.metadata, resource_version=str(version)))


def versions(cache: ClusterCache) -> dict[str, str]:
    """Of all agents that it knows, by name."""
    return {agent.metadata.name: agent.metadata.resource_version for agent in cache.agents}


async def test_what_is_not_on_the_list_is_gone() -> None:
    """An event was missed."""
    cache = ClusterCache(WorkQueue())
    cache.agents.put(an_agent_of_version(1))
    cache.agents.put(an_agent_of_version(2, "gone", a_uid(2)))
    await cache.agents.replace(Listed(an_agent_of_version(3), version=5))
    assert versions(cache) == {"screener": "3"}


async def test_what_was_seen_since_the_list_stays() -> None:
    """Whether it is new, or newer than the list tells."""
    cache = ClusterCache(WorkQueue())
    cache.agents.put(an_agent_of_version(7))
    cache.agents.put(an_agent_of_version(6, "new", a_uid(2)))
    await cache.agents.replace(Listed(an_agent_of_version(3), version=5))
    assert versions(cache) == {"screener": "7", "new": "6"}


async def test_an_agent_that_was_made_again_is_the_new_one() -> None:
    """Under its old name, while nobody looked."""
    cache = ClusterCache(WorkQueue())
    cache.agents.put(an_agent_of_version(1))
    await cache.agents.replace(Listed(an_agent_of_version(4, uid=a_uid(2)), version=5))
    assert [agent.metadata.uid for agent in cache.agents] == [a_uid(2)]


def test_what_is_trimmed_is_in_the_same_version_no_news() -> None:
    """It would be worked on for ever."""
    work = WorkQueue()
    cache = ClusterCache(work)
    big = an_agent_of_version(1)
    big = replace(big, metadata=replace(big.metadata, annotations={"long": "x" * 250_000}))
    cache.agents.put(big)
    (known,) = cache.agents
    cache.agents.put(big)
    assert next(iter(cache.agents)) is known
