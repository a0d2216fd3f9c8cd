"""Alerts and dashboard of the chart: they query existing metrics, and each alert says what to do."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.leadership.leader_election import Leadership
from agent_operator.telemetry.counts import UPCOMING
from agent_operator.telemetry.metrics import LoopLag, Metrics
from agent_operator.work_queue import DONE, FAILED, RETRIED, RequestKind, WorkQueue
from agentidp.domain.lifecycle import OBSTACLES
from agentidp.domain.resources.reasons import Reason
from devcluster.chart import CHART
from management_api.metrics import Metrics as ManagementMetrics
from tests.support.guides import GUIDES, RUNBOOKS
from tests.support.token_services import ServedAlone
from tests.support.worlds import a_credential
from token_service.metrics import OUTCOMES, ROUTES

ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARD = json.loads((CHART / "files" / "dashboard.json").read_text())
GIVEN_BY_A_SERVICE_MONITOR = {"container", "endpoint", "instance", "job", "namespace", "node", "pod", "service"}
VALUES = {
    "route": set(ROUTES),
    "outcome": {*OUTCOMES, DONE, FAILED, RETRIED},
    "reason": set(Reason),
    "within": set(UPCOMING),
}


async def test_alerts_and_panels_ask_for_metrics_that_exist() -> None:
    """A misspelt metric is no error for Prometheus: the alert would never fire."""
    asked = {name for one in expressions() for name in re.findall(r"\bagentidp_\w+", one)}
    assert asked <= await operator_series() | await token_service_series() | management_series()


def test_alerts_and_panels_ask_for_values_that_exist() -> None:
    """The same holds for the values of labels."""
    for one in expressions():
        for label, _, values in re.findall(r'(\w+)(=~?)"([^"]*)"', one):
            assert label in {"namespace", "status"} or set(values.split("|")) <= VALUES[label], one


async def test_metrics_have_no_label_that_the_scraper_sets() -> None:
    """Prometheus would call ours by another name, such as `exported_endpoint`, and what asks for it would find nothing."""
    ours = await labels()
    assert {"route", "kind", "phase", "status"} <= ours
    assert not ours & GIVEN_BY_A_SERVICE_MONITOR


def test_alerts_and_panels_are_valid_promql() -> None:
    """Also where Grafana fills something in."""
    for one in expressions():
        promql_parser.parse(one.replace("$__rate_interval", "5m"))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alert_has_the_labels_of_its_text(alert: dict[str, Any]) -> None:
    """An aggregation keeps only those that it names: the others are empty for whoever is woken."""
    asked = set(re.findall(r"\$labels\.(\w+)", " ".join(alert["annotations"].values())))
    kept = {label for labels in re.findall(r"\bby \(([^)]*)\)", alert["expr"]) for label in re.split(r",\s*", labels)}
    assert asked <= kept


def test_alerts_cover_every_reason_why_a_secret_is_not_written() -> None:
    """Also where the credential works: by its own condition, not by the one that says so."""
    asked = re.findall(r'agentidp_credentials_undelivered\{[^}]*reason=~?"([^"]*)"', " ".join(one["expr"] for one in ALERTS))
    assert sorted(reason for values in asked for reason in values.split("|")) == sorted(OBSTACLES)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alert_has_summary_description_and_runbook(alert: dict[str, Any]) -> None:
    """Somebody who was woken reads these lines first."""
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"].keys() == {"summary", "description", "runbook"}
    assert "for" in alert


def test_alerts_have_sections_in_the_runbooks() -> None:
    """In the order of the alerts, and no section is of an alert that is gone."""
    sections = re.findall(r"^### (.+)$", RUNBOOKS.read_text(), re.MULTILINE)
    assert sections == [alert["alert"] for alert in ALERTS]


def test_panels_are_explained_in_the_guide() -> None:
    """In the order of the panels, and none that is gone."""
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", (GUIDES / "monitoring.md").read_text(), re.MULTILINE)
    assert rows[rows.index("panel") + 1 :] == [panel["title"] for panel in DASHBOARD["panels"]]


def test_panels_do_not_overlap() -> None:
    """None overlaps another, and none is beyond the grid of 24 columns."""
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def expressions() -> Iterator[str]:
    """All PromQL of the chart."""
    yield from (alert["expr"] for alert in ALERTS)
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


async def operator_text() -> str:
    """What an operator tells that has looked at one object, and knows one credential."""
    work = WorkQueue()
    world = ClusterCache(work)
    world.credentials.put(a_credential())
    metrics = Metrics(world, work, Leadership(), LoopLag())
    metrics.reconciled(RequestKind.CREDENTIAL, DONE, 0.1)
    return (await metrics.text()).decode()


async def operator_series() -> set[str]:
    """As that operator tells them."""
    return set(re.findall(r"^(agentidp_\w+)", await operator_text(), re.MULTILINE))


def management_text() -> str:
    """What a management API tells that has served a request, and lost a watch."""
    metrics = ManagementMetrics()
    metrics.answered("GET", "/agents", 200, 0.1)
    metrics.watch_failed("agents")
    return metrics.text().decode()


def management_series() -> set[str]:
    """As that management API tells them."""
    return set(re.findall(r"^(agentidp_\w+)", management_text(), re.MULTILINE))


async def token_service_text() -> str:
    """What a token service tells that has served nobody: its series are there from the start."""
    served = ServedAlone()
    await served.close()
    return served.service.metrics.text().decode()


async def token_service_series() -> set[str]:
    """As that token service tells them."""
    return set(re.findall(r"^(agentidp_\w+)", await token_service_text(), re.MULTILINE))


async def labels() -> set[str]:
    """All that any metric of any program has, but those of histograms."""
    texts = (await operator_text(), management_text(), await token_service_text())
    return {label for text in texts for label in re.findall(r'[{,](\w+)="', text)} - {"le"}
