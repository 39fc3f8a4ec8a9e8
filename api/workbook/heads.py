"""The row of headers: which row it is, which of our columns each header means, and whose sheet a nameless table is."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final

from api.workbook.cells import cell_name
from api.workbook.layout import Column, Sheet
from api.workbook.manner import Manner, column_called, normal
from api.workbook.reading import Handed, Raw, Table
from api.workbook.report import HeaderRead, HeaderUnknown, ImportProblem, Place, SheetHow
from api.workbook.sheets import BY_KEY, BY_NAME, SHEETS
from api.workbook.synonyms import SYNONYMS
from api.workbook.values import plain
from flows import codes
from flows.errors import Malformed

HEADER_WITHIN: Final = 10  # a title and a line of remarks may stand above the headers
ERRORS_HEADER: Final = "错误"
"""The column that an error file has first; an import passes it over."""
SHEET_HEADER: Final = "工作表"
"""A column by which a .csv says in each row which sheet it is."""
OURS: Final = frozenset({ERRORS_HEADER, SHEET_HEADER})
SUGGESTED_MOST: Final = 5
SAMPLES_MOST: Final = 3
SAMPLE_LENGTH: Final = 40
ALIKE: Final = 0.4
"""Below this two headers share a character by chance."""
TITLE_CELLS: Final = 2  # a title, and beside it a date or a number
_NUMBERED: Final = re.compile(r"(?<![A-Za-z0-9.])B\.?([1-5])(?![0-9])", re.IGNORECASE)


@dataclass
class Head:
    """The headers of one table, read as one sheet."""

    sheet: Sheet
    at: int
    columns: dict[int, Column] = field(default_factory=dict[int, Column])
    problems: list[ImportProblem] = field(default_factory=list[ImportProblem])
    read: list[HeaderRead] = field(default_factory=list[HeaderRead])
    """Headers that are the enterprise's own."""
    unknown: list[HeaderUnknown] = field(default_factory=list[HeaderUnknown])

    @property
    def incomplete(self) -> bool:
        """A column that must be there is not: no row can be read."""
        return any(problem.key == "workbook-header-missing" for problem in self.problems)


def head_of(table: Table, sheet: Sheet, manner: Manner) -> Head:
    """The headers of a table as those of a sheet: ours by their names, the enterprise's own by what it said of them."""
    ours = {normal(column.zh): column for column in sheet.columns}
    own = _own(sheet, manner)
    head = Head(sheet, _row_of(table, {*ours, *own, *OURS}))
    cells = table.cells[head.at] if table.cells else []
    for at, raw in enumerate(cells):
        header = normal(plain(raw))
        if not header or header in OURS:
            continue
        place = Place(sheet=sheet.zh, row=head.at + 1, column=plain(raw), cell=cell_name(head.at + 1, at + 1))
        key, how = own.get(header, ("", ""))
        column = ours.get(header) or next((each for each in sheet.columns if each.key == key), None)
        if header not in ours and how:
            told = HeaderRead(
                sheet=sheet.zh, header=plain(raw), cell=place.cell, column=column.zh if column else "", how=how
            )
            head.read.append(told)
            if column is None:
                continue
        if column is None:
            meant = suggested(header, sheet.columns)
            near = meant[0] if meant else None
            problem = Malformed("workbook-header-unknown", header=plain(raw), nearest=near or "—")
            allowed = tuple(each.zh for each in sheet.columns)
            head.problems.append(ImportProblem.of(problem, place, plain(raw), allowed, near))
            head.unknown.append(
                HeaderUnknown(
                    sheet=sheet.zh, header=plain(raw), cell=place.cell, samples=tuple(_samples(table, head.at, at))
                )
            )
        elif column in head.columns.values():
            head.problems.append(
                ImportProblem.of(Malformed("workbook-header-twice", header=column.zh), place, plain(raw))
            )
        else:
            head.columns[at] = column
    for column in sheet.columns:
        if column.required and column not in head.columns.values():
            problem = Malformed("workbook-header-missing", header=column.zh)
            head.problems.append(ImportProblem.of(problem, Place(sheet=sheet.zh, row=head.at + 1, column=column.zh)))
    free = [column for column in sheet.columns if column not in head.columns.values() and column.kind != "ignored"]
    meant = Counter(_meant(each.header, free) for each in head.unknown)
    head.unknown = [
        each.model_copy(
            update={
                "suggestions": suggested(each.header, free),
                "likely": found if meant[found := _meant(each.header, free)] == 1 else "",
                "columns": tuple(column.zh for column in free),
            }
        )
        for each in head.unknown
    ]
    return head


