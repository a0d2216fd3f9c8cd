"""The expiring cache: bounded, and no tenant evicts the entries of others first."""

from hypothesis import given
from hypothesis import strategies as st

from management_api.auth.expiring_cache import ExpiringCache
from management_api.limits import Limits
from tests.support.clocks import ManualClock

LIMITS = Limits(max_cache_entries=6, max_cache_entries_per_tenant=2)


def test_cache_evicts_the_oldest_entry_of_the_tenant_that_has_too_many() -> None:
    """Whatever other tenants have stays."""
    entries: ExpiringCache[str, int] = ExpiringCache(10, LIMITS, ManualClock())
    entries.add("quiet", 1, "a")
    for number in range(100):
        entries.add(f"{number}", number, "flood")
    assert entries.find("quiet") == 1
    assert [number for number in range(100) if entries.find(f"{number}") is not None] == [98, 99]


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abcde"), st.floats(0, 4)), max_size=60))
def test_cache_has_the_last_entry_and_stays_bounded(additions: list[tuple[int, str, float]]) -> None:
    """Whatever is added for which tenant: each entry that is found was added, and is still valid."""
    clock, added = ManualClock(), dict[int, tuple[float, str]]()
    entries: ExpiringCache[int, str] = ExpiringCache(10, LIMITS, clock)
    for key, tenant, pause in additions:
        clock.now += pause
        entries.add(key, tenant, tenant)
        added[key] = clock.now, tenant
        assert entries.find(key) == tenant
    found = {key: value for key in range(10) if (value := entries.find(key)) is not None}
    assert len(found) <= LIMITS.max_cache_entries
    assert all(list(found.values()).count(tenant) <= LIMITS.max_cache_entries_per_tenant for tenant in "abcde")
    assert all(added[key][1] == value and clock.now - added[key][0] < 10 for key, value in found.items())
