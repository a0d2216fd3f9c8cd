"""The fair queue: who waits gets equal cost, one group never has all places, and nothing is lost."""

from collections import Counter
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agentidp.runtime.pools.fair_queue import FairQueue

GROUPS = st.sampled_from("abcd")
COSTS = st.sampled_from((1, 2, 16))


def taken(queue: FairQueue[str]) -> list[str]:
    """All items in their order, each done before the next is taken. The first letter of an item is its group."""
    order = []
    while (item := queue.take()) is not None:
        queue.done(item[0])
        order.append(item)
    return order


def filled(*items: str, max_running: int = 1, cost: int = 1) -> FairQueue[str]:
    """A queue of these items."""
    queue = FairQueue[str](max_running)
    for item in items:
        queue.add(item[0], item, cost)
    return queue


def test_fair_queue_serves_groups_in_turns() -> None:
    """Also those that come later; the items of one group are first come, first served."""
    assert taken(filled("a1", "a2", "a3", "b1", "b2", "c1")) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_fair_queue_serves_a_new_group_next() -> None:
    """A group that has spent nothing goes before all that have."""
    queue = filled(*(f"a{number}" for number in range(1000)))
    for _ in range(10):
        queue.done((queue.take() or "")[0])
    queue.add("b", "b0")
    assert taken(queue)[0] == "b0"


def test_fair_queue_weighs_turns_by_cost() -> None:
    """While items of 16 and of 1 wait, 16 of the latter are served for one of the former."""
    queue = filled(*(f"a{number}" for number in range(10)), cost=16)
    for number in range(1000):
        queue.add("b", f"b{number}")
    served = Counter(item[0] for item in taken(queue)[:85])
    assert served == {"a": 5, "b": 80}


def test_fair_queue_gives_no_credit_for_idleness() -> None:
    """A group that comes back after others were served for long has its turn, and no more."""
    queue = filled("b0", *(f"a{number}" for number in range(100)))
    for _ in range(50):
        queue.done((queue.take() or "")[0])
    for number in range(1, 6):
        queue.add("b", f"b{number}")
    assert [item[0] for item in taken(queue)[:8]].count("b") in {4, 5}


def test_fair_queue_keeps_debts_while_others_wait() -> None:
    """A group that asks for one item after the other gets no more than one that has all of its items wait."""
    queue = filled(*(f"b{number}" for number in range(40)))
    served: Counter[str] = Counter()
    for number in range(34):
        queue.add("a", f"a{number}", 16)
        item = queue.take() or ""
        queue.done(item[0])
        served[item[0]] += 1
    assert served == {"a": 2, "b": 32}


def test_fair_queue_never_gives_all_workers_to_one_group() -> None:
    """Whoever has `max_running` items taken has no turn before one of them is done."""
    queue = filled("a1", "a2", "a3", max_running=2)
    assert [queue.take(), queue.take(), queue.take()] == ["a1", "a2", None]
    queue.add("b", "b1")
    assert [queue.take(), queue.take()] == ["b1", None]
    queue.done("a")
    assert queue.take() == "a3"


def test_fair_queue_has_an_item_once() -> None:
    """One that is added again keeps its place; one that was taken can be added again."""
    queue = filled("a1", "a2", "a1")
    assert (len(queue), taken(queue)) == (2, ["a1", "a2"])
    queue.add("a", "a1")
    assert taken(queue) == ["a1"]


@given(st.lists(st.integers(0, 7), max_size=500), st.integers(1, 400))
def test_fair_queue_admits_within_its_bounds(comers: list[int], max_waiting: int) -> None:
    """No group has more than a quarter of the places, and all together have no more than there are."""
    queue, numbers = FairQueue[int](1), count()
    for comer in comers:
        if queue.admits(f"{comer}", max_waiting):
            queue.add(f"{comer}", next(numbers))
    assert len(queue) <= max_waiting
    assert all(queue.waiting_of(f"{comer}") <= max(1, max_waiting / 4) for comer in comers)


@pytest.mark.parametrize(("hogs", "places"), [(0, 512), (1, 512), (2, 512), (3, 256), (4, 128), (5, 64), (10, 2)])
def test_fair_queue_admits_a_new_group_beside_greedy_ones(hogs: int, places: int) -> None:
    """Of 2048 places, however many of them one after the other have taken all that they are given."""
    queue, numbers = FairQueue[int](1), count()
    for group in range(hogs + 1):
        while queue.admits(f"{group}", 2048):
            queue.add(f"{group}", next(numbers))
    assert queue.waiting_of(f"{hogs}") == places


@given(st.dictionaries(GROUPS, st.lists(COSTS, min_size=60, max_size=60), min_size=2))
def test_fair_queue_gives_waiting_groups_equal_cost(costs: dict[str, list[int]]) -> None:
    """At any moment while all wait, no two differ by more than their dearest items (start-time fair queueing)."""
    queue = FairQueue[str](1)
    for group, of_group in costs.items():
        for number, cost in enumerate(of_group):
            queue.add(group, f"{group}{number}", cost)
    spent = dict.fromkeys(costs, 0)
    while all(queue.waiting_of(group) for group in costs):
        item = queue.take() or ""
        queue.done(item[0])
        spent[item[0]] += costs[item[0]][int(item[1:])]
        assert max(spent.values()) - min(spent.values()) <= 2 * 16


class FairQueueMachine(RuleBasedStateMachine):
    """Against a model: a list of what waits for each group, and what runs."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = FairQueue[int](2)
        self.numbers = count()
        self.waiting: dict[str, list[int]] = {group: [] for group in "abcd"}
        self.costs: dict[int, int] = {}
        self.running: Counter[str] = Counter()

    @rule(group=GROUPS, cost=COSTS)
    def add(self, group: str, cost: int) -> None:
        """Something new."""
        item = next(self.numbers)
        self.costs[item] = cost
        self.waiting[group].append(item)
        self.queue.add(group, item, cost)

    @rule()
    def take(self) -> None:
        """The first of its group, and something if there is something that may run."""
        item = self.queue.take()
        may_run = [group for group, items in self.waiting.items() if items and self.running[group] < 2]
        assert (item is None) == (not may_run)
        if item is not None:
            (group,) = (one for one in may_run if self.waiting[one][0] == item)
            self.waiting[group].pop(0)
            self.running[group] += 1

    @precondition(lambda self: any(self.running.values()))
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        """With one that runs."""
        group = data.draw(st.sampled_from(sorted(+self.running)))
        self.running[group] -= 1
        self.queue.done(group)

    @rule(group=GROUPS, data=st.data())
    def discard(self, group: str, data: st.DataObject) -> None:
        """One that waits, or one that does not."""
        item = data.draw(st.sampled_from([*self.waiting[group], -1]))
        assert self.queue.discard(group, item) == (item in self.waiting[group])
        self.waiting[group] = [one for one in self.waiting[group] if one != item]

    @invariant()
    def counts_are_right(self) -> None:
        """In all, and of each."""
        assert len(self.queue) == sum(map(len, self.waiting.values()))
        for group, items in self.waiting.items():
            assert self.queue.waiting_of(group) == len(items)
            assert self.queue.waiting_cost_of(group) == sum(self.costs[item] for item in items)


TestFairQueue = FairQueueMachine.TestCase
