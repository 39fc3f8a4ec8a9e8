"""What stood under one key from each position on; and such pasts as they were kept, found one by one."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class Versions(Generic[Value]):
    """What stood under one key from each position on; None: nothing."""

    positions: list[int] = field(default_factory=list[int])
    values: list[Value | None] = field(default_factory=list[Value | None])
    whole: bool = False
    """Nothing below is to be asked: a correction wrote the whole past of the key anew."""

    def number(self, bound: int | None) -> int:
        """How many versions stand before a position."""
        return len(self.positions) if bound is None else bisect_left(self.positions, bound)

    def put(self, position: int, value: Value | None) -> None:
        """What an entry set the key to; the last word of one entry stays."""
        number = bisect_left(self.positions, position)
        if number < len(self.positions) and self.positions[number] == position:
            self.values[number] = value
        else:
            self.values.insert(number, value)  # first: who counts the positions finds their values
            self.positions.insert(number, position)

    def until(self, position: int) -> "Versions[Value]":
        """What stood up to a position; nothing below it is to be asked."""
        number = self.number(position + 1)
        return Versions(self.positions[:number], self.values[:number], whole=True)

    def copy(self) -> "Versions[Value]":
        """A copy to write in."""
        return Versions(self.positions.copy(), self.values.copy(), self.whole)


Ended: TypeAlias = tuple[int, Versions[Value]]
"""The position of the correction that made a past obsolete, and that past."""


class Past(NamedTuple, Generic[Value]):
    """What ever stood under a key: as it is read now, and as it was read until each correction."""

    versions: Versions[Value]
    ended: list[Ended[Value]]


class Kept(Protocol[Key, Value]):
    """A layer as it was kept at a position, found key by key: nothing is read that nobody asks for."""

    def find(self, key: Key) -> Past[Value] | None:
        """What stood under a key."""
        ...

    def keys(self) -> Iterable[Key]:
        """Every key, in the order in which they first came."""
        ...

    def behind(self, position: int) -> Iterable[Key]:
        """The keys that were written behind a position, and those whose past was ever written anew."""
        ...

    def shown(self) -> Iterable[Key]:
        """The keys whose values are listed, in their order."""
        ...


class Unlisted(Generic[Key, Value]):
    """What shows in a layer that was kept, until somebody lists it: the kept keys, and what came or went since."""

    def __init__(self, kept: Kept[Key, Value]) -> None:
        self.kept: Final = kept
        self.lock: Final = Lock()
        self._came: dict[Key, Value] = {}
        self._went: set[Key] = set()
        self._over = False

    def note(self, key: Key, value: Value | None) -> bool:
        """What shows under a key from now on, or that nothing does; False when all was listed already."""
        with self.lock:
            if self._over:
                return False
            if value is None:
                self._came.pop(key, None)
                self._went.add(key)
            else:
                self._came[key] = value
            return True

    def over(self, found: dict[Key, Value]) -> dict[Key, Value]:
        """All that shows, in order; called once, and nothing is noted any more."""
        self._over = True
        shown = {key: self._came.pop(key, value) for key, value in found.items() if key not in self._went}
        return shown | self._came

    def listed(self) -> list[Key]:
        """The keys of all that shows, in order."""
        with self.lock:
            shown = dict.fromkeys(key for key in self.kept.shown() if key not in self._went)
            return list(shown | dict.fromkeys(self._came))
