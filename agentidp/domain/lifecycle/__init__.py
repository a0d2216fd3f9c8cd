"""What becomes of a credential: one pure decision, taken again after every write until there is nothing to do.

`decide` reads what was observed and names one Step; an executor elsewhere does it and observes again. `observed` has the
words both speak, `statuses` how a status follows from another, `requests` what a requested rotation asks for, `rules` the
ordered policy.
"""

from agentidp.domain.lifecycle.observed import (
    IssueSecret,
    Observed,
    RemoveSecret,
    RepairSecret,
    Step,
    Wait,
    WriteStatus,
)
from agentidp.domain.lifecycle.requests import asks_for_another, unanswered_request
from agentidp.domain.lifecycle.rules import decide
from agentidp.domain.lifecycle.statuses import MAX_HASHES, overlap_of, with_fresh_hash, with_write_refused

__all__ = [
    "MAX_HASHES",
    "IssueSecret",
    "Observed",
    "RemoveSecret",
    "RepairSecret",
    "Step",
    "Wait",
    "WriteStatus",
    "asks_for_another",
    "decide",
    "overlap_of",
    "unanswered_request",
    "with_fresh_hash",
    "with_write_refused",
]
