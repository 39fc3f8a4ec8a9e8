"""One definition on the rows of one boundary, period and horizon: which rows make up each of its parts."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from flows.codes import division_prefix
from flows.ids import SiteId, owner
from flows.indicators import TEN_METALS, Boundary, Completeness, Definition, Period, Question
from flows.materials import Material
from graph.columns import Columns
from graph.counts import NET, Arising, Integers, Kind
from graph.declared import FIGURES, declared, is_by_metal
from graph.recognition import is_liquid_aluminium

Mask: TypeAlias = npt.NDArray[np.bool_]

STOCK: Final = {
    Kind.ARISEN: 1, Kind.OPENING: 1, Kind.UTILIZED: -1, Kind.DISPOSED: -1, Kind.LEFT: -1, Kind.LOST: -1,
    Kind.GAP: -1, Kind.REPLACED: -1, Kind.LOADED: -1, Kind.UNLOADED: 1,
}  # fmt: skip
ROAD: Final = {Kind.LOADED: 1, Kind.UNLOADED: -1}
DATA_MAX: Final = Kind.BATCH
"""Kinds from here on count things and not grams."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a part is summed: kinds with their signs, in the period or until its end, over which origins."""

    signs: dict[Kind, int]
    until: bool = False
    whose: Literal["all", "prior", "own"] = "all"


WASTE_PARTS: Final = {
    "generated": Rule({Kind.ARISEN: 1}),
    "opening": Rule({Kind.OPENING: 1}),
    "utilized": Rule({Kind.UTILIZED: 1}),
    "utilized_prior": Rule({Kind.UTILIZED: 1}, whose="prior"),
    "disposed": Rule({Kind.DISPOSED: 1}),
    "disposed_prior": Rule({Kind.DISPOSED: 1}, whose="prior"),
    "left": Rule({Kind.LEFT: 1}),
    "lost": Rule({Kind.LOST: 1}),
    "gap": Rule({Kind.GAP: 1}),
    "replaced": Rule({Kind.REPLACED: 1}),
    "stored": Rule(STOCK, until=True, whose="own"),
    "stock": Rule(STOCK, until=True),
    "in_transit": Rule(ROAD, until=True),
}
METAL_PARTS: Final = {
    "secondary": Rule({Kind.SUPPLIED: 1}),
    "secondary_left": Rule({Kind.SUPPLY_LEFT: 1}),
    "primary": Rule({Kind.TAPPED: 1}),
    "tapped": Rule({Kind.TAPPED: 1}),
    "alloyed": Rule({Kind.ALLOYED: 1}),
    "product": Rule({Kind.PRODUCED: 1}),
}
SHOWN: Final = {
    "secondary": ("secondary", "secondary_left"),
    "alloyed": ("alloyed", "tapped"),
    "generated": ("generated", "product"),
}
"""Beside a definition's own parts: what else explains a figure whose numerator begins so."""


def in_boundary(site_id: SiteId, columns: Columns, boundary: Boundary) -> bool:
    """Does what arises or is made at a site belong to the boundary?"""
    if not columns.divisions.get(site_id, "").startswith(boundary.within):
        return False
    match boundary.level:
        case "region":
            return True
        case "enterprise":
            return owner(site_id) == boundary.key
        case "prefecture" | "province":
            return columns.divisions.get(site_id, "").startswith(division_prefix(boundary.key))


def origins_in(columns: Columns, boundary: Boundary, waste: str | None, origins: Integers) -> Mask:
    """Which of these origins lie in the boundary and pass its filters."""
    counts, catalogue = columns.counts, columns.catalogue
    sites = np.array([in_boundary(site, columns, boundary) for site in counts.sites.keys], dtype=np.bool_)
    rows = [catalogue.material(row) for row in counts.materials.keys]
    materials = np.array([_passes(row, boundary, waste) for row in rows], dtype=np.bool_)
    return sites[origins[:, 0]] & materials[origins[:, 1]]


def _passes(material: Material, boundary: Boundary, waste: str | None) -> bool:
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


def with_metal(question: Question, metal: str) -> Question:
    """The same question of one metal, or of all."""
    return replace(question, boundary=replace(question.boundary, metal=None if metal == "all" else metal))


@dataclass(frozen=True, slots=True)
class Cut:
    """The rows of a boundary that a horizon knows."""

    position: Integers
    effective_us: Integers
    kind: Integers
    origin: Integers
    amount: Integers
    origins: Integers


Cuts: TypeAlias = dict[tuple[Boundary, str | None, bool], Cut]
"""Cuts of one horizon, kept for the definitions and periods of one answer."""


def _cut(question: Question, waste: str | None, columns: Columns, *, products: bool) -> Cut:
    """Cut the rows; with products, those of all products too, whichever waste code is asked for."""
    table = columns.table()
    known = origins_in(columns, question.boundary, waste, table.origins)[table.origin]
    if products:
        others = origins_in(columns, replace(question.boundary, code=None, material=None), None, table.origins)
        known |= others[table.origin] & (table.kind == Kind.PRODUCED)
    if question.as_of is not None:
        known &= table.position <= question.as_of
    if question.at_us is not None:
        known &= table.effective_us <= question.at_us
    rows = np.flatnonzero(known)
    return Cut(
        table.position[rows], table.effective_us[rows], table.kind[rows], table.origin[rows], table.amount[rows],
        table.origins,
    )  # fmt: skip


