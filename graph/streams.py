"""What enters and leaves each batch of a trace beside its links, so that a picture of it balances.

All masses here are the root's: what of its grams went that way, by proportional mixing. `beyond` is what goes on to,
or comes from, batches that the trace does not show.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from flows.fates import FATES, FateClass
from graph.lineage import BOUNDARIES, LOAD, Horizon, Lineage
from graph.prefix import Prefix
from graph.tracing import Direction, Trace

BEYOND: Final = "beyond"
_NOISE: Final = 1e-9
"""Of the root's mass: what rounding leaves is no stream."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Some of the root's mass beside a batch: `name` is a class of fate, a boundary, or `beyond`."""

    rank: int
    name: str
    mass_g: float
    inward: bool
    batches: int = 0
    """How many hidden batches it leads to, or comes from, in one step."""


def streams(lineage: Lineage, traced: Trace, direction: Direction, horizon: Horizon) -> list[Stream]:
    """The streams of a trace by batch. Upstream of the root nothing ends; downstream nothing of it comes anew."""
    own = _Streams(Prefix(lineage, horizon), traced)
    found: list[Stream] = []
    for rank, depth in zip(traced.nodes.rank.tolist(), traced.nodes.depth.tolist(), strict=True):
        if depth > 0 or (depth == 0 and direction != "up"):
            found += own.leaving(rank)
        if depth < 0 or (depth == 0 and direction != "down"):
            found += own.entering(rank)
        if depth != 0:
            found += own.hidden(rank, inward=depth > 0)
    return found


class _Streams:
    """The masses beside the batches of one trace."""

    def __init__(self, prefix: Prefix, traced: Trace) -> None:
        self.prefix = prefix
        nodes, edges = traced.nodes, traced.edges
        self.content_g: dict[int, float] = dict(zip(nodes.rank.tolist(), nodes.content_g.tolist(), strict=True))
        self.left_g: dict[int, int] = dict(zip(nodes.rank.tolist(), nodes.left_g.tolist(), strict=True))
        self.least_g = _NOISE * max([1.0, *self.content_g.values()])
        self.into: defaultdict[int, float] = defaultdict(float)
        self.out: defaultdict[int, float] = defaultdict(float)
        for giver, taker, mass_g in zip(
            edges.from_rank.tolist(), edges.to_rank.tolist(), edges.content_g.tolist(), strict=True
        ):
            self.out[giver] += mass_g
            self.into[taker] += mass_g

    def _told(self, rank: int, masses: dict[str, float], batches: set[int], *, inward: bool) -> Iterator[Stream]:
        for name, mass_g in masses.items():
            if mass_g > self.least_g:
                yield Stream(rank, name, mass_g, inward, len(batches) if name == BEYOND else 0)

    def leaving(self, rank: int) -> Iterator[Stream]:
        """What ended of a batch, what is left of it, and what went into batches that are not shown."""
        prefix, masses, hidden = self.prefix, defaultdict[str, float](float), set[int]()
        part = self.content_g[rank] / int(prefix.mass_g[rank])
        for line in prefix.draws_on(np.array([rank])).tolist():
            movement = int(prefix.draw_movement[line])
            drawn_g, weighed_g = int(prefix.draw_mass_g[line]), int(prefix.draw_weighed_g[line])
            went_g = part * min(drawn_g, weighed_g)
            if drawn_g > weighed_g:
                masses[BOUNDARIES[int(prefix.gap[movement])].value] += part * (drawn_g - weighed_g)
            through_g, one = int(prefix.through_g[movement]), np.array([movement])
            for end in prefix.ends_of(one).tolist():
                name = FATES[int(prefix.end_fate[end])].value
                masses[name] += went_g * int(prefix.end_mass_g[end]) / through_g
            for made in prefix.makes_of(one).tolist():
                if made not in self.content_g:
                    masses[BEYOND] += went_g * int(prefix.mass_g[made]) / through_g
                    hidden.add(made)
        rest = FateClass.IN_TRANSIT if int(prefix.origin[rank]) == LOAD else FateClass.STOCK
        masses[rest.value] += part * self.left_g[rank]
        return self._told(rank, masses, hidden, inward=False)

    def entering(self, rank: int) -> Iterator[Stream]:
        """What came over a boundary into a batch, and what came from batches that are not shown."""
        prefix, masses, hidden = self.prefix, defaultdict[str, float](float), set[int]()
        movement = int(prefix.made_by[rank])
        part = self.content_g[rank] / int(prefix.through_g[movement])
        one = np.array([movement])
        for line in prefix.sources_of(one).tolist():
            masses[BOUNDARIES[int(prefix.source_boundary[line])].value] += part * int(prefix.source_mass_g[line])
        for line in prefix.draws_of(one).tolist():
            drawn_g, weighed_g = int(prefix.draw_mass_g[line]), int(prefix.draw_weighed_g[line])
            if weighed_g > drawn_g:
                masses[BOUNDARIES[int(prefix.gap[movement])].value] += part * (weighed_g - drawn_g)
            if (giver := int(prefix.draw_batch[line])) not in self.content_g:
                masses[BEYOND] += part * min(drawn_g, weighed_g)
                hidden.add(giver)
        return self._told(rank, masses, hidden, inward=True)

    def hidden(self, rank: int, *, inward: bool) -> Iterator[Stream]:
        """What came to a batch downstream, or goes on from one upstream, by ways that are not shown."""
        shown_g = self.into[rank] if inward else self.out[rank]
        return self._told(rank, {BEYOND: self.content_g[rank] - shown_g}, set(), inward=inward)
