"""The file that comes back with its errors: laid out as it was handed in, what is wrong first in each row, the cell marked."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Final, cast

from api.workbook.cells import cell_name, cell_place
from api.workbook.delimited import Script, write_delimited
from api.workbook.heads import ERRORS_HEADER, head_of
from api.workbook.layout import Column
from api.workbook.manner import Manner, normal
from api.workbook.parting import Written, part
from api.workbook.reading import Handed, Raw, Table
from api.workbook.report import ImportProblem, ImportReport
from api.workbook.sheets import BY_NAME, ERRORS_SHEET
from api.workbook.template import INLINE_MAX, Book
from api.workbook.values import plain
from flows.errors import Language

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

COMMENTS_MOST: Final = 2_000
"""Each is a drawing that Excel lays out when the file opens; the error column tells all of them."""
LINKS_MOST: Final = 10_000
ERRORS_WIDE: Final = 60
WIDE_LEAST, WIDE_MOST = 9, 40
MEASURED_ROWS: Final = 50
"""So many rows tell how wide a column is."""
SPARE_ROWS: Final = 1_000
"""So far below the last row do dropdowns reach."""
DAY: Final = timedelta(days=1)
"""Of which a time of Excel is a part."""
_YEAR_ONE: Final = 1900  # Excel knows no day before
_MADE: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - a property of the file: same input, same bytes
_LISTED: Final = {
    "zh": ("工作表", "单元格", "列", "填写内容", "问题", "可填"),
    "en": ("Sheet", "Cell", "Column", "Was read", "What is wrong", "Allowed"),
}


@dataclass
class Marks:
    """What stands against one table: by row, and by cell (row, column), both as the file was handed in."""

    table: Table
    head: int | None = None
    """The row of headers, counted from 1; None: the table was not read."""
    old: int | None = None
    """The error column of an earlier time, counted from 1: the new one takes its place."""
    columns: Mapping[int, Column] = field(default_factory=dict[int, Column])
    rows: dict[int, list[str]] = field(default_factory=lambda: defaultdict[int, list[str]](list))
    cells: dict[tuple[int, int], list[ImportProblem]] = field(
        default_factory=lambda: defaultdict[tuple[int, int], list[ImportProblem]](list)
    )

    @property
    def marked(self) -> bool:
        """It gets an error column."""
        return self.head is not None and bool(self.rows or self.cells)

    def moved(self, column: int) -> int:
        """Where a column stands in the file that goes back, counted from 1."""
        if not self.marked or (self.old is not None and self.old < column):
            return column
        return column + 1

    def told(self, row: int, joint: str) -> str:
        """The error column of a row."""
        if row == self.head:
            return ERRORS_HEADER
        return joint.join(dict.fromkeys(self.rows.get(row, ())))

    def cells_of(self, row: Sequence[Raw]) -> Iterator[tuple[int, Raw]]:
        """A row's cells by the column that they stand in now, without the errors of an earlier time."""
        return ((self.moved(at), raw) for at, raw in enumerate(row, 1) if not (self.marked and at == self.old))


def marked(handed: Handed, report: ImportReport, manner: Manner, language: Language = "zh") -> tuple[bytes, str] | None:
    """The file with its errors, and the ending of its name; None where nothing stands against it.

    An .xlsx or .xls comes back as .xlsx, a .csv as .csv in the same characters with the same separator. All rows are in
    it: mended there and handed in again, what was recorded is known, and the error column is passed over.
    """
    if not report.errors and not report.held:
        return None
    found = [_marks(table, handed, report, manner, language) for table in handed.tables]
    if handed.script is not None:
        return _csv(found[0], handed.script, report, language), ".csv"
    return _xlsx(found, report, language), ".xlsx"


def _marks(table: Table, handed: Handed, report: ImportReport, manner: Manner, language: Language) -> Marks:
    marks = Marks(table)
    named = next((each.sheet for each in report.sheets if each.table == table.name), table.name.strip())
    sheet = BY_NAME.get(named) or next((each for name, each in BY_NAME.items() if normal(name) == normal(named)), None)
    if handed.script is not None and not report.sheets:
        sheet = None
    if sheet is None:
        return marks
    head = head_of(table, sheet, manner)
    marks.head, marks.columns = head.at + 1, head.columns
    header = table.cells[head.at] if table.cells else []
    marks.old = next((at for at, raw in enumerate(header, 1) if normal(plain(raw)) == ERRORS_HEADER), None)
    for problem in report.errors:
        place = problem.place
        if place.sheet != sheet.zh or place.row is None:
            continue
        if place.row != marks.head:
            marks.rows[place.row].append(
                f"{place.column}：{_words(problem, language)}" if place.column else _words(problem, language)
            )
        if (at := cell_place(place.cell)) is not None:
            marks.cells[at].append(problem)
    for held in report.held:
        for row in held.rows if held.sheet == sheet.zh else ():
            marks.rows[row].append(held.zh if language == "zh" else held.en)
    return marks


