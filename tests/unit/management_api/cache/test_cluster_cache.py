"""The cluster cache: which agents a list visits."""

import pytest
from msgspec.structs import replace

from agentidp.domain.identity.administration import READ
from agentidp.domain.identity.clients import client_organization
from agentidp.domain.resources import Administrator
from management_api.auth.agent_caller import AgentCaller
from management_api.cache.agents import CachedAgent
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import Status
from tests.support.management_parts import a_cached_agent, a_cached_credential
from tests.support.worlds import NAMESPACE, a_decommissioned_agent, a_uid, an_organization

VISITED: dict[str, tuple[str | None, set[str]]] = {
    "all that it reaches": (None, {NAMESPACE, "sister"}),
    "its own namespace": (NAMESPACE, {NAMESPACE}),
    "a namespace of its organization": ("sister", {"sister"}),
    "a namespace of others": ("others", set()),
}


@pytest.mark.parametrize(("namespace", "visited"), VISITED.values(), ids=VISITED)
async def test_list_visits_only_namespaces_that_the_caller_reaches(namespace: str | None, visited: set[str]) -> None:
    """So it costs nothing more where other tenants have many agents."""
    cache, acme = ClusterCache(), an_organization(admits=(NAMESPACE, "sister"))
    rights = (Administrator(namespace=NAMESPACE, scopes=(READ,)),)
    organization = client_organization(replace(acme, spec=replace(acme.spec, administrators=rights)))
    for number, (where, whose) in enumerate([(NAMESPACE, "acme"), ("sister", "acme"), ("others", None), (NAMESPACE, None)]):
        cache.agents.put(a_cached_agent(a_uid(number), name=f"agent-{number}", namespace=where, organization_id=whose))
    caller = cache.agent(a_uid(0))
    assert caller
    visible = await AgentCaller(caller, frozenset({READ}), organization).visible_agents(namespace)
    seen_in = list[str]()

    def matches(agent: CachedAgent) -> bool:
        seen_in.append(agent.namespace)
        return visible.includes(agent)

    found = cache.agents_where(matches, visible.namespaces)
    assert set(seen_in) == visited
    everywhere = cache.agents_where(lambda agent: visible.includes(agent) and namespace in {None, agent.namespace})
    assert (found, {agent.namespace for agent in found}) == (everywhere, visited)


def test_page_of_credentials_of_a_decommissioned_agent_has_none_that_is_active() -> None:
    """All are revoked with their agent, whatever their own state is."""
    cache = ClusterCache()
    cache.credentials.put(a_cached_credential())
    agent = a_cached_agent()
    ended = replace(agent, spec=a_decommissioned_agent().spec)
    assert cache.page_of_credentials(agent, Status.ACTIVE, 0, 10)[1] == 1
    assert cache.page_of_credentials(ended, Status.ACTIVE, 0, 10) == ([], 0)
    assert cache.page_of_credentials(ended, Status.REVOKED, 0, 10)[1] == 1
