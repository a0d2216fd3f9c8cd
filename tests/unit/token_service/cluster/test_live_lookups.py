"""Client lookup: the requests to the API server about one client."""

from typing import Any, cast

import msgspec
import pytest

from agentidp.domain.resources import Agent, Organization
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import TooLarge
from agentidp.kube.kinds import AGENTS, ORGANIZATIONS, Kind
from tests.support.worlds import AGENT_ID, a_registered_agent, an_organization
from token_service.cluster.live_lookups import MAX_BYTES, ClientLookup


class Asked:
    """An API server that has these agents and one organization, and remembers what it was asked for."""

    def __init__(self, *agents: Agent) -> None:
        self.kinds: list[str] = []
        self._items = {AGENTS.plural: [AGENTS.encode(one) for one in agents]}

    async def request(self, _method: str, path: str, *, max_bytes: int, **_: Any) -> bytes:
        """A list, if it has no more bytes."""
        plural = path.rpartition("/")[2]
        self.kinds.append(plural)
        body = msgspec.json.encode({"metadata": {"resourceVersion": "1"}, "items": self._items.get(plural, [])})
        if len(body) > max_bytes:
            raise TooLarge("more than was asked for")
        return body

    async def find(self, kind: Kind[Any], _namespace: str, name: str) -> Organization | None:
        """One object."""
        self.kinds.append(kind.plural)
        return an_organization() if name == "acme" else None


KNOWN: dict[str, tuple[Agent, ...]] = {
    "nobody has the id": (),
    "its agent belongs to nobody": (a_registered_agent(),),
    "its agent has an organization": (a_registered_agent(organization_id="acme"),),
}


@pytest.mark.parametrize("agents", KNOWN.values(), ids=KNOWN)
async def test_client_lookup_makes_the_same_requests_where(agents: tuple[Agent, ...]) -> None:
    """So that time tells no difference."""
    asked = Asked(*agents)
    found = await ClientLookup(cast("KubeClient", asked))(AGENT_ID)
    assert sorted(asked.kinds) == ["agentcredentials", "agents", ORGANIZATIONS.plural]
    assert [one.agent_id for one in found.agents.table] == [AGENT_ID] * len(agents)
    assert len(found.organizations.table) == sum(one.spec.organization_id is not None for one in agents)


async def test_client_lookup_is_bounded_in_bytes() -> None:
    """Anybody who knows the client's id can have it looked up, and its owner can make it large."""
    enough, too_much = (a_registered_agent(owner="o" * size) for size in (MAX_BYTES - 10_000, MAX_BYTES))
    assert (await ClientLookup(cast("KubeClient", Asked(enough)))(AGENT_ID)).agent(AGENT_ID)
    with pytest.raises(TooLarge):
        await ClientLookup(cast("KubeClient", Asked(too_much)))(AGENT_ID)
