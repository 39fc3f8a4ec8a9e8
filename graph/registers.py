"""The book's registers as they were kept: every key with its versions, each found in a table when it is asked for."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, Generic, TypeVar, cast

from flows.book import Book
from flows.layers import Layer
from flows.touches import Touch
from flows.versions import Past, Versions
from graph.shelves import raw_key
from graph.tables import Damaged, Table
from graph.values import Codec, Heard, Json, Told, codec_of, thickened, thinned

Key = TypeVar("Key")
Value = TypeVar("Value")

WRITTEN_ANEW: Final = 1 << 62
"""In place of the last position: a correction wrote the key's past anew, and every question about changes is for it."""
TOUCH: Final = codec_of(Touch)


class KeptRegister(Generic[Key, Value]):
    """A register of the book on a table: promises of `flows.versions.Kept`."""

    def __init__(
        self, table: Table, key: Codec, value: Codec, shown: list[Json], again: Callable[[], Layer[Key, Value]]
    ) -> None:
        self.table: Final = table
        self._key: Final = key
        self._value: Final = value
        self._shown: Final = shown
        self._again: Final = again

    def find(self, key: Key) -> Past[Value] | None:
        """What stood under a key."""
        try:
            record = self.table.find(raw_key(key, self._key))
        except Damaged:
            return self._again().own_past(key)
        return None if record is None else past_of(record, self._value)

    def keys(self) -> Iterator[Key]:
        """Every key, in the order in which they first came."""
        told: set[Key] = set()
        try:
            for record in self.table.records():
                key = cast("Key", self._key.decode(record[0], Heard([])))
                told.add(key)
                yield key
        except Damaged:
            yield from (key for key, _ in self._again().own_pasts() if key not in told)

    def pasts(self) -> Iterator[tuple[Key, Past[Value]]]:
        """Everything that was kept."""
        told: set[Key] = set()
        try:
            for record in self.table.records():
                key = cast("Key", self._key.decode(record[0], Heard([])))
                told.add(key)
                yield key, past_of(record, self._value)
        except Damaged:
            yield from ((key, past) for key, past in self._again().own_pasts() if key not in told)

    def behind(self, position: int) -> list[Key]:
        """The keys that were written behind a position, and those whose past was ever written anew."""
        try:
            records = [self.table.record(number) for number in self.table.behind(position)]
        except Damaged:
            return [key for key, past in self._again().own_pasts() if last_of(past) > position]
        return [cast("Key", self._key.decode(record[0], Heard([]))) for record in records]

    def shown(self) -> Iterator[Key]:
        """The keys whose values are listed, in their order."""
        return (cast("Key", self._key.decode(raw, Heard([]))) for raw in self._shown)


def past_of(record: Json, value: Codec) -> Past[Any]:
    """A past from its record."""
    _, models, (positions, rows, ended) = record
    heard = Heard(models)
    before = [(until, _versions(old, older, value, heard)) for until, old, older in ended]
    return Past(_versions(positions, rows, value, heard), before)


def _versions(positions: list[int], rows: list[Json], value: Codec, heard: Heard) -> Versions[Any]:
    decode = value.decode
    values = [None if each is None else decode(each, heard) for each in thickened(rows)]
    return Versions(positions, values, whole=True)


def body_of(past: Past[Any], value: Codec, told: Told) -> Json:
    """A past as a record has it."""
    ended = [[until, *_told(old, value, told)] for until, old in past.ended]
    return [*_told(past.versions, value, told), ended]


def _told(versions: Versions[Any], value: Codec, told: Told) -> list[Json]:
    rows = [None if each is None else value.encode(each, told) for each in versions.values]
    return [versions.positions, thinned(rows)]


def last_of(past: Past[Any]) -> int:
    """The last position that wrote under a key."""
    if past.ended:
        return WRITTEN_ANEW
    return past.versions.positions[-1] if past.versions.positions else 0


class TouchTable:
    """What entries touched, on a table: promises of `flows.touches.KeptTouches`. Positions are kept as their distances."""

    def __init__(self, table: Table, again: Callable[[], Book]) -> None:
        self.table: Final = table
        self._again: Final = again

    def find(self, touch: Touch) -> Sequence[int]:
        """The positions of the entries that touch a name, in order."""
        try:
            record = self.table.find(raw_key(touch, TOUCH))
        except Damaged:
            return self._again().touches(touch)
        return () if record is None else positions_of(record[2])

    def every(self) -> Iterator[tuple[Touch, Sequence[int]]]:
        """All names with their positions."""
        told: set[Touch] = set()
        try:
            for key, _, body in self.table.records():
                touch = cast("Touch", TOUCH.decode(key, Heard([])))
                told.add(touch)
                yield touch, positions_of(body)
        except Damaged:
            yield from ((touch, found) for touch, found in self._again().own_touches() if touch not in told)


def positions_of(steps: Iterable[int]) -> Sequence[int]:
    """Positions from their distances."""
    return array("q", accumulate(steps))


def steps_of(positions: Sequence[int]) -> list[int]:
    """The distance of each position from the one before."""
    return [here - before for before, here in zip((0, *positions), positions, strict=False)]
