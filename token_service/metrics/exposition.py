"""The Prometheus text of what all processes of this service have counted."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from token_service.metrics import families
from token_service.metrics.families import BOUNDS, Family
from token_service.metrics.gauges import Gauges
from token_service.metrics.meters import MICRO, Meters


class Exposition(Collector):
    """Counters, the histogram, and gauges."""

    def __init__(self, meters: Meters, gauges: Gauges) -> None:
        self._meters = meters
        self._gauges = gauges
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """In the Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        for family in families.COUNTERS:
            yield self._counter(family)
        yield self._histogram(families.SECONDS)
        yield from self._gauges.collect()

    def _counter(self, family: Family) -> Metric:
        metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
        for values in family.values:
            place = self._meters.places.counters[family.name, values]
            metric.add_metric(values, self._meters.cells.total(place))
        return metric

    def _histogram(self, family: Family) -> Metric:
        metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for values in family.values:
            start, total = self._meters.places.buckets[values[0]], self._meters.cells.total
            counts = [total(start + place) for place in range(len(BOUNDS) + 1)]
            so_far = [sum(counts[: place + 1]) for place in range(len(counts))]
            names = [*map(str, BOUNDS), "+Inf"]
            metric.add_metric(values, list(zip(names, so_far, strict=True)), total(start + len(BOUNDS) + 1) / MICRO)
        return metric
