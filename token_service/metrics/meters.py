"""What this process counts, in cells that all processes share."""

from bisect import bisect_left

from token_service.metrics import families
from token_service.metrics.cells import Cells
from token_service.metrics.families import BOUNDS, Family

MICRO = 1_000_000


class Places:
    """Which cell holds which number: counters first, then a row of buckets and a sum for each endpoint."""

    def __init__(self) -> None:
        series = [(family.name, values) for family in families.COUNTERS for values in family.values]
        endpoints = [values[0] for values in families.SECONDS.values]
        row = len(BOUNDS) + 2
        self.counters = {one: place for place, one in enumerate(series)}
        self.buckets = {endpoint: len(series) + place * row for place, endpoint in enumerate(endpoints)}
        self.length = len(series) + len(endpoints) * row


class Meters:
    """Counts. Each call costs well under a microsecond."""

    def __init__(self, processes: int = 1) -> None:
        self.places = Places()
        self.cells = Cells(processes, self.places.length)
        self._counters = self.places.counters

    def count(self, family: Family, *values: str) -> None:
        """One more of these."""
        self.cells.own[self._counters[family.name, values]] += 1

    def answered(self, endpoint: str, outcome: str, seconds: float) -> None:
        """A request was answered."""
        own = self.cells.own
        own[self._counters[families.REQUESTS.name, (endpoint, outcome)]] += 1
        start = self.places.buckets[endpoint]
        own[start + bisect_left(BOUNDS, seconds)] += 1
        own[start + len(BOUNDS) + 1] += int(seconds * MICRO)
