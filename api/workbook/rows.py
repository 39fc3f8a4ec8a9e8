"""From cells to rows: headers found by name, every cell read by its column, every error with its exact place."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from api.workbook.cells import cell_name
from api.workbook.heads import Head, fingerprint, head_of, sheet_of, unused
from api.workbook.layout import CANCELLED, WHY, Column, Sheet
from api.workbook.manner import Manner
from api.workbook.reading import Handed, Raw, Table
from api.workbook.report import ImportFinding, ImportProblem, Place, SheetRead
from api.workbook.sheets import BY_KEY, BY_NAME, CODES_SHEET, ERRORS_SHEET, NOTES_SHEET
from api.workbook.values import CellReader, Unread, Value, plain
from api.workbook.yearly_sheets import READINGS
from flows import codes
from flows.errors import Malformed, Problem
from flows.law import Finding

PLAIN: Final = Manner()
HEARD_ROWS: Final = 500
"""Between two words on how many rows were read."""
OWN_SHEETS: Final = frozenset({NOTES_SHEET, CODES_SHEET, ERRORS_SHEET})
"""Sheets of ours that hold no rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read. `told` is the text of each cell, for messages and for keeping the row while it waits."""

    sheet: Sheet
    number: int
    values: Mapping[str, Value]
    told: Mapping[str, str] = field(default_factory=dict[str, str])
    letters: Mapping[str, int] = field(default_factory=dict[str, int])
    faulty: bool = False
    """Some cell could not be read: the row is known, and nothing is made of it."""
    cancelled: bool = False
    """It is marked: what it recorded is withdrawn."""
    why: str = ""
    """The enterprise's word on why it was changed or cancelled."""

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
    heads: list[Head] = field(default_factory=list[Head])
    sheets: list[SheetRead] = field(default_factory=list[SheetRead])
    heard: Callable[[int], None] | None = None
    """Hears now and then how many rows were read."""


def read_rows(
    handed: Handed, reader: CellReader, manner: Manner = PLAIN, heard: Callable[[int], None] | None = None
) -> Reading:
    """Rows of the sheets that the template has; a missing sheet is an empty one.

    A table goes by its name. Where no table has one of ours, and in a .csv, it goes by what `sheet_of` finds.
    """
    reading = Reading(heard=heard)
    tables = [table for table in handed.tables if any(_row_holds(row) for row in table.cells)]
    tables = [table for table in tables if _named(table) not in OWN_SHEETS]
    tables = _without_readings(tables, reading)
    if not tables:
        reading.incomplete = True
        reading.problems.append(ImportProblem.of(Malformed("file-holds-no-rows"), Place()))
    names = {_named(table) for table in tables}
    if handed.script is not None or names.isdisjoint(BY_NAME):
        _read_nameless(tables, handed, reader, reading, manner)
    else:
        for table in tables:
            if (sheet := BY_NAME.get(_named(table))) is not None:
                _read_sheet(table, sheet, reader, reading, manner)
            elif (near := codes.nearest(_named(table), set(BY_NAME) - names)) is not None:
                reading.incomplete = True
                problem = Malformed("workbook-sheet-unknown", sheet=table.name, nearest=near)
                told = ImportProblem.of(problem, Place(sheet=table.name), table.name, tuple(BY_NAME), near)
                reading.problems.append(told)
            else:
                _pass_over(table, reading)
    reading.problems += unused(manner, reading.heads)
    return reading


def _without_readings(tables: Sequence[Table], reading: Reading) -> list[Table]:
    """What an export filled from the ledger is left alone, and said once."""
    names = {each.zh for each in READINGS}
    found = [table for table in tables if _named(table) in names]
    if found:
        finding = Finding.of("workbook-sheet-filled", sheets="、".join(map(_named, found)))
        reading.findings.append(ImportFinding.of(finding, Place(sheet=found[0].name)))
    return [table for table in tables if table not in found]


def _named(table: Table) -> str:
    return unicodedata.normalize("NFKC", table.name).strip()


def _row_holds(row: Iterable[Raw]) -> bool:
    return any(plain(raw) for raw in row)


def _pass_over(table: Table, reading: Reading) -> None:
    finding = Finding.of("workbook-sheet-not-read", sheet=table.name)
    reading.findings.append(ImportFinding.of(finding, Place(sheet=table.name)))


