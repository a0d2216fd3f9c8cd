"""/api/v1/agents: the routes, for an agent that may read and write in its namespace."""

from http import HTTPStatus

import pytest

from management_api.endpoints import agents
from tests.support.management import AN_AGENT
from tests.support.management_parts import a_cached_agent, an_api, client_of
from tests.support.worlds import HOUR, NOW, a_uid


async def test_agents_are_listed_in_pages_newest_first() -> None:
    """`total` counts all pages."""
    api, _ = an_api()
    for number in range(5):
        api.cache.agents.put(a_cached_agent(a_uid(number), name=f"agent-{number}", age=number * HOUR))
    async with client_of(api, agents.router) as client:
        page = (await client.get("/agents", params={"page": 2, "limit": 2})).json()
    assert [agent["agentId"] for agent in page["data"]] == [a_uid(2), a_uid(3)]
    assert (page["total"], page["page"], page["limit"]) == (5, 2, 2)
    assert page["data"][0]["createdAt"] == (NOW - 2 * HOUR).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.parametrize(("query", "total"), [({"owner": "talent"}, 1), ({"owner": "x"}, 0), ({"status": "suspended"}, 0)])
async def test_agents_are_filtered(query: dict[str, str], total: int) -> None:
    """By owner, type and status, each where it is given."""
    api, _ = an_api()
    api.cache.agents.put(a_cached_agent())
    async with client_of(api, agents.router) as client:
        answer = await client.get("/agents", params={"agentType": "screener", "status": "active", **query})
    assert answer.json()["total"] == total


async def test_agent_is_registered_changed_and_decommissioned() -> None:
    """201, 200, 204; a second decommissioning is 409."""
    api, _ = an_api()
    async with client_of(api, agents.router) as client:
        created = await client.post("/agents", json=AN_AGENT)
        path = f"/agents/{created.json()['agentId']}"
        changed = await client.patch(path, json={"version": "2.0.1"})
        ended = [await client.delete(path) for _ in range(2)]
        read = await client.get(path)
    assert (created.status_code, created.json()["status"]) == (HTTPStatus.CREATED, "active")
    assert (changed.status_code, changed.json()["version"]) == (HTTPStatus.OK, "2.0.1")
    assert [answer.status_code for answer in ended] == [HTTPStatus.NO_CONTENT, HTTPStatus.CONFLICT]
    assert read.json()["status"] == "decommissioned"
