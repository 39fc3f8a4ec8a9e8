"""External figures: those of a division and a period, pieced together from what was declared, or not at all."""

from datetime import date, timedelta
from typing import Final

from flows.codes import division_prefix
from flows.events import FigureName
from flows.indicators import TEN_METALS, Boundary, Period, Question
from graph.columns import Columns, Declared
from graph.rows import FOREVER

FIGURES: Final[dict[str, FigureName]] = {
    "primary": "primary_output",
    "refined_output": "refined_output",
    "ten_metals_output": "ten_metals_output",
}
"""Parts of definitions, and the figure that each is read from."""

_PROVINCE: Final = "0000"


def declared(part: str, question: Question, columns: Columns) -> list[Declared] | None:
    """The declarations that together cover the period, without gap or overlap; None when there are none such.

    A later declaration of the same division and days stands for an earlier one. A region is the sum of its provinces.
    Primary metal of all kinds is the declared total, or else the sum of the metals that are declared.
    """
    if part == "primary" and is_by_metal(question, columns):
        found: list[Declared] = []
        for metal in TEN_METALS:
            of_metal = _declared(part, metal, question, columns)
            if of_metal is None:
                return None
            found += of_metal
        return found or None
    metal = "all" if part == "ten_metals_output" else question.boundary.metal or "all"
    return _declared(part, metal, question, columns) or None


def is_by_metal(question: Question, columns: Columns) -> bool:
    """Is there no total of primary metal, so that the metals must be added up?"""
    return question.boundary.metal is None and not _declared("primary", "all", question, columns)


def _declared(part: str, metal: str, question: Question, columns: Columns) -> list[Declared] | None:
    """The pieces of one metal; empty when nobody declared it, None when what was declared leaves days out."""
    known = _latest(part, metal, question, columns)
    divisions = sorted({each.event.division for each in known if _speaks_of(each.event.division, question.boundary)})
    found: list[Declared] = []
    for division in divisions:
        chain = _chain([each for each in known if each.event.division == division], question.period)
        if chain is None:
            return None
        found += chain
    return found


def _speaks_of(division: str, boundary: Boundary) -> bool:
    if boundary.level == "enterprise":
        return False
    if boundary.level == "region":
        return division.endswith(_PROVINCE)
    prefix = division_prefix(boundary.key)
    return division_prefix(division) == prefix


def _latest(part: str, metal: str, question: Question, columns: Columns) -> list[Declared]:
    """What the horizon knows of a figure, the last word on each division and days."""
    latest: dict[tuple[str, date, date], Declared] = {}
    for each in columns.figures:
        event = each.event
        if (event.figure, event.metal) != (FIGURES[part], metal) or event.mass_g is None:
            continue
        if not each.since <= (FOREVER - 1 if question.as_of is None else question.as_of) < each.until:
            continue
        if question.at_us is not None and each.effective_us > question.at_us:
            continue
        latest[event.division, event.period_from, event.period_to] = each
    return list(latest.values())


def _chain(pieces: list[Declared], period: Period) -> list[Declared] | None:
    """The fewest pieces that follow each other from the first day to the last."""
    best: dict[date, list[Declared]] = {period.first: []}
    for piece in sorted(pieces, key=lambda each: (each.event.period_to, each.position)):
        before = best.get(piece.event.period_from)
        if before is None or piece.event.period_to > period.last:
            continue
        after = piece.event.period_to + timedelta(days=1)
        if after not in best or len(before) + 1 < len(best[after]):
            best[after] = [*before, piece]
    return best.get(period.last + timedelta(days=1))
