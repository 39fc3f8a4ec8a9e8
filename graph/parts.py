"""The parts of readings in one file, one behind the other, each with its checksums: written once, read as asked."""

import hashlib
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias
from zlib import crc32

import numpy as np
import orjson

from flows.book import Book
from flows.layers import Layer
from flows.touches import Touch
from graph.arrays import Column
from graph.registers import TOUCH, KeptRegister, TouchTable, body_of, last_of, steps_of
from graph.shelves import Shelf, raw_key
from graph.tables import Array, Damaged, Table, TableWriter
from graph.values import Codec, Heard, Json, Told

BLOCK: Final = 1 << 20
"""Bytes that are written and synced at a time: no writer of the ledger finds the disk busy with more."""

PartNote: TypeAlias = dict[str, Any]
"""What the contents say of a part."""
Put: TypeAlias = Callable[[TableWriter, Any, Json], None]
"""Writes the record of a key, which comes as it is and as JSON."""


class PartsWriter:
    """Writes parts: promises of `graph.keeping.Keeping`."""

    def __init__(self, file: Path) -> None:
        self.parts: dict[str, PartNote] = {}
        """What is written of each part: where, how long, checksums; of an array kind and shape."""
        self._file: Final = file.open("xb", buffering=0)
        self._sha256 = hashlib.sha256()
        self._waiting = bytearray()
        self._size = self._synced = 0

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._size + len(self._waiting)

    def finish(self) -> None:
        """All of it is on the disk."""
        self._flush()
        self._sync()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def plain(self, name: str, value: Any, codec: Codec) -> None:
        """Something small."""
        told = Told()
        body = codec.encode(value, told)
        raw = orjson.dumps([told.models, body])
        with self._part(name, check=crc32(raw)):
            self._write(raw)

    def array(self, name: str, values: Array) -> None:
        """An array of numbers."""
        little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        raw = little.reshape(-1).view(np.uint8).data
        with self._part(name, check=crc32(raw), kind=little.dtype.str, shape=little.shape):
            for begin in range(0, len(raw), BLOCK):
                self._write(raw[begin : begin + BLOCK])

    def table(self, name: str, items: Mapping[Any, Any], key: Codec, value: Codec) -> None:
        """A mapping; what lies in a table already, and was not looked up since, is copied as it is."""
        if isinstance(items, Shelf):
            own, table, gone = items.own, items.table, items.gone
        else:
            own, table, gone = items, None, frozenset[Any]()

        def put(writer: TableWriter, each: Any, raw: Json) -> None:
            told = Told()
            body = value.encode(own[each], told)
            writer.put(raw, told.models, body)

        keys = {each: raw_key(each, key) for each in own}
        self._table(name, table, keys, put, [raw_key(each, key) for each in gone])

    def register(self, name: str, layer: Layer[Any, Any], key: Codec, value: Codec) -> None:
        """A register of the book."""
        pasts = dict(layer.own_pasts())
        kept = layer.kept
        table = kept.table if isinstance(kept, KeptRegister) else None

        def put(writer: TableWriter, each: Any, raw: Json) -> None:
            told = Told()
            body = body_of(pasts[each], value, told)
            writer.put(raw, told.models, body, last_of(pasts[each]))

        self._table(name, table, {each: raw_key(each, key) for each in pasts}, put)
        self.plain(f"{name}.shown", [raw_key(each, key) for each in layer.listed()], _RAW)

    def touches(self, name: str, book: Book) -> None:
        """What entries touched."""
        own = dict(book.own_touches())
        kept = book.kept_touches
        table = kept.table if isinstance(kept, TouchTable) else None

        def put(writer: TableWriter, touch: Touch, raw: Json) -> None:
            positions = own[touch] if kept is None else book.touches(touch)
            writer.put(raw, [], steps_of(positions))

        self._table(name, table, {each: raw_key(each, TOUCH) for each in own}, put)

    def _table(
        self, name: str, table: Table | None, own: Mapping[Any, Json], put: Put, gone: Sequence[Json] = ()
    ) -> None:
        with self._part(name) as note:
            writer = TableWriter(self._write, self.size)
            note["records"] = _write_table(writer, table, own, put, gone)
        for column, values in writer.arrays().items():
            self.array(f"{name}.{column}", values)

    @contextmanager
    def _part(self, name: str, **told: Any) -> Generator[PartNote]:
        assert name not in self.parts, f"{name} comes twice"
        self._sha256, begin = hashlib.sha256(), self.size
        note = self.parts[name] = {"begin": begin, **told}
        yield note
        self._flush()
        note |= {"size": self.size - begin, "sha256": self._sha256.hexdigest()}

    def _write(self, raw: bytes | memoryview) -> None:
        self._waiting += raw
        if len(self._waiting) >= BLOCK:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._sha256.update(self._waiting)
            written = memoryview(self._waiting)
            while written:
                written = written[self._file.write(written) :]
            self._size += len(self._waiting)
            self._waiting = bytearray()
        if self._size - self._synced >= BLOCK:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = self._size


