"""What becomes of a credential: one pure decision, taken again after every write until there is nothing to do.

`decide` reads what was observed and names one Step; an executor elsewhere does it and observes again. `observed` has the
words both speak, `statuses` how a status follows from another, `requests` what a requested rotation asks for, `obstacles` what
people have to clear away, `rules` the ordered policy.
"""

from agentidp.domain.lifecycle.delivery_blockers import OBSTACLES, delivery_blocker
from agentidp.domain.lifecycle.input import (
    Input,
    IssueSecret,
    RemoveSecret,
    RepairSecret,
    Step,
    Wait,
    WriteStatus,
)
from agentidp.domain.lifecycle.policy_chain import decide
from agentidp.domain.lifecycle.rotation_requests import asks_for_another, rotation_due, unanswered_request
from agentidp.domain.lifecycle.status import MAX_HASHES, overlap_of, with_fresh_hash, with_write_refused

__all__ = [
    "MAX_HASHES",
    "OBSTACLES",
    "Input",
    "IssueSecret",
    "RemoveSecret",
    "RepairSecret",
    "Step",
    "Wait",
    "WriteStatus",
    "asks_for_another",
    "decide",
    "delivery_blocker",
    "overlap_of",
    "rotation_due",
    "unanswered_request",
    "with_fresh_hash",
    "with_write_refused",
]
