"""Numbers in memory that all processes of this service share: a row for each process, a cell for each number.

Only its own process writes a row, so nothing is locked; whoever is asked for metrics adds up the rows.
"""

import mmap
from typing import Self

CELL_BYTES = 8


class Cells:
    """Rows of 64-bit integers, all 0 at first."""

    def __init__(self, rows: int, length: int) -> None:
        self._memory = memoryview(mmap.mmap(-1, max(1, rows * length) * CELL_BYTES)).cast("q")
        self._rows = rows
        self._length = length
        self.own = self.row(0)

    def row(self, number: int) -> memoryview:
        """The cells of one process."""
        return self._memory[number * self._length : (number + 1) * self._length]

    def of_process(self, number: int) -> Self:
        """Let `own` be the row of this process."""
        self.own = self.row(number)
        return self

    def total(self, place: int) -> int:
        """The sum of a cell over all processes."""
        return sum(self.row(number)[place] for number in range(self._rows))

    def highest(self, place: int) -> int:
        """The highest value of a cell in any process."""
        return max(self.row(number)[place] for number in range(self._rows))
