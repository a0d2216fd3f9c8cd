"""Resync: complete lists into the cluster cache."""

from typing import Any

import msgspec

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.watch.resync import resync
from agent_operator.work_queue import WorkQueue
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS
from tests.support.worlds import a_credential, an_agent, an_organization


class Api:
    """Has these objects, by the path of their collection."""

    def __init__(self, **objects: Any) -> None:
        self._objects = objects
        self.paths: list[str] = []

    async def request(self, _method: str, path: str, **_: Any) -> bytes:
        """A list with one page."""
        plural = path.rpartition("/")[2]
        self.paths.append(plural)
        return msgspec.json.encode({"metadata": {"resourceVersion": "9"}, "items": self._objects.get(plural, [])})


async def test_resync_replaces_what_the_cache_has() -> None:
    """Organizations and agents come before the credentials that are decided with them; deleted objects go."""
    api: Any = Api(
        agents=[AGENTS.encode(an_agent())],
        agentcredentials=[CREDENTIALS.encode(a_credential())],
        organizations=[ORGANIZATIONS.encode(an_organization())],
    )
    cache = ClusterCache(WorkQueue())
    deleted = an_agent("deleted", uid="00000000-0000-4000-8000-000000000001")
    cache.agents.put(deleted)
    await resync(api, cache)
    assert api.paths == ["organizations", "agents", "agentcredentials"]
    assert [agent.key for agent in cache.agents] == [an_agent().key]
    assert (len(cache.credentials), len(cache.organizations)) == (1, 1)
