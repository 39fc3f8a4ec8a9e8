"""The workbook as it is written: headers with notes, dropdowns, a hidden sheet of long lists; empty, or filled."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, cast

from api.workbook.general import GENERAL
from api.workbook.layout import Column, Sheet
from api.workbook.parting import Written, part
from api.workbook.sheets import CODES_SHEET, NOTES_SHEET, SHEETS
from api.workbook.values import EXACT_DIGITS, PPM_PER_PERCENT, Value
from api.workbook.yearly_sheets import READINGS
from flows.mass import plain_tonnes
from flows.materials import Catalogue
from flows.times import SHANGHAI

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Filled: TypeAlias = Mapping[str, Sequence[Mapping[str, Value]]]
"""Rows by the key of their sheet."""

NOTES_COLUMNS: Final = 76
LINE_POINTS: Final = 16  # not every program makes a row as high as its text
A4: Final = 9  # the number of the paper size in the file format
CHECKED_ROWS: Final = 10_000  # so far down do dropdowns and text format reach
INLINE_MAX: Final = 255  # a longer list must stand in cells
_MADE: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - a property of the file, the same in every file: same input, same bytes
_TEXT_KINDS: Final = {"text", "code", "uscc", "plate", "waste", "method", "division", "element", "material", "process"}
_SIGNS: Final = ("=", "+", "-", "@")

HINTS: Final = (
    (
        "重量以吨计，另有“计量单位”列的可填吨、千克、克；系统不四舍五入，最细到克。",
        "Masses are in tonnes unless the unit column says 千克 (kg) or 克 (g). Nothing is rounded; a gram is the finest.",
    ),
    (
        "编码列是文本格式。请勿改成数字：Excel 只保留 15 位数字。",
        "Columns of codes are text. Keep them so: Excel keeps only fifteen digits of a number.",
    ),
    (
        "时间可填 2026-03-09、2026-03-09 10:30、2026.3.9 或 2026年3月9日；只写日期表示当天。",
        "Times: 2026-03-09 or 2026-03-09 10:30. A date alone means the day.",
    ),
    (
        "导入先检查全部行，一次列出所有错误；没有错误才登记，要么全部登记，要么一行也不登记。",
        "An import checks all rows first and lists all errors at once; then all rows are recorded, or none.",
    ),
    (
        "同一文件再次导入不会重复登记。改过的行登记为更正，“撤销”列填“撤销”的行撤销登记，删去的行不受影响。",
        "The same file again changes nothing. A changed row is recorded as a correction, a row marked 撤销 is withdrawn; a row that is left out stays as it was.",
    ),
    (
        "行的先后没有关系：系统按因果排序。序号只供阅读。",
        "The order of rows does not matter: they are ordered by cause. Row numbers are for people.",
    ),
)


class Book(Protocol):
    """What is used of xlsxwriter's workbook, with its types."""

    def add_worksheet(self, name: str) -> "Worksheet":
        """A new sheet behind the others."""
        ...

    def add_format(self, properties: Mapping[str, object]) -> "Format":
        """A format for cells."""
        ...

    def set_properties(self, properties: Mapping[str, object]) -> None:
        """What the file says of itself."""
        ...


def template(catalogue: Catalogue) -> bytes:
    """The empty workbook."""
    return write_book({}, catalogue)


def write_book(rows: Filled, catalogue: Catalogue, remarks: Sequence[tuple[str, str]] = ()) -> bytes:
    """The workbook with these rows; `remarks` (Chinese, English) stand on the sheet of notes."""
    from xlsxwriter.workbook import Workbook

    target = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(target, options) as opened:
        book = cast("Book", opened)
        book.set_properties({"title": "环流 huanliu", "created": _MADE})
        lists = _lists(catalogue)
        _write_notes(book, remarks)
        writer = _Writer(book, catalogue, {name: _range(at, words) for at, (name, words) in enumerate(lists.items())})
        for sheet in (*SHEETS, *(each for each in READINGS if rows.get(each.key))):
            writer.sheet(sheet, rows.get(sheet.key, ()))
        _write_lists(book, lists)
    part(cast("Written", opened))
    return target.getvalue()


