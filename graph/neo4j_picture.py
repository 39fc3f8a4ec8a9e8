"""The graph for people is written to Neo4j: within somebody's transaction, in a few statements however many entries."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from neo4j import Transaction

from flows.entries import Head
from graph.neo4j_cypher import (
    DROP,
    GRAPH_NAME,
    LOCK_GRAPH,
    REMOVE,
    SET_POSITION,
    WRITE_EDGES,
    WRITE_NODES,
)
from graph.picture import KINDS, LABELLED, PROPERTIES, STATIC, Delta, Edge, Node

_OF_FACTS: Final = tuple(each.label for each in LABELLED if each.label not in STATIC)


def locked_position(transaction: Transaction) -> int | None:
    """How far the graph goes, once its node is locked; None: there is no graph."""
    record = transaction.run(LOCK_GRAPH, name=GRAPH_NAME).single()
    return None if record is None else int(record["position"])


def write_delta(transaction: Transaction, delta: Delta, head: Head) -> None:
    """Write what entries up to `head` make of the graph, and that it goes so far now."""
    rewired = [key for key in delta.rewired if key not in delta.fresh]
    if rewired:
        keys = {f"rewired_{label}": [key.value for key in rewired if key.label == label] for label in _OF_FACTS}
        transaction.run(DROP, keys).consume()
    gone = delta.gone()
    if gone:
        keys = {f"gone_{label}": [key.value for key in gone if key.label == label] for label in _OF_FACTS}
        transaction.run(REMOVE, keys).consume()
    written = delta.written()
    write_nodes(transaction, written.values())
    rewritten = delta.fresh | delta.rewired
    write_edges(transaction, (edge for key, node in written.items() if key in rewritten for edge in node.edges))
    transaction.run(SET_POSITION, name=GRAPH_NAME, position=head.position, digest=head.digest).consume()


def write_nodes(transaction: Transaction, nodes: Iterable[Node]) -> None:
    """Write nodes with all that they say."""
    rows: dict[str, list[list[Any]]] = {f"nodes_{each.label}": [] for each in LABELLED}
    for node in nodes:
        label, value = node.key
        rows[f"nodes_{label}"].append([value, {name: node.props.get(name) for name in PROPERTIES[label]}])
    transaction.run(WRITE_NODES, rows).consume()


def write_edges(transaction: Transaction, edges: Iterable[Edge]) -> None:
    """Write relationships between nodes that stand."""
    rows: defaultdict[str, list[list[Any]]] = defaultdict(list)
    for edge in edges:
        rows[edge.type].append([edge.start, edge.end, edge.props])
    transaction.run(WRITE_EDGES, {f"edges_{kind.type}": rows[kind.type] for kind in KINDS}).consume()
