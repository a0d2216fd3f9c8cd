"""Token buckets: what they give by burst and rate, and which of them are kept."""

from hypothesis import given
from hypothesis import strategies as st

from agentidp.runtime.token_buckets import TokenBuckets
from tests.support.clocks import ManualClock


@given(st.floats(0.1, 100), st.integers(1, 50), st.lists(st.floats(0, 5), max_size=60))
def test_token_buckets_give_the_burst_and_what_has_flowed_in(per_second: float, burst: int, pauses: list[float]) -> None:
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


def test_token_buckets_have_one_for_each_key() -> None:
    """Others do not notice."""
    buckets = TokenBuckets(1, 1, ManualClock())
    assert [buckets.take("a"), buckets.take("a"), buckets.take("b")] == [True, False, True]


def test_token_buckets_wait_is_the_time_until_there_is_a_token() -> None:
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


def test_token_buckets_are_bounded_in_number() -> None:
    """However many keys there are while a bucket fills."""
    clock = ManualClock()
    buckets = TokenBuckets(1, 1, clock, max_keys=100)
    for number in range(1000):
        clock.now += 0.001
        buckets.take(str(number))
    assert len(buckets) == 100


def test_token_buckets_remove_full_ones_when_others_come() -> None:
    """However many keys there were in all, those in use alone take memory."""
    clock = ManualClock()
    buckets = TokenBuckets(1, 1, clock)
    for number in range(1000):
        clock.now += 0.1
        buckets.take(str(number))
    assert len(buckets) <= 11


def test_token_buckets_reset_the_least_recently_used_one_alone() -> None:
    """Whoever wants one reset has to take from as many others as are kept; no flood resets all."""
    buckets = TokenBuckets(0.001, 1, ManualClock(), max_keys=10)
    for number in range(10):
        assert buckets.take(str(number))
    assert buckets.take("one more")
    assert len(buckets) == 10
    assert not any(buckets.take(str(number)) for number in range(1, 10))
    assert buckets.take("0")


def test_token_buckets_keep_one_in_use() -> None:
    """Which was taken from less than `max_keys` other keys ago."""
    clock = ManualClock()
    buckets, taken = TokenBuckets(0.001, 50, clock, max_keys=10), 0
    for number in range(1000):
        taken += buckets.take("a") if number % 5 == 0 else not buckets.take(str(number))
    assert taken == 50
