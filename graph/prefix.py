"""What a reader sees of the lineage: a prefix that is whole, cut off at a horizon; nothing here costs with its size."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from graph.arrays import Ints, Lengths, Mask, Remarks, ranges
from graph.lineage import EVERYTHING, Horizon, Lineage

ASSAYED: Final = 0
ASSUMED: Final = 1
AS_WEIGHED: Final = 2


class Prefix:
    """Views of the columns, as long as the horizon reaches. Ranks, movements and lines are numbers into them."""

    def __init__(self, lineage: Lineage, horizon: Horizon = EVERYTHING) -> None:
        written = lineage.lengths
        self.lineage = lineage
        self.horizon = horizon
        self.lengths = sizes = _cut(lineage, written, horizon)
        batches, movements, draws = lineage.batches, lineage.movements, lineage.draws
        sources, ends = lineage.sources, lineage.ends
        self.mass_g = batches.mass_g.view(sizes.batches)
        self.made_us = batches.made_us.view(sizes.batches)
        self.made_by = batches.movement.view(sizes.batches)
        self.holder = batches.holder.view(sizes.batches)
        self.material = batches.material.view(sizes.batches)
        self.origin = batches.origin.view(sizes.batches)
        self.position = movements.position.view(sizes.movements)
        self.effective_us = movements.effective_us.view(sizes.movements)
        self.through_g = movements.through_g.view(sizes.movements)
        self.level = movements.level.view(sizes.movements)
        self.gap = movements.gap.view(sizes.movements)
        self.enterprise = movements.enterprise.view(sizes.movements)
        self.draw_movement = draws.movement.view(sizes.draws)
        self.draw_batch = draws.batch.view(sizes.draws)
        self.draw_mass_g = draws.mass_g.view(sizes.draws)
        self.draw_weighed_g = draws.weighed_g.view(sizes.draws)
        self.source_movement = sources.movement.view(sizes.sources)
        self.source_boundary = sources.boundary.view(sizes.sources)
        self.source_detail = sources.detail.view(sizes.sources)
        self.source_mass_g = sources.mass_g.view(sizes.sources)
        self.end_movement = ends.movement.view(sizes.ends)
        self.end_boundary = ends.boundary.view(sizes.ends)
        self.end_fate = ends.fate.view(sizes.ends)
        self.end_mass_g = ends.mass_g.view(sizes.ends)

    # the horizon ------------------------------------------------------------------------------------------------

    def live(self, movements: Ints) -> Mask:
        """Which of these movements had happened by the horizon's instant."""
        if self.horizon.at_us is None:
            return np.ones(len(movements), bool)
        return self.effective_us[movements] <= self.horizon.at_us

    def has(self, ranks: Ints) -> Mask:
        """Which of these batches had been made by the horizon."""
        known = (ranks >= 0) & (ranks < len(self.mass_g))
        return known & self.live(self.made_by[np.where(known, ranks, 0)]) if len(self.mass_g) else known

    @cached_property
    def ranks(self) -> Ints:
        """All batches that had been made."""
        ranks = np.arange(len(self.mass_g), dtype=np.int64)
        return ranks[self.live(self.made_by[ranks])]

    @cached_property
    def movements(self) -> Ints:
        """All movements that had happened."""
        movements = np.arange(len(self.position), dtype=np.int64)
        return movements[self.live(movements)]

    # around batches and movements -------------------------------------------------------------------------------

    def draws_on(self, ranks: Ints) -> Ints:
        """The draws on these batches, in entry order."""
        size = len(self.draw_batch)
        found: list[Ints] = []
        lines = self.lineage.batches.newest_draw.view()[ranks].astype(np.int64)
        while len(lines := lines[lines >= 0]):
            found.append(lines[lines < size])
            lines = self.lineage.draws.older.view()[lines].astype(np.int64)
        if not found:
            return np.zeros(0, np.int64)
        drawn = np.sort(np.concatenate(found))
        return drawn[self.live(self.draw_movement[drawn])]

    def draws_of(self, movements: Ints) -> Ints:
        """The draws that went into these movements."""
        return _lines_of(self.draw_movement, movements)

    def makes_of(self, movements: Ints) -> Ints:
        """The batches that these movements made."""
        return _lines_of(self.made_by, movements)

    def sources_of(self, movements: Ints) -> Ints:
        """The source lines of these movements."""
        return _lines_of(self.source_movement, movements)

    def ends_of(self, movements: Ints) -> Ints:
        """The end lines of these movements."""
        return _lines_of(self.end_movement, movements)

    def left_g(self, ranks: Ints) -> Ints:
        """What was left of these batches (sorted, each once) at the horizon."""
        lines = self.draws_on(ranks)
        drawn = np.zeros(len(ranks), np.int64)
        np.add.at(drawn, np.searchsorted(ranks, self.draw_batch[lines]), self.draw_mass_g[lines])
        return self.mass_g[ranks] - drawn

    # what was said later ----------------------------------------------------------------------------------------

    @cached_property
    def site(self) -> Ints:
        """Where each batch lies: the site of the storage area it was put into last."""
        own = self.lineage.batches.site.view(len(self.mass_g)).astype(np.int64)
        return self._told(own, self.lineage.places)

    @cached_property
    def status(self) -> Ints:
        """What each batch is in law, an index into `STATUSES`."""
        own = self.lineage.batches.status.view(len(self.mass_g)).astype(np.int64)
        return self._told(own, self.lineage.statuses)

    @cached_property
    def moistures(self) -> "Moistures":
        """One moisture for each batch: its last assay, else its material's assumed one, else none."""
        materials = self.lineage.catalogue.materials
        assumed = [materials[name].moisture_ppm for name in self.lineage.materials.names]
        ppm_of = np.array([ppm or 0 for ppm in assumed] or [0], np.int64)
        how_of = np.array([AS_WEIGHED if ppm is None else ASSUMED for ppm in assumed] or [0], np.int64)
        told = self._told(np.full(len(self.mass_g), -1, np.int64), self.lineage.moistures)
        assayed = told >= 0
        ppm = np.where(assayed, told, ppm_of[self.material])
        return Moistures(ppm, np.where(assayed, ASSAYED, how_of[self.material]))

    def _told(self, values: Ints, remarks: Remarks) -> Ints:
        size = remarks.batch.size
        batch, position = remarks.batch.view(size), remarks.position.view(size)
        effective_us, value = remarks.effective_us.view(size), remarks.value.view(size)
        known = position <= self.lengths.position
        if self.horizon.at_us is not None:
            known &= effective_us <= self.horizon.at_us
        order = np.lexsort((position[known], effective_us[known]))
        values[batch[known][order]] = value[known][order]  # of two words on one batch the later stays
        return values


