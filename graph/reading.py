"""One definition on the sums of one boundary: which groups, kinds and times make up each of its parts."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from flows.indicators import TEN_METALS, Boundary, Completeness, Definition, Question
from flows.materials import Material
from graph.counts import NET, Integers, Kind
from graph.declared import FIGURES, declared, is_by_metal
from graph.metals import is_liquid_aluminium
from graph.sums import KINDS, OWN, PRIOR, Mask, Sums, exact_sum

STOCK: Final = {
    Kind.ARISEN: 1, Kind.OPENING: 1, Kind.UTILIZED: -1, Kind.DISPOSED: -1, Kind.LEFT: -1, Kind.LOST: -1,
    Kind.GAP: -1, Kind.REPLACED: -1, Kind.LOADED: -1, Kind.UNLOADED: 1,
}  # fmt: skip
ROAD: Final = {Kind.LOADED: 1, Kind.UNLOADED: -1}
DATA: Final[Integers] = np.array([kind for kind in range(KINDS) if kind % NET < Kind.BATCH], dtype=np.int64)
"""Kinds that weigh something; the others count batches and manifests."""


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


def with_metal(question: Question, metal: str) -> Question:
    """The same question of one metal, or of all."""
    return replace(question, boundary=replace(question.boundary, metal=None if metal == "all" else metal))


class Reading:
    """One definition on the sums of one period and horizon, in one boundary."""

    def __init__(self, each: Definition, question: Question, sums: Sums) -> None:
        self.definition = each
        self.refusal = _refusal(each, question.boundary)
        self.question = question if each.metal is None or self.refusal else with_metal(question, each.metal)
        self._sums = sums
        self._columns = sums.columns
        self._is_metal = each.numerator[0] in METAL_PARTS
        self._inside = sums.inside(self.question.boundary, each.waste)

    # parts ------------------------------------------------------------------------------------------------------

    def names(self) -> Iterator[str]:
        """The parts to show."""
        first = self.definition.numerator[0]
        shown = SHOWN.get(first, ()) if self._is_metal or self.definition.unit == "kg/t" else tuple(WASTE_PARTS)
        yield from dict.fromkeys((*self.definition.numerator, *self.definition.denominator, *shown))

    def part(self, part: str) -> int | None:
        """The grams of a part; None where they must be declared and are not, or where a filter cannot be honoured."""
        if self.refusal is not None:
            return None
        if self._is_declared(part):
            found = declared(part, self.question, self._columns)
            return None if found is None else sum(each.event.mass_g or 0 for each in found)
        rule, groups = self._rule(part), self._groups(part)
        times, signs = self._times(until=rule.until), self._signs(rule)
        kinds = np.flatnonzero(signs)
        picked = self._sums.grams[np.ix_(groups, kinds, times)]
        return exact_sum(picked * signs[kinds][None, :, None])

    def rows(self, part: str) -> tuple[Integers, Integers]:
        """Positions and signed grams of the facts that make up a part."""
        if self.refusal is not None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        if self._is_declared(part):
            found = declared(part, self.question, self._columns) or []
            positions = [each.position for each in found]
            return np.array(positions, dtype=np.int64), np.array([e.event.mass_g for e in found], dtype=np.int64)
        rule, lines = self._rule(part), self._sums.lines()
        signs = self._signs(rule)[lines.kind]
        rows = (signs != 0) & self._groups(part)[lines.group] & self._times(until=rule.until)[lines.time]
        return lines.position[rows], lines.amount[rows] * signs[rows]

    def _rule(self, part: str) -> Rule:
        return WASTE_PARTS.get(part) or METAL_PARTS[part]

    def _is_declared(self, part: str) -> bool:
        """A division's primary metal is declared; an enterprise's share of supply rests on what it tapped."""
        own = self.definition.metal is None and self.question.boundary.level == "enterprise"
        return part in FIGURES and not (part == "primary" and own)

    def _signs(self, rule: Rule) -> Integers:
        signs = np.zeros(KINDS, dtype=np.int64)
        for kind, sign in rule.signs.items():
            chosen: int = kind
            if kind is Kind.UTILIZED and self.definition.recognized != "filed" and rule.signs is not STOCK:
                chosen = Kind.CHARGED if self.definition.recognized == "charged" else Kind.RELEASED
            signs[chosen + (NET if self.definition.view != "gross" and not self._is_metal else 0)] = sign
        return signs

    def _times(self, *, until: bool = False) -> Mask:
        """Before, the months, after: a cohort is followed to the horizon."""
        times = np.ones(len(self._sums.months) + 2, dtype=np.bool_)
        if self.definition.view != "cohort":
            times[-1] = False
            times[0] = until
        return times

    def _groups(self, part: str) -> Mask:
        """Supply runs over the ten metals, the potroom's ratio over what is liquid, products over all of the place."""
        groups = self._inside
        match part:
            case "tapped" | "alloyed":
                groups = groups & self._sums.of_materials(is_liquid_aluminium)
            case "secondary" | "secondary_left" | "primary":
                groups = groups & self._sums.of_materials(_is_of_the_ten)
            case "product":
                groups = self._sums.inside(replace(self.question.boundary, code=None, material=None), None)
            case _:
                pass
        whose = "own" if self.definition.view == "cohort" else self._rule(part).whose
        if whose == "all":
            return groups
        return groups & (self._sums.whose == (PRIOR if whose == "prior" else OWN))

    # what is said of it -----------------------------------------------------------------------------------------

    def reason(self) -> str | None:
        """Why there can be no figure, before anything is divided."""
        if self.refusal is not None:
            return self.refusal
        figures = [part for part in self.definition.denominator if self._is_declared(part)]
        if self.question.boundary.level == "enterprise" and figures:
            return "not-for-enterprise"
        groups, times = self._inside, self._times(until=self.definition.unit == "g")
        if self.definition.view == "cohort":
            groups = groups & (self._sums.whose == OWN)
        found = self._number(DATA.tolist(), groups, times)
        if "product" in self.definition.denominator:
            found += self._number([Kind.PRODUCED], self._groups("product"), times)
        return None if found else "no-data"

    def note(self, known: Collection[str]) -> str | None:
        """What to know of a figure that is there."""
        if "primary" not in known or not self._is_declared("primary") or self.question.boundary.metal is not None:
            return None
        return "primary-by-metal" if is_by_metal(self.question, self._columns) else None

    def completeness(self) -> Completeness:
        """What stands behind the figure."""
        inside, months = self._inside, len(self._sums.months)
        own = inside & (self._sums.whose == OWN)
        every = np.ones(months + 2, dtype=np.bool_)
        during = every.copy()
        during[[0, -1]] = False
        until = every.copy()
        until[-1] = False
        opened = self._number([Kind.MANIFEST_OPENED], inside, until)
        data = self._sums.numbers[np.ix_(inside, DATA, during)].sum(axis=(0, 1))
        return Completeness(
            batches=self._number([Kind.BATCH], own, every),
            assayed=self._number([Kind.ASSAYED], own, every),
            open_manifests=opened - self._number([Kind.MANIFEST_CLOSED], inside, until),
            late_manifests=self._number([Kind.MANIFEST_LATE], inside, during),
            months=months,
            months_with_data=int((data > 0).sum()),
        )

    def _number(self, kinds: Iterable[int], groups: Mask, times: Mask) -> int:
        return int(self._sums.numbers[np.ix_(groups, np.fromiter(kinds, np.int64), times)].sum())


def _refusal(each: Definition, boundary: Boundary) -> str | None:
    """The reason why a definition says nothing of what a filter leaves: it is of other metals, or its denominator is
    the statistics' output, which knows neither materials nor codes.
    """
    if each.metal is not None and boundary.metal not in {None, each.metal}:
        return "metal-by-definition"
    declares = boundary.level != "enterprise" and any(part in FIGURES for part in each.denominator)
    return "filter-not-declared" if declares and (boundary.material or boundary.code) else None


def _is_of_the_ten(material: Material) -> bool:
    return material.metal in TEN_METALS
