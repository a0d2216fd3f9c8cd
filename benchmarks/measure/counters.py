"""Values in the Prometheus text format, as far as a benchmark needs them."""

import re
from collections import Counter
from collections.abc import Iterable

WRITES = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"})
_LABEL = re.compile(r'(\w+)="([^"]*)"')

Samples = list[tuple[dict[str, str], float]]


def samples_of(name: str, exposition: str) -> Samples:
    """All samples of one metric: their labels and values."""
    found = (line for line in exposition.splitlines() if line.startswith((f"{name}{{", f"{name} ")))
    return [(dict(_LABEL.findall(line)), float(line.rpartition(" ")[2])) for line in found]


def total(name: str, exposition: str, **labels: str) -> float:
    """The sum of all samples of a metric that have these labels."""
    return sum(value for found, value in samples_of(name, exposition) if labels.items() <= found.items())


def writes_at_api_server(exposition: str, resources: Iterable[str]) -> Counter[str]:
    """How often each of these resources was written so far, by `resource` and `resource/subresource`."""
    wanted = set(resources)
    counted: Counter[str] = Counter()
    for labels, value in samples_of("apiserver_request_total", exposition):
        if labels["verb"] in WRITES and labels["resource"] in wanted:
            counted["/".join(filter(None, (labels["resource"], labels["subresource"])))] += int(value)
    return counted
