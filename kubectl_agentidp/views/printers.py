"""Text as kubectl prints it: names of objects, tables, and times relative to now (`k8s.io/cli-runtime/pkg/printers`)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from agentidp.domain.resources.meta import rfc3339
from agentidp.kube.kinds import Kind

COLUMN_GAP = "   "
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


def kind_name(kind: Kind[Any]) -> str:
    """Return a kind as kubectl and RBAC write it: `agents.idp.sentryagent.ai`."""
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def object_name(kind: Kind[Any], name: str) -> str:
    """Return an object as kubectl writes it after a change: `agent.idp.sentryagent.ai/screener`."""
    return f"{kind.name.lower()}.{kind.group}/{name}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table: each column as wide as its widest cell, three spaces between columns, no spaces at line ends."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return COLUMN_GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def dated(timestamp: datetime, now: datetime) -> str:
    """Return a timestamp in UTC with its distance from now: `2026-03-01T12:00:00Z (in 5h)`."""
    return f"{rfc3339(timestamp)} ({relative(timestamp, now)})"


def relative(timestamp: datetime, now: datetime) -> str:
    """Return the distance of a timestamp from now: `in 5h`, `3d ago` or `now`."""
    distance = timestamp - now
    if abs(distance) < timedelta(seconds=1):
        return "now"
    return f"in {rounded(distance)}" if distance > timedelta() else f"{rounded(-distance)} ago"


def rounded(duration: timedelta) -> str:
    """Return a duration in one unit, rounded down as kubectl rounds an age: `119s`, `179m`, `47h`, `9d`."""
    seconds = int(duration.total_seconds())
    if seconds < 2 * MINUTE:
        return f"{seconds}s"
    if seconds < 3 * HOUR:
        return f"{seconds // MINUTE}m"
    if seconds < 2 * DAY:
        return f"{seconds // HOUR}h"
    return f"{seconds // DAY}d"