def _words(problem: ImportProblem, language: Language) -> str:
    return problem.zh if language == "zh" else problem.en


# csv ----------------------------------------------------------------------------------------------------------------


def _csv(marks: Marks, script: Script, report: ImportReport, language: Language) -> bytes:
    """What stands against the whole file goes on a line above the headers, where an import passes it over."""
    above = "；".join(_words(each, language) for each in report.errors if each.of_file)

    def rows() -> Iterator[list[str]]:
        if above:
            yield [f"{ERRORS_HEADER}：{above}"]
        for number, row in enumerate(marks.table.cells, 1):
            if number < (marks.head or 0) and str([*row, ""][0]).startswith(f"{ERRORS_HEADER}："):  # of an earlier time
                continue
            cells = [str(raw) for _, raw in marks.cells_of(row)]
            yield [marks.told(number, "；"), *cells] if marks.marked else cells

    return write_delimited(rows(), script)


# xlsx ---------------------------------------------------------------------------------------------------------------


def _xlsx(found: Sequence[Marks], report: ImportReport, language: Language) -> bytes:
    from xlsxwriter.workbook import Workbook

    target = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(target, options) as opened:
        book = cast("Book", opened)
        book.set_properties({"title": "环流 huanliu", "created": _MADE})
        writer = _Writer(book, language)
        writer.list(found, report)
        for marks in found:
            if marks.table.name.strip() != ERRORS_SHEET:  # that of an earlier time is written anew
                writer.table(marks)
    part(cast("Written", opened))
    return target.getvalue()


