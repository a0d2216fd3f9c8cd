"""Token buckets."""

from hypothesis import given
from hypothesis import strategies as st

from agentidp.runtime import token_buckets as limits
from agentidp.runtime.token_buckets import TokenBuckets
from tests.support.clocks import ManualClock


@given(st.floats(0.1, 100), st.integers(1, 50), st.lists(st.floats(0, 5), max_size=60))
def test_never_more_than_the_burst_and_what_has_flowed_in(per_second: float, burst: int, pauses: list[float]) -> None:
    """Whatever the rhythm, and at least that."""
    clock = ManualClock()
    buckets, level = TokenBuckets(per_second, burst, clock), float(burst)
    for pause in pauses:
        clock.now += pause
        level = min(float(burst), level + pause * per_second)
        taken = buckets.take("a")
        if abs(level - 1) > 0.01:
            assert taken == (level >= 1)
        level -= taken


def test_each_key_has_its_own() -> None:
    """Others do not notice."""
    buckets = TokenBuckets(1, 1, ManualClock())
    assert [buckets.take("a"), buckets.take("a"), buckets.take("b")] == [True, False, True]


def test_the_wait_is_the_time_until_there_is_one() -> None:
    """Not shorter, not longer."""
    clock = ManualClock()
    buckets = TokenBuckets(0.5, 2, clock)
    assert buckets.wait("a") == 0
    assert buckets.take("a")
    assert buckets.take("a")
    assert buckets.wait("a") == 2
    clock.now += 1.99
    assert not buckets.take("a")
    clock.now += 0.01
    assert buckets.take("a")


def test_memory_is_bounded(monkeypatch: object) -> None:
    """By those that are in use, and in any case."""
    clock = ManualClock()
    buckets = TokenBuckets(1, 1, clock)
    for number in range(3 * limits.MOST_KEYS):
        clock.now += 0.001
        buckets.take(str(number))
    assert len(buckets._full_at) <= limits.MOST_KEYS


def test_a_full_bucket_is_forgotten_when_others_come() -> None:
    """However many keys there were in all, those in use alone take memory."""
    clock = ManualClock()
    buckets = TokenBuckets(1, 1, clock)
    for number in range(1000):
        clock.now += 0.1
        buckets.take(str(number))
    assert len(buckets) <= 11


def test_a_flood_of_keys_resets_the_least_recently_used_bucket_alone() -> None:
    """Whoever wants one reset has to take from as many others as are kept; no flood resets all."""
    buckets = TokenBuckets(0.001, 1, ManualClock(), most_keys=10)
    for number in range(10):
        assert buckets.take(str(number))
    assert buckets.take("one more")
    assert len(buckets) == 10
    assert not any(buckets.take(str(number)) for number in range(1, 10))
    assert buckets.take("0")


def test_a_flood_of_keys_does_not_reset_a_bucket_in_use() -> None:
    """Which was taken from less than `most_keys` other keys ago."""
    clock = ManualClock()
    buckets, taken = TokenBuckets(0.001, 50, clock, most_keys=10), 0
    for number in range(1000):
        taken += buckets.take("a") if number % 5 == 0 else not buckets.take(str(number))
    assert taken == 50
