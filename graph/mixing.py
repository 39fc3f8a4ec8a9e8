"""Proportional mixing: what goes into a movement is spread over all that comes out of it, by mass, on one basis."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from flows.balance import Boundary
from flows.fates import FATES, FateClass
from graph.arrays import Floats, Ints
from graph.lineage import BOUNDARIES, LOAD
from graph.prefix import Prefix

Basis: TypeAlias = Literal["weighed", "dry"]

PROPORTIONAL: Final = "proportional"
_PPM: Final = 1_000_000
_NOISE: Final = 1e-12
"""Of a movement's dry mass: what rounding leaves is no gap."""
_UNACCOUNTED: Final = BOUNDARIES.index(Boundary.UNACCOUNTED)
_ADDITION: Final = BOUNDARIES.index(Boundary.ADDITION)
_LOSS_MOISTURE: Final = FATES.index(FateClass.LOSS_MOISTURE)
_FATE_UNACCOUNTED: Final = FATES.index(FateClass.UNACCOUNTED)
_GAP_FATES: Final = np.array([FATES.index(FateClass(b)) if b in set(FateClass) else -1 for b in BOUNDARIES], np.int64)
"""The class of a draw's own gap, by its boundary."""
_LOSSES: Final = np.array([each.startswith("loss_") for each in FATES], bool)
STOCK: Final = FATES.index(FateClass.STOCK)
IN_TRANSIT: Final = FATES.index(FateClass.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class Lines:
    """Masses that belong to movements, these numbered from 0 in the order of their levels."""

    movement: Ints
    """Ascending."""
    what: Ints
    """A batch's rank, a fate class, or a boundary."""
    mass: Floats
    detail: Ints
    line: Ints
    """Where it stands in the lineage's table; -1 for what a basis adds."""

    @classmethod
    def sorted(cls, movement: Ints, what: Ints, mass: Floats, detail: Ints, line: Ints) -> "Lines":
        """In the order of movements, the first told first."""
        order = np.argsort(movement, kind="stable")
        return cls(movement[order], what[order].astype(np.int64), mass[order], detail[order], line[order])

    def bounds(self, steps: Ints) -> Ints:
        """Where the lines of each step of movements begin."""
        return np.searchsorted(self.movement, steps)


@dataclass(frozen=True, slots=True)
class Mixing:
    """The masses of some movements and all batches around them, in grams of one basis.

    `held` is what each batch of the prefix weighs, by rank. Of a draw, `draws` has what came from the batch into the
    movement; `gaps` has what was missing of it, which ends with its batch; what was too much is among `sources`.
    """

    movements: Ints
    steps: Ints
    """Where each level of movements begins, and at last their number."""
    through: Floats
    held: Floats | Ints
    draws: Lines
    makes: Lines
    sources: Lines
    ends: Lines
    gaps: Lines
    """`what` is the rank and `detail` the fate class."""

    def into(self) -> Floats:
        """Of each draw's batch, the share that it put into the movement."""
        return _shares(self.draws.mass, self.held[self.draws.what])

    def out_of(self, lines: Lines) -> Floats:
        """Of each line's movement, the share that it took."""
        return _shares(lines.mass, self.through[lines.movement])

    def levels(self) -> Iterator[tuple[slice, slice, slice]]:
        """Movements, draws and makes of each level, the lowest first."""
        drawn, made = self.draws.bounds(self.steps), self.makes.bounds(self.steps)
        for i in range(len(self.steps) - 1):
            yield (
                slice(int(self.steps[i]), int(self.steps[i + 1])),
                slice(int(drawn[i]), int(drawn[i + 1])),
                slice(int(made[i]), int(made[i + 1])),
            )

    def forward(self, content: Floats) -> Floats:
        """Spread what batches contain over what was made of them, in place; returns what passed each movement."""
        passed = np.zeros(len(self.movements))
        into, out = self.into(), self.out_of(self.makes)
        for movements, drawn, made in self.levels():
            own = self.draws.movement[drawn] - movements.start
            weights = content[self.draws.what[drawn]] * into[drawn]
            passed[movements] = np.bincount(own, weights, movements.stop - movements.start)
            content[self.makes.what[made]] += passed[self.makes.movement[made]] * out[made]
        return passed

    def backward(self, share: Floats) -> Floats:
        """Lead what batches contain back to what they were made of, in place; returns what came from each movement."""
        came = np.zeros(len(self.movements))
        out = self.out_of(self.draws)
        for movements, drawn, made in reversed(list(self.levels())):
            own = self.makes.movement[made] - movements.start
            came[movements] = np.bincount(own, share[self.makes.what[made]], movements.stop - movements.start)
            np.add.at(share, self.draws.what[drawn], came[self.draws.movement[drawn]] * out[drawn])
        return came


def _shares(parts: Floats, wholes: Floats | Ints) -> Floats:
    """Parts of wholes; of nothing, nothing."""
    return np.divide(parts, wholes, out=np.zeros(len(parts)), where=wholes > 0)


def mixing(prefix: Prefix, movements: Ints, basis: Basis = "weighed") -> Mixing:
    """The masses of these movements (sorted)."""
    level = prefix.level[movements].astype(np.int64)
    order = np.argsort(level, kind="stable")
    place = np.empty(len(movements), np.int64)
    place[order] = np.arange(len(movements))
    steps = np.append(np.flatnonzero(np.diff(level[order], prepend=-1)), len(movements)).astype(np.int64)
    read = _Reader(prefix, movements, place, dry=basis == "dry")
    draws, makes, gaps = read.draws(), read.makes(), read.gaps()
    sources, ends = read.sources(makes), read.ends(draws)
    if basis == "dry":
        sources, ends = read.with_dry_gaps(draws, makes, sources, ends)
        through = read.sums(draws) + read.sums(sources)
    else:
        through = prefix.through_g[movements[order]].astype(np.float64)
    return Mixing(movements[order], steps, through, read.held, draws, makes, sources, ends, gaps)


class _Reader:
    """Reads the lines of some movements in grams of a basis."""

    def __init__(self, prefix: Prefix, movements: Ints, place: Ints, *, dry: bool) -> None:
        self.prefix = prefix
        self.movements = movements
        self.place = place
        self.dry = dry
        self.held = prefix.mass_g * self._solid() if dry else prefix.mass_g
        self.lines = prefix.draws_of(movements)
        self.batch = prefix.draw_batch[self.lines].astype(np.int64)
        self.own = self._local(prefix.draw_movement[self.lines])
        solid = self._solid()[self.batch] if dry else np.ones(len(self.batch))
        self.gave: Floats = prefix.draw_mass_g[self.lines] * solid
        self.weighed: Floats = prefix.draw_weighed_g[self.lines] * solid

    def _solid(self) -> Floats:
        return (_PPM - self.prefix.moistures.ppm) / _PPM

    def _local(self, movements: Ints) -> Ints:
        return self.place[np.searchsorted(self.movements, movements)]

    def sums(self, lines: Lines) -> Floats:
        """What lines sum to in each movement."""
        return np.bincount(lines.movement, lines.mass, len(self.movements)).astype(np.float64)

    def draws(self) -> Lines:
        return Lines.sorted(self.own, self.batch, np.minimum(self.gave, self.weighed), self.batch, self.lines)

    def makes(self) -> Lines:
        ranks = self.prefix.makes_of(self.movements)
        return Lines.sorted(
            self._local(self.prefix.made_by[ranks]), ranks, self.held[ranks].astype(np.float64), ranks, ranks
        )

    def gaps(self) -> Lines:
        missing = self.gave - self.weighed
        hit = missing > 0
        fates = _GAP_FATES[self.prefix.gap[self.prefix.draw_movement[self.lines[hit]]]]
        return Lines.sorted(self.own[hit], self.batch[hit], missing[hit], fates, self.lines[hit])

    def sources(self, makes: Lines) -> Lines:
        """Source lines, and what draws weighed more than their batches had."""
        prefix, lines = self.prefix, self.prefix.sources_of(self.movements)
        own, boundary = self._local(prefix.source_movement[lines]), prefix.source_boundary[lines].astype(np.int64)
        mass: Floats = prefix.source_mass_g[lines].astype(np.float64)
        detail = prefix.source_detail[lines].astype(np.int64)
        if self.dry:
            added, settled = boundary == _ADDITION, boundary == _UNACCOUNTED
            mass = np.where(added, mass * self._solid_details()[detail], self.sums(makes)[own])
            own, boundary, mass = own[~settled], boundary[~settled], mass[~settled]
            detail, lines = detail[~settled], lines[~settled]
        extra = self.weighed - self.gave
        hit = extra > 0
        gap = prefix.gap[prefix.draw_movement[self.lines[hit]]].astype(np.int64)
        none = np.zeros(int(hit.sum()), np.int64)
        return Lines.sorted(
            np.append(own, self.own[hit]),
            np.append(boundary, gap),
            np.append(mass, extra[hit].astype(np.float64)),
            np.append(detail, none),
            np.append(lines, none - 1),
        )

    def _solid_details(self) -> Floats:
        """The solid share of each material that a source line may name."""
        materials = self.prefix.lineage.catalogue.materials
        found = [materials.get(name) for name in self.prefix.lineage.details.names]
        return np.array([1 - (row.moisture_ppm or 0) / _PPM if row else 1.0 for row in found])

    def ends(self, draws: Lines) -> Lines:
        """End lines. Dry, a loss has no water but is all water when it is moisture; other ends take all that came."""
        prefix, lines = self.prefix, self.prefix.ends_of(self.movements)
        own, fates = self._local(prefix.end_movement[lines]), prefix.end_fate[lines].astype(np.int64)
        mass = prefix.end_mass_g[lines].astype(np.float64)
        if self.dry:
            extra = np.bincount(self.own, np.maximum(self.weighed - self.gave, 0), len(self.movements))
            mass = np.where(_LOSSES[fates], mass, (self.sums(draws) + extra)[own])
            mass[fates == _LOSS_MOISTURE] = 0
            kept = prefix.end_boundary[lines] != _UNACCOUNTED
            own, fates, mass, lines = own[kept], fates[kept], mass[kept], lines[kept]
        return Lines.sorted(own, fates, mass, fates, lines)

    def with_dry_gaps(self, draws: Lines, makes: Lines, sources: Lines, ends: Lines) -> tuple[Lines, Lines]:
        """Each movement balanced: dry matter that is missing ends, and what is too much comes, unaccounted."""
        came, went = self.sums(draws) + self.sums(sources), self.sums(makes) + self.sums(ends)
        gap = np.where(np.abs(came - went) > _NOISE * came, came - went, 0)
        return _with(sources, -gap, _UNACCOUNTED), _with(ends, gap, _FATE_UNACCOUNTED)


def _with(lines: Lines, mass: Floats, what: int) -> Lines:
    """Lines, and one more for each movement that has a positive mass."""
    more = np.flatnonzero(mass > 0)
    none = np.zeros(len(more), np.int64)
    return Lines.sorted(
        np.append(lines.movement, more),
        np.append(lines.what, none + what),
        np.append(lines.mass, mass[more]),
        np.append(lines.detail, none),
        np.append(lines.line, none - 1),
    )


def left(prefix: Prefix, ranks: Ints, held: Floats | Ints) -> tuple[Floats, Ints]:
    """What is left of these batches (sorted) at the horizon, in grams of the basis of `held`, and its class."""
    whole = prefix.mass_g[ranks]
    rest = held[ranks] * (prefix.left_g(ranks) / whole)
    return rest, np.where(prefix.origin[ranks] == LOAD, IN_TRANSIT, STOCK)
