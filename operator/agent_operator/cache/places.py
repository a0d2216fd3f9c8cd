"""Places: how many of an agent's credentials have a secret, or get one before another credential.

Flows in: each change of a credential. Flows out: in O(log credentials), how many of an agent's credentials are ahead of one,
the credential that has waited longest, and the counts in the agent's status. So a reconciliation costs the same however many
credentials a tenant declares (decision 35).
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from agentidp.domain.resources import AgentCredential, CredentialCount, CredentialPhase, CredentialState, NamespacedName
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.meta import age_of
from agentidp.domain.resources.reasons import Reason

Age = tuple[datetime, str]

MAX_EXPIRED_AT_ONCE = 100
"""How many expired credentials leave the queue in one call; the others still count."""


class Share(NamedTuple):
    """What one credential counts for in its agent's account."""

    agent: NamespacedName
    client_id: str | None
    age: Age
    name: NamespacedName
    is_active: bool
    waits: bool
    is_issued: bool
    may_be_issued: bool
    expires_at: datetime | None


class Line:
    """An agent's credentials of one client id: the number issued, and the ages of those that will be, oldest first."""

    def __init__(self) -> None:
        self.issued = 0
        self._ages: list[Age] = []
        self._ends: list[tuple[datetime, Age]] = []
        """Those with an expiry, earliest first; the first `_ended` of them are not among the ages."""
        self._ended = 0

    def __bool__(self) -> bool:
        return bool(self.issued or self._ages or self._ends)

    def add(self, share: Share, now: datetime) -> None:
        """Add a credential that has a secret, or may get one."""
        if share.is_issued:
            self.issued += 1
        elif share.may_be_issued and share.expires_at:
            self._settle(now)
            position = bisect_left(self._ends, end := (share.expires_at, share.age))
            self._ends.insert(position, end)
            if position < self._ended or (position == self._ended and share.expires_at <= now):
                self._ended += 1
            else:
                insort(self._ages, share.age)
        elif share.may_be_issued:
            insort(self._ages, share.age)

    def remove(self, share: Share) -> None:
        """Remove a credential that was added with this share."""
        if share.is_issued:
            self.issued -= 1
            return
        if not share.may_be_issued:
            return
        if share.expires_at:
            position = bisect_left(self._ends, (share.expires_at, share.age))
            del self._ends[position]
            if position < self._ended:
                self._ended -= 1
                return
        del self._ages[bisect_left(self._ages, share.age)]

    def ahead_of(self, age: Age, now: datetime) -> int:
        """Return how many have a secret, or are older and get one."""
        self._settle(now)
        return self.issued + bisect_left(self._ages, age)

    def _settle(self, now: datetime) -> None:
        """Remove the expired; after the clock was set back, add those again that have not expired."""
        while self._ended and self._ends[self._ended - 1][0] > now:
            self._ended -= 1
            insort(self._ages, self._ends[self._ended][1])
        for expires_at, age in self._ends[self._ended : self._ended + MAX_EXPIRED_AT_ONCE]:
            if expires_at > now:
                return
            del self._ages[bisect_left(self._ages, age)]
            self._ended += 1


class Account:
    """The counts of an agent's credentials, and those that wait for a place."""

    def __init__(self) -> None:
        self.active = self.total = 0
        self.waiting: list[tuple[Age, NamespacedName]] = []
        """Those that wait for a place, the oldest first."""
        self.lines: defaultdict[str | None, Line] = defaultdict(Line)
        self.reserved: list[Age] = []
        """The ages of those whose first secret is being made, the oldest first: no status has its hash yet."""

    def add(self, share: Share, now: datetime) -> None:
        """Count a credential with this share."""
        self.total += 1
        self.active += share.is_active
        if share.waits:
            insort(self.waiting, (share.age, share.name))
        self.lines[share.client_id].add(share, now)

    def remove(self, share: Share) -> None:
        """Stop counting a credential with this share."""
        self.total -= 1
        self.active -= share.is_active
        if share.waits:
            del self.waiting[bisect_left(self.waiting, (share.age, share.name))]
        line = self.lines[share.client_id]
        line.remove(share)
        if not line:
            del self.lines[share.client_id]

    def has_reserved(self, age: Age) -> bool:
        """Whether the first secret of the credential of this age is being made."""
        position = bisect_left(self.reserved, age)
        return self.reserved[position : position + 1] == [age]

    def release(self, age: Age) -> None:
        """Release the place that was reserved for this age."""
        if self.has_reserved(age):
            del self.reserved[bisect_left(self.reserved, age)]

    def ahead_of(self, age: Age, client_id: str | None, now: datetime) -> int:
        """How many of this client id, or of none yet, have a place before the credential of this age."""
        lines = [self.lines[key] for key in {None, client_id} if key in self.lines]
        if self.has_reserved(age):
            return sum(line.issued for line in lines) + bisect_left(self.reserved, age)
        younger = len(self.reserved) - bisect_right(self.reserved, age)
        return sum(line.ahead_of(age, now) for line in lines) + younger


