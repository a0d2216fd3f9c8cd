"""What is remembered of callers: bounded, and no tenant crowds others out."""

from hypothesis import given
from hypothesis import strategies as st

from management_api.auth.expiring_cache import ExpiringCache
from tests.support.clocks import ManualClock

MOST, MOST_OF_A_GROUP = 6, 2


def test_a_flood_of_one_tenant_leaves_what_others_have() -> None:
    """Its own oldest go."""
    remembered: ExpiringCache[str, int] = ExpiringCache(10, ManualClock(), most=MOST, most_of_a_group=MOST_OF_A_GROUP)
    remembered.add("quiet", 1, "a")
    for number in range(100):
        remembered.add(f"{number}", number, "flood")
    assert remembered.find("quiet") == 1
    assert [number for number in range(100) if remembered.find(f"{number}") is not None] == [98, 99]


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abcde"), st.floats(0, 4)), max_size=60))
def test_it_knows_what_was_added_last_and_never_too_much(additions: list[tuple[int, str, float]]) -> None:
    """Whatever is added in which group: memory is bounded, and what is found was added, and not too long ago."""
    clock, added = ManualClock(), dict[int, tuple[float, str]]()
    remembered: ExpiringCache[int, str] = ExpiringCache(10, clock, most=MOST, most_of_a_group=MOST_OF_A_GROUP)
    for key, group, pause in additions:
        clock.now += pause
        remembered.add(key, group, group)
        added[key] = clock.now, group
        assert remembered.find(key) == group
    found = {key: value for key in range(10) if (value := remembered.find(key)) is not None}
    assert len(found) <= MOST
    assert all(list(found.values()).count(group) <= MOST_OF_A_GROUP for group in "abcde")
    assert all(added[key][1] == value and clock.now - added[key][0] < 10 for key, value in found.items())