def _own(sheet: Sheet, manner: Manner) -> dict[str, tuple[str, SheetHow]]:
    """The enterprise's own headers: the key of our column, and by whose word. What is given now goes before what was."""
    remembered = manner.remembered.get(sheet.key)
    own: dict[str, tuple[str, SheetHow]] = {}
    if remembered is not None:
        own = {header: (key, "remembered") for header, key in remembered.columns.items()}
    for each in manner.given_for(sheet):
        column = column_called(sheet, each.column)
        if column is not None or each.unread:
            own[normal(each.header)] = (column.key if column else "", "given")
    return own


def _meant(header: str, free: Iterable[Column]) -> str:
    """The one column that the trade calls so; none where it calls none so, or several."""
    found = [column.zh for column in free if normal(header) in map(normal, SYNONYMS.get(column.key, ()))]
    return found[0] if len(found) == 1 else ""


def suggested(header: str, free: Iterable[Column]) -> tuple[str, ...]:
    """Our columns that a header may mean, the likeliest first: what the trade calls them, then what looks alike."""
    wanted = normal(header)

    def likeness(column: Column) -> float:
        words = (normal(column.zh), *map(normal, SYNONYMS.get(column.key, ())))
        if wanted in words:
            return 1.0
        within = max((len(word) / len(wanted) for word in words if word in wanted), default=0.0)
        return max(within, *(SequenceMatcher(None, wanted, word).ratio() for word in words))

    ranked = sorted(((likeness(column), column.zh) for column in free), key=lambda each: -each[0])
    return tuple(name for score, name in ranked if score >= ALIKE)[:SUGGESTED_MOST]


def _row_of(table: Table, known: set[str]) -> int:
    """The row with most of the headers that are known; of a table that has none of them, its widest row of words."""
    rows = table.cells[:HEADER_WITHIN]
    counts = [sum(normal(plain(raw)) in known for raw in row) for row in rows]
    if not any(counts):
        counts = [_words_in(row) for row in rows]
    return counts.index(max(counts)) if counts else 0


def _words_in(row: Iterable[Raw]) -> int:
    return sum(isinstance(raw, str) and bool(plain(raw)) for raw in row)


def _samples(table: Table, head_at: int, column: int) -> Iterator[str]:
    told = (plain(row[column]) for row in table.cells[head_at + 1 :] if column < len(row))
    filled = dict.fromkeys(text[:SAMPLE_LENGTH] for text in told if text)
    return iter([*filled][:SAMPLES_MOST])


def fingerprint(table: Table) -> str:
    """What tells one enterprise's form from another: its headers, in whatever order."""
    rows = table.cells[:HEADER_WITHIN]
    counts = [_words_in(row) for row in rows]
    row = rows[counts.index(max(counts))] if counts else []
    headers = {normal(plain(raw)) for raw in row} - OURS - {""}
    return hashlib.sha256("\n".join(sorted(headers)).encode()).hexdigest()[:32]


# whose sheet --------------------------------------------------------------------------------------------------------


