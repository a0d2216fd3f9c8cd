"""Results: percentiles, ratios and targets of samples."""

import pytest

from benchmarks.result import Target, distribution, ratio, series


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (99, 99), (100, 100), (0.1, 1)])
def test_percentile_is_a_sample(percent: float, value: float) -> None:
    """The nearest rank, never something in between."""
    assert series("seconds", "s", range(100, 0, -1)).percentile(percent) == value


def test_ratios_are_computed_per_round() -> None:
    """Each candidate by the baseline that was measured beside it."""
    assert ratio("slower", [2, 3], [1, 2]).values == (2, 1.5)


def test_ratio_without_a_baseline_is_an_error() -> None:
    """A round in which only one of both was measured says nothing."""
    with pytest.raises(ValueError, match="shorter"):
        ratio("slower", [2, 3], [1])


def test_distribution_ends_at_all_samples() -> None:
    """In per cent, over sorted samples."""
    assert distribution(series("seconds", "s", [3, 1])).points == ((1, 50), (3, 100))


def test_target_is_met_at_its_bound() -> None:
    """At most means that much, too."""
    assert Target("", 1, 1).met
    assert not Target("", 1.1, 1).met
