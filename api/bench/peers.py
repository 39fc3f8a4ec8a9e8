"""The same readings of a story by SQLite, by NetworkX's graph and by plain Python, each as a competent user would."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final, LiteralString, Protocol, TypeAlias

import numpy as np

from api.bench.story import Told
from flows.balance import Movement
from flows.fates import FATES, FateClass, fate_class
from flows.materials import Catalogue
from graph.arrays import Floats

Edge: TypeAlias = tuple[int, int, float]
"""From one batch to another, by their order, and the grams that went that way."""
_STOCK: Final = FATES.index(FateClass.STOCK)

SCHEMA: Final[LiteralString] = """
    create table edge (
        giver integer, taker integer, mass_g real, share real, primary key (giver, taker)
    ) strict, without rowid;
    create table ended (batch integer, fate integer, share real, primary key (batch, fate)) strict, without rowid;
"""
REACHED: Final[LiteralString] = """
    with recursive reached (batch) as (
        select ? union select edge.taker from reached join edge on edge.giver = reached.batch
    )
"""
"""The primary key covers it: no other page is read. `union` visits a batch once, whatever number of ways lead there."""
MASSES_BELOW: Final[LiteralString] = (
    REACHED + "select giver, taker, mass_g from reached join edge on edge.giver = reached.batch"  # noqa: S608 - both are constants
)
SHARES_BELOW: Final[LiteralString] = (
    REACHED + "select giver, taker, share from reached join edge on edge.giver = reached.batch order by giver"  # noqa: S608 - both are constants
)
ENDED_BELOW: Final[LiteralString] = (
    REACHED + "select ended.batch, fate, share from reached join ended on ended.batch = reached.batch"  # noqa: S608 - both are constants
)
ENDED: Final[LiteralString] = "select batch, fate, share from ended"
SHARES_BACKWARDS: Final[LiteralString] = "select giver, taker, share from edge order by giver desc"


@dataclass
class Plain:
    """Lists of what each batch gave to which, and what of it ended where, read off the movements one by one."""

    held_g: list[int] = field(default_factory=list[int])
    masses: list[Edge] = field(default_factory=list[Edge])
    below: list[list[tuple[int, float]]] = field(default_factory=list[list[tuple[int, float]]])
    ended: list[dict[int, float]] = field(default_factory=list[dict[int, float]])

    @classmethod
    def of(cls, told: Told) -> "Plain":
        """From a story in which nothing is weighed twice: draws have no gaps of their own."""
        plain = cls()
        rank_of: dict[str, int] = {}
        left_g: list[int] = []
        for movement in told.moved:
            for draw in movement.draws:
                left_g[rank_of[draw.batch_id]] -= draw.mass_g
            for made in movement.makes:
                rank_of[made.batch_id] = len(left_g)
                left_g.append(made.mass_g)
                plain.held_g.append(made.mass_g)
                plain.below.append([])
                plain.ended.append({})
            plain._link(movement, rank_of, told.catalogue)
        for rank, rest_g in enumerate(left_g):
            if rest_g:
                plain.ended[rank][_STOCK] = rest_g / plain.held_g[rank]
        return plain

    def _link(self, movement: Movement, rank_of: dict[str, int], catalogue: Catalogue) -> None:
        through_g = movement.throughput_g
        ends = [(FATES.index(fate_class(end, catalogue)), end.mass_g / through_g) for end in movement.ends]
        for draw in movement.draws:
            giver = rank_of[draw.batch_id]
            share = draw.mass_g / self.held_g[giver]
            for made in movement.makes:
                taker = rank_of[made.batch_id]
                self.masses.append((giver, taker, draw.mass_g * made.mass_g / through_g))
                self.below[giver].append((taker, share * made.mass_g / through_g))
            for fate, part in ends:
                self.ended[giver][fate] = self.ended[giver].get(fate, 0.0) + share * part

    def fate(self, root: int) -> list[float]:
        """What of a batch ended in each class: a sweep over what is reached, in the order of making."""
        content, waiting = {root: 1.0}, [root]
        ended = [0.0] * len(FATES)
        while waiting:
            batch = heappop(waiting)
            own = content.pop(batch)
            for fate, share in self.ended[batch].items():
                ended[fate] += own * share
            for taker, share in self.below[batch]:
                if taker in content:
                    content[taker] += own * share
                else:
                    content[taker] = own * share
                    heappush(waiting, taker)
        return ended

    def fates(self) -> list[dict[int, float]]:
        """The same for every batch: one sweep backwards."""
        fates = [dict(own) for own in self.ended]
        for rank in range(len(fates) - 1, -1, -1):
            own = fates[rank]
            for taker, share in self.below[rank]:
                for fate, part in fates[taker].items():
                    own[fate] = own.get(fate, 0.0) + share * part
        return fates


class Sqlite:
    """The edges in a file of SQLite's, with a covering key."""

    def __init__(self, file: Path, plain: Plain) -> None:
        self._connection = sqlite3.connect(file)
        self._batches = len(plain.held_g)
        self._connection.executescript(SCHEMA)
        share_of = {(giver, taker): share for giver, own in enumerate(plain.below) for taker, share in own}
        edges = sorted((giver, taker, mass_g, share_of[giver, taker]) for giver, taker, mass_g in plain.masses)
        ended = [(rank, fate, share) for rank, own in enumerate(plain.ended) for fate, share in sorted(own.items())]
        with self._connection:
            self._connection.executemany("insert into edge values (?, ?, ?, ?)", edges)
            self._connection.executemany("insert into ended values (?, ?, ?)", ended)
        self._connection.execute("analyze")

    def trace(self, root: int) -> list[Edge]:
        """All edges below a batch."""
        return self._connection.execute(MASSES_BELOW, (root,)).fetchall()

    def fate(self, root: int) -> list[float]:
        """The edges below a batch streamed in the order of making, the shares summed here."""
        content = {root: 1.0}
        for giver, taker, share in self._connection.execute(SHARES_BELOW, (root,)):
            content[taker] = content.get(taker, 0.0) + content[giver] * share
        ended = [0.0] * len(FATES)
        for batch, fate, share in self._connection.execute(ENDED_BELOW, (root,)):
            ended[fate] += content[batch] * share
        return ended

    def fates(self) -> Floats:
        """All edges streamed backwards into the rows of one array."""
        fates = np.zeros((self._batches, len(FATES)))
        for batch, fate, share in self._connection.execute(ENDED):
            fates[batch, fate] = share
        for giver, taker, share in self._connection.execute(SHARES_BACKWARDS):
            fates[giver] += fates[taker] * share
        return fates

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class Graph(Protocol):
    """What we ask of a graph of NetworkX's; only `graph.network` makes one."""

    edges: Any

    def successors(self, n: str) -> Iterator[str]:
        """The nodes that a node leads to."""
        ...


def trace_in_graph(graph: Graph, root: str) -> tuple[dict[str, int], list[tuple[str, str, float]]]:
    """Breadth first from a node of NetworkX's graph: the depth of each node, and the edges between them."""
    depth, level = {root: 0}, [root]
    while level:
        found: list[str] = []
        for node in level:
            for taker in graph.successors(node):
                if taker not in depth:
                    depth[taker] = depth[node] + 1
                    found.append(taker)
        level = found
    return depth, list(graph.edges(depth, data="mass_g"))
