"""Limits of the operator that are not settings: one value, which wiring passes to the parts."""

from datetime import timedelta

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds and intervals; a test passes others."""

    tick_seconds: float = 5.0
    """The longest time between two readings of the clock by the schedule."""
    first_backoff: timedelta = timedelta(milliseconds=250)
    """The delay before the first retry of a request; it doubles with each failure."""
    max_backoff: timedelta = timedelta(minutes=1)
    """The longest delay before a retry."""
    schedule_slack: int = 50
    """How many outdated entries the schedule may have beyond twice the number of objects."""
    max_undelivered: int = 1_000
    """How many undelivered values the executor keeps; the oldest goes first, because its credential may be deleted."""
    max_status_records: int = 10_000
    """How many written statuses the status back-off remembers by their digest."""
    other_operators_seconds: float = 30.0
    """The interval between checks for the operator of another release."""
    stuck_seconds: float = 180.0
    """The duration of a reconciliation after which /healthz fails; longer than every request's time-out."""
    events_per_second: float = 0.5
    """The rate of a namespace's events, and of its warnings."""
    max_events_at_once: int = 1_000
    """The burst of a namespace's events, and of its warnings: etcd keeps an hour of events, so at most 2,800 of each."""


LIMITS = Limits()