def _read_nameless(
    tables: Sequence[Table], handed: Handed, reader: CellReader, reading: Reading, manner: Manner
) -> None:
    """Tables that bear none of our names: what is some sheet is read as that; where none is, it is asked."""
    found = [(table, sheet_of(table, handed, manner)) for table in tables]
    known = any(isinstance(of, tuple) for _, of in found)
    first: dict[str, str] = {}
    for table, of in found:
        if isinstance(of, list) and known:
            _pass_over(table, reading)
        elif isinstance(of, list):
            reading.incomplete = True
            reading.problems.append(_unclear(table, of, handed))
        elif (other := first.setdefault(of[0].key, table.name)) != table.name:
            reading.incomplete = True
            problem = Malformed("workbook-sheet-twice", one=other, other=table.name, sheet=of[0].zh)
            reading.problems.append(ImportProblem.of(problem, Place(sheet=table.name), table.name))
        else:
            sheet, how = of
            told = SheetRead(table=table.name, sheet=sheet.zh, how=how, fingerprint=fingerprint(table))
            reading.sheets.append(told)
            _read_sheet(table, sheet, reader, reading, manner)


def _unclear(table: Table, candidates: Sequence[Sheet], handed: Handed) -> ImportProblem:
    names = tuple(sheet.zh for sheet in candidates)
    told = "、".join(names)
    if handed.script is not None:
        problem = Malformed("csv-sheet-unclear", file=table.name, candidates=told, example=names[0])
    else:
        problem = Malformed("workbook-sheet-unclear", sheet=table.name, candidates=told)
    return ImportProblem.of(problem, Place(sheet=table.name), table.name, names)


def _read_sheet(table: Table, sheet: Sheet, reader: CellReader, reading: Reading, manner: Manner) -> None:
    head = head_of(table, sheet, manner)
    reading.heads.append(head)
    reading.problems += head.problems
    if head.incomplete:
        reading.incomplete = True
        return
    letters = {column.key: at + 1 for at, column in head.columns.items()}  # one for all rows: there may be many
    for at, cells in enumerate(table.cells[head.at + 1 :], head.at + 2):
        _read_row(at, cells, head.columns, letters, sheet, table, reader, reading)
        if reading.heard is not None and at % HEARD_ROWS == 0:
            reading.heard(len(reading.rows))


def _read_row(
    number: int,
    cells: list[Raw],
    columns: Mapping[int, Column],
    letters: Mapping[str, int],
    sheet: Sheet,
    table: Table,
    reader: CellReader,
    reading: Reading,
) -> None:
    texts = ((column.key, plain(cells[at])) for at, column in columns.items() if at < len(cells))
    told = {key: text for key, text in texts if text}
    broken = {
        column.key: cell_name(number, at + 1)
        for at, column in (columns.items() if table.without_result else ())
        if cell_name(number, at + 1) in table.without_result
    }
    if not broken and all(sheet.column(key).kind in ("ignored", "unit") for key in told):
        return
    blank = Row(sheet, number, {}, told, letters)
    raws = {column.key: cells[at] for at, column in columns.items() if column.key in told}
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
    cancelled, why = values.pop(CANCELLED.key, None) == "cancelled", values.pop(WHY.key, None)
    if cancelled:  # it must be known which record it was, and no more
        problems = [each for each in problems if each.place.column in _naming(blank.sheet)]
    faulty, why = bool(problems), why if isinstance(why, str) else ""
    return Row(blank.sheet, blank.number, values, blank.told, blank.letters, faulty, cancelled, why), problems


def _naming(sheet: Sheet) -> set[str]:
    return {sheet.zh_of(key) for key in (*sheet.group, "code", "container")}


def row_of(sheet_key: str, number: int, told: Mapping[str, str], reader: CellReader) -> Row | list[ImportProblem]:
    """A row from texts that were kept while it waited."""
    sheet = BY_KEY[sheet_key]
    kept = {column.key: told[column.key] for column in sheet.columns if told.get(column.key)}
    row, problems = _values(Row(sheet, number, {}, kept), kept, {}, reader)
    return problems or row


def kept_texts(row: Row) -> Iterator[tuple[str, str]]:
    """What `row_of` reads again."""
    return ((key, text) for key, text in row.told.items() if text and row.sheet.column(key).kind != "ignored")
