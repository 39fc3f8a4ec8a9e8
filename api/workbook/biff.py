"""An .xls before it is laid out: taken out of its container, and every number checked by which a reader would take memory.

The reader (calamine) takes what a file declares: one changed byte, and it asks for terabytes, upon which the process dies.
So the workbook alone is taken out and put into a container of ours, and what is declared is held against what is there.
Source: [MS-CFB] 2.2-2.6 (the compound file), [MS-XLS] 2.4 (its records).
"""

from collections.abc import Iterator
from struct import Struct, error, unpack_from
from typing import Final

from api.workbook.cells import cell_name, check_extent
from flows.errors import Malformed

_HEADER_B: Final = 512
_ENTRY_B: Final = 128
_LAST: Final = 0xFFFFFFFA
"""From here on a sector number is a mark: end of chain, free, part of the table itself."""
_SHIFTS: Final = {(9, 6), (12, 6)}
"""Sectors are 512 or 4096 bytes, small ones 64."""
_STREAM, _ROOT = 2, 5
_OWN_SECTOR_B: Final = 4096
_END, _TABLE, _FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_BOF, _EOF, _FILEPASS, _BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0085
_STRINGS, _DIMENSIONS = 0x00FC, 0x0200
_STRING_LEAST_B: Final = 3
"""A shared text takes a length and a byte of flags, also when it is empty."""
_WIDE_DIMENSIONS_B: Final = 14
_ROWS_OF_XLS, _COLUMNS_OF_XLS = 65_536, 256
_WORKSHEET: Final = 0x0010
_FORMULA, _BOOLERR, _MULRK = 0x0006, 0x0205, 0x00BD
_CELLS: Final = frozenset({_FORMULA, _BOOLERR, _MULRK, 0x00FD, 0x0203, 0x027E, 0x0204, 0x00D6})
"""Records of cells that hold something: shared and own text, numbers, formulas."""
_BIFF8: Final = 0x0600
_RESULT_FAILS: Final = b"\x02"
_RECORD: Final = Struct("<HH")
_PLACE: Final = Struct("<HH")


def unpacked(data: bytes) -> tuple[bytes, dict[str, frozenset[str]]]:
    """The workbook in a sound container, and the names of the cells whose result is an error, by sheet.

    Raises:
        Malformed: protected by a password; a sheet that reaches too far; no workbook, or a damaged one.
    """
    try:
        streams = dict(_streams(data))
        if "EncryptedPackage" in streams:
            raise Malformed("file-protected")
        book = streams.get("Workbook") or streams.get("Book")
        if book is None:
            raise Malformed("workbook-unreadable")
        failing = {name: frozenset(_failing(name, book, at, sheet=sheet)) for name, at, sheet in _sheets(book)}
    except (error, IndexError, ValueError) as fault:
        raise Malformed("workbook-unreadable") from fault
    return _contained(book), failing


