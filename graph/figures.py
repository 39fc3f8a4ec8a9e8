"""The indicators evaluated on the columns, grouped as asked; and the facts, to the gram, behind each part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, Literal, TypeAlias

import numpy as np

from flows.codes import division_prefix
from flows.ids import SiteId, owner
from flows.indicators import Boundary, Definition, Level, Period, Question, Step, Value, definition, value_of
from graph.columns import Columns
from graph.counts import Arising
from graph.reading import Reading
from graph.sums import Sums, in_boundary, passes

STEPS: Final[tuple[Step, ...]] = ("month", "quarter", "year")
By: TypeAlias = Literal["enterprise", "prefecture", "province", "code", "month", "quarter", "year"]
LEVELS: Final[tuple[Level, ...]] = ("region", "province", "prefecture", "enterprise")
DIGITS: Final = {"prefecture": 4, "province": 2}


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one fact adds to a part of a figure; negative where it takes away."""

    part: str
    position: int
    mass_g: int


def figures(ids: Sequence[str], question: Question, columns: Columns, by: Sequence[By] = ()) -> list[Value]:
    """The figures of these definitions, one for each group; a definition's companion always comes with it, and no
    figure of one boundary and period comes twice.
    """
    question = known(question, columns)

    @cache
    def sums(period: Period) -> Sums:
        return Sums(replace(question, period=period), columns)

    values = (
        value
        for one in _groups(question, columns, tuple(by))
        for name in dict.fromkeys(ids)
        for value in _with_companion(definition(name), one, sums(one.period))
    )
    found: dict[tuple[str, Boundary, Period], Value] = {}
    for value in values:
        found.setdefault((value.definition.id, value.boundary, value.period), value)
    return list(found.values())


def known(question: Question, columns: Columns) -> Question:
    """The question with its position, so that one answer holds still while somebody writes."""
    as_of = columns.position if question.as_of is None else min(question.as_of, columns.position)
    return replace(question, as_of=as_of)


def _with_companion(each: Definition, question: Question, sums: Sums) -> Iterator[Value]:
    value = figure(each, question, sums)
    yield value
    if each.beside is not None:
        yield figure(definition(each.beside), replace(question, boundary=value.boundary), sums)


def figure(each: Definition, question: Question, sums: Sums) -> Value:
    """One figure, on the sums of its period and horizon."""
    reading = Reading(each, question, sums)
    amounts = {name: mass_g for name in reading.names() if (mass_g := reading.part(name)) is not None}
    return value_of(each, amounts, reading.question, reading.completeness(), reading.reason(), reading.note(amounts))


def parts(value: Value, columns: Columns) -> list[Contribution]:
    """The facts behind numerator and denominator, in ledger order: those of a part sum exactly to it."""
    question = Question(value.period, value.boundary, value.as_of, value.at_us)
    reading = Reading(value.definition, question, Sums(question, columns))
    found: list[Contribution] = []
    for part in dict.fromkeys((*value.definition.numerator, *value.definition.denominator)):
        positions, amounts = reading.rows(part)
        order, start = np.unique(positions, return_inverse=True)
        sums_g = np.zeros(len(order), dtype=np.int64)
        np.add.at(sums_g, start, amounts)
        found += [
            Contribution(part, int(position), int(mass_g)) for position, mass_g in zip(order, sums_g, strict=True)
        ]
    return found


def _groups(question: Question, columns: Columns, by: tuple[By, ...]) -> Iterator[Question]:
    if not by:
        yield question
        return
    first, *rest = by
    for one in _split(question, columns, first):
        yield from _groups(one, columns, tuple(rest))


def _split(question: Question, columns: Columns, by: By) -> Iterator[Question]:
    boundary = question.boundary
    if by in STEPS:
        for period in question.period.split(by):
            yield replace(question, period=period)
    elif by == "code":
        for code in sorted(_codes(question, columns)):
            yield replace(question, boundary=replace(boundary, code=code))
    elif LEVELS.index(by) <= LEVELS.index(boundary.level):  # no group reaches beyond what was asked
        yield question
    else:
        within = "" if boundary.level == "region" else division_prefix(boundary.key)
        for key in sorted(_keys(question, columns, by)):
            yield replace(question, boundary=replace(boundary, level=by, key=key, within=within))


def _divisions(question: Question, columns: Columns) -> Mapping[SiteId, str]:
    return columns.divisions if question.as_of is None else columns.divisions_as_of(question.as_of)


def _codes(question: Question, columns: Columns) -> set[str]:
    """The codes of the wastes that count inside a boundary."""
    boundary, divisions = question.boundary, _divisions(question, columns)
    sites, rows = columns.counts.sites.keys, columns.counts.materials.keys
    inside = {i for i, site in enumerate(sites) if in_boundary(site, divisions, boundary)}
    table = columns.counts.origins.table()
    origins: list[list[int]] = np.unique(table[table[:, 3] != Arising.OTHER, :2], axis=0).tolist()
    found = {rows[material] for site, material in origins if site in inside}
    materials = [columns.catalogue.material(each) for each in found]
    return {each.waste_code for each in materials if each.waste_code is not None and passes(each, boundary, None)}


def _keys(question: Question, columns: Columns, level: Level) -> set[str]:
    boundary, divisions = question.boundary, _divisions(question, columns)
    sites = [site for site in list(divisions) if in_boundary(site, divisions, boundary)]
    if level == "enterprise":
        return {owner(site) for site in sites}
    return {divisions[site][: DIGITS[level]] for site in sites}
