"""Lifecycle of a credential: one pure decision, `decide`, taken again after every step until it is to wait.

`input` is what was gathered, `policy_chain` the ordered checks, `outcomes` builds their steps, `status` derives one status from
another, `retirement` postpones the end of old secrets, `rotation_requests` reads `requestedAt`. No I/O and no clock is here.
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
from agentidp.domain.lifecycle.rotation_requests import asks_for_another, next_rotation_due, unanswered_request
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
    "next_rotation_due",
    "overlap_of",
    "unanswered_request",
    "with_fresh_hash",
    "with_write_refused",
]
