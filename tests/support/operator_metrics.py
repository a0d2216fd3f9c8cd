"""What an operator tells Prometheus, as a test reads it: whether it leads, and whether it has come to rest."""

import httpx

from devcluster.programs import OPERATOR, Programs


def metric(operator: Programs, name: str) -> float | None:
    """A value, by its name with all labels."""
    lines = httpx.get(f"{operator.url(OPERATOR.name)}/metrics", timeout=30).raise_for_status().text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), None)


def leads(operator: Programs) -> bool:
    """Whether it says that it leads."""
    return metric(operator, "agentidp_operator_leading") == 1


def has_looked_at(operator: Programs, credentials: int) -> bool:
    """Whether it has looked at so many credentials since its start, and has nothing left to look at now."""
    looks = metric(operator, 'agentidp_operator_reconciliations_total{kind="credential",outcome="done"}') or 0
    idle = not metric(operator, "agentidp_operator_queue_length")
    return looks >= credentials and idle and not metric(operator, "agentidp_operator_slowest_worker_seconds")
