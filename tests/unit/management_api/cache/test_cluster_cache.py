"""The registry's tables: pages after any sequence of changes are those of a plain recomputation."""

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.cache.store import IndexedStore
from agentidp.domain.identity.administration import READ
from agentidp.domain.identity.clients import client_organization
from agentidp.domain.resources import Administrator, CredentialState, ObjectRef, SecretHash
from management_api.auth.agent_caller import AgentCaller
from management_api.cache.agents import (
    AGENTS_WITH_MANAGED_FIELDS,
    CACHED_AGENTS,
    AgentWithManagedFields,
    CachedAgent,
    CachedAgentIndex,
    cached_agent,
)
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.credentials import (
    CachedCredential,
    CredentialIndex,
    Status,
    cached_credential,
)
from management_api.cache.metadata import CHANGED_AT
from management_api.schemas.agents import agent_response
from management_api.schemas.credentials import credential_fields
from tests.support.worlds import (
    AGENT_ID,
    HOUR,
    NAMESPACE,
    NOW,
    a_credential,
    a_registered_agent,
    a_uid,
    an_issued_credential,
    an_organization,
)

ONE = cached_credential(an_issued_credential(SecretHash(hash="$2b$10$" + "a" * 53, created_at=NOW)))
STATUSES = (None, Status.ACTIVE, Status.REVOKED)

credentials = st.builds(
    lambda number, version, age, status: replace(
        ONE,
        credential_id=f"{number}",
        client_id="xy"[number % 2],
        version=version,
        created=NOW - HOUR * age,
        status=status,
    ),
    st.integers(0, 5),
    st.integers(1, 4),
    st.integers(0, 3),
    st.sampled_from(Status),
)


@given(st.lists(st.tuples(st.booleans(), credentials), max_size=30), st.integers(0, 3), st.integers(1, 3))
def test_pages_are_newest_first(changes: list[tuple[bool, CachedCredential]], skip: int, limit: int) -> None:
    """Whatever came, changed or went before; an older sight of one never comes back."""
    table, now = CredentialIndex(), dict[str, CachedCredential]()
    for stays, one in changes:
        if not stays:
            table.remove(one)
            now.pop(one.credential_id, None)
        elif one.credential_id not in now or now[one.credential_id].version <= one.version:
            table.put(one)
            now[one.credential_id] = one
        else:
            table.put(one)
    for client_id in "xy":
        owner = (ONE.namespace, ONE.agent_name, client_id)
        for status in STATUSES:
            fitting = [one for one in now.values() if one.owner == owner and status in (None, one.status)]
            fitting.sort(key=lambda one: one.key, reverse=True)
            assert table.count(owner, status) == len(fitting)
            assert table.newest(owner, status, skip, limit) == fitting[skip : skip + limit]
    assert table.count_in(ONE.namespace) == len(now)
    assert table.count_in("another") == 0
    assert len(table) == len(now)


def test_agents_are_counted_before_they_have_an_id() -> None:
    """While the operator is down, agents are objects like others; each is counted once, and no more when it is gone."""
    table = CachedAgentIndex()
    feed: IndexedStore[CachedAgent, CachedAgentIndex] = IndexedStore(table)
    without, withid = cached_agent(an_agent_with_id("")), cached_agent(an_agent_with_id(AGENT_ID))
    feed.put(without)
    assert (table.count_in(NAMESPACE), len(table)) == (1, 0)
    feed.put(replace(withid, version=without.version + 1))
    feed.put(without)
    assert (table.count_in(NAMESPACE), len(table)) == (1, 1)
    feed.remove(ObjectRef(namespace=NAMESPACE, name=withid.name))
    assert table.count_in(NAMESPACE) == 0
    feed.put(without)
    feed.remove(ObjectRef(namespace=NAMESPACE, name=without.name))
    assert table.count_in(NAMESPACE) == 0


def an_agent_with_id(agent_id: str) -> AgentWithManagedFields:
    """As the API server has it; "" is none yet."""
    agent = AGENTS_WITH_MANAGED_FIELDS.decode(msgspec.json.encode(a_registered_agent()))
    return replace(agent, status=replace(agent.status, agent_id=agent_id or None))


