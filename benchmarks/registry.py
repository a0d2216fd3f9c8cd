"""All benchmarks by name. A new one is a module with one function, and a line here."""

from benchmarks.cut_off import cut_off
from benchmarks.fairness import fairness
from benchmarks.first_token import first_token
from benchmarks.management_api import management_api
from benchmarks.operator_burst import operator_burst
from benchmarks.operator_failover import operator_failover
from benchmarks.operator_restart import operator_restart
from benchmarks.run import Measure
from benchmarks.token_attack import token_attack
from benchmarks.token_burst import token_burst
from benchmarks.token_index import token_index
from benchmarks.token_issue import token_issue
from benchmarks.token_peers import token_peers

BENCHMARKS: dict[str, Measure] = {
    measure.__name__: measure
    for measure in (
        operator_restart,
        operator_burst,
        operator_failover,
        first_token,
        cut_off,
        token_issue,
        token_peers,
        token_attack,
        token_burst,
        token_index,
        management_api,
        fairness,
    )
}


def summary(measure: Measure) -> str:
    """The first line of what a benchmark says about itself."""
    return (measure.__doc__ or "").partition("\n")[0]
