"""A result as lines on a terminal."""

from collections.abc import Iterator

from benchmarks.report.record import Circumstances
from benchmarks.result import Result, Series


def as_text(result: Result, circumstances: Circumstances) -> str:
    """A few lines; the JSON has everything."""
    return "\n".join(_lines(result, circumstances))


def _lines(result: Result, circumstances: Circumstances) -> Iterator[str]:
    machine = circumstances.machine
    yield f"\n{result.title}"
    yield f"  {machine.cpu}, {machine.cores} cores, {machine.python}; load {circumstances.load_before[0]} when it began"
    yield from (f"  {_series(one)}" for one in result.series)
    for ratio in result.ratios:
        yield f"  {ratio.name}: {_spread(Series(ratio.name, '', ratio.values))}"
    for figure in result.figures:
        yield f"  {figure.name}: {figure.value:g} {figure.unit}".rstrip()
    for target in result.targets:
        verdict = "met" if target.met else "MISSED"
        yield f"  {verdict}: {target.claim}: {target.measured:g} {target.unit}, at most {target.at_most:g}"


def _series(series: Series) -> str:
    tail = f", p95 {series.percentile(95):.4g}, p99 {series.percentile(99):.4g}" if len(series.samples) >= 20 else ""
    return f"{series.name}: {_spread(series)}{tail} {series.unit} ({len(series.samples)})"


def _spread(series: Series) -> str:
    return f"{series.median:.4g} [{min(series.samples):.4g} … {max(series.samples):.4g}]"
