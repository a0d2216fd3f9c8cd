"""Group counts: against a counter of the standard library."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agentidp.runtime.pools.group_counts import GroupCounts


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=60))
def test_group_counts_are_those_of_a_counter(changes: list[tuple[bool, str]]) -> None:
    """After any sequence of changes; a group that has none is not kept."""
    counts, expected = GroupCounts(), Counter[str]()
    for is_added, group in changes:
        if is_added:
            counts.add(group)
            expected[group] += 1
        elif expected[group]:
            counts.remove(group)
            expected[group] -= 1
    assert [counts[group] for group in "abcd"] == [expected[group] for group in "abcd"]
    assert (counts.total, len(counts)) == (expected.total(), len(+expected))
