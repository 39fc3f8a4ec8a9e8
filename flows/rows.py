"""How a table is read: each cell by its column, and where one cannot be read, the file, the row and what would do."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar, get_args

from flows import codes
from flows.errors import Malformed, Problem

TABLES_FOLDER = Path(__file__).with_name("tables")
WHOLE_PPM: Final = 1_000_000

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Cell:
    """How a cell is read, and what would have been right when it cannot be."""

    read: Callable[[str], object]
    expected: Callable[[str], str]


Cells: TypeAlias = Mapping[str, Cell]


def cell(read: Callable[[str], object], expected: str) -> Cell:
    return Cell(read, lambda _: expected)


def matching(pattern: str, expected: str) -> Cell:
    """Text of one form."""
    form = re.compile(pattern)
    return cell(lambda text: _held(text, form.fullmatch(text) is not None), expected)


def one_of(literal: object) -> Cell:
    """One of the words of a `Literal`."""
    choices: tuple[str, ...] = get_args(literal)
    return cell(lambda text: _held(text, text in choices), " | ".join(choices))


def known(table: Mapping[str, object]) -> Cell:
    """A key of another table; the nearest is offered."""
    return Cell(
        lambda text: _held(text, text in table), lambda text: codes.nearest(text, table) or " | ".join(list(table)[:5])
    )


def or_none(inner: Cell) -> Cell:
    """The same, or nothing."""
    return Cell(lambda text: inner.read(text) if text else None, inner.expected)


def _held(text: str, holds: bool) -> str:  # noqa: FBT001 - one question, asked above
    if not holds:
        raise ValueError(text)
    return text


def _ppm(text: str) -> int:
    if not 0 <= (share := int(text)) <= WHOLE_PPM:
        raise ValueError(text)
    return share


SAID: Final = matching(r".+", "…")
YES_NO: Final = cell(lambda text: _held(text, text in ("0", "1")) == "1", "0 | 1")
DAY: Final = cell(date.fromisoformat, "2026-01-31")
PPM: Final = cell(_ppm, f"0 … {WHOLE_PPM}")
_ALWAYS: Final = {"name_zh": SAID, "name_en": SAID}  # what has a name has it in both languages


@dataclass(frozen=True, slots=True)
class Tables:
    """Our tables, each replaced by the file of its name in an installation's folder, where there is one.

    A table is a CSV in UTF-8. Its columns are the fields of its row, in any order; a line after "#" is a remark.
    """

    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.folder is None:
            return
        if not self.folder.is_dir():
            raise Malformed("tables-folder-absent", folder=str(self.folder))
        ours = sorted(file.name for file in TABLES_FOLDER.glob("*.csv"))
        for file in sorted(self.folder.glob("*.csv")):
            if file.name not in ours:
                raise Malformed("table-replaces-nothing", file=file.name, names=" ".join(ours))

    def read(self, name: str, kind: Callable[..., Row], cells: Cells) -> Mapping[str, Row]:
        """A table by its first field, which stands once."""
        found: dict[str, Row] = {}
        key_field = _columns(kind)[0]
        for line, row in self.rows(name, kind, cells):
            key = str(getattr(row, key_field))
            if key in found:
                raise Malformed("table-key-twice", file=name, row=line, key=key)
            found[key] = row
        return MappingProxyType(found)

    def rows(self, name: str, kind: Callable[..., Row], cells: Cells) -> Iterator[tuple[int, Row]]:
        """The rows of a table, each with its line in the file."""
        lines = self._lines(name)
        _, head = next(lines, (0, list[str]()))
        _check_head(name, head, _columns(kind))
        for line, texts in lines:
            if len(texts) != len(head):
                raise Malformed("table-row-length", file=name, row=line, found=len(texts), expected=len(head))
            values = {
                column: _value({**_ALWAYS, **cells}.get(column), text, name, line, column)
                for column, text in zip(head, texts, strict=True)
            }
            yield line, kind(**values)

    def _lines(self, name: str) -> Iterator[tuple[int, list[str]]]:
        theirs = self.folder / name if self.folder else None
        file = theirs if theirs and theirs.exists() else TABLES_FOLDER / name
        try:
            with file.open(encoding="utf-8-sig", newline="") as text:  # a spreadsheet puts its mark in front
                reader = csv.reader(text, strict=True)
                for row in reader:
                    cells = [cell.strip() for cell in row]
                    if any(cells) and not cells[0].startswith("#"):
                        yield reader.line_num, cells
        except (UnicodeDecodeError, csv.Error) as problem:
            raise Malformed("table-unreadable", file=name) from problem


def _columns(kind: object) -> list[str]:
    return [field.name for field in fields(kind)]  # pyright: ignore[reportArgumentType] - a row is a dataclass


def _check_head(name: str, head: list[str], columns: list[str]) -> None:
    for column in head:
        if column not in columns:
            expected = codes.nearest(column, columns) or " ".join(columns)
            raise Malformed("table-column-unknown", file=name, column=column, expected=expected)
    for column in columns:
        if (count := head.count(column)) != 1:
            raise Malformed("table-column-missing", file=name, column=column, count=count)


def _value(cell: Cell | None, text: str, name: str, line: int, column: str) -> object:
    if cell is None:
        return text
    try:
        return cell.read(text)
    except (ValueError, Problem) as problem:
        expected = cell.expected(text)
        raise Malformed("table-cell", file=name, row=line, column=column, read=text, expected=expected) from problem
