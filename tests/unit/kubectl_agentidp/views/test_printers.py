"""Printers: names, tables and times as kubectl prints them."""

from datetime import timedelta

import pytest

from agentidp.kube.kinds import AGENTS, SECRETS
from kubectl_agentidp.views.printers import dated, kind_name, object_name, relative, rounded, table
from tests.support.worlds import DAY, HOUR, MINUTE, NOW, SECOND


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0s"),
        (119 * SECOND, "119s"),
        (120 * SECOND, "2m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR - SECOND, "179m"),
        (3 * HOUR, "3h"),
        (2 * DAY - SECOND, "47h"),
        (2 * DAY, "2d"),
        (400 * DAY, "400d"),
    ],
)
def test_printer_of_a_duration_writes_one_unit(duration: timedelta, text: str) -> None:
    """It rounds down, as kubectl rounds an age."""
    assert rounded(duration) == text


def test_printer_of_a_time_writes_the_distance_from_now() -> None:
    """A past time differs from a future one."""
    assert relative(NOW + 5 * HOUR, NOW) == "in 5h"
    assert relative(NOW - 5 * HOUR, NOW) == "5h ago"
    assert relative(NOW + SECOND / 2, NOW) == "now"
    assert dated(NOW + 5 * HOUR, NOW) == "2026-03-01T17:00:00Z (in 5h)"


def test_printer_of_names_writes_the_group() -> None:
    """The core group has no name."""
    assert kind_name(AGENTS) == "agents.idp.sentryagent.ai"
    assert kind_name(SECRETS) == "secrets"
    assert object_name(AGENTS, "screener") == "agent.idp.sentryagent.ai/screener"


def test_printer_of_tables_aligns_columns() -> None:
    """Columns are three spaces apart, and lines have no spaces at their ends."""
    assert table(["NAME", "A"], [["x", ""], ["longer", "yes"]]) == "NAME     A\nx\nlonger   yes"
