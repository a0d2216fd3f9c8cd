"""`python -m dashboard`: a control plane of its own, the programs, a Prometheus, twelve minutes of life, and the picture.

What was recorded is kept in dist/dashboard.json; `python -m dashboard --again` draws that once more, in a moment.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.stage.connection import connected
from dashboard.life.clients import Clients
from dashboard.life.owner import Owner
from dashboard.life.script import AGENTS, SECONDS, WHOLE_LIFE, Actors, begin, play
from dashboard.panels import the_dashboard
from dashboard.picture.page import as_svg
from dashboard.recording import Mark, Recording, ask_all
from dashboard.stage import Stage, staged
from devcluster.cluster import ControlPlane
from devcluster.errors import DevclusterError
from devcluster.install import NAMESPACE, install
from devcluster.prometheus.program import prometheus_program, prometheus_version
from devcluster.prometheus.questions import Span

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "dashboard.svg"
RECORDED = ROOT / "dist" / "dashboard.json"
SCRAPED_EVERY = 5
SETTLING_SECONDS = 30
"""Until the rates know what is usual."""
INTERRUPTED = 130


def main() -> int:
    """Record, unless told otherwise, and draw."""
    parser = argparse.ArgumentParser(prog="python -m dashboard", description="Draw the chart's dashboard from real data.")
    parser.add_argument("--again", action="store_true", help=f"draw what is in {RECORDED.relative_to(ROOT)}")
    try:
        if not parser.parse_args().again:
            _record()
        PICTURE.write_text(as_svg(msgspec.json.decode(RECORDED.read_bytes(), type=Recording)))
    except DevclusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    print(f"{PICTURE.relative_to(ROOT)} is drawn: {PICTURE.stat().st_size / 1000:.0f} kB")
    return 0


def _record() -> None:
    prometheus_program()
    with tempfile.TemporaryDirectory(prefix="agentidp-dashboard-") as directory:
        print("starting the control plane, the programs and Prometheus", flush=True)
        with ControlPlane.launch(Path(directory) / "cluster") as cluster:
            install(cluster.access)
            with staged(cluster, Path(directory), SCRAPED_EVERY) as stage:
                recording = asyncio.run(_lived(stage))
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_bytes(msgspec.json.encode(recording))


async def _lived(stage: Stage) -> Recording:
    async with connected(stage.cluster.kubeconfig) as admin:
        owner = Owner(admin, "talent")
        async with Clients(owner, stage.token_endpoints) as clients:
            actors = Actors(stage, owner, clients)
            print(f"declaring agents; then their life takes {SECONDS / 60:.0f} minutes", flush=True)
            await begin(actors, AGENTS)
            await asyncio.sleep(SETTLING_SECONDS)
            start = time.time()
            await play(actors, WHOLE_LIFE, SECONDS, lambda title: print(f"{_clock(time.time() - start)} {title}", flush=True))
            marks = tuple(Mark(scene.at, scene.title) for scene in WHOLE_LIFE)
            return _recorded(stage, Span(start, start + SECONDS, SCRAPED_EVERY), marks)


def _recorded(stage: Stage, span: Span, marks: tuple[Mark, ...]) -> Recording:
    dashboard = the_dashboard()
    answered = ask_all(stage.prometheus.url, dashboard, NAMESPACE, span)
    return Recording(dashboard.title, NAMESPACE, SECONDS, SCRAPED_EVERY, prometheus_version(), answered, marks)


def _clock(seconds: float) -> str:
    return f"{seconds // 60:02.0f}:{seconds % 60:02.0f}"


if __name__ == "__main__":
    sys.exit(main())
