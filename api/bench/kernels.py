"""Readings of the index: traces, fates, and whether a small question stays small when the ledger grows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from api.bench.peers import Graph, Plain, Sqlite, trace_in_graph
from api.bench.rows import Name, Row, medians_ms, row
from api.bench.story import Told, facts, told
from flows.fates import FATES
from graph.cone import downstream
from graph.fate import arising, fate, fates
from graph.lineage import Lineage
from graph.network import to_networkx
from graph.prefix import Prefix
from graph.tracing import trace

SAMPLE: Final = 200
"""Sources that are looked at for a small and for the largest cone."""
SMALL: Final = 10
"""Batches of a small cone: what a page of one batch asks for."""
GROWTH: Final = 10
GRAPH_MOST: Final = 200_000
"""Batches: NetworkX's graph takes some kilobytes for each."""
CLOSE: Final = 1e-9
SQLITE: Final = "SQLite, recursive CTE"
NETWORKX: Final = "NetworkX graph, breadth first"
PYTHON: Final = "plain Python, topological sweep"
STREAMED: Final = "SQLite edges, summed in Python"


@dataclass(frozen=True)
class Cones:
    """Two sources of a story, by how much was made of them."""

    small: int
    small_size: int
    large: int
    large_size: int


def cones(lineage: Lineage, sample: int = SAMPLE) -> Cones:
    """A small and the largest cone of a sample."""
    prefix = Prefix(lineage)
    sources = arising(lineage)
    chosen = sources[:: max(1, len(sources) // sample)].tolist()
    sizes = {rank: len(downstream(prefix, np.array([rank])).ranks) for rank in chosen}
    small = min(sizes, key=lambda rank: abs(sizes[rank] - SMALL))
    large = max(sizes, key=lambda rank: sizes[rank])
    return Cones(small, sizes[small], large, sizes[large])


class Readings:
    """A story in our index and in each peer's form."""

    def __init__(self, story: Told, folder: Path) -> None:
        self.lineage = story.lineage
        self.cones = cones(story.lineage)
        self.plain = Plain.of(story)
        self.sqlite = Sqlite(folder / "edges.sqlite", self.plain)
        self.graph: Graph | None = None
        if len(self.lineage.batch_ids) <= GRAPH_MOST:
            everything = trace(self.lineage, arising(self.lineage).tolist(), "down")
            self.graph = to_networkx(self.lineage, everything)

    def measure(self, wanted: frozenset[Name]) -> Iterator[Row]:
        """The rows that are wanted."""
        small, large = self.cones.small, self.cones.large
        if Name.TRACE in wanted:
            yield from self._trace(small, "小范围追踪 · small trace")
            yield from self._trace(large, "最大范围追踪 · largest trace")
        if Name.FATE in wanted:
            yield from self._fate(large)
        if Name.FATES in wanted:
            yield from self._fates()
        if Name.GROWTH in wanted:
            yield growth(len(self.lineage.batch_ids), self.lineage)

    def check_trace(self, root: int) -> tuple[int, int]:
        """Every peer finds the batches and edges that we find; how many these are."""
        found = trace(self.lineage, root, "down")
        nodes, edges = found.nodes, found.edges
        ours = dict(zip(zip(edges.from_rank.tolist(), edges.to_rank.tolist(), strict=True), edges.mass_g, strict=True))
        theirs = {(giver, taker): mass_g for giver, taker, mass_g in self.sqlite.trace(root)}
        assert ours.keys() == theirs.keys(), "SQLite finds other edges"
        assert all(abs(mass_g - theirs[edge]) <= CLOSE * mass_g for edge, mass_g in ours.items()), "other masses"
        assert {root, *(taker for _, taker in theirs)} == set(nodes.rank.tolist()), "SQLite finds other batches"
        if self.graph is not None:
            names = self.lineage.batch_ids
            depth, lines = trace_in_graph(self.graph, names[root])
            told = zip(nodes.rank.tolist(), nodes.depth.tolist(), strict=True)
            assert {names[rank]: each for rank, each in told} == depth, "NetworkX finds other batches or depths"
            assert {(names[giver], names[taker]) for giver, taker in ours} == {line[:2] for line in lines}
        return len(nodes), len(edges)

    def check_fate(self, root: int) -> None:
        """Every peer says of a source what we say, to the gram."""
        found = fate(self.lineage, root)
        for peer in (self.plain.fate(root), self.sqlite.fate(root)):
            for own, share in zip(FATES, peer, strict=True):
                assert abs(found.grams[own] - share * found.mass_g) <= 1 + CLOSE * found.mass_g, own

    def check_fates(self) -> None:
        """Every peer says of every batch what we say."""
        ours = fates(self.lineage)
        plain = np.zeros_like(ours)
        for rank, own in enumerate(self.plain.fates()):
            for each, share in own.items():
                plain[rank, each] = share
        assert np.allclose(ours, plain, rtol=0, atol=CLOSE), "plain Python finds other fates"
        assert np.allclose(ours, self.sqlite.fates(), rtol=0, atol=CLOSE), "SQLite finds other fates"

    def _trace(self, root: int, what: str) -> Iterator[Row]:
        batches, edges = self.check_trace(root)
        note = f"{batches:,} 批 batches, {edges:,} 边 edges"
        graph, name = self.graph, self.lineage.batch_ids[root]
        questions: list[Callable[[], object]] = [
            lambda: trace(self.lineage, root, "down"),
            lambda: self.sqlite.trace(root),
        ]
        if graph is not None:
            questions.append(lambda: trace_in_graph(graph, name))
        ours, *theirs = medians_ms(*questions)
        for peer, value in zip((SQLITE, NETWORKX), theirs, strict=False):
            yield row(Name.TRACE, what, "ms", ours, (peer, value), note)

    def _fate(self, root: int) -> Iterator[Row]:
        self.check_fate(root)
        questions = (
            lambda: fate(self.lineage, root), lambda: self.plain.fate(root), lambda: self.sqlite.fate(root),
        )  # fmt: skip
        ours, plain, streamed = medians_ms(*questions)
        note = f"{self.cones.large_size:,} 批 batches"
        for peer in ((PYTHON, plain), (STREAMED, streamed)):
            yield row(Name.FATE, "一个来源的去向 · fate of one source", "ms", ours, peer, note)

    def _fates(self) -> Iterator[Row]:
        self.check_fates()
        ours, plain, streamed = medians_ms(lambda: fates(self.lineage), self.plain.fates, self.sqlite.fates)
        note = f"{len(self.lineage.batch_ids):,} 批 batches × {len(FATES)} 类 classes"
        for peer in ((PYTHON, plain), ("SQLite edges, summed in NumPy", streamed)):
            yield row(Name.FATES, "全部批次的去向 · all fates", "ms", ours, peer, note)

    def close(self) -> None:
        """Let go of the peers' files."""
        self.sqlite.close()


def growth(batches: int, lineage: Lineage) -> Row:
    """A small trace in the ledger, and one of the same size when it was a tenth as long."""
    young = told(facts(max(1, batches // GROWTH))).lineage
    before = cones(young)
    prefix = Prefix(lineage)
    sources = arising(lineage).tolist()
    same = (r for r in sources if len(downstream(prefix, np.array([r])).ranks) == before.small_size)
    root = next(same, cones(lineage).small)
    now_ms, then_ms = medians_ms(lambda: trace(lineage, root, "down"), lambda: trace(young, before.small, "down"))
    note = f"{len(young.batch_ids):,} → {len(lineage.batch_ids):,} 批 batches"
    what = "账增十倍后的小范围追踪 · small trace, ledger 10× longer"
    return row(Name.GROWTH, what, "ms", now_ms, ("ours, a tenth of the ledger", then_ms), note)
