"""Arrays that grow at the end and never change before it, names as small integers, and the lineage's tables of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

FIRST_SIZE: Final = 1024  # a small ledger never grows a column twice


class Column:
    """A column of integers. A reader's view stays as it was: growing writes a new array and leaves the old one."""

    __slots__ = ("_array", "size")

    def __init__(self, dtype: DTypeLike = np.int64) -> None:
        self._array: NDArray[Any] = np.zeros(FIRST_SIZE, dtype)
        self.size = 0

    @classmethod
    def of(cls, values: NDArray[Any]) -> "Column":
        """A column of its own that begins with these values."""
        column = cls(values.dtype)
        column._array = np.concatenate([values, np.zeros(cls.room(len(values)), values.dtype)])
        column.size = len(values)
        return column

    @staticmethod
    def room(size: int) -> int:
        """How many more values a column of this size should hold without growing."""
        return max(FIRST_SIZE, size // 8)

    @classmethod
    def begun(cls, values: NDArray[Any], size: int) -> "Column":
        """A column of an array whose first values are written."""
        column = cls.__new__(cls)
        column._array, column.size = values, size
        return column

    def written(self) -> Ints:
        """All that was written."""
        return self._array[: self.size]

    def append(self, value: int) -> None:
        """Write behind the end."""
        if self.size == len(self._array):
            grown = np.zeros(2 * self.size, self._array.dtype)
            grown[: self.size] = self._array
            self._array = grown
        self._array[self.size] = value
        self.size += 1

    def extend(self, values: NDArray[Any]) -> None:
        """Write many behind the end."""
        size = self.size + len(values)
        if size > len(self._array):
            grown = np.zeros(max(size + self.room(size), 2 * self.size), self._array.dtype)
            grown[: self.size] = self.written()
            self._array = grown
        self._array[self.size : size] = values
        self.size = size

    def __getitem__(self, index: int) -> int:
        return int(self._array[index])

    def __setitem__(self, index: int, value: int) -> None:
        self._array[index] = value

    def view(self, size: int | None = None) -> Ints:
        """The first values, or all that the array has room for."""
        return self._array[:size]


class Interned:
    """Names in the order in which they came; the first is number 0."""

    __slots__ = ("_number_of", "names")

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = list(names)
        self._number_of = {name: number for number, name in enumerate(self.names)}

    def add(self, name: str) -> int:
        """The number of a name, a new one if it is new."""
        number = self._number_of.get(name)
        if number is None:
            number = len(self.names)
            self.names.append(name)
            self._number_of[name] = number
        return number

    def find(self, name: str) -> int | None:
        """The number of a name that came, or None."""
        return self._number_of.get(name)


def _small() -> Column:
    return Column(np.int8)


def _medium() -> Column:
    return Column(np.int32)


@dataclass(slots=True)
class Batches:
    """Every batch as it was made, by rank."""

    mass_g: Column = field(default_factory=Column)
    made_us: Column = field(default_factory=Column)
    position: Column = field(default_factory=Column)
    movement: Column = field(default_factory=_medium)
    holder: Column = field(default_factory=_medium)
    site: Column = field(default_factory=_medium)
    material: Column = field(default_factory=_medium)
    origin: Column = field(default_factory=_small)
    status: Column = field(default_factory=_small)
    newest_draw: Column = field(default_factory=_medium)
    """The line that drew on it last: the head of a list that `Draws.older` goes on."""


@dataclass(slots=True)
class Movements:
    """Every mixing, in entry order."""

    position: Column = field(default_factory=Column)
    effective_us: Column = field(default_factory=Column)
    through_g: Column = field(default_factory=Column)
    kind: Column = field(default_factory=_small)
    process: Column = field(default_factory=_medium)
    enterprise: Column = field(default_factory=_medium)
    site: Column = field(default_factory=_medium)
    gap: Column = field(default_factory=_small)
    """Boundary of the draws' own gaps."""
    level: Column = field(default_factory=_medium)
    """1 more than the highest of those that made what it draws."""


@dataclass(slots=True)
class Draws:
    """What batches gave up, movement by movement."""

    movement: Column = field(default_factory=_medium)
    batch: Column = field(default_factory=_medium)
    mass_g: Column = field(default_factory=Column)
    weighed_g: Column = field(default_factory=Column)
    older: Column = field(default_factory=_medium)


@dataclass(slots=True)
class Flows:
    """Mass over the boundary, movement by movement: sources, or ends."""

    movement: Column = field(default_factory=_medium)
    boundary: Column = field(default_factory=_small)
    detail: Column = field(default_factory=_medium)
    fate: Column = field(default_factory=_small)
    """Of an end: its class, an index into `FATES`; of a source: -1."""
    mass_g: Column = field(default_factory=Column)


@dataclass(slots=True)
class Remarks:
    """What was said of batches later: the last word by effective time holds."""

    batch: Column = field(default_factory=_medium)
    position: Column = field(default_factory=Column)
    effective_us: Column = field(default_factory=Column)
    value: Column = field(default_factory=Column)

    def append(self, rank: int, position: int, effective_us: int, value: int) -> None:
        """One remark; `batch` last, so that its length counts what is whole."""
        self.position.append(position)
        self.effective_us.append(effective_us)
        self.value.append(value)
        self.batch.append(rank)


@dataclass(frozen=True, slots=True)
class Lengths:
    """How far everything was written when an entry had been read whole."""

    position: int = 0
    batches: int = 0
    movements: int = 0
    draws: int = 0
    sources: int = 0
    ends: int = 0


def ranges(starts: Ints, stops: Ints) -> Ints:
    """``start, start + 1 … stop - 1`` of each pair, one after the other."""
    counts = stops - starts
    total = int(counts.sum())
    if total == 0:
        return np.zeros(0, np.int64)
    offsets = np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return np.arange(total, dtype=np.int64) + offsets