@dataclass(frozen=True, slots=True)
class Moistures:
    """Water in parts per million of the mass as weighed, and where the figure is from."""

    ppm: Ints
    how: Ints
    """`ASSAYED`, `ASSUMED` or `AS_WEIGHED`."""


def _cut(lineage: Lineage, written: Lengths, horizon: Horizon) -> Lengths:
    """How far each column goes at a position."""
    if horizon.as_of is None or horizon.as_of >= written.position:
        return written
    positions = lineage.movements.position.view(written.movements)
    movements = int(np.searchsorted(positions, horizon.as_of, "right"))

    def until(column: Ints) -> int:
        return int(np.searchsorted(column, column.dtype.type(movements), "left"))

    return Lengths(
        max(horizon.as_of, 0),
        until(lineage.batches.movement.view(written.batches)),
        movements,
        until(lineage.draws.movement.view(written.draws)),
        until(lineage.sources.movement.view(written.sources)),
        until(lineage.ends.movement.view(written.ends)),
    )


def _lines_of(column: Ints, movements: Ints) -> Ints:
    """The lines whose movement is among these (sorted), in order."""
    movements = movements.astype(column.dtype)  # of one kind: otherwise NumPy would copy the whole column
    return ranges(
        np.searchsorted(column, movements, "left").astype(np.int64),
        np.searchsorted(column, movements, "right").astype(np.int64),
    )