class _Writer:
    """Writes the sheets of one error file."""

    def __init__(self, book: Book, language: Language) -> None:
        self._book = book
        self._language: Language = language
        self._comments = 0
        head = {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1}
        bad = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}
        kinds: Mapping[str, Mapping[str, object]] = {
            "text": {"num_format": "@"}, "day": {"num_format": "yyyy-mm-dd"}, "number": {"num_format": "General"},
            "moment": {"num_format": "yyyy-mm-dd hh:mm:ss"}, "time": {"num_format": "hh:mm:ss"},
        }  # fmt: skip
        self._plain = {kind: book.add_format(style) for kind, style in kinds.items()}
        self._bad = {kind: book.add_format({**style, **bad, "border": 1}) for kind, style in kinds.items()}
        self._head = book.add_format({**head, "bg_color": "#E7EEF4"})
        self._bad_head = book.add_format({**head, **bad})
        self._told = book.add_format({"font_color": "#9C0006", "text_wrap": True, "valign": "top"})
        self._link = book.add_format({"font_color": "#0563C1", "underline": 1})

    def list(self, found: Sequence[Marks], report: ImportReport) -> None:
        """The first sheet: every error with a link to its cell."""
        target = self._book.add_worksheet(ERRORS_SHEET)
        for at, (word, wide) in enumerate(zip(_LISTED[self._language], (18, 10, 24, 24, 80, 40), strict=True)):
            target.set_column(at, at, wide)
            _ = target.write_string(0, at, word, self._head)
        target.freeze_panes(1, 0)
        by_sheet = {self._sheet_of(marks, report): marks for marks in found if marks.head is not None}
        for number, problem in enumerate(report.errors, 1):
            place = problem.place
            marks = by_sheet.get(place.sheet)
            cell = cell_place(place.cell) or (place.row or 1, 1)
            name = cell_name(cell[0], marks.moved(cell[1]) if place.cell else 1) if marks else place.cell
            if marks is not None and number <= LINKS_MOST:
                table = marks.table.name.replace("'", "''")
                _ = target.write_url(number, 1, f"internal:'{table}'!{name}", self._link, name)
            else:
                _ = target.write_string(number, 1, name)
            texts = {
                0: place.sheet,
                2: place.column,
                3: problem.read,
                4: _words(problem, self._language),
                5: "、".join(problem.allowed),
            }
            for at, text in ((at, text) for at, text in texts.items() if text):
                _ = target.write_string(number, at, text, self._told if at == 4 else None)  # noqa: PLR2004 - the column of words

    @staticmethod
    def _sheet_of(marks: Marks, report: ImportReport) -> str:
        return next((each.sheet for each in report.sheets if each.table == marks.table.name), marks.table.name.strip())

    def table(self, marks: Marks) -> None:
        """One sheet as it was, the errors first."""
        target = self._book.add_worksheet(marks.table.name)
        if not marks.table.shown:
            target.hide()
        self._widths(target, marks)
        for number, row in enumerate(marks.table.cells, 1):
            if marks.marked and (told := marks.told(number, "\n")):
                _ = target.write_string(number - 1, 0, told, self._bad_head if number == marks.head else self._told)
            for column, raw in marks.cells_of(row):
                self._cell(target, number - 1, column - 1, raw, bad=False, head=number == marks.head)
        for (row, column), problems in marks.cells.items():
            self._mark(target, marks, row, column, problems)
        if marks.head is not None and marks.marked:
            target.freeze_panes(marks.head, 1)
            last = max(marks.moved(len(row)) for row in marks.table.cells)
            target.autofilter(marks.head - 1, 0, len(marks.table.cells) - 1, last - 1)
        self._dropdowns(target, marks)

    def _widths(self, target: "Worksheet", marks: Marks) -> None:
        wide: dict[int, int] = {}
        for row in marks.table.cells[:MEASURED_ROWS]:
            for column, raw in marks.cells_of(row):
                text = plain(raw)
                wide[column] = max(
                    wide.get(column, WIDE_LEAST), len(text) + sum(not sign.isascii() for sign in text) + 2
                )
        for column, width in wide.items():
            target.set_column(
                column - 1,
                column - 1,
                min(width, WIDE_MOST),
                self._plain["text"] if self._is_text(marks, column) else None,
            )
        if marks.marked:
            target.set_column(0, 0, ERRORS_WIDE)

    @staticmethod
    def _is_text(marks: Marks, column: int) -> bool:
        """A code that is typed into this column must stay as it is typed."""
        kinds = {marks.moved(at + 1): each.kind for at, each in marks.columns.items()}
        return kinds.get(column) in {"code", "uscc", "plate", "waste", "method", "division", "element"}

    def _mark(
        self, target: "Worksheet", marks: Marks, row: int, column: int, problems: Sequence[ImportProblem]
    ) -> None:
        cells = marks.table.cells
        raw = cells[row - 1][column - 1] if row <= len(cells) and column <= len(cells[row - 1]) else ""
        at = marks.moved(column) - 1
        self._cell(target, row - 1, at, raw, bad=True, head=row == marks.head)
        self._comments += 1
        if self._comments <= COMMENTS_MOST:
            told = "\n".join(f"{_words(each, self._language)}{self._allowed(each)}" for each in problems)
            _ = target.write_comment(row - 1, at, told, {"author": "huanliu", "x_scale": 2, "y_scale": 1.5})

    def _allowed(self, problem: ImportProblem) -> str:
        if not problem.allowed or any(problem.allowed[0] in text for text in (problem.zh, problem.en)):
            return ""
        return f"\n{_LISTED[self._language][-1]}: {'、'.join(problem.allowed)}"

    def _cell(self, target: "Worksheet", row: int, column: int, raw: Raw, *, bad: bool, head: bool) -> None:
        formats: Mapping[str, Format] = self._bad if bad else self._plain
        match raw:
            case bool():
                _ = target.write_boolean(row, column, raw, formats["number"])
            case float() | int():
                _ = target.write_number(row, column, raw, formats["number"])
            case datetime() if raw.year >= _YEAR_ONE:
                whole = raw.time() == time()
                _ = target.write_datetime(row, column, raw, formats["day" if whole else "moment"])
            case date() if raw.year >= _YEAR_ONE:
                _ = target.write_datetime(row, column, datetime.combine(raw, time()), formats["day"])
            case time():
                seconds = timedelta(
                    hours=raw.hour, minutes=raw.minute, seconds=raw.second, microseconds=raw.microsecond
                )
                _ = target.write_number(row, column, seconds / DAY, formats["time"])
            case timedelta():
                _ = target.write_number(row, column, raw / DAY, formats["time"])
            case "":
                if bad:
                    _ = target.write_blank(row, column, None, formats["text"])
            case _ if head:
                _ = target.write_string(row, column, str(raw), self._bad_head if bad else self._head)
            case _:
                _ = target.write_string(row, column, str(raw), formats["text"])

    def _dropdowns(self, target: "Worksheet", marks: Marks) -> None:
        """Where a column has words of its own, they are offered again."""
        for at, column in marks.columns.items():
            words = ["是", "否"] if column.kind == "yes" else [*(column.words or ())]
            if not words or column.kind == "choices" or len(",".join(words)) > INLINE_MAX or marks.head is None:
                continue
            where, last = marks.moved(at + 1) - 1, len(marks.table.cells) + SPARE_ROWS
            options = {"validate": "list", "source": words, "error_type": "information", "show_error": False}
            _ = target.data_validation(marks.head, where, last, where, options)
