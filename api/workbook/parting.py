"""Workbooks that were written are taken apart: a sheet of xlsxwriter's holds on to itself, with all of its cells."""

from collections.abc import Iterable
from typing import Protocol


class Written(Protocol):
    """What is used of xlsxwriter's workbook here, with its types."""

    def worksheets(self) -> Iterable[object]:
        """Its sheets in order."""
        ...


def part(book: Written) -> None:
    """Let go of every sheet of a closed workbook: a server looks for circles only among what is new (`api.manners`)."""
    for sheet in book.worksheets():
        vars(sheet).clear()
