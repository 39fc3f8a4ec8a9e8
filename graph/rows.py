"""Rows of what counts, column by column, each as narrow as its numbers: ten of them come with an entry."""

from array import array
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.arrays import Column
from graph.keeping import Found, Keeping

COLUMNS: Final = {
    "position": np.int32, "since": np.int32, "until": np.int32, "effective_us": np.int64, "kind": np.int8,
    "origin": np.int32, "amount": np.int64,
}  # fmt: skip
FOREVER: Final = np.iinfo(np.int32).max
"""Behind every entry."""
_POSITION, _SINCE, _UNTIL = 0, 1, 2

Lines: TypeAlias = tuple[NDArray[Any], ...]
"""The columns, in the order of `COLUMNS`, each as long as there are rows."""


class Rows:
    """Growing columns: rows wait in a buffer and are written in one go when somebody reads; what was kept is read then."""

    def __init__(self) -> None:
        self._waiting = array("q")
        self._columns = [Column(kind) for kind in COLUMNS.values()]
        self._kept: Found | None = None
        self._read = False

    def keep(self, keeping: Keeping) -> None:
        """Hand out all rows."""
        for name, line in zip(COLUMNS, self.lines(), strict=True):
            keeping.array(f"columns.rows.{name}", line)

    @classmethod
    def found(cls, found: Found) -> "Rows":
        """The rows that were kept."""
        own = cls()
        own._kept = found
        return own

    def add(self, row: tuple[int, int, int, int, int, int, int]) -> None:
        """One more row: position, since, until, effective time, kind, origin, amount."""
        self._waiting.extend(row)

    def end(self, position: int, since: int, until: int) -> None:
        """The rows of an entry, known since then, are known no longer; who reads has them as they were."""
        lines = self.lines()
        begin, stop = np.searchsorted(lines[_SINCE], [since, since + 1])
        ended = begin + np.flatnonzero(lines[_POSITION][begin:stop] == position)
        if self._read and len(ended):
            self._read, self._columns[_UNTIL] = False, Column.of(lines[_UNTIL].copy())
        self._columns[_UNTIL].view()[ended] = until

    def table(self) -> Lines:
        """The same for a reader: what it holds stays as it is."""
        self._read = True
        return self.lines()

    def lines(self) -> Lines:
        """All rows."""
        if self._kept is not None:
            kept = self._kept
            self._columns = [kept.column(f"columns.rows.{name}") for name in COLUMNS]
            self._kept = None
        if self._waiting:
            waiting, self._waiting = self._waiting, array("q")
            new = np.frombuffer(waiting, dtype=np.int64).reshape(-1, len(COLUMNS)).T
            for column, values in zip(self._columns, new, strict=True):
                column.extend(values)
        return tuple(column.written() for column in self._columns)
