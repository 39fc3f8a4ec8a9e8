"""A file of Excel as tables of cells: how large it unpacks, which formulas have no result, where each cell stands."""

import re
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Final, TypeAlias

from python_calamine import CalamineError, CalamineWorkbook

from flows.errors import Malformed

FILE_MAX_B: Final = 50_000_000
"""A hundred thousand rows are a tenth of this."""
UNPACKED_MAX_B: Final = 200_000_000
"""190 kB of a hostile file declared 49 MB: what unpacks to more than this is no ledger."""
COLUMN_LETTERS_MAX: Final = 2  # up to column ZZ
ROWS_MAX: Final = 100_000

Raw: TypeAlias = str | float | int | bool | date | datetime | time | timedelta

_FORMULA_CELL: Final = re.compile(rb'<c\b(?P<head>[^>]*?\br="(?P<name>[A-Z]+\d+)"[^>]*)>(?P<inside>.*?)</c>', re.DOTALL)
_FILLED: Final = re.compile(rb'<c\b[^>]*?\br="([A-Z]+)(\d+)"[^>]*(?<!/)>')
_VALUE: Final = re.compile(rb"<v[^>]*>[^<]+</v>")
_NONE: Final[frozenset[str]] = frozenset()
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet's cells, the first row and column always row 1 and column A."""

    name: str
    cells: list[list[Raw]]
    without_result: frozenset[str] = field(default_factory=frozenset[str])
    """Names of cells that hold a formula without a result, or with an error."""


def cell_name(row: int, column: int) -> str:
    """``cell_name(5, 27)`` is AA5, as Excel shows it."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


def tables(data: bytes) -> list[Table]:
    """All sheets of a workbook.

    Raises:
        Malformed: not a workbook, protected, too large, or too large unpacked.
    """
    if len(data) > FILE_MAX_B:
        raise Malformed("workbook-too-large", megabytes=len(data) // 1_000_000, limit=FILE_MAX_B // 1_000_000)
    broken = _look_inside(data) if data.startswith(b"PK") else {}  # an old .xls keeps every formula's result
    try:
        with CalamineWorkbook.from_filelike(BytesIO(data)) as book:
            return [
                Table(
                    name,
                    [[*row] for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)],
                    broken.get(name, _NONE),
                )
                for name in book.sheet_names
            ]
    except CalamineError as fault:
        raise Malformed("workbook-unreadable") from fault


def _look_inside(data: bytes) -> dict[str, frozenset[str]]:
    """Sizes first, before anything is laid out in memory; then the formulas that have no result.

    A formula that a program wrote has none until Excel or WPS has saved the file.
    """
    found: dict[str, frozenset[str]] = {}
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            unpacked_b = sum(info.file_size for info in archive.infolist())
            if unpacked_b > UNPACKED_MAX_B:
                limit = UNPACKED_MAX_B // 1_000_000
                raise Malformed("workbook-bomb", megabytes=unpacked_b // 1_000_000, limit=limit)
            if archive.testzip() is not None:  # a part that is longer than it says fails its check sum
                raise Malformed("workbook-unreadable")
            for name, path in _sheet_paths(archive):
                xml = archive.read(path)
                _check_extent(name, xml)
                if b"<f" in xml or b't="e"' in xml:
                    found[name] = frozenset(_broken(xml))
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, NotImplementedError, ET.ParseError) as fault:
        raise Malformed("workbook-unreadable") from fault
    if not found and not _is_xlsx(data):
        raise Malformed("workbook-unreadable")
    return found


def _is_xlsx(data: bytes) -> bool:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return "xl/workbook.xml" in archive.namelist()


def _check_extent(name: str, xml: bytes) -> None:
    """One cell in the last corner would lay out millions of empty ones."""
    rows = max((int(match[2]) for match in _FILLED.finditer(xml)), default=0)
    columns = max((len(match[1]) for match in _FILLED.finditer(xml)), default=0)
    if rows > ROWS_MAX or columns > COLUMN_LETTERS_MAX:
        raise Malformed("workbook-too-long", sheet=name, rows=rows, limit=ROWS_MAX)


def _broken(xml: bytes) -> Iterator[str]:
    for match in _FORMULA_CELL.finditer(xml):
        fails = b't="e"' in match["head"]
        if fails or (b"<f" in match["inside"] and not _VALUE.search(match["inside"])):
            yield match["name"].decode()


def _sheet_paths(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return
    relations = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - no entity of ours is in it, and its size is checked
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - the same
    for sheet in book.iter("{http://schemas.openxmlformats.org/spreadsheetml/2006/main}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if path in names:
            yield sheet.get("name", ""), path
