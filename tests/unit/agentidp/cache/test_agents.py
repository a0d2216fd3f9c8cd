"""Agent index: after any sequence of changes it has what a plain recomputation has."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from agentidp.cache.agents import AgentIndex


class Entry(NamedTuple):
    """An agent: the lower `precedence` has an id that two carry."""

    agent_id: str
    namespace: str
    name: str
    precedence: tuple[float, str]


entries = st.builds(
    Entry,
    st.sampled_from(["", "one", "two"]),
    st.sampled_from(["x", "y"]),
    st.sampled_from(["a", "b"]),
    st.tuples(st.sampled_from([1.0, 2.0]), st.sampled_from("uvw")),
)


@given(st.lists(st.tuples(st.booleans(), entries), max_size=30))
def test_agent_index_gives_an_id_to_the_older_of_two(changes: list[tuple[bool, Entry]]) -> None:
    """Whatever came, changed or went before; an agent without an id is not in it."""
    index, expected = AgentIndex[Entry](), dict[tuple[str, str], Entry]()
    for is_put, entry in changes:
        key = (entry.namespace, entry.name)
        expected.pop(key, None)
        if is_put:
            index.put(entry)
            expected |= {key: entry} if entry.agent_id else {}
        else:
            index.remove(entry)
    assert index.by_key() == expected
    for agent_id in ("one", "two"):
        rivals = [entry.precedence for entry in expected.values() if entry.agent_id == agent_id]
        holder = index.find(agent_id)
        assert (holder.precedence if holder else None) == min(rivals, default=None)
    holders = {(entry.namespace, entry.name) for entry in index}
    assert {(entry.namespace, entry.name) for name in "xy" for entry in index.in_namespace(name)} == holders
    assert len(index) == len({entry.agent_id for entry in expected.values()})
