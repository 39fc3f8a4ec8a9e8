"""All rows of a period and a horizon, summed once by who, what and when; boundaries then only pick sums."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from flows.codes import division_prefix
from flows.ids import SiteId, owner
from flows.indicators import Boundary, Question
from flows.materials import Material
from graph.columns import Columns
from graph.counts import NET, Arising, Integers
from graph.rows import FOREVER

Mask: TypeAlias = npt.NDArray[np.bool_]

PRIOR: Final = 0
OWN: Final = 1
LATER: Final = 2
KINDS: Final = 2 * NET
ALWAYS_US: Final = np.iinfo(np.int64).max
_HALF: Final = 26
"""Sums run in floats, exact below 2^53: the upper and the lower bits of a mass apart, for some 10^8 rows."""


def in_boundary(site_id: SiteId, divisions: Mapping[SiteId, str], boundary: Boundary) -> bool:
    """Does what arises or is made at a site belong to the boundary?"""
    if not divisions.get(site_id, "").startswith(boundary.within):
        return False
    match boundary.level:
        case "region":
            return True
        case "enterprise":
            return owner(site_id) == boundary.key
        case "prefecture" | "province":
            return divisions.get(site_id, "").startswith(division_prefix(boundary.key))


def passes(material: Material, boundary: Boundary, waste: str | None) -> bool:
    """Does a material pass a boundary's filters, and is it waste of this kind?"""
    code = material.waste_code
    if boundary.code is not None:
        if code is None:
            return False
        if boundary.code not in {code, ("SW" if "S" in code else "HW") + code[-2:]}:
            return False
    if boundary.material not in {None, material.id} or boundary.metal not in {None, material.metal}:
        return False
    return waste is None or material.legal_status == f"{waste}_waste"


def exact_sum(amounts: Integers) -> int:
    """The sum of grams, also past 64 bits."""
    return (int((amounts >> 32).sum()) << 32) + int((amounts & 0xFFFFFFFF).sum())


class Lines(NamedTuple):
    """The rows that a horizon knows: where, what, how much, of which group, and when."""

    position: Integers
    kind: Integers
    amount: Integers
    group: Integers
    time: Integers


class Sums:
    """Rows by group, kind and time. A group is a site, a material, and whether it arose before or in the period.

    Times: 0 is before the period, then its months, then after it.
    """

    def __init__(self, question: Question, columns: Columns) -> None:
        self.columns = columns
        self.months = list(question.period.split("month"))
        self._question = question
        self.divisions = columns.divisions if question.as_of is None else columns.divisions_as_of(question.as_of)
        self._revised = columns.counts.revised
        self._table = columns.table()
        self._group(self._table.origins)
        self._masks: dict[tuple[Boundary, str | None], Mask] = {}
        self.grams, self.numbers = self._summed(self.lines())

    def lines(self) -> Lines:
        """The rows; many, so they are made anew for whoever asks."""
        table, question = self._table, self._question
        end = len(table.since)
        if question.as_of is not None:
            end = int(np.searchsorted(table.since, question.as_of, side="right"))
        known: slice | Integers = slice(end)
        if self._revised or question.at_us is not None:
            as_of = FOREVER - 1 if question.as_of is None else question.as_of
            at_us = ALWAYS_US if question.at_us is None else question.at_us
            known = np.flatnonzero((table.until[:end] > as_of) & (table.effective_us[:end] <= at_us))
        starts = np.array([*(month.begin_us for month in self.months), question.period.end_us])
        time: Integers = np.searchsorted(starts, table.effective_us[known], side="right").astype(np.int64)
        group = self._of_origin[table.origin[known]]
        return Lines(table.position[known], table.kind[known], table.amount[known], group, time)

    def _group(self, origins: Integers) -> None:
        site, material, day, arising = origins.T
        period = self._question.period
        first, last = period.first.toordinal(), period.last.toordinal()
        prior = (arising == Arising.STOCK) | (day < first)
        whose = np.where(prior, PRIOR, np.where(day <= last, OWN, LATER))
        materials = max(1, len(self.columns.counts.materials.keys))
        keys, self._of_origin = np.unique((site * materials + material) * (LATER + 1) + whose, return_inverse=True)
        self.whose: Integers = keys % (LATER + 1)
        self.site: Integers = keys // (LATER + 1) // materials
        self.material: Integers = keys // (LATER + 1) % materials

    def _summed(self, lines: Lines) -> tuple[Integers, Integers]:
        """Exact grams, and how many rows, by group, kind and time."""
        shape = len(self.whose), KINDS, len(self.months) + 2
        cells = (lines.group * KINDS + lines.kind) * shape[2] + lines.time

        def summed(weights: Integers | None) -> Integers:
            return np.bincount(cells, weights, shape[0] * shape[1] * shape[2]).astype(np.int64).reshape(shape)

        upper, lower = summed(lines.amount >> _HALF), summed(lines.amount & ((1 << _HALF) - 1))
        return (upper << _HALF) + lower, summed(None)

    def inside(self, boundary: Boundary, waste: str | None) -> Mask:
        """Which groups lie in a boundary and pass its filters."""
        key = boundary, waste
        if key not in self._masks:
            catalogue, counts = self.columns.catalogue, self.columns.counts
            where = replace(boundary, code=None, material=None, metal=None)
            sites = [in_boundary(site, self.divisions, where) for site in counts.sites.keys]
            materials = [passes(catalogue.material(row), boundary, waste) for row in counts.materials.keys]
            self._masks[key] = np.array(sites, bool)[self.site] & np.array(materials, bool)[self.material]
        return self._masks[key]

    def of_materials(self, fits: Callable[[Material], bool]) -> Mask:
        """Which groups are of materials that fit."""
        catalogue, names = self.columns.catalogue, self.columns.counts.materials.keys
        return np.array([fits(catalogue.material(name)) for name in names], bool)[self.material]