def _write_table(
    writer: TableWriter, table: Table | None, own: Mapping[Any, Json], put: Put, gone: Sequence[Json]
) -> int:
    """Records that were kept come first, those in memory in their place; then what is new. Returns how many."""
    new = dict.fromkeys(own)
    if table is not None:
        changed: dict[int, Any] = {}
        for each, raw in own.items():
            number = table.number(raw)
            if number is not None:
                changed[number] = each
                del new[each]
        dropped = {number for raw in gone if (number := table.number(raw)) is not None}
        first = 0
        for number in sorted(changed.keys() | dropped):
            writer.copy(table, first, number)
            if number not in dropped:
                put(writer, changed[number], own[changed[number]])
            first = number + 1
        writer.copy(table, first, len(table))
    for each in new:
        put(writer, each, own[each])
    return writer.count


_RAW: Final = Codec(lambda value, _: value, lambda raw, _: raw, plain=True)


class Parts:
    """Reads parts: promises of `graph.keeping.Found`. Once `again` is set, what is damaged is read from the entries."""

    def __init__(self, file: Path, notes: Mapping[str, PartNote]) -> None:
        self._file: Final = file.open("rb", buffering=0)
        self.notes: Final = notes
        self.again: Callable[[str], Any] | None = None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def plain(self, name: str, codec: Codec) -> Any:
        """Something small."""
        note = self._note(name)
        raw = self.bytes(note["begin"], note["begin"] + note["size"])
        if crc32(raw) != note["check"]:
            raise Damaged(name)
        models, body = orjson.loads(raw)
        return codec.decode(body, Heard(models))

    def later(self, name: str, codec: Codec) -> Callable[[], Any]:
        """Something small that few ask for."""
        _ = self._note(name)

        def read() -> Any:
            try:
                return self.plain(name, codec)
            except Damaged:
                body, models = self._anew(name)
                return codec.decode(body, Heard(models))

        return read

    def array(self, name: str) -> Array:
        """An array of numbers, in memory."""
        return self._array(name, 0)[0]

    def column(self, name: str) -> Column:
        """An array with room behind its end."""
        size = int(self._note(name)["shape"][0])
        try:
            values, size = self._array(name, Column.room(size))
        except Damaged:
            return Column.of(self._anew(name))
        return Column.begun(values, size)

    def _array(self, name: str, room: int) -> tuple[Array, int]:
        note = self._note(name)
        shape: list[int] = note["shape"]
        values = np.empty([*shape[:-1], shape[-1] + room], note["kind"])
        raw = values.reshape(-1).view(np.uint8).data[: note["size"]]
        self._read_into(raw, note["begin"], name)
        if crc32(raw) != note["check"]:
            raise Damaged(name)
        return values, shape[-1]

    def table(self, name: str, key: Codec, value: Codec) -> Shelf[Any, Any]:
        """A mapping that looks its items up."""
        return Shelf(self._table(name), key, value, lambda: self._anew(name))

    def register(self, name: str, key: Codec, value: Codec) -> KeptRegister[Any, Any]:
        """A register of the book."""
        shown: list[Json] = self.plain(f"{name}.shown", _RAW)
        return KeptRegister(self._table(name), key, value, shown, lambda: self._anew(name))

    def touches(self, name: str) -> TouchTable:
        """What entries touched."""
        return TouchTable(self._table(name), lambda: self._anew(name))

    def bytes(self, begin: int, end: int) -> bytes:
        """What stands in the file; fewer bytes where it ends before."""
        return os.pread(self._file.fileno(), end - begin, begin)

    def _read_into(self, raw: memoryview, begin: int, name: str) -> None:
        done = 0
        while done < len(raw):
            got = os.preadv(self._file.fileno(), [raw[done:]], begin + done)
            if not got:
                raise Damaged(name)
            done += got

    def _note(self, name: str) -> PartNote:
        if name not in self.notes:
            raise Damaged(name)
        return self.notes[name]

    def _table(self, name: str) -> Table:
        _ = self._note(name)
        return Table(name, self)

    def _anew(self, name: str) -> Any:
        if self.again is None:
            raise Damaged(name)
        return self.again(name)
