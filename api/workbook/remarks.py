"""What a row says and a fact has no field for: kept in the fact's note under its header, and read back from there."""

import re
from collections.abc import Iterable, Mapping

from api.workbook.layout import ABOUT_ROWS, Sheet
from flows.errors import Malformed

NOTE_MAX = 500
NOTE_LABEL = "备注"


def write_remarks(pairs: Iterable[tuple[str, str]], note: str | None) -> str | None:
    """One note of labelled texts: ``产生部门经办人：张三；去向：贮存；备注：…``.

    Raises:
        Malformed: the note of a fact holds 500 characters.
    """
    told = [f"{label}：{text}" for label, text in pairs if text]
    if not told:
        return note or None
    if note:
        told.append(f"{NOTE_LABEL}：{note}")
    text = "；".join(told)
    if len(text) > NOTE_MAX:
        raise Malformed("workbook-note-long", length=len(text), limit=NOTE_MAX)
    return text


def labels_of(sheet: Sheet) -> tuple[str, ...]:
    """Any header of a sheet may label what a note keeps."""
    return tuple(column.zh for column in sheet.columns if column.zh != NOTE_LABEL and column not in ABOUT_ROWS)


def read_remarks(text: str | None, labels: Iterable[str]) -> tuple[Mapping[str, str], str]:
    """The labelled texts of a note, and what else it says. A note that nobody labelled is all note."""
    if not text:
        return {}, ""
    names = "|".join(re.escape(label) for label in (*labels, NOTE_LABEL))
    starts = list(re.finditer(rf"(?:^|；)({names})：", text))
    if not starts or starts[0].start() != 0:
        return {}, text
    ends = [start.start() for start in starts[1:]] + [len(text)]
    found = {start[1]: text[start.end() : end] for start, end in zip(starts, ends, strict=True)}
    return found, found.pop(NOTE_LABEL, "")
