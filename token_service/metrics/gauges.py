"""Gauges of all processes: each writes its own row now and then, whoever is asked puts the rows together."""

import mmap
import time
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from prometheus_client.core import GaugeMetricFamily, Metric

from token_service.metrics.families import Family

CELL_BYTES = 8
BEAT, READY = 0, 1
FIRST_PLACE = 2
SILENT_SECONDS = 5.0

Labels = tuple[str, ...]
Read = Callable[[], Iterable[tuple[Labels, float]]]


class Merge(Enum):
    """What the value of several processes is."""

    SUM = "all together"
    HIGHEST = "that of the worst"


class Gauges:
    """A row of numbers for each process: its last sign of life, whether it is ready, and its gauges."""

    def __init__(self, processes: int, families: dict[Family, Merge]) -> None:
        series = [(family.name, values) for family in families for values in family.values]
        self._places = {one: FIRST_PLACE + place for place, one in enumerate(series)}
        self._length = FIRST_PLACE + len(series)
        self._processes = processes
        self._families = families
        self._cells = memoryview(mmap.mmap(-1, processes * self._length * CELL_BYTES)).cast("d")
        self._own = 0
        self._reads: list[tuple[Family, Read]] = []

    def of_process(self, number: int) -> None:
        """Write this process's row from now on."""
        self._own = number

    def add(self, family: Family, read: Read) -> None:
        """What `read` gives is this process's value of the family: label values and a number for each series."""
        self._reads.append((family, read))

    def write(self, *, ready: bool) -> None:
        """A sign of life, and all values as they are now."""
        self._set(BEAT, time.monotonic())
        self._set(READY, float(ready))
        for family, read in self._reads:
            for values, value in read():
                self._set(self._places[family.name, values], value)

    def beat(self, number: int) -> float:
        """The moment of the process's last sign of life; 0 where it has given none."""
        return self._of(number, BEAT)

    def silence(self, number: int) -> None:
        """The process has ended."""
        for place in range(self._length):
            self._cells[number * self._length + place] = 0.0

    def unready(self) -> list[int]:
        """The numbers of other processes that are not ready, or give no sign of life."""
        heard = time.monotonic() - SILENT_SECONDS
        others = (number for number in range(self._processes) if number != self._own)
        return [one for one in others if not self._of(one, READY) or self._of(one, BEAT) < heard]

    def ready_others(self) -> bool:
        """Whether some other process is ready."""
        return len(self.unready()) < self._processes - 1

    def collect(self) -> Iterator[Metric]:
        """For Prometheus."""
        for family, merge in self._families.items():
            metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
            for values in family.values:
                place = self._places[family.name, values]
                rows = [self._of(number, place) for number in range(self._processes)]
                metric.add_metric(values, sum(rows) if merge is Merge.SUM else max(rows))
            yield metric

    def _of(self, number: int, place: int) -> float:
        return self._cells[number * self._length + place]

    def _set(self, place: int, value: float) -> None:
        self._cells[self._own * self._length + place] = value
