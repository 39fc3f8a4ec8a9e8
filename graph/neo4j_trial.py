"""A Neo4j to try something on: nothing stands in it before, and nothing of ours afterwards."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, LiteralString

from graph.neo4j_faults import FAULTS, told
from graph.neo4j_schema import LABELS
from graph.neo4j_store import Neo4jAddress, address_checked, connect
from graph.picture import LABELLED
from graph.store_problems import StoreProblem

NODES: Final[LiteralString] = """
    match (n) return count(n) as nodes
"""
OURS: Final = (*LABELS, "Graph", *(each.label for each in LABELLED))
"""Labels of the ledger, the desk and the graph."""
TAKE_AWAY: Final[LiteralString] = """
    match (n) where any(label in labels(n) where label in $labels)
    call (n) { detach delete n } in transactions of 5000 rows
"""


@contextmanager
def trial(address: Neo4jAddress) -> Generator[None]:
    """What is made in here is taken away at the end; constraints and indexes stay, for they hold nothing.

    Raises:
        StoreProblem: the database is out of reach, or something stands in it already.
    """
    try:
        with address_checked(address), connect(address) as driver:
            (record,) = driver.execute_query(NODES, database_=address.database).records
            if record["nodes"]:
                raise StoreProblem("neo4j-not-empty", uri=address.uri, nodes=int(record["nodes"]))
            try:
                yield
            finally:
                with driver.session(database=address.database) as session:  # pyright: ignore[reportUnknownMemberType] - no types
                    session.run(TAKE_AWAY, labels=list(OURS)).consume()
    except FAULTS as fault:
        raise told(fault, address.uri, address.user, address.database) from fault
