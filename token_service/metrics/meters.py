"""The numbers of this process, and how they are told to Prometheus."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from token_service.metrics import families
from token_service.metrics.cells import Cells
from token_service.metrics.families import BOUNDS, Family

MICRO = 1_000_000
Labels = tuple[str, ...]


class Places:
    """Which cell holds which number: counters first, then a row of buckets and a sum for each endpoint."""

    def __init__(self) -> None:
        series = [(family.name, values) for family in families.COUNTERS for values in family.values]
        self.counters = {one: place for place, one in enumerate(series)}
        starts = range(len(series), 10**6, len(BOUNDS) + 2)
        self.buckets = {values[0]: start for start, values in zip(starts, families.SECONDS.values, strict=False)}
        self.length = starts[len(self.buckets)]


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


class Exposition(Collector):
    """The Prometheus text of all processes' meters, and of gauges that are read when asked for."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._gauges: list[tuple[Family, Callable[[], Iterable[tuple[Labels, float]]]]] = []
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def gauge(self, family: Family, read: Callable[[], Iterable[tuple[Labels, float]]]) -> None:
        """Tell this one too: label values and a number for each series."""
        self._gauges.append((family, read))

    def text(self) -> bytes:
        """In the Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        for family in families.COUNTERS:
            yield self._counter(family)
        yield self._histogram()
        for family, read in self._gauges:
            metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
            for labels, value in read():
                metric.add_metric(labels, value)
            yield metric

    def _counter(self, family: Family) -> Metric:
        metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
        for values in family.values:
            place = self._meters.places.counters[family.name, values]
            metric.add_metric(values, self._meters.cells.total(place))
        return metric

    def _histogram(self) -> Metric:
        family = families.SECONDS
        metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for values in family.values:
            start, total = self._meters.places.buckets[values[0]], self._meters.cells.total
            counts = [total(start + place) for place in range(len(BOUNDS) + 1)]
            so_far = [sum(counts[: place + 1]) for place in range(len(counts))]
            names = [*map(str, BOUNDS), "+Inf"]
            metric.add_metric(values, list(zip(names, so_far, strict=True)), total(start + len(BOUNDS) + 1) / MICRO)
        return metric
