"""From cells to rows: headers found by name, every cell read by its column, every error with its exact place."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from api.workbook.layout import Column, Sheet
from api.workbook.reading import Raw, Table, cell_name
from api.workbook.report import ImportFinding, ImportProblem, Place
from api.workbook.sheets import BY_KEY, BY_NAME, CODES_SHEET, NOTES_SHEET
from api.workbook.values import CellReader, Unread, Value, plain
from flows import codes
from flows.errors import Malformed, Problem
from flows.law import Finding

HEADER_WITHIN: Final = 10  # a title and a line of remarks may stand above the headers


@dataclass(frozen=True)
class Row:
    """One row as it was read. `told` is the text of each cell, for messages and for keeping the row while it waits."""

    sheet: Sheet
    number: int
    values: Mapping[str, Value]
    told: Mapping[str, str] = field(default_factory=dict[str, str])
    letters: Mapping[str, int] = field(default_factory=dict[str, int])
    faulty: bool = False
    """Some cell could not be read: the row is known, and nothing is made of it."""

    def text(self, key: str) -> str | None:
        """A text, a code, a word."""
        value = self.values.get(key)
        assert value is None or isinstance(value, str), key
        return value

    def said(self, key: str) -> str:
        """The same; nothing is the empty text."""
        return self.text(key) or ""

    def number_of(self, key: str) -> int | None:
        """A mass in grams, a count, a share in ppm."""
        value = self.values.get(key)
        assert value is None or (isinstance(value, int) and not isinstance(value, bool)), key
        return value

    def mass_g(self, key: str = "mass") -> int:
        """A mass that must be there."""
        value = self.number_of(key)
        if value is None:
            raise self.wrong(Malformed("workbook-cell-required", column=self.sheet.zh_of(key)), key)
        return value

    def yes(self, key: str) -> bool:
        """Yes or no; nothing is no."""
        return self.values.get(key) is True

    def moment(self, key: str = "time") -> date | datetime | None:
        """A day or an instant."""
        value = self.values.get(key)
        assert value is None or isinstance(value, date), key
        return value

    def when(self, key: str = "time") -> date | datetime:
        """A time that must be there."""
        value = self.moment(key)
        if value is None:
            raise self.wrong(Malformed("workbook-cell-required", column=self.sheet.zh_of(key)), key)
        return value

    def needed(self, key: str) -> str:
        """A text that must be there for this kind of row."""
        value = self.text(key)
        if value is None:
            raise self.wrong(Malformed("workbook-cell-required", column=self.sheet.zh_of(key)), key)
        return value

    def place(self, key: str | None = None) -> Place:
        """Where it stands; with a column, which cell."""
        if key is None or not self.sheet.has(key):
            return Place(sheet=self.sheet.zh, row=self.number)
        letter = self.letters.get(key)
        name = cell_name(self.number, letter) if letter else ""
        return Place(sheet=self.sheet.zh, row=self.number, column=self.sheet.column(key).zh, cell=name)

    def wrong(
        self, problem: Problem, key: str | None = None, allowed: Iterable[str] = (), nearest: str | None = None
    ) -> "RowProblem":
        """An error of this row, to be raised or listed."""
        read = self.told.get(key, "") if key else ""
        return RowProblem(ImportProblem.of(problem, self.place(key), read, tuple(allowed), nearest))


@dataclass
class RowProblem(Exception):
    """What stands against a row."""

    told: ImportProblem


@dataclass
class Reading:
    """All rows of a file, with all that cannot be read."""

    rows: list[Row] = field(default_factory=list[Row])
    problems: list[ImportProblem] = field(default_factory=list[ImportProblem])
    findings: list[ImportFinding] = field(default_factory=list[ImportFinding])
    incomplete: bool = False
    """A sheet could not be read at all: what refers to it cannot be judged."""


def read_rows(tables: Iterable[Table], reader: CellReader) -> Reading:
    """Rows of the sheets that the template has; a missing sheet is an empty one."""
    reading = Reading()
    tables = list(tables)
    names = {unicodedata.normalize("NFKC", table.name).strip() for table in tables}
    for table in tables:
        name = unicodedata.normalize("NFKC", table.name).strip()
        if name in (NOTES_SHEET, CODES_SHEET) or not any(_row_holds(row) for row in table.cells):
            continue
        if name in BY_NAME:
            _read_sheet(table, BY_NAME[name], reader, reading)
            continue
        near = codes.nearest(name, set(BY_NAME) - names)
        if near is not None:
            reading.incomplete = True
            problem = Malformed("workbook-sheet-unknown", sheet=table.name, nearest=near)
            reading.problems.append(
                ImportProblem.of(problem, Place(sheet=table.name), table.name, tuple(BY_NAME), near)
            )
        else:
            finding = Finding.of("workbook-sheet-not-read", sheet=table.name)
            reading.findings.append(ImportFinding.of(finding, Place(sheet=table.name)))
    return reading


def _row_holds(row: Iterable[Raw]) -> bool:
    return any(plain(raw) for raw in row)


def _header(raw: Raw) -> str:
    return "".join(unicodedata.normalize("NFKC", plain(raw)).split()).rstrip("*")


def _headers_of(sheet: Sheet) -> dict[str, Column]:
    return {_header(column.zh): column for column in sheet.columns}


def _read_sheet(table: Table, sheet: Sheet, reader: CellReader, reading: Reading) -> None:
    known = _headers_of(sheet)
    counts = [sum(_header(raw) in known for raw in row) for row in table.cells[:HEADER_WITHIN]]
    head_at = counts.index(max(counts))
    found: dict[int, Column] = {}
    wrong: list[ImportProblem] = []
    for at, raw in enumerate(table.cells[head_at]):
        if not (header := _header(raw)):
            continue
        place = Place(sheet=sheet.zh, row=head_at + 1, column=plain(raw), cell=cell_name(head_at + 1, at + 1))
        column = known.get(header)
        if column is None:
            near = codes.nearest(header, known)
            problem = Malformed("workbook-header-unknown", header=plain(raw), nearest=near or "—")
            wrong.append(ImportProblem.of(problem, place, plain(raw), tuple(each.zh for each in sheet.columns), near))
        elif column in found.values():
            wrong.append(ImportProblem.of(Malformed("workbook-header-twice", header=column.zh), place, plain(raw)))
        else:
            found[at] = column
    for column in sheet.columns:
        if column.required and column not in found.values():
            problem = Malformed("workbook-header-missing", header=column.zh)
            wrong.append(ImportProblem.of(problem, Place(sheet=sheet.zh, row=head_at + 1, column=column.zh)))
    reading.problems += wrong
    if any(problem.key == "workbook-header-missing" for problem in wrong):
        reading.incomplete = True
        return
    for at, cells in enumerate(table.cells[head_at + 1 :], head_at + 2):
        _read_row(at, cells, found, sheet, table, reader, reading)


def _read_row(
    number: int,
    cells: list[Raw],
    columns: Mapping[int, Column],
    sheet: Sheet,
    table: Table,
    reader: CellReader,
    reading: Reading,
) -> None:
    told = {column.key: plain(cells[at]) if at < len(cells) else "" for at, column in columns.items()}
    broken = {
        column.key: cell_name(number, at + 1)
        for at, column in columns.items()
        if cell_name(number, at + 1) in table.without_result
    }
    if not broken and not any(text for key, text in told.items() if sheet.column(key).kind not in ("ignored", "unit")):
        return
    letters = {column.key: at + 1 for at, column in columns.items()}
    blank = Row(sheet, number, {}, told, letters)
    raws = {column.key: cells[at] for at, column in columns.items() if told[column.key]}
    row, problems = _values(blank, raws, broken, reader)
    reading.problems += problems
    reading.rows.append(row)


def _values(
    blank: Row, raws: Mapping[str, Raw], broken: Mapping[str, str], reader: CellReader
) -> tuple[Row, list[ImportProblem]]:
    problems: list[ImportProblem] = []
    values: dict[str, Value] = {}

    def listed(problem: Problem, key: str, allowed: tuple[str, ...] = (), nearest: str | None = None) -> None:
        problems.append(blank.wrong(problem, key, allowed, nearest).told)

    unit: str | None = None
    ordered = sorted(blank.sheet.columns, key=lambda column: column.kind != "unit")
    for column in ordered:
        key = column.key
        if key in broken:
            listed(Malformed("workbook-formula-without-result", cell=broken[key]), key)
        elif key not in raws:
            if column.required:
                listed(Malformed("workbook-cell-required", column=column.zh), key)
        elif column.kind != "ignored":
            try:
                values[key] = reader.read(column, raws[key], unit)
            except Unread as fault:
                listed(fault.problem, key, fault.allowed, fault.nearest)
            if column.kind == "unit":
                read = values.pop(key, None)
                unit = read if isinstance(read, str) else None
    return Row(blank.sheet, blank.number, values, blank.told, blank.letters, bool(problems)), problems


def row_of(sheet_key: str, number: int, told: Mapping[str, str], reader: CellReader) -> Row | list[ImportProblem]:
    """A row from texts that were kept while it waited."""
    sheet = BY_KEY[sheet_key]
    kept = {column.key: told[column.key] for column in sheet.columns if told.get(column.key)}
    row, problems = _values(Row(sheet, number, {}, kept), kept, {}, reader)
    return problems or row


def kept_texts(row: Row) -> Iterator[tuple[str, str]]:
    """What `row_of` reads again."""
    return ((key, text) for key, text in row.told.items() if text and row.sheet.column(key).kind != "ignored")