class Reading:
    """One definition on the rows of one boundary, period and horizon."""

    def __init__(self, each: Definition, question: Question, columns: Columns, cuts: Cuts | None = None) -> None:
        self.definition = each
        if each.metal is not None:
            question = with_metal(question, each.metal)
        self.question = question
        self.columns = columns
        self._is_metal = each.numerator[0] in METAL_PARTS
        cuts = {} if cuts is None else cuts
        key = question.boundary, each.waste, "product" in each.denominator
        if key not in cuts:
            cuts[key] = _cut(self.question, each.waste, columns, products=key[2])
        self._cut = cuts[key]

    def names(self) -> Iterator[str]:
        """The parts to show."""
        first = self.definition.numerator[0]
        shown = SHOWN.get(first, ()) if self._is_metal or self.definition.unit == "kg/t" else tuple(WASTE_PARTS)
        yield from dict.fromkeys((*self.definition.numerator, *self.definition.denominator, *shown))

    def knows(self, part: str) -> bool:
        """Is there anything that says how much this part is?"""
        if self._is_declared(part):
            return declared(part, self.question, self.columns) is not None
        return True

    def _is_declared(self, part: str) -> bool:
        """A division's primary metal is declared; an enterprise's share of supply rests on what it tapped."""
        own = self.definition.metal is None and self.question.boundary.level == "enterprise"
        return part in FIGURES and not (part == "primary" and own)

    def part(self, part: str) -> tuple[Integers, Integers]:
        """Positions and signed grams of the rows that make up a part."""
        if self._is_declared(part):
            found = declared(part, self.question, self.columns) or []
            positions = [each.position for each in found]
            return np.array(positions, dtype=np.int64), np.array([e.event.mass_g for e in found], dtype=np.int64)
        rule = WASTE_PARTS.get(part) or METAL_PARTS[part]
        signs = self._signs(rule)[self._cut.kind]
        rows = (signs != 0) & self._when(until=rule.until) & self._whose(rule.whose)
        if part in METAL_PARTS:
            rows &= self._of_metal(part)
        return self._cut.position[rows], self._cut.amount[rows] * signs[rows]

    def _signs(self, rule: Rule) -> Integers:
        signs = np.zeros(2 * NET, dtype=np.int64)
        for kind, sign in rule.signs.items():
            chosen: int = kind
            if kind is Kind.UTILIZED and self.definition.recognized != "filed" and rule.signs is not STOCK:
                chosen = Kind.CHARGED if self.definition.recognized == "charged" else Kind.RELEASED
            signs[chosen + (NET if self.definition.view != "gross" and not self._is_metal else 0)] = sign
        return signs

    def _when(self, *, until: bool = False) -> Mask:
        period = self.question.period
        if self.definition.view == "cohort":
            return self._whose("own")
        return self._cut.effective_us < period.end_us if until else self._during(period)

    def _whose(self, whose: Literal["all", "prior", "own"]) -> Mask:
        if whose == "all":
            return np.ones(len(self._cut.origin), dtype=np.bool_)
        period = self.question.period
        day, arising = self._cut.origins[:, 2], self._cut.origins[:, 3]
        prior = (arising == Arising.STOCK) | (day < period.first.toordinal())
        own = ~prior & (day <= period.last.toordinal())
        return (prior if whose == "prior" else own)[self._cut.origin]

    def _of_metal(self, part: str) -> Mask:
        """Supply runs over the ten metals, the potroom's ratio over what is liquid."""
        catalogue, ids = self.columns.catalogue, self.columns.counts.materials.keys
        match part:
            case "tapped" | "alloyed":
                fits = [is_liquid_aluminium(catalogue.material(row)) for row in ids]
            case "product":
                fits = [True] * len(ids)
            case _:
                fits = [catalogue.material(row).metal in TEN_METALS for row in ids]
        return np.array(fits, dtype=np.bool_)[self._cut.origins[self._cut.origin, 1]]

    def reason(self) -> str | None:
        """Why there can be no figure, before anything is divided."""
        level = self.question.boundary.level
        figures = [part for part in self.definition.denominator if self._is_declared(part)]
        if level == "enterprise" and figures:
            return "not-for-enterprise"
        when = self._when(until=self.definition.unit == "g")
        has = bool((when & (self._cut.kind % NET < DATA_MAX)).any())
        return None if has else "no-data"

    def note(self, known: Collection[str]) -> str | None:
        """What to know of a figure that is there."""
        if "primary" not in known or not self._is_declared("primary") or self.question.boundary.metal is not None:
            return None
        return "primary-by-metal" if is_by_metal(self.question, self.columns) else None

    def completeness(self) -> Completeness:
        """What stands behind the figure."""
        months = list(self.question.period.split("month"))
        counted = self._cut.kind % NET < DATA_MAX
        until = self._cut.effective_us < self.question.period.end_us
        since = self._cut.effective_us >= self.question.period.begin_us
        own = self._whose("own")
        opened, closed = self._number(Kind.MANIFEST_OPENED, until), self._number(Kind.MANIFEST_CLOSED, until)
        return Completeness(
            batches=self._number(Kind.BATCH, own),
            assayed=self._number(Kind.ASSAYED, own),
            open_manifests=opened - closed,
            late_manifests=self._number(Kind.MANIFEST_LATE, until & since),
            months=len(months),
            months_with_data=sum(bool((counted & self._during(month)).any()) for month in months),
        )

    def _number(self, kind: Kind, rows: Mask) -> int:
        return int(self._cut.amount[(self._cut.kind == kind) & rows].sum())

    def _during(self, period: Period) -> Mask:
        return (self._cut.effective_us >= period.begin_us) & (self._cut.effective_us < period.end_us)
