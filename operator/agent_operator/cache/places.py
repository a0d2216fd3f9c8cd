"""How many of an agent's credentials have a secret or will get one before another, counted as they change.

Flows in: each change of a credential. Flows out, in O(log credentials): how many of an agent's come before one, which waits for
a place the longest, and the numbers in the agent's status. So what a look costs does not grow with what a tenant declares.
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

MOST_AT_ONCE = 100
"""So many that have expired leave the line in one turn; until their turn, they count as if they had not."""


class Share(NamedTuple):
    """What one credential counts for at its agent."""

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
    """An agent's credentials of one client id: how many were issued, and which will be, the oldest first."""

    def __init__(self) -> None:
        self.issued = 0
        self._ages: list[Age] = []
        self._ends: list[tuple[datetime, Age]] = []
        """Of those that expire, the earliest first; the first `_ended` of them are not among the ages."""
        self._ended = 0

    def __bool__(self) -> bool:
        return bool(self.issued or self._ages or self._ends)

    def add(self, share: Share, moment: datetime) -> None:
        """It has a secret, or may get one."""
        if share.is_issued:
            self.issued += 1
        elif share.may_be_issued and share.expires_at:
            self._settle(moment)
            position = bisect_left(self._ends, end := (share.expires_at, share.age))
            self._ends.insert(position, end)
            if position < self._ended or (position == self._ended and share.expires_at <= moment):
                self._ended += 1
            else:
                insort(self._ages, share.age)
        elif share.may_be_issued:
            insort(self._ages, share.age)

    def remove(self, share: Share) -> None:
        """As it was added."""
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

    def ahead_of(self, age: Age, moment: datetime) -> int:
        """How many have a secret, or are older and will get one."""
        self._settle(moment)
        return self.issued + bisect_left(self._ages, age)

    def _settle(self, moment: datetime) -> None:
        """What has expired leaves the line; after the clock was set back, what has not expired is in it again."""
        while self._ended and self._ends[self._ended - 1][0] > moment:
            self._ended -= 1
            insort(self._ages, self._ends[self._ended][1])
        for expires_at, age in self._ends[self._ended : self._ended + MOST_AT_ONCE]:
            if expires_at > moment:
                return
            del self._ages[bisect_left(self._ages, age)]
            self._ended += 1


class Account:
    """What an agent's status tells of its credentials, and which of them wait for a place."""

    def __init__(self) -> None:
        self.active = self.total = 0
        self.waiting: list[tuple[Age, NamespacedName]] = []
        """The oldest first."""
        self.lines: defaultdict[str | None, Line] = defaultdict(Line)
        self.reserved: list[Age] = []
        """Of those whose first secret is being made, the oldest first: its hash is in no status yet."""

    def add(self, share: Share, moment: datetime) -> None:
        """One more."""
        self.total += 1
        self.active += share.is_active
        if share.waits:
            insort(self.waiting, (share.age, share.name))
        self.lines[share.client_id].add(share, moment)

    def remove(self, share: Share) -> None:
        """One less."""
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
        """It is made, or not made any more."""
        if self.has_reserved(age):
            del self.reserved[bisect_left(self.reserved, age)]

    def ahead_of(self, age: Age, client_id: str | None, moment: datetime) -> int:
        """How many of this client id, or of none yet, have a place before the credential of this age."""
        lines = [self.lines[one] for one in {None, client_id} if one in self.lines]
        if self.has_reserved(age):
            return sum(line.issued for line in lines) + bisect_left(self.reserved, age)
        younger = len(self.reserved) - bisect_right(self.reserved, age)
        return sum(line.ahead_of(age, moment) for line in lines) + younger


class Places:
    """The accounts of all agents that credentials name."""

    def __init__(self) -> None:
        self._accounts: defaultdict[NamespacedName, Account] = defaultdict(Account)

    def move(self, before: Share | None, after: Share | None, moment: datetime) -> None:
        """A credential counts for this now, and no longer for that; where both are the same, its expiry may count now."""
        if before:
            account = self._accounts[before.agent]
            account.remove(before)
            if after is None or after.is_issued:
                account.release(before.age)
            if not account.total:
                del self._accounts[before.agent]
        if after:
            self._accounts[after.agent].add(after, moment)

    def reserve(self, credential: AgentCredential) -> None:
        """The first secret of this credential is being made: it keeps its place, also from an older one that comes later."""
        account, age = self._accounts.get(_agent_of(credential)), age_of(credential)
        if account and not account.has_reserved(age):
            insort(account.reserved, age)

    def release(self, credential: AgentCredential) -> None:
        """No secret of it is being made."""
        if account := self._accounts.get(_agent_of(credential)):
            account.release(age_of(credential))

    def count(self, agent: NamespacedName) -> CredentialCount:
        """How many credentials an agent has, and how many of them work."""
        account = self._accounts.get(agent)
        return CredentialCount(active=account.active, total=account.total) if account else CredentialCount(active=0, total=0)

    def waiting(self, agent: NamespacedName) -> list[NamespacedName]:
        """The agent's credentials for which there was no place, the oldest first."""
        account = self._accounts.get(agent)
        return [name for _, name in account.waiting] if account else []

    def next_in_line(self, agent: NamespacedName) -> NamespacedName | None:
        """The oldest of these."""
        account = self._accounts.get(agent)
        return account.waiting[0][1] if account and account.waiting else None

    def ahead_of(self, credential: AgentCredential, agent_id: str | None, moment: datetime) -> int:
        """How many others of its agent come before one that has no secret: a younger one whose secret is being made, too.

        Those of another agent that had the same name before do not count.
        """
        account = self._accounts.get(_agent_of(credential))
        return account.ahead_of(age_of(credential), agent_id, moment) if account else 0


def share_of(credential: AgentCredential) -> Share:
    """What the credential counts for."""
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
    """It has not ended; but for its expiry, which the clock decides."""
    is_revoked = credential.status.revoked_at or credential.spec.state is CredentialState.REVOKED
    return not (is_revoked or credential.metadata.deletion_timestamp)


def waits_for_a_place(credential: AgentCredential) -> bool:
    """It was told that its agent has too many."""
    ready = condition(credential.status.conditions, READY)
    return ready is not None and ready.reason == Reason.CREDENTIAL_LIMIT_REACHED


def _agent_of(credential: AgentCredential) -> NamespacedName:
    return NamespacedName(credential.metadata.namespace, credential.spec.agent_ref.name)
