"""How a file is to be taken: what it is called, what its columns are called, whether good rows go in alone."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from api.workbook.layout import Column, Sheet
from api.workbook.sheets import BY_NAME
from flows.enterprises import Frozen
from flows.errors import Malformed

UNREAD_WORDS: Final = frozenset({"", "-", "—", "不读取"})
"""What an enterprise writes for a column of its own that the ledger has no place for."""
GIVEN_MAX: Final = 2_000
"""Of one file: each column of each sheet, many times over."""
HEADER_MAX: Final = 200
"""Characters of a header; more is a remark in the wrong row."""


def normal(header: str) -> str:
    """A header without its spaces, its full-width signs and the star that marks what must be filled in."""
    return "".join(unicodedata.normalize("NFKC", header).split()).rstrip("*")


@dataclass(frozen=True, slots=True)
class GivenColumn:
    """An enterprise's word on a column of its own: which of ours it is; none: it is not to be read."""

    header: str
    column: str
    sheet: str = ""
    """The sheet that it is meant for; empty: every sheet that has both."""

    @classmethod
    def of(cls, text: str) -> "GivenColumn":
        """``其列名=我们的列名``, or ``B.1 产生:其列名=我们的列名`` for one sheet only.

        Raises:
            Malformed: no ``=``, nothing before it, or too long for a header.
        """
        own, equals, ours = text.rpartition("=")
        sheet, _, header = own.replace("：", ":").partition(":")
        if normal(sheet) not in map(normal, BY_NAME):  # the colon is the header's own
            sheet, header = "", own
        if not equals or not normal(header) or len(header) > HEADER_MAX:
            raise Malformed("column-given-unreadable", read=text)
        return cls(header.strip(), ours.strip(), sheet.strip())

    @property
    def unread(self) -> bool:
        """The column is not to be read."""
        return self.column in UNREAD_WORDS


def given_columns(texts: Sequence[str]) -> tuple[GivenColumn, ...]:
    """What was given, each as `GivenColumn.of` reads it.

    Raises:
        Malformed: more than any file has headers, or one that cannot be read.
    """
    if len(texts) > GIVEN_MAX:
        raise Malformed("column-given-too-many", count=len(texts), limit=GIVEN_MAX)
    return tuple(GivenColumn.of(text) for text in texts)


class SheetColumns(Frozen):
    """What an enterprise calls the columns of one sheet: its header to the key of ours, empty where it is not read."""

    columns: dict[str, str] = {}
    fingerprints: tuple[str, ...] = ()
    """The rows of headers that were read as this sheet: a table that bears one of them is this sheet."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a file is to be taken."""

    file_name: str = ""
    good_rows: bool = False
    """Record the rows that nothing stands against, also when others are wrong."""
    given: tuple[GivenColumn, ...] = ()
    remembered: Mapping[str, SheetColumns] = field(default_factory=dict[str, SheetColumns])
    """By the key of the sheet."""

    def given_for(self, sheet: Sheet) -> list[GivenColumn]:
        """What was given for this sheet."""
        return [each for each in self.given if not each.sheet or normal(each.sheet) == normal(sheet.zh)]


def column_called(sheet: Sheet, header: str) -> Column | None:
    """Our column of a header, however it is spaced."""
    return next((column for column in sheet.columns if normal(column.zh) == normal(header)), None)
