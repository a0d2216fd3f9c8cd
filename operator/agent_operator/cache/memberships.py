"""Memberships: which agents have a place in their organization, and which wait for one.

Flows in: each change of an agent. Flows out: how many places of an organization are taken, reserved, or claimed by older
agents, in O(admitted namespaces · log agents). Agents are counted by namespace, so agents of a namespace that is not admitted
cost the organization nothing (decision 35).
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from agentidp.domain.identity.registration import Membership, membership_of
from agentidp.domain.resources import Agent, NamespacedName, Organization
from agentidp.domain.resources.meta import age_of

Waiting = tuple[tuple[datetime, str], NamespacedName]


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
        self._waiting: defaultdict[tuple[str, str], list[Waiting]] = defaultdict(list)
        """Those that wait, the oldest first."""
        self._reserved: defaultdict[tuple[str, str], list[Waiting]] = defaultdict(list)
        """Those among them whose admission is being written, the oldest first."""

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
        """Whether fewer than the limit were admitted already, have a place reserved, or are older and wait as well."""
        limit = organization.spec.limits.agents
        place = place_of(agent)
        is_admitted = place and place.standing is Membership.ADMITTED and place.namespace in organization.spec.namespaces
        return limit is None or bool(is_admitted) or self.admitted(organization) + self._ahead_of(agent, organization) < limit

    def reserve(self, agent: Agent) -> None:
        """Reserve a place while the admission is being written, also against an older agent that comes later."""
        place = place_of(agent)
        if place and _has(self._waiting, place) and not _has(self._reserved, place):
            insort(self._reserved[place.organization, place.namespace], (place.age, place.name))

    def release(self, agent: Agent) -> None:
        """Release a place whose admission is not written."""
        if place := place_of(agent):
            _discard(self._reserved, place)

    def waiting(self, organization: Organization) -> list[NamespacedName]:
        """Return the agents of admitted namespaces that wait for a place."""
        return [name for line in self._lines(organization, self._waiting) for _, name in line]

    def next_in_line(self, organization: Organization) -> NamespacedName | None:
        """Return the oldest agent that waits, if there is a place for it."""
        limit = organization.spec.limits.agents
        if limit is None or self.admitted(organization) >= limit:
            return None
        oldest = min((line[0] for line in self._lines(organization, self._waiting)), default=None)
        return oldest[1] if oldest else None

    def _ahead_of(self, agent: Agent, organization: Organization) -> int:
        """How many that are not admitted yet have a place before this agent."""
        one, place = (age_of(agent), agent.key), place_of(agent)
        reserved = self._lines(organization, self._reserved)
        if place and _has(self._reserved, place):
            return sum(bisect_left(line, one) for line in reserved)
        older = sum(bisect_left(line, one) for line in self._lines(organization, self._waiting))
        return older + sum(len(line) - bisect_right(line, one) for line in reserved)

    def _lines(self, organization: Organization, lines: Mapping[tuple[str, str], list[Waiting]]) -> list[list[Waiting]]:
        keys = ((organization.metadata.name, namespace) for namespace in set(organization.spec.namespaces))
        return [lines[key] for key in keys if key in lines]

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
        _discard(self._waiting, place)
        _discard(self._reserved, place)


def _has(lines: Mapping[tuple[str, str], list[Waiting]], place: Place) -> bool:
    line, one = lines.get((place.organization, place.namespace), []), (place.age, place.name)
    position = bisect_left(line, one)
    return line[position : position + 1] == [one]


def _discard(lines: dict[tuple[str, str], list[Waiting]], place: Place) -> None:
    if not _has(lines, place):
        return
    line = lines[key := (place.organization, place.namespace)]
    del line[bisect_left(line, (place.age, place.name))]
    if not line:
        del lines[key]


def place_of(agent: Agent) -> Place | None:
    """Return where the agent counts, or None."""
    claimed, how = agent.spec.organization_id, membership_of(agent)
    return Place(claimed, agent.metadata.namespace, how, age_of(agent), agent.key) if claimed and how else None
