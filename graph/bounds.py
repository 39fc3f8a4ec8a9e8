"""Outer bounds of a fate: the least and the most of a source's grams that masses alone allow in each class.

Within a batch or a movement the source's grams may lie anywhere. So of a portion of `m` out of `t` grams that hold
between `low` and `high` of the source, the portion holds at least what does not fit into the rest, and at most all.
The intervals are led downstream; each answer contains every way of drawing, first in first out among them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from flows.fates import FATES
from graph.arrays import Floats, Ints
from graph.cone import Cone
from graph.mixing import Mixing, left
from graph.prefix import Prefix

_ROUNDING: Final = 1e-6
"""Of a gram: dry masses are no whole grams, so their bounds are taken a little wider."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Least and most grams by class, in the order of `FATES`."""

    least_g: tuple[int, ...]
    most_g: tuple[int, ...]


def bounds(prefix: Prefix, cone: Cone, mix: Mixing, ranks: Ints) -> Bounds | None:
    """Of the grams of these batches, the least and most in each class; None when one was made of another."""
    if bool(np.any(np.isin(mix.makes.what, ranks))):
        return None
    whole = float(mix.held[ranks].sum())
    low, high = np.zeros(len(prefix.mass_g)), np.zeros(len(prefix.mass_g))
    low[ranks] = high[ranks] = mix.held[ranks]
    passed_low, passed_high = _spread(mix, low, high, whole)
    rest, where = left(prefix, cone.ranks, mix.held)
    least, most = np.zeros(len(FATES)), np.zeros(len(FATES))
    parts = (
        (mix.ends.what, mix.ends.mass, *_of(mix.ends.movement, mix.through, passed_low, passed_high)),
        (mix.gaps.detail, mix.gaps.mass, *_of(mix.gaps.what, mix.held, low, high)),
        (where, rest, *_of(cone.ranks, mix.held, low, high)),
    )
    for classes, mass, total, own_low, own_high in parts:
        part_low, part_high = _portion(mass, total, own_low, own_high)
        least += np.bincount(classes, part_low, len(FATES))
        most += np.bincount(classes, part_high, len(FATES))
    return _closed(least, most, whole)


def _of(numbers: Ints, wholes: Floats | Ints, low: Floats, high: Floats) -> tuple[Floats | Ints, Floats, Floats]:
    return wholes[numbers], low[numbers], high[numbers]


def _portion(mass: Floats, total: Floats | Ints, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    return np.maximum(0, mass - (total - low)), np.minimum(mass, high)


def _spread(mix: Mixing, low: Floats, high: Floats, whole: float) -> tuple[Floats, Floats]:
    """Lead the intervals of batches downstream, in place; returns those of movements."""
    passed_low, passed_high = np.zeros(len(mix.movements)), np.zeros(len(mix.movements))
    for movements, drawn, made in mix.levels():
        batch, own = mix.draws.what[drawn], mix.draws.movement[drawn] - movements.start
        size = movements.stop - movements.start
        part_low, part_high = _portion(mix.draws.mass[drawn], mix.held[batch], low[batch], high[batch])
        passed_low[movements] = np.bincount(own, part_low, size)
        passed_high[movements] = np.minimum(np.bincount(own, part_high, size), whole)
        rank, maker = mix.makes.what[made], mix.makes.movement[made]
        low[rank], high[rank] = _portion(
            mix.makes.mass[made], mix.through[maker], passed_low[maker], passed_high[maker]
        )
    return passed_low, passed_high


def _closed(least: Floats, most: Floats, whole: float) -> Bounds:
    """Every gram is in one class: what fits nowhere else is in this one, and what is elsewhere is not."""
    most = np.minimum(most, whole)
    tight_least = np.maximum(least, whole - (most.sum() - most))
    tight_most = np.minimum(most, whole - (least.sum() - least))
    exact = float(whole).is_integer()
    slack = 0.0 if exact else _ROUNDING
    return Bounds(
        tuple(max(0, int(np.floor(each - slack))) for each in tight_least),
        tuple(int(np.ceil(each + slack)) for each in tight_most),
    )
