"""Fair queue: serves waiting groups by the cost of their items (start-time fair queueing), without a clock and without I/O.

Flows in: items, each with a group (a namespace) and a cost. Flows out: the first item of the group that has spent the least.
`take` charges the cost to the group, so waiting groups get equal cost, not equal counts. The items of one group are served
first come, first served. A group that was idle starts where the others are: it has no credit and no debt. Bounded: at most
`max_running` items of one group are taken and not `done`, so one group never has all workers where there are more. Memory has
the items that wait, and one entry for each group that is ahead of the others. Decision 34 says why.
"""

import heapq
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from agentidp.runtime.pools.group_counts import GroupCounts

GROUPS_THAT_FILL_IT = 4
"""One group has at most one such part of all places."""

ItemT = TypeVar("ItemT")


@dataclass
class _Group(Generic[ItemT]):
    """The items of one group that wait, with their costs. `start` is what the group has spent: the least is served first."""

    start: int
    items: OrderedDict[ItemT, int] = field(default_factory=OrderedDict)
    cost: int = 0


class FairQueue(Generic[ItemT]):
    """Items that wait. An item is hashable, and waits once."""

    def __init__(self, max_running: int) -> None:
        self._max_running = max_running
        self._running = GroupCounts()
        self._groups: dict[str, _Group[ItemT]] = {}
        self._order: list[tuple[int, int, str]] = []
        """A heap of the groups that may run one more item. A group without items is removed when it comes first."""
        self._entered = 0
        self._now = 0
        """Virtual time: the start of the group that was served last. No group in `_order` starts earlier."""
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def waiting_of(self, group: str) -> int:
        """The number of items of the group that wait."""
        return len(self._groups[group].items) if group in self._groups else 0

    def waiting_cost_of(self, group: str) -> int:
        """The cost of all items of the group that wait."""
        return self._groups[group].cost if group in self._groups else 0

    def admits(self, group: str, max_waiting: int) -> bool:
        """Whether one more item of the group may wait, where `max_waiting` may wait in all.

        A group has at most a quarter of all places, and never more than are left. So where groups have taken all they can, a
        further group still finds half of the rest.
        """
        return self.waiting_of(group) < min(max(1, max_waiting // GROUPS_THAT_FILL_IT), max_waiting - self._waiting)

    def add(self, group: str, item: ItemT, cost: int = 1) -> None:
        """Add the item after all others of its group; an item that waits already keeps its place."""
        if group not in self._groups:
            self._groups[group] = _Group(self._now)
            self._enter(group)
        queue = self._groups[group]
        if item not in queue.items:
            queue.items[item] = cost
            queue.cost += cost
            self._waiting += 1

    def discard(self, group: str, item: ItemT) -> bool:
        """Remove an item without charging its group; return whether it waited."""
        queue = self._groups.get(group)
        if queue is None or item not in queue.items:
            return False
        queue.cost -= queue.items.pop(item)
        self._waiting -= 1
        return True

    def take(self) -> ItemT | None:
        """Remove and return the next item, which then runs until `done`; None where no item may run now."""
        while self._order:
            start, _, group = heapq.heappop(self._order)
            queue = self._groups[group]
            if queue.items:
                self._now = start
                return self._run_first_of(group, queue)
            del self._groups[group]
        return None

    def done(self, group: str) -> None:
        """Record that one item of the group has ended."""
        if self._running[group] == self._max_running and group in self._groups:
            self._enter(group)
        self._running.remove(group)

    def _run_first_of(self, group: str, queue: _Group[ItemT]) -> ItemT:
        item, cost = queue.items.popitem(last=False)
        queue.cost -= cost
        queue.start += cost
        self._waiting -= 1
        self._running.add(group)
        if self._running[group] < self._max_running:
            self._enter(group)
        return item

    def _enter(self, group: str) -> None:
        queue = self._groups[group]
        queue.start = max(queue.start, self._now)
        self._entered += 1
        heapq.heappush(self._order, (queue.start, self._entered, group))
