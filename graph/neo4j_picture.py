"""The graph for people is written to Neo4j: within somebody's transaction, in one to three statements however many entries."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from neo4j import Transaction

from flows.entries import Head
from graph.neo4j_cypher import DROP, DROP_STATIC, GRAPH_NAME, REMOVE, WRITE
from graph.picture import KINDS, LABELLED, PROPERTIES, STATIC, Delta, Edge, Key, Node

_OF_FACTS: Final = tuple(each.label for each in LABELLED if each.label not in STATIC)
_WRITTEN: Final = (*(f"nodes_{each.label}" for each in LABELLED), *(f"edges_{kind.type}" for kind in KINDS))
NOWHERE: Final = {"graph": "", "before": 0, "position": 0, "digest": ""}
"""Names no graph: nothing is written, and the server has made its plans."""


Values: TypeAlias = dict[str, list[Any]]
"""Lists by the names that the statements know them by."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What entries make of the graph, as the statements take it."""

    rewired: Values
    gone: Values
    written: Values

    @classmethod
    def of(cls, delta: Delta) -> "Rows":
        """Those of a delta; the same lists whoever waits for the server."""
        written, rewritten = delta.written(), delta.fresh | delta.rewired
        edges = (edge for key, node in written.items() if key in rewritten for edge in node.edges)
        rewired = [key for key in delta.rewired if key not in delta.fresh]
        return cls(_keys("rewired", rewired), _keys("gone", delta.gone()), _rows(written.values(), delta.fresh, edges))


def write(transaction: Transaction, before: int, rows: Rows, head: Head) -> bool:
    """Write what the entries from behind a position up to `head` make of it; False: it does not go just so far."""
    told = {"graph": GRAPH_NAME, "before": before, "position": head.position, "digest": head.digest}
    if any(rows.rewired.values()):
        transaction.run(DROP, delta=told | rows.rewired).consume()
    if any(rows.gone.values()):
        transaction.run(REMOVE, delta=told | rows.gone).consume()
    return transaction.run(WRITE, delta=told | rows.written).single() is not None


def write_catalogue(transaction: Transaction, before: int, nodes: Sequence[Node]) -> bool:
    """Write what comes from the catalogue, into a graph that holds no entry; False: it does not go just so far."""
    told = {"graph": GRAPH_NAME, "before": before, "position": Head().position, "digest": Head().digest}
    transaction.run(DROP_STATIC, delta=told).consume()
    rows = _rows(nodes, frozenset(), (edge for node in nodes for edge in node.edges))
    return transaction.run(WRITE, delta=told | rows).single() is not None


def warm(transaction: Transaction) -> None:
    """Have the server make its plans, one or two seconds of work once it was started, before anybody waits for a fact."""
    transaction.run(DROP, delta=NOWHERE | _keys("rewired", ())).consume()
    transaction.run(REMOVE, delta=NOWHERE | _keys("gone", ())).consume()
    transaction.run(WRITE, delta=NOWHERE | _rows((), frozenset(), ())).consume()


def _rows(nodes: Iterable[Node], fresh: AbstractSet[Key], edges: Iterable[Edge]) -> Values:
    """What a fresh node does not say need not be said; of another it is taken away."""
    rows: Values = {name: [] for name in _WRITTEN}
    for node in nodes:
        label, value = node.key
        props = node.props
        if node.key in fresh:
            told = {name: said for name, said in props.items() if said is not None}
        else:
            told = {name: props.get(name) for name in PROPERTIES[label]}
        rows[f"nodes_{label}"].append([value, told])
    for edge in edges:
        rows[f"edges_{edge.type}"].append([edge.start, edge.end, edge.props])
    return rows


def _keys(name: str, keys: Sequence[Key]) -> Values:
    """The values by which nodes are found, by label."""
    return {f"{name}_{label}": [key.value for key in keys if key.label == label] for label in _OF_FACTS}