class Places:
    """The accounts of all agents that credentials name."""

    def __init__(self) -> None:
        self._accounts: defaultdict[NamespacedName, Account] = defaultdict(Account)

    def move(self, before: Share | None, after: Share | None, now: datetime) -> None:
        """Replace a credential's share; equal shares are replaced as well, because its expiry may have come."""
        if before:
            account = self._accounts[before.agent]
            account.remove(before)
            if after is None or after.is_issued:
                account.release(before.age)
            if not account.total:
                del self._accounts[before.agent]
        if after:
            self._accounts[after.agent].add(after, now)

    def reserve(self, credential: AgentCredential) -> None:
        """Reserve a place while the first secret is made, also against an older credential that comes later."""
        account, age = self._accounts.get(_agent_of(credential)), age_of(credential)
        if account and not account.has_reserved(age):
            insort(account.reserved, age)

    def release(self, credential: AgentCredential) -> None:
        """Release a place whose secret is not made."""
        if account := self._accounts.get(_agent_of(credential)):
            account.release(age_of(credential))

    def count(self, agent: NamespacedName) -> CredentialCount:
        """Return how many credentials an agent has, and how many are active."""
        account = self._accounts.get(agent)
        return CredentialCount(active=account.active, total=account.total) if account else CredentialCount(active=0, total=0)

    def waiting(self, agent: NamespacedName) -> list[NamespacedName]:
        """Return the agent's credentials that wait for a place, the oldest first."""
        account = self._accounts.get(agent)
        return [name for _, name in account.waiting] if account else []

    def next_in_line(self, agent: NamespacedName) -> NamespacedName | None:
        """Return the credential that has waited longest, or None."""
        account = self._accounts.get(agent)
        return account.waiting[0][1] if account and account.waiting else None

    def ahead_of(self, credential: AgentCredential, agent_id: str | None, now: datetime) -> int:
        """Return how many others of its agent are ahead of a credential without a secret.

        A younger one whose secret is being made is ahead as well. Those of a former agent of the same name do not count.
        """
        account = self._accounts.get(_agent_of(credential))
        return account.ahead_of(age_of(credential), agent_id, now) if account else 0


def share_of(credential: AgentCredential) -> Share:
    """Return what the credential counts for."""
    status = credential.status
    return Share(
        agent=_agent_of(credential),
        client_id=status.client_id,
        age=age_of(credential),
        name=credential.key,
        is_active=status.phase is CredentialPhase.ACTIVE,
        waits=waits_for_a_place(credential),
        is_issued=bool(status.secret_hashes),
        may_be_issued=may_be_issued(credential),
        expires_at=credential.spec.expires_at,
    )


def may_be_issued(credential: AgentCredential) -> bool:
    """Whether it has not ended; its expiry is decided by the clock."""
    is_revoked = credential.status.revoked_at or credential.spec.state is CredentialState.REVOKED
    return not (is_revoked or credential.metadata.deletion_timestamp)


def waits_for_a_place(credential: AgentCredential) -> bool:
    """Whether its status says that its agent has too many credentials."""
    ready = condition(credential.status.conditions, READY)
    return ready is not None and ready.reason == Reason.CREDENTIAL_LIMIT_REACHED


def _agent_of(credential: AgentCredential) -> NamespacedName:
    return NamespacedName(credential.metadata.namespace, credential.spec.agent_ref.name)
