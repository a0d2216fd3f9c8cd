"""Client lookup: the requests to the API server about one client."""

from typing import Any, cast

import msgspec
import pytest

from agentidp.domain.resources import Agent, Organization
from agentidp.domain.tokens.client_assertions import ServiceAccountIdentity, Workload
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError, NotFound, TooLarge, Unreachable
from agentidp.kube.kinds import AGENTS, ORGANIZATIONS, Kind
from tests.support.worlds import AGENT_ID, a_registered_agent, a_uid, an_organization
from token_service.cluster.live_lookups import MAX_BYTES, ClientLookup, ServiceAccountLookup


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


class OneServiceAccount:
    """An API server that has a ServiceAccount of this JSON, or answers with an error."""

    def __init__(self, answer: bytes | ApiError) -> None:
        self._answer = answer

    async def request(self, method: str, path: str, *, max_bytes: int) -> bytes:
        """The ServiceAccount, if it has no more bytes."""
        assert (method, path) == ("GET", "/api/v1/namespaces/talent/serviceaccounts/worker")
        if isinstance(self._answer, ApiError):
            raise self._answer
        if len(self._answer) > max_bytes:
            raise TooLarge("more than was asked for")
        return self._answer


def a_service_account(**metadata: Any) -> bytes:
    """Its JSON."""
    meta = {"name": "worker", "uid": a_uid(1), "creationTimestamp": "2026-03-01T12:00:00Z"} | metadata
    return msgspec.json.encode({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "secrets": []})


async def looked_up(answer: bytes | ApiError) -> ServiceAccountIdentity | None:
    """What is found there."""
    return await ServiceAccountLookup(cast("KubeClient", OneServiceAccount(answer)))(Workload("talent", "worker"))


FAT = "x" * (MAX_BYTES - 10_000)
OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "one", "uid": a_uid(2)}
FAT_METADATA: dict[str, dict[str, Any]] = {
    "an owner's name": {"ownerReferences": [OWNER | {"name": FAT}]},
    "the version of an owner": {"ownerReferences": [OWNER | {"apiVersion": f"v1/{FAT}"}]},
    "an annotation": {"annotations": {"about": FAT}},
    "many labels": {"labels": {f"example.com/{number}": "x" * 63 for number in range(10_000)}},
    "a finalizer": {"finalizers": [f"example.com/{FAT}"]},
    "a managed field": {"managedFields": [{"manager": FAT}]},
    "nothing": {},
}


@pytest.mark.parametrize("metadata", FAT_METADATA.values(), ids=FAT_METADATA)
async def test_of_a_service_account_only_its_identity_is_kept(metadata: dict[str, Any]) -> None:
    """The token service keeps 50,000 of them, and who may write one may make it as large as the API server takes."""
    found = await looked_up(a_service_account(**metadata))
    assert found
    assert found.uid == a_uid(1)
    assert found.creation_timestamp
    assert len(msgspec.json.encode(found)) < 200


NONE: dict[str, bytes | ApiError] = {
    "it is not there": NotFound(404, "NotFound", "not there"),
    "it has too many bytes": a_service_account(annotations={"about": FAT * 2}),
}


@pytest.mark.parametrize("answer", NONE.values(), ids=NONE)
async def test_there_is_no_service_account_where(answer: bytes | ApiError) -> None:
    """So a namesake that is too large to be read ends the tokens of its predecessor as any namesake does."""
    assert await looked_up(answer) is None


async def test_an_answer_that_does_not_come_says_nothing_of_a_service_account() -> None:
    """It may be there."""
    with pytest.raises(Unreachable):
        await looked_up(Unreachable("no answer"))
