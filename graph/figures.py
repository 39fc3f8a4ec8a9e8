"""The indicators evaluated on the columns, grouped as asked; and the facts, to the gram, behind each part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np

from flows.codes import division_prefix
from flows.ids import owner
from flows.indicators import Boundary, Definition, Level, Question, Step, Value, definition, value_of
from graph.columns import Columns
from graph.counts import Arising
from graph.reading import Cuts, Reading, exact_sum, in_boundary, origins_in, with_metal

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
    """The figures of these definitions, one for each group; a definition's companion always comes with it."""
    cuts: Cuts = {}
    question = known(question, columns)
    return [
        value
        for one in _groups(question, columns, tuple(by))
        for name in dict.fromkeys(ids)
        for value in _with_companion(definition(name), one, columns, cuts)
    ]


def known(question: Question, columns: Columns) -> Question:
    """The question with its position, so that one answer holds still while somebody writes."""
    as_of = columns.position if question.as_of is None else min(question.as_of, columns.position)
    return replace(question, as_of=as_of)


def _with_companion(each: Definition, question: Question, columns: Columns, cuts: Cuts) -> Iterator[Value]:
    yield figure(each, question, columns, cuts)
    if each.beside is not None and each.metal is not None:
        yield figure(definition(each.beside), with_metal(question, each.metal), columns, cuts)


def figure(each: Definition, question: Question, columns: Columns, cuts: Cuts | None = None) -> Value:
    """One figure of a `known` question. `cuts` may be shared by all figures of that position and instant."""
    reading = Reading(each, question, columns, cuts)
    amounts = {part: exact_sum(reading.part(part)[1]) for part in reading.names() if reading.knows(part)}
    return value_of(each, amounts, reading.question, reading.completeness(), reading.reason(), reading.note(amounts))


def parts(value: Value, columns: Columns) -> list[Contribution]:
    """The facts behind numerator and denominator, in ledger order: those of a part sum exactly to it."""
    question = Question(value.period, value.boundary, value.as_of, value.at_us)
    reading = Reading(value.definition, question, columns)
    found: list[Contribution] = []
    for part in dict.fromkeys((*value.definition.numerator, *value.definition.denominator)):
        if not reading.knows(part):
            continue
        positions, amounts = reading.part(part)
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
        for code in sorted(_codes(columns, boundary)):
            yield replace(question, boundary=replace(boundary, code=code))
    elif LEVELS.index(by) <= LEVELS.index(boundary.level):  # no group reaches beyond what was asked
        yield question
    else:
        within = "" if boundary.level == "region" else division_prefix(boundary.key)
        for key in sorted(_keys(columns, boundary, by)):
            yield replace(question, boundary=replace(boundary, level=by, key=key, within=within))


def _codes(columns: Columns, boundary: Boundary) -> set[str]:
    """The codes of the wastes that count inside a boundary."""
    inside = origins_in(columns, boundary, None, columns.table().origins)
    origins = columns.counts.origins.keys
    ours = {origins[i].material for i in np.flatnonzero(inside) if origins[i].arising != Arising.OTHER}
    materials = (columns.catalogue.material(columns.counts.materials.keys[i]) for i in ours)
    return {material.waste_code for material in materials if material.waste_code is not None}


def _keys(columns: Columns, boundary: Boundary, level: Level) -> set[str]:
    sites = [site for site in list(columns.divisions) if in_boundary(site, columns, boundary)]
    if level == "enterprise":
        return {owner(site) for site in sites}
    return {columns.divisions[site][: DIGITS[level]] for site in sites}
