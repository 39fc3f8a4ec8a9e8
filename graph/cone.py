"""What can be reached from some batches, each batch and movement visited once, whatever number of ways leads there."""

from dataclasses import dataclass

import numpy as np

from graph.arrays import Ints
from graph.prefix import Prefix


@dataclass(frozen=True, slots=True)
class Cone:
    """Batches by rank with the least number of movements that lead to each, and the movements passed on the way."""

    ranks: Ints
    depth: Ints
    movements: Ints


def downstream(prefix: Prefix, roots: Ints) -> Cone:
    """The roots, and all that was made of them."""
    passed = np.zeros(len(prefix.position), bool)
    steps: list[Ints] = []
    levels = [roots]
    while len(levels[-1]):
        movements = np.unique(prefix.draw_movement[prefix.draws_on(levels[-1])]).astype(np.int64)
        movements = movements[~passed[movements]]
        passed[movements] = True
        steps.append(movements)
        levels.append(prefix.makes_of(movements))
    return _cone(_first_seen(len(prefix.mass_g), levels), steps)


def upstream(prefix: Prefix, roots: Ints) -> Cone:
    """The roots, and all that they were made of."""
    passed = np.zeros(len(prefix.position), bool)
    seen = np.zeros(len(prefix.mass_g), bool)
    steps: list[Ints] = []
    levels = [roots]
    while len(levels[-1]):
        seen[levels[-1]] = True
        movements = np.unique(prefix.made_by[levels[-1]]).astype(np.int64)
        movements = movements[~passed[movements]]
        passed[movements] = True
        steps.append(movements)
        drawn = np.unique(prefix.draw_batch[prefix.draws_of(movements)]).astype(np.int64)
        levels.append(drawn[~seen[drawn]])
    return _cone(levels, steps)


def _first_seen(size: int, levels: list[Ints]) -> list[Ints]:
    """Without what stood in an earlier level: a root may be made of another root."""
    seen = np.zeros(size, bool)
    firsts: list[Ints] = []
    for level in levels:
        firsts.append(level[~seen[level]])
        seen[level] = True
    return firsts


def _cone(levels: list[Ints], steps: list[Ints]) -> Cone:
    ranks = np.concatenate(levels)
    depth = np.repeat(np.arange(len(levels), dtype=np.int64), [len(level) for level in levels])
    order = np.argsort(ranks)
    movements = np.sort(np.concatenate(steps)) if steps else np.zeros(0, np.int64)
    return Cone(ranks[order], depth[order], movements)
