"""Good rows go in without the others: which rows are held back with a wrong one, and why."""

from collections.abc import Iterable, Iterator, Sequence

from api.workbook.report import HeldRows, ImportProblem
from api.workbook.world import Unit
from flows.errors import Malformed


def hold_back(found: Sequence[Unit], ordered: Iterable[Unit]) -> None:
    """Mark what rests on something that fails, and each rest of a batch that an unread row may have drawn on.

    A row whose batch cannot be read may take from any batch: while it is not mended, no batch can be closed, or what the
    row took would be posted as unaccounted and the mended row refused.
    """
    blind = any(
        row.faulty and row.sheet.has("batch") and "batch" not in row.values for unit in found for row in unit.rows
    )
    for unit in ordered:
        if any(found[cause].fails for cause in unit.causes) or (blind and _closes(unit)):
            unit.skipped = True


def _closes(unit: Unit) -> bool:
    return any(row.yes("rest") for row in unit.rows)


def held_rows(found: Sequence[Unit], errors: Iterable[ImportProblem]) -> Iterator[HeldRows]:
    """The rows of what fails that are not wrong themselves, each record with what it waits for."""
    wrong = {(problem.place.sheet, problem.place.row) for problem in errors}
    for unit in found:
        rows = tuple(row.number for row in unit.every if (unit.sheet.zh, row.number) not in wrong)
        if not unit.fails or not rows or unit.unchanged:
            continue
        sheet, row = _root(unit, found, wrong)
        told = Malformed("row-held-back", sheet=sheet, row=row) if row else Malformed("row-held-back-unread")
        yield HeldRows(sheet=unit.sheet.zh, rows=rows, record=unit.identity[-1], zh=told.text("zh"), en=told.text("en"))


def _root(unit: Unit, found: Sequence[Unit], wrong: set[tuple[str, int | None]]) -> tuple[str, int | None]:
    """The nearest row that is wrong, on this record or on one that it rests on."""
    seen, waiting = set[int](), [unit]
    while waiting:
        each = waiting.pop(0)
        row = next((row for row in each.rows if (each.sheet.zh, row.number) in wrong), None)
        if row is not None:
            return row.sheet.zh, row.number
        fresh = sorted(cause for cause in each.causes - seen if found[cause].fails)
        seen.update(fresh)
        waiting += (found[cause] for cause in fresh)
    return "", None
