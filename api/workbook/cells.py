"""Where a cell stands, as Excel shows it, and how far a table may reach."""

import re
from typing import Final

from flows.errors import Malformed

ROWS_MAX: Final = 100_000
COLUMNS_MAX: Final = 702  # up to column ZZ
CELLS_MAX: Final = 4_000_000
"""Of one sheet, empty ones between its corners included: a hundred thousand rows of forty columns."""


def cell_name(row: int, column: int) -> str:
    """``cell_name(5, 27)`` is AA5, as Excel shows it."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


def cell_place(name: str) -> tuple[int, int] | None:
    """``cell_place("AA5")`` is (5, 27); None for what names no cell."""
    match = re.fullmatch(r"([A-Z]{1,3})(\d{1,7})", name)
    if match is None:
        return None
    return int(match[2]), column_number(match[1])


def column_number(letters: str) -> int:
    """``column_number("AA")`` is 27."""
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - 64
    return column


def check_extent(sheet: str, rows: int, columns: int) -> None:
    """One cell in the last corner would lay out millions of empty ones.

    Raises:
        Malformed: the table reaches further than a ledger does.
    """
    if rows > ROWS_MAX or columns > COLUMNS_MAX or rows * columns > CELLS_MAX:
        raise Malformed("workbook-too-long", sheet=sheet, rows=rows, limit=ROWS_MAX)
