"""A queue in which groups take turns: start-time fair queueing, with no clock and no I/O.

Items go in with a group (a namespace) and a cost. Out comes the first item of the group that has spent the least. `take`
charges its cost to the group, so groups that wait get equal cost, not equal counts. Items of one group are first come, first
served. A group that was idle starts where the others are: it has saved up nothing, and owes nothing that others have made up
for. At most `max_running` items of one group are taken and not `done`: where there are more workers, one group never has all.
Memory is what waits, and one entry for each group that is ahead of the others.
"""

import heapq
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

GROUPS_THAT_FILL_IT = 4
"""One group has this part of all places at most."""

ItemT = TypeVar("ItemT")


@dataclass
class _Group(Generic[ItemT]):
    """What waits of one group, each item with its cost; `start` is what the group has spent: the least goes first."""

    start: int
    items: OrderedDict[ItemT, int] = field(default_factory=OrderedDict)
    cost: int = 0


class FairQueue(Generic[ItemT]):
    """An item is in it once, and has to be hashable."""

    def __init__(self, max_running: int) -> None:
        self._max_running = max_running
        self._running: Counter[str] = Counter()
        self._groups: dict[str, _Group[ItemT]] = {}
        self._order: list[tuple[int, int, str]] = []
        """A heap of the groups that may run one more item. A group that has none is forgotten when its turn comes."""
        self._entered = 0
        self._now = 0
        """Virtual time: the start of the group that was served last. No group in `_order` starts earlier."""
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def waiting_of(self, group: str) -> int:
        """How many items of the group wait."""
        return len(self._groups[group].items) if group in self._groups else 0

    def waiting_cost_of(self, group: str) -> int:
        """What the items of the group that wait cost together."""
        return self._groups[group].cost if group in self._groups else 0

    def admits(self, group: str, max_waiting: int) -> bool:
        """Whether one more item of the group may wait, where `max_waiting` may wait in all.

        A group has a quarter of all places at most, and never more than are left: where groups have taken all they can, a
        newcomer still finds half of the rest.
        """
        return self.waiting_of(group) < min(max(1, max_waiting // GROUPS_THAT_FILL_IT), max_waiting - self._waiting)

    def add(self, group: str, item: ItemT, cost: int = 1) -> None:
        """Put the item at the end of its group's line; an item that waits there already keeps its place."""
        if group not in self._groups:
            self._groups[group] = _Group(self._now)
            self._enter(group)
        line = self._groups[group]
        if item not in line.items:
            line.items[item] = cost
            line.cost += cost
            self._waiting += 1

    def discard(self, group: str, item: ItemT) -> bool:
        """Take out an item that waits no more; its group is not charged. False where it did not wait."""
        line = self._groups.get(group)
        if line is None or item not in line.items:
            return False
        line.cost -= line.items.pop(item)
        self._waiting -= 1
        return True

    def take(self) -> ItemT | None:
        """The item whose turn it is, which then runs until `done`; None where none may run now."""
        while self._order:
            start, _, group = heapq.heappop(self._order)
            line = self._groups[group]
            if line.items:
                self._now = start
                return self._run_first_of(group, line)
            del self._groups[group]
        return None

    def done(self, group: str) -> None:
        """One item of the group runs no more."""
        if self._running[group] == self._max_running and group in self._groups:
            self._enter(group)
        self._running[group] -= 1
        if not self._running[group]:
            del self._running[group]

    def _run_first_of(self, group: str, line: _Group[ItemT]) -> ItemT:
        item, cost = line.items.popitem(last=False)
        line.cost -= cost
        line.start += cost
        self._waiting -= 1
        self._running[group] += 1
        if self._running[group] < self._max_running:
            self._enter(group)
        return item

    def _enter(self, group: str) -> None:
        line = self._groups[group]
        line.start = max(line.start, self._now)
        self._entered += 1
        heapq.heappush(self._order, (line.start, self._entered, group))