def _contained(book: bytes) -> bytes:
    """A compound file that holds this stream and nothing else, in sectors of 4096 bytes: so its table needs no second one."""
    count = max(1, -(-len(book) // _OWN_SECTOR_B))
    tables = 1
    while tables * (_OWN_SECTOR_B // 4) < count + tables + 2:
        tables += 1
    first = 2 + tables  # behind the directory, the sector of the small streams, and the table
    follows = [*range(first + 1, first + count), _END]
    table = [_END, _END, *[_TABLE] * tables, *follows]
    table += [_FREE] * (tables * _OWN_SECTOR_B // 4 - len(table))
    header = Struct("<8s16xHHHHH6xIIIIIIIIII").pack(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 4, 0xFFFE, 12, 6, 1, tables, 0, 0, _OWN_SECTOR_B, _END, 0, _END, 0, 2
    )  # fmt: skip
    places = [*range(3, 2 + tables), *[_FREE] * (109 - tables)]
    directory = b"".join((
        _entry("Root Entry", _ROOT, 1, 1, 64), _entry("Workbook", _STREAM, _FREE, first, count * _OWN_SECTOR_B),
    ))  # fmt: skip
    parts = (
        header + Struct(f"<{len(places)}I").pack(*places),
        directory,
        b"",
        Struct(f"<{len(table)}I").pack(*table),
        book,
    )
    return b"".join(part.ljust(max(1, -(-len(part) // _OWN_SECTOR_B)) * _OWN_SECTOR_B, b"\0") for part in parts)


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    told = name.encode("utf-16-le")
    fields = Struct("<64sHBBIII36xIQ")
    return fields.pack(told, len(told) + 2, kind, 1, _FREE, _FREE, child, start, size)


def _streams(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The streams of a compound file, by name."""
    shift, mini_shift = unpack_from("<HH", data, 30)
    first, cutoff, first_mini = unpack_from("<I4xII", data, 48)
    if (shift, mini_shift) not in _SHIFTS:
        raise Malformed("workbook-unreadable")
    sector_b = 1 << shift
    table = _table(data, sector_b)

    def sectors(start: int) -> Iterator[bytes]:
        return (data[(at + 1) * sector_b : (at + 2) * sector_b] for at in _chain(start, table))

    entries = b"".join(sectors(first))
    mini_table = _numbers(b"".join(sectors(first_mini)))
    mini = b""
    for at in range(0, len(entries) - _ENTRY_B + 1, _ENTRY_B):
        length, kind = unpack_from("<HB", entries, at + 64)
        start, size = unpack_from("<II", entries, at + 116)
        if kind == _ROOT:
            mini = b"".join(sectors(start))
        if kind != _STREAM:
            continue
        name = entries[at : at + max(0, length - 2)].decode("utf-16-le")
        if size >= cutoff:
            yield name, b"".join(sectors(start))[:size]
        else:
            parts = (mini[part << mini_shift : (part + 1) << mini_shift] for part in _chain(start, mini_table))
            yield name, b"".join(parts)[:size]


def _numbers(data: bytes) -> tuple[int, ...]:
    return unpack_from(f"<{len(data) // 4}I", data)


def _table(data: bytes, sector_b: int) -> tuple[int, ...]:
    """Which sector follows which; where its own sectors stand is told in the header, and behind it."""
    more, count = unpack_from("<II", data, 68)
    places = list(unpack_from("<109I", data, 76))
    for _ in range(min(count, len(data) // sector_b)):
        *here, more = _numbers(data[(more + 1) * sector_b : (more + 2) * sector_b])
        places += here
    known = (at for at in places if at < _LAST)
    return _numbers(b"".join(data[(at + 1) * sector_b : (at + 2) * sector_b] for at in known))


def _chain(start: int, table: tuple[int, ...]) -> Iterator[int]:
    """The sectors of one stream. One that comes twice would make a small file a large one."""
    seen = bytearray(len(table))
    while start < _LAST:
        if seen[start]:
            raise Malformed("workbook-unreadable")
        seen[start] = 1
        yield start
        start = table[start]


def _records(book: bytes, at: int) -> Iterator[tuple[int, int, int, int]]:
    """Kind, place, length and depth of each record from `at` to the end of its part: depth 1 is its own, more is embedded."""
    depth = 0
    while at + _RECORD.size <= len(book):
        kind, length = _RECORD.unpack_from(book, at)
        at += _RECORD.size
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        yield kind, at, length, depth
        at += length


def _sheets(book: bytes) -> Iterator[tuple[str, int, bool]]:
    """The sheets by name, where each begins, and whether it is one of cells."""
    wide = unpack_from("<H", book, 4)[0] == _BIFF8
    for kind, at, length, _ in _records(book, 0):
        if kind == _FILEPASS:
            raise Malformed("file-protected")
        if kind == _STRINGS and unpack_from("<i", book, at + 4)[0] * _STRING_LEAST_B > len(book):
            raise Malformed("workbook-unreadable")
        if kind != _BOUNDSHEET:
            continue
        begins, count = unpack_from("<I2xB", book, at)
        if wide:
            text = book[at + 8 : at + length]
            name = text[: 2 * count].decode("utf-16-le") if book[at + 7] & 1 else text[:count].decode("latin-1")
        else:
            name = book[at + 7 : at + 7 + count].decode("gbk", "replace")
        yield name, begins, unpack_from("<H", book, begins + 6)[0] == _WORKSHEET


def _failing(name: str, book: bytes, begins: int, *, sheet: bool) -> Iterator[str]:
    rows = columns = 0
    for kind, at, length, depth in _records(book, begins):
        if kind == _DIMENSIONS:
            _check_dimensions(book[at : at + length])
        if kind not in _CELLS:
            continue
        row, column = _PLACE.unpack_from(book, at)
        last = unpack_from("<H", book, at + length - 2)[0] if kind == _MULRK else column
        rows, columns = max(rows, row + 1), max(columns, last + 1)
        check_extent(name, rows, columns)
        fails = kind == _BOOLERR and book[at + 7] == 1
        if kind == _FORMULA:
            fails = book[at + 12 : at + 14] == b"\xff\xff" and book[at + 6 : at + 7] == _RESULT_FAILS
        if fails and sheet and depth == 1:
            yield cell_name(row + 1, column + 1)


def _check_dimensions(told: bytes) -> None:
    """How far a sheet says that it reaches: from its first row to behind its last, and the same of columns."""
    above, below, left, right = unpack_from("<IIHH" if len(told) == _WIDE_DIMENSIONS_B else "<HHHH", told)
    empty = below == 0 or right == 0
    if not empty and not (above < below <= _ROWS_OF_XLS and left < right <= _COLUMNS_OF_XLS):
        raise Malformed("workbook-unreadable")
