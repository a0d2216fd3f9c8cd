"""What an operator tells Prometheus, as a test reads it: whether it leads, and whether it has come to rest."""

from devcluster.programs import OPERATOR, Programs
from tests.support.metrics import metric


def operator_metric(operator: Programs, name: str) -> float | None:
    """A value, by its name with all labels."""
    return metric(operator.url(OPERATOR.name), name)


def leads(operator: Programs) -> bool:
    """Whether it says that it leads."""
    return operator_metric(operator, "agentidp_operator_leading") == 1


def has_looked_at(operator: Programs, credentials: int) -> bool:
    """Whether it has looked at so many credentials since its start, and has nothing left to look at now."""
    looks = operator_metric(operator, 'agentidp_operator_reconciliations_total{kind="credential",outcome="done"}') or 0
    idle = not operator_metric(operator, "agentidp_operator_queue_length")
    return looks >= credentials and idle and not operator_metric(operator, "agentidp_operator_slowest_worker_seconds")
