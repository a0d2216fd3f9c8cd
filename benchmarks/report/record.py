"""Files of one result: `NAME.json` with every sample, and `NAME.svg` with its charts."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.measure.machine import Machine
from benchmarks.report.plots import as_svg
from benchmarks.result import Result, Series


class Circumstances(Struct, frozen=True, kw_only=True):
    """When, where, of what, and how quiet it was."""

    benchmark: str
    scale: str
    started: datetime
    seconds: float
    load_before: tuple[float, ...]
    load_after: tuple[float, ...]
    revision: str
    machine: Machine


def write_record(result: Result, circumstances: Circumstances, directory: Path) -> list[Path]:
    """The files that were written; those of an earlier run of the same scale are replaced."""
    directory.mkdir(parents=True, exist_ok=True)
    name = circumstances.benchmark + ("" if circumstances.scale == "normal" else f".{circumstances.scale}")
    record, plot = directory / f"{name}.json", directory / f"{name}.svg"
    document = msgspec.json.encode(_document(result, circumstances))
    record.write_bytes(msgspec.json.format(document, indent=1) + b"\n")
    plot.write_text(as_svg(result.charts))
    return [record, plot]


def _document(result: Result, circumstances: Circumstances) -> dict[str, Any]:
    return {
        "circumstances": circumstances,
        "title": result.title,
        "method": result.method,
        "targets": [msgspec.to_builtins(one) | {"met": one.met} for one in result.targets],
        "figures": result.figures,
        "ratios": result.ratios,
        "series": [_with_summary(one) for one in result.series],
    }


def _with_summary(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "unit": series.unit,
        "count": len(series.samples),
        "min": min(series.samples),
        "median": series.median,
        "p95": series.percentile(95),
        "p99": series.percentile(99),
        "max": max(series.samples),
        "samples": series.samples,
    }