def _lists(catalogue: Catalogue) -> dict[str, list[str]]:
    """The long lists, by the kind of column, and the wastes by name for the official columns."""
    return {
        "material": [each.name_zh for each in catalogue.materials.values()],
        "trade": [each.name_zh for each in catalogue.materials.values() if each.waste_code],
        "general_trade": [
            each.name_zh for each in catalogue.materials.values() if each.legal_status == "general_waste"
        ],
        "waste": list(catalogue.wastes),
        "general_waste": [each.code for each in catalogue.wastes.values() if not each.hazardous],
        "process": [each.name_zh for each in catalogue.processes.values()],
        "method": [f"{each.code} {each.name_zh}" for each in catalogue.methods.values()],
        "division": [f"{each.code} {each.name_zh}" for each in catalogue.divisions.values()],
    }


def _range(at: int, words: Sequence[str]) -> str:
    letter = chr(ord("A") + at)
    return f"='{CODES_SHEET}'!${letter}$2:${letter}${len(words) + 1}"


def _write_lists(book: Book, lists: Mapping[str, Sequence[str]]) -> None:
    sheet = book.add_worksheet(CODES_SHEET)
    text = book.add_format({"num_format": "@"})
    for at, (name, words) in enumerate(lists.items()):
        sheet.set_column(at, at, 30, text)
        _ = sheet.write_string(0, at, name, text)
        for row, word in enumerate(words, 1):
            _ = sheet.write_string(row, at, word, text)
    sheet.hide()


