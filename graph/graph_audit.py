"""Does the graph say what the entries say? It is drawn once more from them, in memory, and compared node by node."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeAlias

from flows.book import Book, Change
from flows.law import Finding
from flows.materials import Catalogue
from flows.ports import Ledger
from flows.reading import read
from flows.recording import LedgerFacts
from graph.following import PORTION
from graph.neo4j_graph import BEING_MADE, Neo4jGraph
from graph.picture import KINDS, LABELLED, PROPERTIES, Kind, Labelled, Picture, Props, Value
from graph.projection import project
from graph.standing_permits import catalogue_nodes

NAMED_MOST: Final = 20
"""Differences of one label or kind that are named; the others are counted."""
Line: TypeAlias = tuple[str | int, str | int, tuple[tuple[str, Value], ...]]
"""A relationship: where it begins and ends, and what it says."""


def drawn(ledger: Ledger, tables: Catalogue, until: int) -> Picture:
    """The graph as the entries up to a position say."""
    picture, book, waiting = Picture(), Book(tables, LedgerFacts(ledger)), list[Change]()
    for entry in ledger.entries(until=until):
        waiting.append(read(book, entry.event, entry.position, entry.record_time_us))
        if len(waiting) == PORTION:
            picture.apply(project(waiting, book))
            waiting.clear()
    picture.apply(project(waiting, book))
    for node in catalogue_nodes(tables):
        picture.nodes[node.key] = node
    return picture


def graph_faults(graph: Neo4jGraph, ledger: Ledger, tables: Catalogue) -> list[Finding]:
    """What the graph says otherwise than the entries up to its own position; that it lags behind is no fault."""
    head = graph.head()
    if head.position == BEING_MADE:
        return [Finding.of("audit-graph-unfinished")]
    noted = next(ledger.entries(after=head.position - 1, until=head.position), None) if head.position else None
    if (noted is not None and noted.digest != head.digest) or (noted is None and head.position):
        return [Finding.of("audit-graph-astray", position=head.position)]
    picture = drawn(ledger, tables, head.position)
    found = [fault for each in LABELLED for fault in _node_faults(graph, each, picture, head.position)]
    return [*found, *(fault for kind in KINDS for fault in _edge_faults(graph, kind, picture))]


def _node_faults(graph: Neo4jGraph, each: Labelled, picture: Picture, until: int) -> Iterator[Finding]:
    """Nodes of one label that are missing, that nobody stated, or that say something else."""
    expected = {key.value: node.props for key, node in picture.nodes.items() if key.label == each.label}
    found: dict[str | int, Props] = dict(graph.nodes(each))
    if each.label == "Entry":  # a ledger's later entries stand there too
        found = {value: props for value, props in found.items() if isinstance(value, int) and value <= until}

    def faults() -> Iterator[Finding]:
        for value in expected.keys() - found.keys():
            yield Finding.of("audit-graph-missing", what=_name(each.label, value))
        for value in found.keys() - expected.keys():
            yield Finding.of("audit-graph-extra", what=_name(each.label, value))
        for value in expected.keys() & found.keys():
            if parts := _differing(each.label, expected[value], found[value]):
                yield Finding.of("audit-graph-differs", what=_name(each.label, value), parts=", ".join(parts))

    yield from _some(faults(), each.label)


def _differing(label: str, expected: Props, found: Props) -> list[str]:
    return [name for name in PROPERTIES[label] if expected.get(name) != found.get(name)]


def _edge_faults(graph: Neo4jGraph, kind: Kind, picture: Picture) -> Iterator[Finding]:
    """Relationships of one kind that are missing, or that nobody stated."""
    owned = (edge for node in picture.nodes.values() for edge in node.edges if edge.type == kind.type)
    expected = Counter(_line(edge.start, edge.end, edge.props) for edge in owned)
    found = Counter(_line(*each) for each in graph.edges(kind))

    def faults() -> Iterator[Finding]:
        for line in (expected - found).elements():
            yield Finding.of("audit-graph-missing", what=_path(kind, line))
        for line in (found - expected).elements():
            yield Finding.of("audit-graph-extra", what=_path(kind, line))

    yield from _some(faults(), kind.type)


def _line(start: str | int, end: str | int, props: Props) -> Line:
    return start, end, tuple(sorted((name, value) for name, value in props.items() if value is not None))


def _some(faults: Iterable[Finding], what: str) -> Iterator[Finding]:
    """The first of many, and how many more there are."""
    every = iter(faults)
    yield from islice(every, NAMED_MOST)
    if more := sum(1 for _ in every):
        yield Finding.of("audit-graph-more", what=what, count=more)


def _name(label: str, value: str | int) -> str:
    return f"(:{label} {value})"


def _path(kind: Kind, line: Line) -> str:
    return f"{_name(kind.start, line[0])}-[:{kind.type}]->{_name(kind.end, line[1])}"
