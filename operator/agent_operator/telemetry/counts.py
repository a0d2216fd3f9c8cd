"""Counts of all credentials in one pass: by phase and reason, undelivered Secrets, and rotations."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from agentidp.domain.lifecycle import delivery_blocker, next_rotation_due
from agentidp.domain.resources import AgentCredential, CredentialPhase
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason

OVERDUE_AFTER = timedelta(minutes=1)
UPCOMING = {"1h": timedelta(hours=1), "24h": timedelta(hours=24)}
SLICE = 500
"""How many credentials are counted between two turns of the event loop."""

_REASONS = frozenset(reason.value for reason in Reason)


class Counts:
    """Counts that all belong to the same time."""

    def __init__(self, timestamp: datetime) -> None:
        self._timestamp = timestamp
        self._late = timestamp - OVERDUE_AFTER
        self._horizons = [(name, timestamp + within) for name, within in UPCOMING.items()]
        self.standings: Counter[tuple[str, str]] = Counter()
        """Credentials by phase and by the reason of Ready."""
        self.undelivered: Counter[str] = Counter()
        """Undelivered Secrets by the reason."""
        self.upcoming: Counter[str] = Counter()
        """Rotations by the time within which they become due."""
        self.due = 0
        self.overdue = 0

    def count(self, credential: AgentCredential) -> None:
        """Count a credential in each figure."""
        self.standings[_phase(credential).value, _reason(credential)] += 1
        undelivered = delivery_blocker(credential.status)
        if undelivered:
            self.undelivered[undelivered.reason] += 1
        due_at = next_rotation_due(credential) if _phase(credential) is CredentialPhase.ACTIVE else None
        if due_at:
            self._count_rotation(due_at)

    def _count_rotation(self, due_at: datetime) -> None:
        if due_at <= self._timestamp:
            self.due += 1
            self.overdue += due_at < self._late
            return
        for name, horizon in self._horizons:
            if due_at <= horizon:
                self.upcoming[name] += 1


async def count_objects(credentials: Iterable[AgentCredential], timestamp: datetime) -> Counts:
    """Count these credentials as of this time."""
    counts = Counts(timestamp)
    for number, credential in enumerate(credentials):
        if number % SLICE == 0:
            await asyncio.sleep(0)
        counts.count(credential)
    return counts


def _phase(credential: AgentCredential) -> CredentialPhase:
    return credential.status.phase or CredentialPhase.PENDING


def _reason(credential: AgentCredential) -> str:
    """Return a reason of our list: a writer of statuses must not invent label values."""
    ready = condition(credential.status.conditions, READY)
    return ready.reason if ready and ready.reason in _REASONS else ""
