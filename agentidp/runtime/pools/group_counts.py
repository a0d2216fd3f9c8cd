"""Group counts: how many of something each group has at present, such as the waiting events of a namespace.

Flows in: groups that get or lose one. Flows out: the count of a group, and that of all. Bounded: a group whose count is 0
takes no memory, so memory follows what is counted and not the groups that ever were.
"""


class GroupCounts:
    """Counts by group. `len` is the number of groups that have any."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._total = 0

    def __len__(self) -> int:
        return len(self._counts)

    def __getitem__(self, group: str) -> int:
        return self._counts.get(group, 0)

    @property
    def total(self) -> int:
        """The count of all groups together."""
        return self._total

    def add(self, group: str) -> None:
        """Count one more of this group."""
        self._counts[group] = self._counts.get(group, 0) + 1
        self._total += 1

    def remove(self, group: str) -> None:
        """Count one less of this group, which has one."""
        count = self._counts[group] - 1
        if count:
            self._counts[group] = count
        else:
            del self._counts[group]
        self._total -= 1