def sheet_of(table: Table, handed: Handed, manner: Manner) -> tuple[Sheet, SheetHow] | list[Sheet]:
    """The sheet that a table is which bears none of our names, and how that is known; else those that it may be.

    In this order: what the table says itself, in its title or in a column 工作表; the name of a .csv; a row of headers
    that was read as this sheet before; a row of headers that has all that one sheet needs, and nothing that it lacks.
    """
    told = _told_within(table)
    if len(told) == 1:
        return told[0], "title"
    named = _named(handed.name) if handed.script is not None and not told else []
    if len(named) == 1:
        return named[0], "file_name"
    mark = fingerprint(table)
    known = [BY_KEY[key] for key, each in manner.remembered.items() if key in BY_KEY and mark in each.fingerprints]
    if len(known) == 1:
        return known[0], "remembered"
    heads = [head_of(table, sheet, manner) for sheet in told or named or SHEETS]
    fitting = [head.sheet for head in heads if head.columns and not head.problems]
    if len(fitting) == 1:
        return fitting[0], "headers"
    if fitting:
        return fitting
    near = sorted((head for head in heads if len(head.columns) > 1), key=lambda head: -len(head.columns))
    return [head.sheet for head in near[:SUGGESTED_MOST]] or [*SHEETS]


def _told_within(table: Table) -> list[Sheet]:
    """The sheets that a title above the headers names, or a column of its own."""
    by_name = {normal(name): sheet for name, sheet in BY_NAME.items()}
    for at, row in enumerate(table.cells[:HEADER_WITHIN]):
        words = [normal(plain(raw)) for raw in row]
        if SHEET_HEADER in words:
            column = words.index(SHEET_HEADER)
            below = {normal(plain(each[column])) for each in table.cells[at + 1 :] if column < len(each)} - {""}
            return [by_name[name] for name in sorted(below) if name in by_name]
        filled = [word for word in words if word]
        titles = [by_name[word] for word in filled if word in by_name]
        if titles and len(filled) <= TITLE_CELLS:
            return titles
    return []


def _named(stem: str) -> list[Sheet]:
    """The sheets that a file's name holds; one whose name is part of another's gives way to it."""
    said = normal(stem)
    found = [sheet for sheet in SHEETS if normal(sheet.zh) in said]
    found = [each for each in found if not any(_within(each, other) for other in found)]
    if not found:
        numbers = {match[1] for match in _NUMBERED.finditer(said)}
        found = [sheet for sheet in SHEETS if any(sheet.zh.startswith(f"B.{number} ") for number in numbers)]
    return found


def _within(one: Sheet, other: Sheet) -> bool:
    return one is not other and normal(one.zh) in normal(other.zh)


def sheet_called(name: str) -> Sheet:
    """Our sheet of a name, however it is spaced.

    Raises:
        Malformed: the template has no such sheet.
    """
    for zh, sheet in BY_NAME.items():
        if normal(zh) == normal(name):
            return sheet
    raise Malformed("column-given-sheet", sheet=name, nearest=codes.nearest(name, BY_NAME) or "—")


def unused(given: Manner, heads: Sequence[Head]) -> Iterator[ImportProblem]:
    """What was said of columns that no table has, or of columns that we do not have: a slip of the pen."""
    for each in given.given:
        sheets = [sheet for sheet in SHEETS if not each.sheet or normal(sheet.zh) == normal(each.sheet)]
        ours = [column.zh for sheet in sheets for column in sheet.columns]
        near = codes.nearest(each.column, ours) or "—"
        place = Place(sheet=each.sheet, column=each.header)
        if not sheets:
            nearest = codes.nearest(each.sheet, BY_NAME) or "—"
            yield ImportProblem.of(
                Malformed("column-given-sheet", sheet=each.sheet, nearest=nearest), place, each.sheet
            )
        elif not each.unread and not any(column_called(sheet, each.column) for sheet in sheets):
            problem = Malformed("column-given-unknown", read=each.column, nearest=near)
            yield ImportProblem.of(problem, place, each.column, (), near if near != "—" else None)
        elif not any(_speaks_of(each.header, head) for head in heads if head.sheet in sheets):
            yield ImportProblem.of(Malformed("column-given-unused", header=each.header), place, each.header)


def _speaks_of(header: str, head: Head) -> bool:
    return any(normal(each.header) == normal(header) and each.how == "given" for each in head.read)
