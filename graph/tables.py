"""Records by key in a file, found by the digests of their keys: each with a checksum, read when somebody asks for it."""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias
from zlib import crc32

import numpy as np
import orjson
from numpy.typing import NDArray

from graph.values import Json

COLUMNS: Final = {"digest": "<u8", "number": "<u4", "begin": "<u8", "check": "<u4", "last": "<i8"}
"""The arrays of a table: digests of keys in order and whose they are; where each record begins, its checksum, and a
position that it was written at last."""
PORTION: Final = 1 << 20
"""Bytes that are copied at a time."""

Array: TypeAlias = NDArray[Any]
Numbers: TypeAlias = "memoryview[int]"
"""An array as plain numbers, one at a time."""


class Damaged(Exception):
    """Bytes are not what was written: the part that they belong to, never what they might mean."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


class Source(Protocol):
    """Where a table's arrays and records lie."""

    def array(self, name: str) -> Array:
        """An array as it was written.

        Raises:
            Damaged: it is not.
        """
        ...

    def bytes(self, begin: int, end: int) -> bytes:
        """What stands in the file of the values; fewer bytes where it ends before."""
        ...


class Table:
    """The records of one part. Its arrays are read, and checked, when the first record is asked for."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self._source = source
        self._index: _Index | None = None

    @property
    def index(self) -> "_Index":
        """Its arrays. Two threads may read them at once: they read the same."""
        if self._index is None:
            self._index = _Index(*(self._source.array(f"{self.name}.{column}") for column in COLUMNS))
        return self._index

    def __len__(self) -> int:
        return len(self.index.check)

    def find(self, key: Json) -> Json | None:
        """The record of a key: key, models, body.

        Raises:
            Damaged: its bytes are not those that were written.
        """
        return next((record for _, record in self._found(key)), None)

    def number(self, key: Json) -> int | None:
        """The number of a key's record, in the order in which they were written."""
        return next((number for number, _ in self._found(key)), None)

    def _found(self, key: Json) -> Iterator[tuple[int, Json]]:
        """The number and the record of a key; of two keys with one digest the right one."""
        index, digest = self.index, digest_of(key)
        place = bisect_left(index.digests, digest)
        while place < len(index.digests) and index.digests[place] == digest:
            number = index.numbers[place]
            record = self.record(number)
            if record[0] == key:
                yield number, record
            place += 1

    def record(self, number: int) -> Json:
        """A record by its number."""
        return orjson.loads(self.raw(number))

    def raw(self, number: int) -> bytes:
        """Its bytes."""
        index = self.index
        found = self._source.bytes(index.begins[number], index.begins[number + 1])
        if crc32(found) != index.checks[number]:
            raise Damaged(self.name)
        return found

    def raws(self, first: int, end: int) -> Iterator[bytes]:
        """The bytes of the records from one to before another, read in portions."""
        index = self.index
        while first < end:
            until = min(end, max(first + 1, bisect_left(index.begins, index.begins[first] + PORTION)))
            begin = index.begins[first]
            portion = memoryview(self._source.bytes(begin, index.begins[until]))
            for number in range(first, until):
                found = bytes(portion[index.begins[number] - begin : index.begins[number + 1] - begin])
                if crc32(found) != index.checks[number]:
                    raise Damaged(self.name)
                yield found
            first = until

    def records(self) -> Iterator[Json]:
        """All records, in the order in which they were written."""
        return map(orjson.loads, self.raws(0, len(self)))

    def behind(self, position: int) -> list[int]:
        """The records that were written last behind a position."""
        found: list[int] = np.flatnonzero(self.index.last > position).tolist()
        return found


class _Index:
    """The arrays of a table, and views of them that give plain numbers."""

    def __init__(self, digest: Array, number: Array, begin: Array, check: Array, last: Array) -> None:
        self.digest, self.number, self.check, self.last = digest, number, check, last
        self.digests: Numbers = digest.data
        self.numbers: Numbers = number.data
        self.begins: Numbers = begin.data
        self.checks: Numbers = check.data

    def by_number(self) -> Array:
        """The digests in the order of the records."""
        found = np.empty(len(self.digest), self.digest.dtype)
        found[self.number] = self.digest
        return found


def digest_of(key: Json) -> int:
    """Sixty-four bits of a key: what has the same is looked at."""
    told = key.encode() if isinstance(key, str) else orjson.dumps(key)
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "little")


@dataclass
class TableWriter:
    """Writes a table record by record; `arrays` are due at the end."""

    write: Callable[[bytes], object]
    begin: int
    _digests: "array[int]" = field(default_factory=lambda: array("Q"))
    _begins: "array[int]" = field(default_factory=lambda: array("Q"))
    _checks: "array[int]" = field(default_factory=lambda: array("I"))
    _lasts: "array[int]" = field(default_factory=lambda: array("q"))

    @property
    def count(self) -> int:
        """Records so far."""
        return len(self._checks)

    def put(self, key: Json, models: list[Json], body: Json, last: int = 0) -> None:
        """One more record, whose key is new."""
        self._add(orjson.dumps([key, models, body]), digest_of(key), last)

    def copy(self, table: Table, first: int, end: int) -> None:
        """The records of another table, as they stand there."""
        digests, lasts = table.index.by_number(), table.index.last
        for number, raw in enumerate(table.raws(first, end), first):
            self._add(raw, int(digests[number]), int(lasts[number]))

    def _add(self, raw: bytes, digest: int, last: int) -> None:
        self._digests.append(digest)
        self._begins.append(self.begin)
        self._checks.append(crc32(raw))
        self._lasts.append(last)
        self.begin += len(raw)
        self.write(raw)

    def arrays(self) -> dict[str, Array]:
        """The arrays of `COLUMNS`."""
        self._begins.append(self.begin)
        digests = np.array(self._digests, COLUMNS["digest"])
        order = np.argsort(digests, kind="stable")
        given = {
            "digest": digests[order], "number": order, "begin": np.array(self._begins, np.uint64),
            "check": np.array(self._checks, np.uint32), "last": np.array(self._lasts, np.int64),
        }  # fmt: skip
        return {name: given[name].astype(kind) for name, kind in COLUMNS.items()}