def _write_notes(book: Book, remarks: Sequence[tuple[str, str]]) -> None:
    sheet = book.add_worksheet(NOTES_SHEET)
    head = book.add_format({"bold": True, "bg_color": "#E7EEF4", "border": 1, "text_wrap": True, "valign": "top"})
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 1, 24, plain)
    sheet.set_column(2, 3, NOTES_COLUMNS + 6, plain)
    lines: list[tuple[str, str, str, str, Format]] = [("环流台账工作簿", "", "填写说明", "How to fill it in", head)]
    lines += [("", "", zh, en, plain) for zh, en in (*remarks, *HINTS)]
    for each in SHEETS:
        lines.append((each.zh, "", each.help_zh, f"{each.en}. {each.help_en}", head))
        for column in each.columns:
            words = "、".join(column.words or ())
            must = "必填。" if column.required else ""
            lines.append(("", column.zh, must + words, ("Required. " if column.required else "") + column.en, plain))
    for row, (*texts, style) in enumerate(lines):
        sheet.set_row(row, LINE_POINTS * max(1, *(-(-_columns(text) // NOTES_COLUMNS) for text in texts[2:])))
        for at, text in enumerate(texts):
            _ = sheet.write_string(row, at, text, style)
    sheet.freeze_panes(1, 0)
    _on_paper(sheet)


def _columns(text: str) -> int:
    """How many columns of small letters a text takes: Chinese characters are twice as wide."""
    return sum(1 if sign.isascii() else 2 for sign in text)


def _on_paper(sheet: "Worksheet") -> None:
    """A ledger is printed for inspectors: A4 across, as wide as the page, headers on each."""
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


class _Writer:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Book, catalogue: Catalogue, ranges: Mapping[str, str]) -> None:
        self._book = book
        self._catalogue = catalogue
        self._ranges = ranges
        base = {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1}
        self._required = book.add_format({**base, "bg_color": "#F6D9A8"})
        self._optional = book.add_format({**base, "bg_color": "#E7EEF4"})
        self._text = book.add_format({"num_format": "@"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._number = book.add_format({"num_format": "General"})

    def sheet(self, sheet: Sheet, rows: Sequence[Mapping[str, Value]]) -> None:
        """One sheet: headers, dropdowns, rows."""
        target = self._book.add_worksheet(sheet.zh)
        target.freeze_panes(1, 0)
        target.set_row(0, 32)
        _on_paper(target)
        for at, column in enumerate(sheet.columns):
            target.set_column(at, at, max(11, 2 * len(column.zh) + 2), self._format(column))
            _ = target.write_string(0, at, column.zh, self._required if column.required else self._optional)
            must = "必填 required\n" if column.required else ""
            _ = target.write_comment(0, at, f"{must}{column.en}", {"author": "huanliu", "x_scale": 1.5})
            self._validate(target, at, column, general=sheet in GENERAL)
        for number, values in enumerate(rows, 1):
            for at, column in enumerate(sheet.columns):
                if column.key == "no":
                    _ = target.write_number(number, at, number)
                elif (value := values.get(column.key)) is not None:
                    self._write(target, number, at, column, value)

    def _format(self, column: Column) -> "Format":
        if column.kind in _TEXT_KINDS:
            return self._text
        return {"time": self._time, "day": self._day}.get(column.kind, self._number)

    def _validate(self, target: "Worksheet", at: int, column: Column, *, general: bool) -> None:
        kind = "trade" if column.key == "trade" else column.kind
        kind = {"trade": "general_trade", "waste": "general_waste"}.get(kind, kind) if general else kind
        words = ["是", "否"] if kind == "yes" else list(column.words or ())
        if kind in self._ranges:
            source: str | list[str] = self._ranges[kind]
        elif words and kind != "choices":
            assert len(",".join(words)) <= INLINE_MAX, column
            source = words
        else:
            return
        strict = kind in ("choice", "yes", "unit", "process", "material")
        options = {"validate": "list", "source": source, "error_type": "stop" if strict else "information"}
        told = {"error_title": column.zh[:32], "error_message": "请从列表选择 · Choose from the list"}
        _ = target.data_validation(1, at, CHECKED_ROWS, at, {**options, **told, "show_error": strict})

    def _write(self, target: "Worksheet", row: int, at: int, column: Column, value: Value) -> None:
        match column.kind, value:
            case ("mass", int()):
                self._number_of(target, row, at, plain_mass(value, column.unit))
            case ("percent", int()):
                self._number_of(target, row, at, f"{Decimal(value) / PPM_PER_PERCENT:f}")
            case ("count", int()):
                _ = target.write_number(row, at, value)
            case (_, datetime()):
                self._moment(target, row, at, value)
            case (_, date()):
                _ = target.write_datetime(row, at, datetime(value.year, value.month, value.day), self._day)  # noqa: DTZ001 - a day has no zone
            case _:
                _ = target.write_string(row, at, escaped(shown(column, value, self._catalogue)), self._text)

    def _number_of(self, target: "Worksheet", row: int, at: int, text: str) -> None:
        """A number where Excel keeps all of its digits, else text."""
        if len(text.replace(".", "").lstrip("0")) <= EXACT_DIGITS:
            _ = target.write_number(row, at, float(text))
        else:
            _ = target.write_string(row, at, text, self._text)

    def _moment(self, target: "Worksheet", row: int, at: int, value: datetime) -> None:
        """An instant as Excel's time where it keeps it whole; midnight, which it would take for a day, as text."""
        local = value.astimezone(SHANGHAI).replace(tzinfo=None)
        if local.microsecond or local.time() == datetime.min.time():
            text = local.isoformat(" ") if local.microsecond else f"{local:%Y-%m-%d %H:%M:%S}"
            _ = target.write_string(row, at, text, self._text)
        else:
            _ = target.write_datetime(row, at, local, self._time)


def plain_mass(mass_g: int, unit: str) -> str:
    """A mass in the unit of its column, exactly."""
    return plain_tonnes(mass_g) if unit == "t" else f"{Decimal(mass_g) / 1000:f}"


def shown(column: Column, value: Value, catalogue: Catalogue) -> str:
    """The word that the column has for a value."""
    named: Mapping[str, Callable[[str], str]] = {
        "material": lambda key: catalogue.material(key).name_zh,
        "process": lambda key: catalogue.process(key).name_zh,
    }
    words = {meaning: word for word, meaning in (column.words or {}).items()}
    match value:
        case bool():
            return "是" if value else "否"
        case tuple():
            return "、".join(words.get(each, each) for each in value)
        case str() if column.kind in named:
            return named[column.kind](value)
        case str():
            return words.get(value, value)
        case _:
            return str(value)


def escaped(text: str) -> str:
    """Text that another program could take for a formula gets an apostrophe, which reading takes away again."""
    return f"'{text}" if text.startswith((*_SIGNS, *(f"'{sign}" for sign in _SIGNS))) else text
