"""An enterprise's own names for our columns: said once, kept on the desk, applied by themselves, shown and forgotten."""

from collections.abc import Callable, Mapping
from typing import Final

from api.workbook.manner import SheetColumns, column_called, normal
from api.workbook.report import ImportReport
from api.workbook.sheets import BY_NAME
from flows.enterprises import Frozen
from flows.ids import EnterpriseId
from flows.ports import Clock, Desk
from flows.times import instant_us

KIND: Final = "columns"
FINGERPRINTS_MOST: Final = 20
"""Forms of one sheet that one enterprise uses; of more, the latest are kept."""


class Remembered(Frozen):
    """All that one enterprise said of its columns, by the key of the sheet."""

    sheets: dict[str, SheetColumns] = {}


def remembered(desk: Desk, enterprise: EnterpriseId, clock: Clock) -> Mapping[str, SheetColumns]:
    """What an enterprise said of its columns, by the key of the sheet."""
    return _read(desk, enterprise, clock)[0].sheets


def remember(desk: Desk, enterprise: EnterpriseId, report: ImportReport, clock: Clock) -> int:
    """Keep what was given and applied in this import; returns how many headers that were.

    A header has one meaning on one sheet: what is said of it now goes before what was said. With it the form is kept
    (its row of headers), where the table bore another name than the sheet.
    """
    given = [each for each in report.headers if each.how == "given"]
    if not given:
        return 0
    marks = {each.sheet: each.fingerprint for each in report.sheets}

    def add(kept: Remembered) -> Remembered:
        sheets = dict(kept.sheets)
        for name in dict.fromkeys(each.sheet for each in given):
            sheet = BY_NAME[name]
            before = sheets.get(sheet.key, SheetColumns())
            columns = dict(before.columns)
            for each in given:
                if each.sheet == name:
                    column = column_called(sheet, each.column) if each.column else None
                    columns[normal(each.header)] = column.key if column else ""
            marked = [each for each in (*before.fingerprints, marks.get(name, "")) if each]
            forms = tuple(dict.fromkeys(marked))[-FINGERPRINTS_MOST:]
            sheets[sheet.key] = SheetColumns(columns=columns, fingerprints=forms)
        return Remembered(sheets=sheets)

    _change(desk, enterprise, add, clock)
    return len(given)


def forget(desk: Desk, enterprise: EnterpriseId, clock: Clock, sheet: str | None = None) -> None:
    """Forget what was said of the columns of one sheet (by its key), or of all."""

    def less(kept: Remembered) -> Remembered:
        return Remembered(sheets={key: each for key, each in kept.sheets.items() if sheet is not None and key != sheet})

    _change(desk, enterprise, less, clock)


def _read(desk: Desk, enterprise: EnterpriseId, clock: Clock) -> tuple[Remembered, int]:
    document = desk.get(KIND, enterprise, now_us=instant_us(clock()))
    if document is None:
        return Remembered(), 0
    return Remembered.model_validate_json(document.body), document.version


def _change(desk: Desk, enterprise: EnterpriseId, change: Callable[[Remembered], Remembered], clock: Clock) -> None:
    """Write what `change` makes of what is kept, over and over until nobody came between."""
    while True:
        kept, version = _read(desk, enterprise, clock)
        body = change(kept).model_dump_json().encode()
        if desk.put(KIND, enterprise, body, version=version, now_us=instant_us(clock())):
            return
