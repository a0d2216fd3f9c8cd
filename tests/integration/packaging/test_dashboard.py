"""The chart's dashboard and alerts, asked of a real Prometheus that scrapes the real programs."""

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.stage.connection import connected
from dashboard.life.clients import Clients
from dashboard.life.owner import Owner
from dashboard.life.script import Actors, begin, guesses
from dashboard.panels import Panel, filled_in, the_dashboard, variables
from dashboard.picture.page import as_svg
from dashboard.recording import Recording, ask_all
from dashboard.stage import SCRAPED, Stage, staged
from devcluster.chart import CHART
from devcluster.cluster import ControlPlane
from devcluster.errors import DevclusterError
from devcluster.install import NAMESPACE
from devcluster.programs import OPERATOR
from devcluster.prometheus.questions import Alert, Span, alerts, query, query_range, rules
from tests.support.chart import Manifest, of_kind, rendered
from tests.support.waiting import eventually

DASHBOARD = the_dashboard()
SCRAPED_EVERY = 1
AGENTS = 3
GUESSING_SECONDS = 10
ALERTS = re.findall(r"- alert: (\w+)", (CHART / "files" / "alerts.yaml").read_text())
NO_LEADER = "AgentIdPNoLeader"


@dataclass(frozen=True)
class Lived:
    """What runs, and from when to when there was something to see."""

    stage: Stage
    span: Span

    @property
    def prometheus(self) -> str:
        """Where it answers."""
        return self.stage.prometheus.url

    def firing(self) -> list[Alert]:
        """All alerts that are."""
        return [one for one in alerts(self.prometheus) if one.state == "firing"]


@pytest.fixture(scope="module")
async def lived(own_cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lived]:
    """Some seconds with agents at work, callers of the REST API, and somebody who guesses; nothing is left of other tests."""
    directory = tmp_path_factory.mktemp("dashboard")
    with staged(own_cluster, directory, SCRAPED_EVERY, rules_without_patience(directory)) as stage:
        async with connected(own_cluster.kubeconfig) as admin:
            owner = Owner(admin, f"talent-{secrets.token_hex(4)}")
            async with Clients(owner, stage.token_endpoints) as clients:
                start, actors = time.time(), Actors(stage, owner, clients)
                await begin(actors, AGENTS)
                await guesses(actors, per_second=4, seconds=GUESSING_SECONDS)
                await until_there_is_something_to_see(stage, start)
        yield Lived(stage, Span(start, time.time(), SCRAPED_EVERY))


async def until_there_is_something_to_see(stage: Stage, start: float) -> None:
    """On every panel; if not in a minute, the tests say where. A quantile needs requests that were told of in two scrapes."""
    for _ in range(60):
        await asyncio.sleep(SCRAPED_EVERY)
        span = Span(start, time.time(), SCRAPED_EVERY)
        answered = await asyncio.to_thread(ask_all, stage.prometheus.url, DASHBOARD, NAMESPACE, span)
        if all(any(line.points for line in one.lines) for one in answered):
            break


def groups() -> list[Manifest]:
    """The alerts as the chart renders them."""
    (rule,) = of_kind("PrometheusRule", rendered("--set=monitoring.alerts.enabled=true")).values()
    found: list[Manifest] = rule["spec"]["groups"]
    return found


def rules_without_patience(directory: Path) -> Path:
    """All of them in a file, but that a missing leader is told of at once."""
    changed = [group | {"rules": [_impatient(rule) for rule in group["rules"]]} for group in groups()]
    path = directory / "alerts.json"
    path.write_text(json.dumps({"groups": changed}))
    return path


def _impatient(rule: Manifest) -> Manifest:
    return rule | {"for": "1s"} if rule["alert"] == NO_LEADER else rule


@pytest.mark.parametrize("panel", DASHBOARD.panels, ids=lambda panel: panel.title)
def test_every_query_of_a_panel_shows_something(panel: Panel, lived: Lived) -> None:
    """With the values that Grafana would fill in."""
    values = variables(NAMESPACE, SCRAPED_EVERY, lived.span.step)
    for target in panel.targets:
        found = query_range(lived.prometheus, filled_in(target.expr, values), lived.span)
        assert [one for one in found if one.points], target.expr


def test_every_line_has_a_name_of_its_own(lived: Lived) -> None:
    """Two of one name could not be told apart. A single number needs none."""
    for answered in ask_all(lived.prometheus, DASHBOARD, NAMESPACE, lived.span):
        names = [line.name for line in answered.lines]
        assert len(names) == len(set(names)), answered.panel.title
        assert answered.panel.kind == "stat" or all(names), answered.panel.title


def test_the_picture_has_every_panel(lived: Lived) -> None:
    """And none of them is empty."""
    answered = ask_all(lived.prometheus, DASHBOARD, NAMESPACE, lived.span)
    recording = Recording("AgentIdP", NAMESPACE, lived.span.end - lived.span.start, SCRAPED_EVERY, "3", answered)
    picture = as_svg(recording)
    assert picture.count("<title>") == len(DASHBOARD.panels)
    assert "No data" not in picture


def test_series_have_the_labels_that_the_charts_monitors_give() -> None:
    """Each ServiceMonitor selects one Service, and a port of it, by whose names the series are known."""
    made = rendered("--set=monitoring.serviceMonitor.enabled=true")
    monitors, services = of_kind("ServiceMonitor", made), of_kind("Service", made)
    assert {name: scraped_by(one, services) for name, one in monitors.items()} == {
        program.name: scraped for program, scraped in SCRAPED.items()
    }


def scraped_by(monitor: Manifest, services: dict[str, Manifest]) -> tuple[str, str]:
    """The one Service that it selects, and its port."""
    wanted, (endpoint,) = monitor["spec"]["selector"]["matchLabels"], monitor["spec"]["endpoints"]
    (name,) = (name for name, one in services.items() if wanted.items() <= one["metadata"]["labels"].items())
    assert endpoint["path"] == "/metrics"
    return name, endpoint["port"]


def test_prometheus_loads_every_alert(lived: Lived) -> None:
    """With its expression and the templates of its annotations."""
    assert sorted(rules(lived.prometheus)) == sorted(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_where_all_is_well_an_alert_finds_nothing(alert: str, lived: Lived) -> None:
    """Prometheus takes its expression; when most requests are first uses of secrets, they may be slow."""
    (expression,) = (rule["expr"] for group in groups() for rule in group["rules"] if rule["alert"] == alert)
    found = query(lived.prometheus, expression)
    assert found == [] or alert == "AgentIdPTokensSlow"


def test_prometheus_says_what_is_wrong_with_a_query(lived: Lived) -> None:
    """So the tests above would notice."""
    with pytest.raises(DevclusterError, match="parse error"):
        query(lived.prometheus, "sum(agentidp_requests_total")


def test_the_alert_fires_when_no_operator_leads(lived: Lived) -> None:
    """And ends when one leads again."""
    for one in lived.stage.replicas:
        one.stop(OPERATOR.name)
    (fired,) = eventually("the alert fires", lived.firing)
    assert (fired.name, fired.annotations["summary"]) == (NO_LEADER, "No operator leads.")
    lived.stage.replicas[0].start(OPERATOR.name)
    eventually("it ends", lambda: not lived.firing())
