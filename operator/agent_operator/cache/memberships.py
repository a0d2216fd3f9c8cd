"""Memberships: which agents have a place in their organization, and which wait for one.

Flows in: each change of an agent. Flows out: how many places of an organization are taken, or claimed by older agents, in
O(admitted namespaces · log agents). Agents are counted by namespace, so agents of a namespace that is not admitted cost the
organization nothing (decision 35).
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from datetime import datetime
from typing import NamedTuple

from agentidp.domain.identity.registration import Membership, membership_of
from agentidp.domain.resources import Agent, NamespacedName, Organization
from agentidp.domain.resources.meta import age_of


class Place(NamedTuple):
    """The organization and namespace in which an agent counts."""

    organization: str
    namespace: str
    standing: Membership
    age: tuple[datetime, str]
    name: NamespacedName


class Memberships:
    """Admitted and waiting agents by organization and namespace."""

    def __init__(self) -> None:
        self._admitted: Counter[tuple[str, str]] = Counter()
        self._waiting: defaultdict[tuple[str, str], list[tuple[tuple[datetime, str], NamespacedName]]] = defaultdict(list)
        """Those that wait, the oldest first."""

    def move(self, before: Place | None, after: Place | None) -> None:
        """Move an agent from one place to another."""
        if before:
            self._remove(before)
        if after:
            self._add(after)

    def admitted(self, organization: Organization) -> int:
        """How many agents the organization has admitted."""
        name = organization.metadata.name
        return sum(self._admitted[name, namespace] for namespace in set(organization.spec.namespaces))

    def has_place_for(self, agent: Agent, organization: Organization) -> bool:
        """Whether fewer than the limit were admitted already, or are older and wait as well."""
        limit = organization.spec.limits.agents
        place = place_of(agent)
        is_admitted = place and place.standing is Membership.ADMITTED and place.namespace in organization.spec.namespaces
        return limit is None or bool(is_admitted) or self.admitted(organization) + self._older(agent, organization) < limit

    def waiting(self, organization: Organization) -> list[NamespacedName]:
        """Return the agents of admitted namespaces that wait for a place."""
        return [name for line in self._lines(organization) for _, name in line]

    def next_in_line(self, organization: Organization) -> NamespacedName | None:
        """Return the oldest agent that waits, if there is a place for it."""
        limit = organization.spec.limits.agents
        if limit is None or self.admitted(organization) >= limit:
            return None
        oldest = min((line[0] for line in self._lines(organization)), default=None)
        return oldest[1] if oldest else None

    def _older(self, agent: Agent, organization: Organization) -> int:
        return sum(bisect_left(line, (age_of(agent), agent.key)) for line in self._lines(organization))

    def _lines(self, organization: Organization) -> list[list[tuple[tuple[datetime, str], NamespacedName]]]:
        keys = ((organization.metadata.name, namespace) for namespace in set(organization.spec.namespaces))
        return [self._waiting[key] for key in keys if key in self._waiting]

    def _add(self, place: Place) -> None:
        if place.standing is Membership.ADMITTED:
            self._admitted[place.organization, place.namespace] += 1
        else:
            insort(self._waiting[place.organization, place.namespace], (place.age, place.name))

    def _remove(self, place: Place) -> None:
        key = place.organization, place.namespace
        if place.standing is Membership.ADMITTED:
            self._admitted[key] -= 1
            if not self._admitted[key]:
                del self._admitted[key]
            return
        line = self._waiting[key]
        line.pop(bisect_left(line, (place.age, place.name)))
        if not line:
            del self._waiting[key]


def place_of(agent: Agent) -> Place | None:
    """Return where the agent counts, or None."""
    claimed, how = agent.spec.organization_id, membership_of(agent)
    return Place(claimed, agent.metadata.namespace, how, age_of(agent), agent.key) if claimed and how else None
