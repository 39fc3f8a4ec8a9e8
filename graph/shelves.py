"""Mappings that stand on a table: what was kept is found key by key, what is new or was changed since is in memory."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final, Generic, TypeVar, cast

from graph.tables import Damaged, Table
from graph.values import Codec, Heard, Json, Told

Key = TypeVar("Key")
Value = TypeVar("Value")

_ABSENT: Final = object()


def raw_key(key: Any, codec: Codec) -> Json:
    """A key as a table has it."""
    return key if codec.plain else codec.encode(key, Told())


class Shelf(MutableMapping[Key, Value], Generic[Key, Value]):
    """A dict whose first items lie in a table.

    An item that was looked up stays in memory, so that what is changed in it is seen. One thread writes; what is damaged
    in the table is asked `again` of whoever reads it from the entries.
    """

    def __init__(self, table: Table, key: Codec, value: Codec, again: Callable[[], Mapping[Key, Value]]) -> None:
        self.table: Final = table
        self._key: Final = key
        self._value: Final = value
        self._again: Final = again
        self._own: dict[Key, Value] = {}
        self._gone: set[Key] = set()
        self._grown = 0

    def __getitem__(self, key: Key) -> Value:
        found = self._find(key)
        if found is _ABSENT:
            raise KeyError(key)
        return cast("Value", found)

    def __setitem__(self, key: Key, value: Value) -> None:
        self._grown += self._find(key) is _ABSENT
        self._own[key] = value
        self._gone.discard(key)

    def __delitem__(self, key: Key) -> None:
        if self._find(key) is _ABSENT:
            raise KeyError(key)
        self._gone.add(key)
        self._own.pop(key, None)
        self._grown -= 1

    def __contains__(self, key: object) -> bool:
        return self._find(cast("Key", key)) is not _ABSENT

    def __len__(self) -> int:
        try:
            return len(self.table) + self._grown
        except Damaged:
            return len(self._again()) + self._grown

    def __iter__(self) -> Iterator[Key]:
        return (key for key, _ in self.pairs())

    def pairs(self) -> Iterator[tuple[Key, Value]]:
        """All items, without keeping them in memory; those of the table come first, in the order in which they came."""
        seen: set[Key] = set()
        for key, kept in self._kept_pairs():
            seen.add(key)
            if key not in self._gone:
                yield key, self._own.get(key, kept)
        yield from ((key, value) for key, value in list(self._own.items()) if key not in seen)

    @property
    def own(self) -> Mapping[Key, Value]:
        """What is in memory: new, changed, or only looked up."""
        return self._own

    @property
    def gone(self) -> frozenset[Key]:
        """What was taken out."""
        return frozenset(self._gone)

    def _find(self, key: Key) -> Any:
        if key in self._gone:
            return _ABSENT
        own = self._own.get(key, _ABSENT)
        if own is not _ABSENT:
            return own
        found = self._kept(key)
        return found if found is _ABSENT else self._own.setdefault(key, cast("Value", found))

    def _kept(self, key: Key) -> Any:
        try:
            record = self.table.find(raw_key(key, self._key))
        except Damaged:
            return self._again().get(key, _ABSENT)
        return _ABSENT if record is None else self._value.decode(record[2], Heard(record[1]))

    def _kept_pairs(self) -> Iterator[tuple[Key, Value]]:
        told: set[Key] = set()
        try:
            for key, models, body in self.table.records():
                own = cast("Key", self._key.decode(key, Heard([])))
                told.add(own)
                yield own, cast("Value", self._value.decode(body, Heard(models)))
        except Damaged:
            yield from ((key, value) for key, value in self._again().items() if key not in told)
