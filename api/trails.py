"""A trace as one caller may see it, in columns and in rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final, TypeAlias

import numpy as np

from api.readings import Seen, prefecture
from flows.fates import FATES
from flows.times import day_of
from graph.arrays import Floats, Ints, Mask
from graph.lineage import BOUNDARIES
from graph.tracing import Crossings, Trace

Table: TypeAlias = dict[str, list[object]]
"""Columns of one length."""
SHARE_DIGITS: Final = 6
"""Parts per million: a gram of a tonne."""


@dataclass(frozen=True)
class Trail:
    """One trace and one caller. Batches that the caller may not see keep a number, a day and a prefecture."""

    traced: Trace
    seen: Seen

    def columns(self) -> dict[str, Table]:
        """Nodes, edges between them by their place in `nodes`, ends and sources; what is not seen is null."""
        visible = self._visible()
        return {
            "nodes": self._nodes(visible),
            "edges": self._edges(visible),
            "ends": self._crossings(self.traced.ends, [each.value for each in FATES], "class", visible),
            "sources": self._crossings(self.traced.sources, [each.value for each in BOUNDARIES], "boundary", visible),
        }

    def _visible(self) -> Mask:
        ranks = self.traced.nodes.rank
        if self.seen.sight.region:
            return np.ones(len(ranks), bool)
        return np.array([self.seen.batch(rank) is not None for rank in ranks.tolist()], bool)

    def _stocks(self, visible: Mask) -> Mask:
        """Of which batches the caller may know what is left."""
        if self.seen.sight.region:
            return visible
        batches = [self.seen.batch(rank) for rank in self.traced.nodes.rank.tolist()]
        return np.array([each is not None and self.seen.sight.knows_stock(each) for each in batches], bool)

    def _nodes(self, visible: Mask) -> Table:
        lineage, nodes = self.seen.lineage, self.traced.nodes
        ranks = nodes.rank
        sites: list[int] = lineage.batches.site.view()[ranks].tolist()
        known = [self.seen.service.book.sites.get(name) for name in lineage.sites.names]
        places = [prefecture(site.division if site is not None else "") for site in known]
        holders, materials = lineage.holders.names, lineage.materials.names
        batch_ids: list[object] = [lineage.batch_ids[rank] for rank in map(int, ranks)]
        made_us: list[int] = lineage.batches.made_us.view()[ranks].tolist()
        return {
            "seen": visible.tolist(),
            "depth": nodes.depth.tolist(),
            "share": self._told(nodes.share, SHARE_DIGITS),
            "content_g": self._told(nodes.content_g),
            "date": [day_of(us).isoformat() for us in made_us],
            "prefecture": [places[site] for site in sites],
            "batch_id": _masked(batch_ids, visible),
            "holder": _masked([holders[each] for each in map(int, nodes.holder)], visible),
            "material": _masked([materials[each] for each in map(int, nodes.material)], visible),
            "mass_g": _masked(nodes.mass_g.tolist(), visible),
            "left_g": _masked(nodes.left_g.tolist(), self._stocks(visible)),
        }

    def _edges(self, visible: Mask) -> Table:
        ranks, edges = self.traced.nodes.rank, self.traced.edges
        giver, taker = np.searchsorted(ranks, edges.from_rank), np.searchsorted(ranks, edges.to_rank)
        both = visible[giver] & visible[taker]
        return {
            "from": giver.tolist(),
            "to": taker.tolist(),
            "content_g": self._told(edges.content_g),
            "mass_g": _masked(edges.mass_g.tolist(), both),
            "position": _masked(edges.position.tolist(), both),
        }

    def _crossings(self, crossings: Crossings, names: Sequence[str], title: str, visible: Mask) -> Table:
        """Mass over the boundary. Beside the caller's own mass, what others brought in or put out is not theirs to know."""
        of_batch = crossings.rank >= 0
        place = np.searchsorted(self.traced.nodes.rank, np.where(of_batch, crossings.rank, 0))
        told = np.where(
            of_batch, visible[np.minimum(place, len(visible) - 1)], self._stated_in_sight(crossings.position)
        )
        details = self.seen.lineage.details.names
        table: Table = {
            title: [names[what] for what in crossings.what.tolist()],
            "content_g": self._told(crossings.content_g),
            "mass_g": _masked(crossings.mass_g.tolist(), told),
            "detail": _masked(
                [details[each] if title == "boundary" else None for each in map(int, crossings.detail)], told
            ),
            "position": _masked(crossings.position.tolist(), told),
            "node": [at if batch else None for at, batch in zip(place.tolist(), of_batch.tolist(), strict=True)],
        }
        kept = (told | (crossings.content_g > 0)).tolist()
        return {name: list(compress(values, kept)) for name, values in table.items()}

    def _told(self, values: Floats, digits: int = 0) -> list[object]:
        """The own mass as the caller may know it: whole grams. A ratio told to fifteen digits gives away the two
        masses that it was made of.
        """
        whole: list[object] = (values if self.seen.sight.region else np.round(values, digits)).tolist()
        return whole

    def _stated_in_sight(self, positions: Ints) -> Mask:
        """Which entries were stated by an enterprise whose matters the caller sees."""
        if self.seen.sight.region:
            return np.ones(len(positions), bool)
        lineage = self.seen.lineage
        read = lineage.movements.position.view(lineage.lengths.movements)
        number = np.searchsorted(read, positions)
        staters = lineage.movements.enterprise.view()[number]
        names = lineage.holders.names
        return np.array([self.seen.sight.holds(names[each]) for each in map(int, staters)], bool)


def _masked(values: Sequence[object], visible: Mask) -> list[object]:
    return [value if shown else None for value, shown in zip(values, visible.tolist(), strict=True)]


def rows(table: Table, begin: int = 0, end: int | None = None) -> list[dict[str, object]]:
    """A stretch of a table's columns as rows."""
    names = list(table)
    stretch = (values[begin:end] for values in table.values())
    return [dict(zip(names, row, strict=True)) for row in zip(*stretch, strict=True)]
