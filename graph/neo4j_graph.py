"""The graph for people in a Neo4j: of the ledger that stands there, or beside an embedded one for those who only look."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString, TypeAlias, TypeVar

from neo4j import Record, Session, Transaction

from flows.book import Book
from flows.entries import NO_DIGEST, Head, head_of
from flows.materials import Catalogue
from flows.recording import Recorded
from graph import neo4j_cypher as cypher
from graph.neo4j_faults import FAULTS, again, made_by_anyone, told
from graph.neo4j_picture import Rows, warm, write, write_catalogue
from graph.neo4j_schema import INDEX_SECONDS
from graph.neo4j_store import Neo4jAddress, address_checked, connect
from graph.picture import LABELLED, Kind, Labelled, Props, Value
from graph.projection import project
from graph.standing_permits import catalogue_nodes
from graph.store_problems import StoreProblem

SCHEMA: Final = 1
"""Goes up whenever the nodes say something else; what another version drew is made anew by `huanliu rebuild --graph`."""
CLEARED_AT_ONCE: Final = 5_000
"""Nodes that one transaction takes away: some ten megabytes in the server."""
BEING_MADE: Final = -1
"""The position of a graph that is being taken away, or was drawn by another version: nobody writes behind it."""
TURN_SECONDS: Final = 120.0
"""The longest transaction: of two thousand entries on a busy machine."""
AGAIN_SECONDS: Final = 5.0
"""While a question finds no connection."""

T = TypeVar("T")
Watch: TypeAlias = Callable[[int], None]
"""Hears how many of something were done so far."""


class Neo4jGraph:
    """The graph, found by its one `:Graph` node, which names the last entry that it holds and that entry's digest.

    Raises:
        StoreProblem: out of reach, no entry, somebody else's nodes bear our labels; the words say what to do.
    """

    def __init__(self, address: Neo4jAddress, tables: Catalogue, *, beside: bool = False) -> None:
        self.address = address
        self.tables = tables
        self._beside = beside
        with self._telling():
            self._driver = connect(address)
        try:
            with address_checked(address), self._telling():
                self._prepare()
        except BaseException:
            self.close()
            raise

    def head(self) -> Head:
        """How far it goes; position -1: it is being made anew."""
        record = self._rows(cypher.FOUND_GRAPH, name=cypher.GRAPH_NAME)[0]
        return Head(int(record["position"]), str(record["digest"]))

    def take(self, kept: Sequence[Recorded], book: Book) -> int:
        """Take in those of these entries that are not in it yet, in one transaction; returns how far it goes then.

        `book` stands as the last of them left it. Nothing is written behind a gap, or into a graph that is being made:
        whoever makes it goes on to the end.
        """
        return self._within(lambda transaction: _taken(transaction, kept, book))

    def write(self, before: int, rows: Rows, head: Head) -> int:
        """Write what the entries from behind a position up to `head` make of it, if it goes just so far; how far it goes then."""

        def written(transaction: Transaction) -> int:
            return head.position if write(transaction, before, rows, head) else _position(transaction)

        return self._within(written)

    def clear(self, watch: Watch) -> None:
        """Take all of it away, some at a time; entries of a ledger, and nodes that are not ours, stay.

        Where that is broken off, the graph says that it is being made until somebody begins again.
        """
        self._set(Head(BEING_MADE))
        done = 0
        for statement in cypher.CLEAR:
            while cleared := self._cleared(statement):
                done += cleared
                watch(done)
        self._rows(cypher.SET_GRAPH_SCHEMA, name=cypher.GRAPH_NAME, schema=SCHEMA)
        nodes = list(catalogue_nodes(self.tables))
        self._within(lambda transaction: write_catalogue(transaction, BEING_MADE, nodes))

    def nodes(self, each: Labelled) -> Iterator[tuple[str | int, Props]]:
        """All nodes of a label: the value that each is found by, and all that it says."""
        for record in self._rows(cypher.read_nodes(each)):
            yield record["key"], _plain(record["props"])

    def edges(self, kind: Kind) -> Iterator[tuple[str | int, str | int, Props]]:
        """All relationships of a kind between nodes of ours, with what each says."""
        for record in self._rows(cypher.read_edges(kind)):
            yield record["start"], record["end"], _plain(record["props"])

    def ask(self, question: LiteralString, **values: Any) -> list[Record]:
        """Whatever somebody wants to know of it; nothing can be written so."""
        return self._rows(question, **values)

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    # within ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _telling(self) -> Generator[None]:
        try:
            yield
        except FAULTS as fault:
            problem = told(fault, self.address.uri, self.address.user, self.address.database)
            if problem is fault:
                raise
            raise problem from fault

    def _session(self) -> Session:
        return self._driver.session(database=self.address.database)  # pyright: ignore[reportUnknownMemberType] - the driver's `**config` has no types

    def _rows(self, query: LiteralString, **values: Any) -> list[Record]:
        def once() -> list[Record]:
            with self._session() as session:
                return list(session.run(query, values))

        with self._telling():
            return again(once, AGAIN_SECONDS)

    def _within(self, work: Callable[[Transaction], T]) -> T:
        """One transaction. What it does may be done twice: it looks first how far the graph goes."""

        def once() -> T:
            with self._session() as session, session.begin_transaction(timeout=TURN_SECONDS) as transaction:
                done = work(transaction)
                transaction.commit()
            return done

        with self._telling():
            return again(once, AGAIN_SECONDS)

    def _set(self, head: Head) -> None:
        values = {"name": cypher.GRAPH_NAME, "position": head.position, "digest": head.digest}
        self._rows(cypher.SET_POSITION, **values)

    def _cleared(self, statement: LiteralString) -> int:
        return int(self._rows(statement, count=CLEARED_AT_ONCE)[0]["cleared"])

    def _prepare(self) -> None:
        """Claim an empty place, or check what is there; then make what guards it."""
        found = self._rows(cypher.FOUND_GRAPH, name=cypher.GRAPH_NAME)
        if self._beside and self._rows(cypher.IS_LEDGER)[0]["ledgers"]:
            raise StoreProblem("graph-is-ledger", uri=self.address.uri, database=self.address.database)
        if not found:
            self._check_free()
        elif found[0]["schema"] != SCHEMA:  # another version drew it: nobody writes into it before it is made anew
            self._set(Head(BEING_MADE))
        for statement in (*cypher.GRAPH_CONSTRAINTS, *cypher.GRAPH_INDEXES):
            with made_by_anyone():
                self._rows(statement)
        self._rows(cypher.AWAIT_INDEXES, seconds=INDEX_SECONDS)
        if not found:
            self._within(self._claim)
        self._within(warm)

    def _check_free(self) -> None:
        """Nobody else's nodes bear a label of ours; where a ledger stands, its entries are ours."""
        labels = ["Graph", *(each.label for each in LABELLED if self._beside or each.label != "Entry")]
        foreign = [str(record["label"]) for record in self._rows(cypher.FOREIGN_NODES, labels=labels)]
        if foreign and not self._rows(cypher.FOUND_GRAPH, name=cypher.GRAPH_NAME):
            raise StoreProblem(
                "neo4j-foreign", uri=self.address.uri, database=self.address.database, labels=", ".join(foreign)
            )

    def _claim(self, transaction: Transaction) -> None:
        transaction.run(cypher.CLAIM_GRAPH, name=cypher.GRAPH_NAME, digest=NO_DIGEST, schema=SCHEMA).consume()
        write_catalogue(transaction, Head().position, list(catalogue_nodes(self.tables)))


def _position(transaction: Transaction) -> int:
    record = transaction.run(cypher.FOUND_GRAPH, name=cypher.GRAPH_NAME).single()
    return BEING_MADE if record is None else int(record["position"])


def _taken(transaction: Transaction, kept: Sequence[Recorded], book: Book) -> int:
    position = _position(transaction)
    new = [(entry, change) for entry, change in kept if entry.position > position]
    if position == BEING_MADE or not new or new[0][0].position != position + 1:
        return position
    last = head_of(new[-1][0])
    drawn = write(transaction, position, Rows.of(project([change for _, change in new], book)), last)
    return last.position if drawn else _position(transaction)


def _plain(props: dict[str, Any]) -> Props:
    """Properties as we write them: a list is a tuple."""
    told: dict[str, Value] = {}
    for name, value in props.items():
        told[name] = tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType] - of plain values
    return told
