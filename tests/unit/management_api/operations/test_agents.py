"""Operations on agents, on a model cluster whose operator gives each agent its id."""

import pytest

from agentidp.domain.identity.clients import client_organization
from management_api.auth.authorization import Placement
from management_api.cache.agents import AGENTS_WITH_MANAGED_FIELDS
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.metadata import CHANGED_BY, GENERATED_BY
from management_api.errors import ApiFailure, Code
from management_api.limits import DEFAULT_LIMITS
from management_api.operations.agents import AgentOperations
from management_api.operations.optimistic_writer import OptimisticWriter
from tests.support.management_parts import OperatedCluster, a_context
from tests.support.model_cluster import ModelCluster
from tests.support.worlds import NAMESPACE, an_organization

SPEC = {
    "email": "Screener.Two@agents.example",
    "type": "Screener",
    "version": "1.4.0",
    "capabilities": ["resume:read"],
    "owner": "talent",
    "deploymentEnv": "Production",
}
HERE = Placement(NAMESPACE, None)


def operations(cluster: ModelCluster, cache: ClusterCache, seconds: float = 5.0) -> AgentOperations:
    """The operations of a process that waits so long for an id."""
    writer = OptimisticWriter(cluster, AGENTS_WITH_MANAGED_FIELDS, lambda _: None, DEFAULT_LIMITS)  # type: ignore[arg-type]
    return AgentOperations(writer, cache, seconds)


async def test_register_returns_the_agent_with_its_id() -> None:
    """Without scopes or audiences, marked with its maker, and under a name that people recognise."""
    cache = ClusterCache()
    cluster = OperatedCluster(cache)
    agent = await operations(cluster, cache).register(HERE, SPEC, a_context())
    (stored,) = cluster.all(AGENTS_WITH_MANAGED_FIELDS)
    assert agent.agent_id == stored.metadata.uid
    assert not stored.spec.scopes
    assert not stored.spec.audiences
    assert set(stored.metadata.annotations) >= {CHANGED_BY, GENERATED_BY}
    assert stored.metadata.name.startswith("screener-two-")


async def test_register_without_an_operator_says_that_the_agent_is_recorded() -> None:
    """503 with the id that the agent will have, so that its caller need not register another one."""
    cluster = ModelCluster()
    with pytest.raises(ApiFailure, match="recorded") as raised:
        await operations(cluster, ClusterCache(), seconds=0.01).register(HERE, SPEC, a_context())
    (stored,) = cluster.all(AGENTS_WITH_MANAGED_FIELDS)
    assert raised.value.details == {"agentId": stored.metadata.uid}


@pytest.mark.parametrize("admitted", [None, ("others",)], ids=["no organization", "one of others"])
async def test_register_tells_no_organization_from_one_that_does_not_admit(admitted: tuple[str, ...] | None) -> None:
    """Both are the same 403: who is in an organization is not for strangers."""
    cache = ClusterCache()
    if admitted:
        cache.organizations.put(client_organization(an_organization(admits=admitted)))
    with pytest.raises(ApiFailure, match="No organization of this id") as raised:
        await operations(OperatedCluster(cache), cache).register(Placement(NAMESPACE, "acme"), SPEC, a_context())
    assert raised.value.code is Code.FORBIDDEN


async def test_change_of_a_decommissioned_agent_is_refused() -> None:
    """409: it has ended for good. A change of nothing is refused as well."""
    cache = ClusterCache()
    agents = operations(OperatedCluster(cache), cache)
    agent = await agents.register(HERE, SPEC, a_context())
    assert (await agents.change(agent, {"owner": "others"}, a_context())).spec.owner == "others"
    await agents.decommission(agent, a_context())
    for spec in ({"owner": "talent"}, {}):
        with pytest.raises(ApiFailure) as raised:
            await agents.change(agent, spec, a_context())
        assert raised.value.code is Code.AGENT_ALREADY_DECOMMISSIONED
