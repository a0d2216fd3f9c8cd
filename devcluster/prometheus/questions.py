"""Questions to a Prometheus, by its HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from devcluster.errors import DevclusterError

ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Span:
    """From when to when (in seconds since 1970), and how far its points are apart."""

    start: float
    end: float
    step: int


@dataclass(frozen=True)
class Series:
    """What has these labels: moments (in seconds since 1970) with a value each, NaN where it is not a number."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Alert:
    """An alert that is pending or firing."""

    name: str
    state: str
    annotations: Mapping[str, str]


def query_range(url: str, expression: str, span: Span) -> list[Series]:
    """The values of an expression over time. Raises DevclusterError with the server's words where it does not take it."""
    parameters = {"query": expression, "start": f"{span.start}", "end": f"{span.end}", "step": f"{span.step}"}
    return [Series(one["metric"], _points(one["values"])) for one in _ask(url, "query_range", parameters)["result"]]


def query(url: str, expression: str) -> list[Series]:
    """The present values of an expression that has labels. Raises DevclusterError where the server does not take it."""
    return [Series(one["metric"], _points([one["value"]])) for one in _ask(url, "query", {"query": expression})["result"]]


def alerts(url: str) -> list[Alert]:
    """All that are pending or firing."""
    return [Alert(one["labels"]["alertname"], one["state"], one["annotations"]) for one in _ask(url, "alerts", {})["alerts"]]


def rules(url: str) -> list[str]:
    """The names of all alerting rules that are loaded."""
    return [rule["name"] for group in _ask(url, "rules", {"type": "alert"})["groups"] for rule in group["rules"]]


def _points(values: list[tuple[float, str]]) -> tuple[tuple[float, float], ...]:
    return tuple((moment, float(value)) for moment, value in values)


def _ask(url: str, what: str, parameters: Mapping[str, str]) -> Any:
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{what}?{urlencode(parameters)}", timeout=ANSWER_SECONDS) as answer:  # noqa: S310  (http, loopback)
            return json.load(answer)["data"]
    except urllib.error.HTTPError as refused:
        error = json.load(refused)["error"]
        raise DevclusterError(f"Prometheus does not answer {dict(parameters)}: {error}") from refused
