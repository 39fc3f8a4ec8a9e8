"""What stands in an .xls before it is laid out in memory: a password, how far its cells reach, results that are errors.

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
_STREAM, _ROOT = 2, 5
_BOF, _EOF, _FILEPASS, _BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0085
_WORKSHEET: Final = 0x0010
_FORMULA, _BOOLERR, _MULRK = 0x0006, 0x0205, 0x00BD
_CELLS: Final = frozenset({_FORMULA, _BOOLERR, _MULRK, 0x00FD, 0x0203, 0x027E, 0x0204, 0x00D6})
"""Records of cells that hold something: shared and own text, numbers, formulas."""
_BIFF8: Final = 0x0600
_RESULT_FAILS: Final = b"\x02"
_RECORD: Final = Struct("<HH")
_PLACE: Final = Struct("<HH")


def look_inside(data: bytes) -> dict[str, frozenset[str]]:
    """Names of the cells whose result is an error, by sheet.

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
        return {name: frozenset(_failing(name, book, at)) for name, at in _sheets(book)}
    except (error, IndexError, UnicodeDecodeError) as fault:
        raise Malformed("workbook-unreadable") from fault


def _streams(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The streams of a compound file, by name."""
    shift, mini_shift = unpack_from("<HH", data, 30)
    first, cutoff, first_mini = unpack_from("<I4xII", data, 48)
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
    """The sectors of one stream. A chain that bites its tail ends after as many steps as there are sectors."""
    for _ in range(len(table)):
        if start >= _LAST:
            return
        yield start
        start = table[start]


def _records(book: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Kind, place and length of each record from `at` to the end of its part; what is embedded in it is passed over."""
    depth = 0
    while at + _RECORD.size <= len(book):
        kind, length = _RECORD.unpack_from(book, at)
        at += _RECORD.size
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        if depth == 1:
            yield kind, at, length
        at += length


def _sheets(book: bytes) -> Iterator[tuple[str, int]]:
    """The worksheets by name, and where each begins."""
    wide = unpack_from("<H", book, 4)[0] == _BIFF8
    for kind, at, length in _records(book, 0):
        if kind == _FILEPASS:
            raise Malformed("file-protected")
        if kind != _BOUNDSHEET:
            continue
        begins, count = unpack_from("<I2xB", book, at)
        if unpack_from("<H", book, begins + 6)[0] != _WORKSHEET:
            continue
        if wide:
            text = book[at + 8 : at + length]
            name = text[: 2 * count].decode("utf-16-le") if book[at + 7] & 1 else text[:count].decode("latin-1")
        else:
            name = book[at + 7 : at + 7 + count].decode("gbk", "replace")
        yield name, begins


def _failing(name: str, book: bytes, begins: int) -> Iterator[str]:
    rows = columns = 0
    for kind, at, length in _records(book, begins):
        if kind not in _CELLS:
            continue
        row, column = _PLACE.unpack_from(book, at)
        last = unpack_from("<H", book, at + length - 2)[0] if kind == _MULRK else column
        rows, columns = max(rows, row + 1), max(columns, last + 1)
        check_extent(name, rows, columns)
        fails = kind == _BOOLERR and book[at + 7] == 1
        if kind == _FORMULA:
            fails = book[at + 12 : at + 14] == b"\xff\xff" and book[at + 6 : at + 7] == _RESULT_FAILS
        if fails:
            yield cell_name(row + 1, column + 1)
