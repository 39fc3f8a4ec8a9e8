"""Fate and provenance in whole fractions, batch by batch, from the book's changes: what the arrays are held to."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from functools import cache

import networkx as nx

from flows.balance import Boundary, Draw, Make, Movement
from flows.book import Change
from flows.events import Assayed
from flows.fates import FateClass, fate_class
from flows.materials import catalogue

PPM = 1_000_000
ENDING = {Boundary.DISPOSAL, Boundary.DELIVERY, Boundary.LEFT}


class Exact:
    """The same readings, slowly."""

    def __init__(self, changes: Iterable[Change], *, dry: bool = False, at_us: int | None = None) -> None:
        self.dry = dry
        self.changes = [c for c in changes if at_us is None or c.effective_us <= at_us]
        self.movements = [movement for change in self.changes for movement in change.movements]
        self.makes: dict[str, Make] = {m.batch_id: m for movement in self.movements for m in movement.makes}
        self.maker = {m.batch_id: n for n, movement in enumerate(self.movements) for m in movement.makes}
        self.draws: dict[str, list[tuple[int, Draw]]] = defaultdict(list)
        for number, movement in enumerate(self.movements):
            for draw in movement.draws:
                self.draws[draw.batch_id].append((number, draw))
        self.fate = cache(self._fate)
        self.provenance = cache(self._provenance)
        self._ended = cache(self._ended)

    # masses -----------------------------------------------------------------------------------------------------

    def solid(self, batch_id: str) -> Fraction:
        if not self.dry:
            return Fraction(1)
        assays = [
            (change.effective_us, change.position, change.event.moisture_ppm)
            for change in self.changes
            if isinstance(change.event, Assayed)
            and change.event.batch_id == batch_id
            and change.event.moisture_ppm is not None
        ]
        if assays:
            return 1 - Fraction(max(assays)[2], PPM)
        return self.solid_material(self.makes[batch_id].material)

    @staticmethod
    def solid_material(name: str) -> Fraction:
        return 1 - Fraction(catalogue().material(name).moisture_ppm or 0, PPM)

    def mass(self, batch_id: str) -> Fraction:
        return self.makes[batch_id].mass_g * self.solid(batch_id)

    def left_g(self, batch_id: str) -> int:
        return self.makes[batch_id].mass_g - sum(draw.mass_g for _, draw in self.draws[batch_id])

    def sources(self, movement: Movement) -> dict[tuple[str, str], Fraction]:
        """What came over the boundary, gaps of draws and dry gaps among it."""
        found: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for flow in movement.sources:
            if self.dry and flow.boundary is Boundary.UNACCOUNTED:
                continue
            mass = Fraction(flow.mass_g)
            if self.dry and flow.boundary is Boundary.ADDITION:
                mass *= self.solid_material(flow.detail)
            elif self.dry:
                mass = sum((self.mass(made.batch_id) for made in movement.makes), Fraction(0))
            found[flow.boundary, flow.detail] += mass
        for draw in movement.draws:
            if draw.weighed_g > draw.mass_g:
                found[movement.gap, ""] += (draw.weighed_g - draw.mass_g) * self.solid(draw.batch_id)
        if self.dry and (gap := self.gap(movement, found)) < 0:
            found[Boundary.UNACCOUNTED, ""] -= gap
        return found

    def drawn(self, movement: Movement) -> Fraction:
        return sum((min(d.mass_g, d.weighed_g) * self.solid(d.batch_id) for d in movement.draws), Fraction(0))

    def gap(self, movement: Movement, sources: dict[tuple[str, str], Fraction]) -> Fraction:
        if any(end.boundary in ENDING for end in movement.ends):
            return Fraction(0)
        out = sum((self.mass(made.batch_id) for made in movement.makes), Fraction(0))
        out += sum(e.mass_g for e in movement.ends if e.boundary is Boundary.LOSS and e.detail != "moisture")
        return self.drawn(movement) + sum(sources.values(), Fraction(0)) - out

    def through(self, movement: Movement) -> Fraction:
        return self.drawn(movement) + sum(self.sources(movement).values(), Fraction(0))

    def ends(self, movement: Movement) -> dict[FateClass, Fraction]:
        found: dict[FateClass, Fraction] = defaultdict(Fraction)
        for end in movement.ends:
            mass = Fraction(end.mass_g)
            if self.dry and end.boundary in ENDING:
                mass = self.through(movement)
            elif self.dry and (end.boundary is Boundary.UNACCOUNTED or end.detail == "moisture"):
                continue
            found[fate_class(end, catalogue())] += mass
        if self.dry and (gap := self.gap(movement, self.sources(movement))) > 0:
            found[FateClass.UNACCOUNTED] += gap
        return found

    # readings ---------------------------------------------------------------------------------------------------

    def _ended(self, number: int) -> dict[FateClass, Fraction]:
        """The fate of a gram in a movement."""
        movement, shares = self.movements[number], defaultdict[FateClass, Fraction](Fraction)
        through = self.through(movement)
        if not through:
            return {}
        for kind, mass in self.ends(movement).items():
            shares[kind] += mass / through
        for made in movement.makes:
            for kind, share in self.fate(made.batch_id).items():
                shares[kind] += share * self.mass(made.batch_id) / through
        return shares

    def _fate(self, batch_id: str) -> dict[FateClass, Fraction]:
        """The share of a batch in each class; empty when it has no mass on the basis."""
        whole, solid = self.mass(batch_id), self.solid(batch_id)
        shares = defaultdict[FateClass, Fraction](Fraction)
        if not whole:
            return {}
        kind = FateClass.IN_TRANSIT if self.makes[batch_id].origin == "load" else FateClass.STOCK
        shares[kind] += self.left_g(batch_id) * solid / whole
        for number, draw in self.draws[batch_id]:
            gap = FateClass(self.movements[number].gap.value)
            shares[gap] += max(0, draw.mass_g - draw.weighed_g) * solid / whole
            for kind, share in self._ended(number).items():
                shares[kind] += min(draw.mass_g, draw.weighed_g) * solid / whole * share
        return shares

    def _provenance(self, batch_id: str) -> dict[str | tuple[str, str], Fraction]:
        """The share of a batch that came from each arising batch (its id) or over a boundary (with its detail)."""
        movement = self.movements[self.maker[batch_id]]
        shares = defaultdict[str | tuple[str, str], Fraction](Fraction)
        if not movement.draws:
            return {batch_id: Fraction(1)}
        through = self.through(movement)
        for source, mass in self.sources(movement).items():
            shares[source] += mass / through
        for draw in movement.draws:
            part = min(draw.mass_g, draw.weighed_g) * self.solid(draw.batch_id) / through
            if part:
                for source, share in self.provenance(draw.batch_id).items():
                    shares[source] += part * share
        return {source: share for source, share in shares.items() if share}

    def graph(self) -> "nx.DiGraph[str]":
        """Batches, with an edge for each way that mass went."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.makes)
        for movement in self.movements:
            for draw in movement.draws:
                for made in movement.makes:
                    mass = min(draw.mass_g, draw.weighed_g) * Fraction(made.mass_g, movement.throughput_g)
                    known = graph.get_edge_data(draw.batch_id, made.batch_id, {"mass": Fraction(0)})
                    graph.add_edge(draw.batch_id, made.batch_id, mass=known["mass"] + mass)
        return graph