def test_a_credential_that_moves_in_time_is_listed_once() -> None:
    """The operator tells more precisely when it was made than its metadata do."""
    table = CredentialIndex()
    table.put(ONE)
    table.put(replace(ONE, version=ONE.version + 1, created=ONE.created + timedelta(milliseconds=3)))
    assert table.count(ONE.owner, None) == 1


SEEN: dict[str, tuple[str | None, set[str]]] = {
    "all that it reaches": (None, {NAMESPACE, "sister"}),
    "its own namespace": (NAMESPACE, {NAMESPACE}),
    "a namespace of its organization": ("sister", {"sister"}),
    "a namespace of others": ("others", set()),
}


@pytest.mark.parametrize(("namespace", "looked_at"), SEEN.values(), ids=SEEN)
async def test_agents_of_others_cost_a_list_nothing(namespace: str | None, looked_at: set[str]) -> None:
    """Whoever may list its own may list again and again, however many others there are."""
    registry, acme = ClusterCache(), an_organization(admits=(NAMESPACE, "sister"))
    rights = (Administrator(namespace=NAMESPACE, scopes=(READ,)),)
    organization = client_organization(replace(acme, spec=replace(acme.spec, administrators=rights)))
    for number, (where, whose) in enumerate([(NAMESPACE, "acme"), ("sister", "acme"), ("others", None), (NAMESPACE, None)]):
        agent = a_registered_agent(a_uid(number), name=f"agent-{number}", namespace=where, organization_id=whose)
        registry.agents.put(cached_agent(AGENTS_WITH_MANAGED_FIELDS.decode(msgspec.json.encode(agent))))
    caller = registry.agent(a_uid(0))
    assert caller
    sight = await AgentCaller(caller, frozenset({READ}), organization).visible_agents(namespace)
    looked = list[str]()

    def fits(agent: CachedAgent) -> bool:
        looked.append(agent.namespace)
        return sight.includes(agent)

    found = registry.agents_where(fits, sight.namespaces)
    assert set(looked) == looked_at
    everywhere = registry.agents_where(lambda agent: sight.includes(agent) and namespace in {None, agent.namespace})
    assert (found, {agent.namespace for agent in found}) == (everywhere, looked_at)


TIMES: dict[str, datetime | None] = {
    NOW.isoformat(): NOW,
    "2026-03-01T12:00:00": None,
    "yesterday": None,
    "": None,
    "0000-01-01T00:00:00Z": None,
    "0001-01-01T00:00:00+23:59": None,
    "9999-12-31T23:59:59-23:59": None,
}


@pytest.mark.parametrize("written", TIMES)
def test_a_revocation_is_as_old_as_the_annotation_says_until_the_operator_has_recorded_it(written: str) -> None:
    """Unless somebody else wrote the annotation, who may write any text."""
    one = a_credential(state=CredentialState.REVOKED)
    seen = cached_credential(replace(one, metadata=replace(one.metadata, annotations={CHANGED_AT: written})))
    assert seen.revoked == TIMES[written]
    agent = CACHED_AGENTS.decode(an_agent_written_at(NOW.isoformat()))
    assert credential_fields(seen, agent)["credential_id"] == seen.credential_id


@pytest.mark.parametrize("written", TIMES)
def test_an_agent_is_as_old_as_its_managed_fields_say(written: str) -> None:
    """Which anybody who may write it may write. One whose times are none is an agent like others."""
    agent = CACHED_AGENTS.decode(an_agent_written_at(written))
    assert agent.updated == (TIMES[written] or agent.created)
    assert agent_response(agent).agent_id == agent.agent_id


def an_agent_written_at(written: str) -> bytes:
    """As the API server gives it."""
    body = AGENTS_WITH_MANAGED_FIELDS.encode(AGENTS_WITH_MANAGED_FIELDS.decode(msgspec.json.encode(a_registered_agent())))
    body["metadata"]["managedFields"] = [{"manager": "somebody", "time": written}, {"manager": "nobody", "time": None}]
    return msgspec.json.encode(body)
