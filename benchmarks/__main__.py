"""`python -m benchmarks [NAME ...]`: measure, print, and write JSON and plots. Without a name, all of them."""

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure.machine import describe_machine, load, revision
from benchmarks.registry import BENCHMARKS, summary
from benchmarks.report.record import Circumstances, write_record
from benchmarks.report.text import as_text
from benchmarks.result import Result
from benchmarks.run import Measure, Run, Scale
from devcluster.errors import DevclusterError
from devcluster.progress import Progress

RESULTS = Path(__file__).parent / "results"
INTERRUPTED = 130


def main() -> int:
    """Run what was asked for, one after the other."""
    parser = _parser()
    options = parser.parse_args()
    if options.list:
        for name, measure in BENCHMARKS.items():
            print(f"{name:20} {summary(measure)}")
        return 0
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; --list names them")
    try:
        for name in options.names or BENCHMARKS:
            _measure(name, Scale(options.scale), options.results)
    except DevclusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure AgentIdP on a control plane of its own.", epilog="See --list."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; default: all")
    parser.add_argument("--list", action="store_true", help="say what can be measured")
    parser.add_argument(
        "--scale", choices=[one.value for one in Scale], default=Scale.NORMAL.value, help="smoke: seconds, nothing is written"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="the directory for JSON and plots")
    return parser


async def _run(measure: Measure, run: Run) -> Result:
    return await measure(run)


def _measure(name: str, scale: Scale, results: Path) -> None:
    started, begin, busy, measured = datetime.now(UTC), time.monotonic(), load(), revision()
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="agentidp-bench-") as directory:
        run = Run(scale, Path(directory), lambda state: progress.show(f"{name}: {state}"))
        result = asyncio.run(_run(BENCHMARKS[name], run))
    progress.done(name)
    circumstances = Circumstances(
        benchmark=name,
        scale=scale.value,
        started=started,
        seconds=round(time.monotonic() - begin, 1),
        load_before=busy,
        load_after=load(),
        revision=measured,
        machine=describe_machine(),
    )
    print(as_text(result, circumstances))
    if scale is not Scale.SMOKE:
        for file in write_record(result, circumstances, results):
            print(f"  {file}")


if __name__ == "__main__":
    sys.exit(main())
