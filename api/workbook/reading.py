"""A file as tables of cells, known by what it holds and not by its name: .xlsx, .xls or .csv."""

import re
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import PurePath
from typing import Final, TypeAlias

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from api.workbook.biff import unpacked
from api.workbook.cells import cell_name, check_extent, column_number
from api.workbook.delimited import Script, read_delimited
from flows.errors import Malformed

FILE_MAX_B: Final = 50_000_000
"""A hundred thousand rows are a tenth of this."""
UNPACKED_MAX_B: Final = 200_000_000
"""190 kB of a hostile file declared 49 MB: what unpacks to more than this is no ledger."""
SNIFFED_B: Final = 4_000
"""As far as a web page's first table is looked for."""

Raw: TypeAlias = str | float | int | bool | date | datetime | time | timedelta

_FORMULA_CELL: Final = re.compile(
    rb'<c\b(?P<head>[^>]*?\br="(?P<name>[A-Z]+\d+)"[^>]*)(?<!/)>(?P<inside>.*?)</c>', re.DOTALL
)
_FILLED: Final = re.compile(rb'<c\b[^>]*?\br="([A-Z]+)(\d+)"[^>]*(?<!/)>')
_VALUE: Final = re.compile(rb"<v[^>]*>[^<]+</v>")
_DECLARED: Final = re.compile(rb'\b(?:uniqueCount|count)\s*=\s*["\'](\d+)["\']')
_DIGITS_MAX: Final = 12
_NONE: Final[frozenset[str]] = frozenset()
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"
_WEB: Final = (b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"<style", b"mime-version:")
_NO_TABLES: Final = (b"%pdf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"{\\rtf", b"rar!", b"7z\xbc")
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet's cells, the first row and column always row 1 and column A."""

    name: str
    cells: list[list[Raw]]
    without_result: frozenset[str] = field(default_factory=frozenset[str])
    """Names of cells that hold a formula without a result, or with an error."""
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Handed:
    """What was handed in: its tables, and how it was written when it is a .csv."""

    tables: list[Table]
    name: str = ""
    """The file's name without its ending: it may say which sheet a .csv is."""
    script: Script | None = None


def read_file(data: bytes, name: str = "") -> Handed:
    """All tables of a file. A .csv is one table, called like the file.

    Raises:
        Malformed: empty, too large, or too large unpacked; protected by a password; damaged; a web page or XML that
            is only called .xls; no table at all. Each says what to do.
    """
    if len(data) > FILE_MAX_B:
        raise Malformed("workbook-too-large", megabytes=len(data) // 1_000_000, limit=FILE_MAX_B // 1_000_000)
    stem = PurePath(name.replace("\\", "/")).stem
    head = data[:SNIFFED_B].lstrip(_BLANK).lower()
    if not data.strip(_BLANK):
        raise Malformed("file-empty")
    if data.startswith(b"PK"):
        return Handed(_tables(data, _look_inside(data)), stem)
    if data.startswith(_COMPOUND):
        return Handed(_tables(*unpacked(data)), stem)
    if head.startswith(_WEB) or b"<table" in head:
        raise Malformed("file-is-web-page")
    if head.startswith(b"<?xml"):
        raise Malformed("file-is-xml")
    if head.startswith(_NO_TABLES):
        raise Malformed("file-not-a-table")
    rows, script = read_delimited(data)
    wide = max(map(len, rows), default=0)
    check_extent(stem, len(rows), wide)
    formulas = frozenset(
        cell_name(row, at)
        for row, cells in enumerate(rows, 1)
        for at, text in enumerate(cells, 1)
        if text.startswith("=") and not text.startswith('="')
    )
    return Handed([Table(stem, [[*row] for row in rows], formulas)], stem, script)


def _tables(data: bytes, broken: Mapping[str, frozenset[str]]) -> list[Table]:
    try:
        with CalamineWorkbook.from_filelike(BytesIO(data)) as book:
            return [
                Table(
                    sheet.name,
                    _cells(book.get_sheet_by_name(sheet.name)),
                    broken.get(sheet.name, _NONE),
                    sheet.visible == SheetVisibleEnum.Visible,
                )
                for sheet in book.sheets_metadata
                if sheet.typ == SheetTypeEnum.WorkSheet  # a chart has no cells
            ]
    except CalamineError as fault:
        raise Malformed("workbook-unreadable") from fault
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":  # the reader's own, which stands above Exception
            raise
        raise Malformed("workbook-unreadable") from fault


def _cells(sheet: CalamineSheet) -> list[list[Raw]]:
    """Row by row: handed over at once, fifty thousand rows hold the interpreter for a tenth of a second."""
    before: list[Raw] = [""] * (sheet.start[1] if sheet.start else 0)
    return [[*before, *row] for row in sheet.iter_rows()]


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
            _check_strings(archive)
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


def _check_strings(archive: zipfile.ZipFile) -> None:
    """The reader takes memory for as many shared texts as are declared: no more than there are bytes."""
    for info in archive.infolist():
        if info.filename.lower().endswith(".xml"):
            with archive.open(info) as part:
                declared = _DECLARED.findall(part.read(SNIFFED_B))
            if any(len(count) > _DIGITS_MAX or int(count) > info.file_size for count in declared):
                raise Malformed("workbook-unreadable")


def _is_xlsx(data: bytes) -> bool:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return "xl/workbook.xml" in archive.namelist()


def _check_extent(name: str, xml: bytes) -> None:
    rows, letters = 0, set[bytes]()
    for match in _FILLED.finditer(xml):
        rows = max(rows, int(match[2]))
        letters.add(match[1])
    check_extent(name, rows, max((column_number(each.decode()) for each in letters), default=0))


def _broken(xml: bytes) -> Iterator[str]:
    for match in _FORMULA_CELL.finditer(xml):
        fails = b't="e"' in match["head"]
        empty_text = b't="str"' in match["head"] and b"<v" in match["inside"]  # a formula may well answer nothing
        if fails or (b"<f" in match["inside"] and not empty_text and not _VALUE.search(match["inside"])):
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
