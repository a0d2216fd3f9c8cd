"""The cluster cache: lookups after any sequence of changes are those of a plain recomputation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.domain.identity.clients import ClientAgent, ClientCredential, client_agent, client_credential
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.tokens.client_assertions import Workload
from agentidp.kube.errors import Unreachable
from tests.support.listings import Listed
from tests.support.worlds import AGENT_ID, HOUR, MINUTE, a_registered_agent, a_suspended_agent, a_uid, an_issued_credential
from token_service.cluster.cache import AgentIndexByWorkload, ClientIndex, CredentialIndex

AN_AGENT = client_agent(a_registered_agent())

agents = st.builds(
    lambda name, namespace, agent_id, created, workloads: replace(
        AN_AGENT,
        name=name,
        namespace=namespace,
        agent_id=agent_id,
        created=created,
        uid=f"{namespace}/{name}",
        workloads=workloads,
    ),
    st.sampled_from("ab"),
    st.sampled_from("mn"),
    st.sampled_from(["", "1", "2"]),
    st.floats(0, 3),
    st.sampled_from([(), ("x",), ("x", "y"), ("x", "x")]),
)
credentials = st.builds(
    lambda number, client_id, hashes: replace(
        client_credential(an_issued_credential()),
        credential_id=f"{number}",
        agent_name="ab"[number % 2],
        client_id=client_id,
        hashes=hashes,
    ),
    st.integers(0, 5),
    st.sampled_from("xy"),
    st.sampled_from([(), client_credential(an_issued_credential()).hashes]),
)


@given(st.lists(st.tuples(st.booleans(), agents), max_size=30))
def test_agent_index_gives_an_id_to_the_oldest_agent(changes: list[tuple[bool, ClientAgent]]) -> None:
    """And so do the workloads that it names, whatever came, changed or went before."""
    table, now = AgentIndexByWorkload(), dict[tuple[str, str], ClientAgent]()
    for stays, agent in changes:
        key = agent.namespace, agent.name
        if stays:
            table.put(agent)
            now[key] = agent
        else:
            table.remove(agent)
            now.pop(key, None)
    for agent_id in ("1", "2"):
        claimants = [agent for agent in now.values() if agent.agent_id == agent_id]
        assert table.find(agent_id) == min(claimants, key=lambda one: one.precedence, default=None)
    assert len(table) == len({agent.agent_id for agent in now.values()} - {""})
    for workload in (Workload(namespace, name) for namespace in "mn" for name in "xy"):
        named = [one for one in table if one.namespace == workload.namespace and workload.service_account in one.workloads]
        assert sorted(table.of_workload(workload), key=lambda one: one.uid) == sorted(named, key=lambda one: one.uid)


@given(st.lists(st.tuples(st.booleans(), credentials), max_size=30))
def test_credential_index_has_the_credentials_of_an_agent_with_hashes(
    changes: list[tuple[bool, ClientCredential]],
) -> None:
    """In any order; of the others the latest is told."""
    table, now = CredentialIndex(), dict[str, ClientCredential]()
    for stays, credential in changes:
        if stays:
            table.put(credential)
            now[credential.credential_id] = credential
        else:
            table.remove(credential)
            now.pop(credential.credential_id, None)
    for name in "ab":
        agent = replace(AN_AGENT, name=name)
        expected = {key: one for key, one in now.items() if one.agent_name == name}
        assert {one.credential_id: one for one in table.of(agent)} == {key: one for key, one in expected.items() if one.hashes}
        without = [one for one in expected.values() if not one.hashes]
        assert table.latest_without_hash(agent) in (without or [None])
        assert all(table.find(key, agent) == one for key, one in expected.items())
    assert len(table) == len(now)


def test_credential_index_finds_no_credential_of_another_agent() -> None:
    """Neither one of another name nor one in another namespace."""
    table = CredentialIndex()
    credential = client_credential(an_issued_credential())
    table.put(credential)
    assert table.find(credential.credential_id, AN_AGENT)
    assert table.find(credential.credential_id, replace(AN_AGENT, name="other")) is None
    assert table.find(credential.credential_id, replace(AN_AGENT, namespace="other")) is None


def test_agent_index_prefers_the_older_of_two_agents_with_one_id() -> None:
    """Also when the younger came first."""
    younger = client_agent(a_registered_agent(name="thief", uid=a_uid(1), age=MINUTE))
    older = client_agent(a_registered_agent(age=HOUR))
    table = AgentIndexByWorkload()
    table.put(younger)
    table.put(older)
    assert table.find(AGENT_ID) == older
    table.remove(older)
    assert table.find(AGENT_ID) == younger


async def test_cluster_cache_is_replaced_by_a_new_list() -> None:
    """What is not on it is gone; what has not changed is kept as the value that it was."""
    index = ClientIndex()
    kept, gone = client_agent(a_registered_agent()), client_agent(a_registered_agent(a_uid(2), name="gone", uid=a_uid(2)))
    index.agents.put(kept)
    index.agents.put(gone)
    await index.agents.replace(Listed(client_agent(a_registered_agent())))
    assert index.agent(AGENT_ID) is kept
    assert index.agent(a_uid(2)) is None


async def test_cluster_cache_has_what_a_list_reports_at_once() -> None:
    """A suspension that a broken watch has missed does not wait for the end of a long list."""
    index, seen = ClientIndex(), list[Reason | None]()
    index.agents.put(client_agent(a_registered_agent()))

    def look() -> None:
        found = index.agent(AGENT_ID)
        seen.append(found.refusal if found else None)

    await index.agents.replace(
        Listed(client_agent(a_suspended_agent()), client_agent(a_registered_agent(a_uid(2), name="last")), between=look)
    )
    assert seen == [None, Reason.AGENT_SUSPENDED]


async def test_cluster_cache_keeps_what_comes_during_a_list() -> None:
    """It is younger than the list."""
    index, late = ClientIndex(), client_agent(a_registered_agent(a_uid(2), name="late", uid=a_uid(2)))
    await index.agents.replace(Listed(client_agent(a_registered_agent()), between=lambda: index.agents.put(late)))
    assert index.agent(a_uid(2)) is late


async def test_cluster_cache_keeps_everything_where_a_list_breaks_off() -> None:
    """Who has not been told yet may still come."""
    index = ClientIndex()
    index.agents.put(client_agent(a_registered_agent()))

    def fail() -> None:
        raise Unreachable("gone")

    with pytest.raises(Unreachable):
        await index.agents.replace(Listed(client_agent(a_registered_agent(a_uid(2), name="other")), between=fail))
    assert index.agent(AGENT_ID)


@pytest.mark.parametrize("count", [0, 1, 1000])
async def test_cluster_cache_takes_a_list_of_any_length(count: int) -> None:
    """Also an empty one."""
    index = ClientIndex()
    listed = [replace(AN_AGENT, agent_id=a_uid(number), name=f"agent-{number}") for number in range(count)]
    await index.agents.replace(Listed(*listed))
    assert len(index.agents.table) == count
