"""A .csv as one table of cells: which characters it is written in, what separates them, where each stands."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import Final, Literal, TypeAlias

from flows.errors import Malformed

Encoding: TypeAlias = Literal["utf-8", "utf-8-sig", "utf-16", "gb18030"]

SEPARATORS: Final = (",", "\t", ";", "|")
"""In the order of preference, where nothing tells."""
SNIFFED_ROWS: Final = 10
"""So many rows show the separator: the headers are among them."""
FIELD_MAX: Final = 32_767
"""What a cell of Excel holds."""
_NEVER_IN_TEXT: Final = frozenset("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f")


@dataclass(frozen=True, slots=True)
class Script:
    """How a .csv is written, so that one can be answered with the like of it."""

    encoding: Encoding
    separator: str
    line_end: str
    said: bool = False
    """The first line is `sep=;`: programs obey it and do not count it as a row."""


def read_delimited(data: bytes) -> tuple[list[list[str]], Script]:
    """The cells of a .csv, row by row as Excel and WPS number them: a quoted cell may run over several lines.

    Raises:
        Malformed: not text in UTF-8, UTF-16 with its mark, or GB18030; a quote that is never closed.
    """
    encoding, text = _decoded(data)
    if any(sign in text for sign in _NEVER_IN_TEXT):
        raise Malformed("file-not-a-table")
    line_end = "\r\n" if "\r\n" in text else "\n"
    said = text[:4].lower() == "sep=" and len(text.partition("\n")[0].strip()) == len("sep=;")
    if said:
        first, _, text = text.partition("\n")
        script = Script(encoding, first[4], line_end, said=True)
    else:
        script = Script(encoding, _separator(text), line_end)
    return list(_rows(text, script)), script


def write_delimited(rows: Iterator[list[str]], script: Script) -> bytes:
    """Rows as a .csv of the same script."""
    target = StringIO(newline="")
    if script.said:
        _ = target.write(f"sep={script.separator}{script.line_end}")
    csv.writer(target, delimiter=script.separator, lineterminator=script.line_end).writerows(rows)
    return target.getvalue().encode(script.encoding)


def _decoded(data: bytes) -> tuple[Encoding, str]:
    """Strict UTF-8 first: text in GB18030 is hardly ever valid UTF-8, while the reverse is often read without complaint."""
    tried: tuple[Encoding, ...] = ("utf-8", "gb18030")
    if data.startswith(codecs.BOM_UTF8):
        tried = ("utf-8-sig",)
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # what Excel calls Unicode text
        tried = ("utf-16",)
    for encoding in tried:
        try:
            return encoding, data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Malformed("csv-encoding-unknown")


def _separator(text: str) -> str:
    """The sign that makes most cells of the row that has most: the headers."""

    def cells(separator: str) -> int:
        reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
        try:
            return max((len(row) for row in islice(reader, SNIFFED_ROWS)), default=0)
        except csv.Error:
            return 0

    return max(SEPARATORS, key=cells)


def _rows(text: str, script: Script) -> Iterator[list[str]]:
    """Strictly: a quote that is not closed would swallow the rest of the file."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=script.separator, strict=True)
    begun = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise Malformed("csv-quote-unclosed", line=begun + script.said) from None
        long = next((cell for cell in row if len(cell) > FIELD_MAX), None)
        if long is not None:
            raise Malformed("csv-cell-long", line=begun + script.said, length=len(long), limit=FIELD_MAX)
        begun = reader.line_num + 1
        yield row
