"""The ledger in Neo4j: `(:Entry)` nodes behind one `(:Ledger)`, whose write lock a turn holds; one writing at its end.

A group of turns is one transaction: lock, what others wrote since, one question for all names, one `UNWIND`, commit.
"""

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString

from neo4j import Record
from neo4j.exceptions import ConstraintError

from flows.book import Book
from flows.entries import Entry, Head, head_of
from flows.ids import EnterpriseId, EventId
from flows.law import Finding
from flows.ports import Kept, Name
from graph.neo4j_picture import Rows, write
from graph.neo4j_schema import NAME
from graph.neo4j_store import Neo4jStore, Transaction, one
from graph.projection import project
from graph.store_problems import StoreProblem

DRAWN_MOST: Final = 200
"""Entries of one turn that are drawn in its own transaction: more than a group of clients states at once. Bulk imports
would hold the lock for the graph, which follows them instead."""
PAGE: Final = 2_000
"""Entries read at a time: about two megabytes in the server and in here."""

# Lists come within a map, and no plan is made anew while the ledger grows: see `graph.neo4j_cypher`.

HEAD: Final[LiteralString] = """
    cypher replan=skip
    match (l:Ledger {name: $name})
    return l.position as position, l.digest as digest, l.record_time_us as record_time_us
"""
LOCK: Final[LiteralString] = """
    cypher replan=skip
    match (l:Ledger {name: $name}) set l.turns = l.turns + 1
    with l match (held:Ledger {name: $name})
    optional match (last:Entry {position: held.position})
    optional match (beyond:Entry {position: held.position + 1})
    return held.position as position, held.digest as digest, held.record_time_us as record_time_us,
        held.schema as schema, last.digest as found, beyond.position as beyond
"""
"""The head as it is once the lock is held, and whether the entries end there."""
LAST: Final[LiteralString] = """
    cypher replan=skip
    match (e:Entry) using index e:Entry(position) where e.position > 0
    return e.position as position order by e.position desc limit 1
"""
FIND: Final[LiteralString] = """
    cypher replan=skip
    unwind $asked.names as name
    match (e:Entry {enterprise: name[0], event_id: name[1]})
    return e.position as position, e.record_time_us as record_time_us, e.enterprise as enterprise,
        e.event_id as event_id, e.body as body, e.digest as digest
"""
ENTRIES: Final[LiteralString] = """
    cypher replan=skip
    match (e:Entry) using index e:Entry(position) where e.position > $after and e.position <= $until
    return e.position as position, e.record_time_us as record_time_us, e.enterprise as enterprise,
        e.event_id as event_id, e.body as body, e.digest as digest
    order by e.position limit $page
"""
APPEND: Final[LiteralString] = """
    cypher replan=skip
    unwind $turn.rows as row
    create (e:Entry) set e = row
    with count(*) as written
    match (l:Ledger {name: $turn.name})
    set l.position = $turn.position, l.digest = $turn.digest, l.record_time_us = $turn.record_time_us
    return written
"""


class Neo4jTurn:
    """The one open write transaction. What is appended waits in here, and goes out in one statement when the turn ends."""

    def __init__(self, store: Neo4jStore, transaction: Transaction) -> None:
        self._store = store
        self._transaction = transaction
        self._begun = self._head = _locked(store, transaction)
        self.kept: list[Kept] = []
        self._names: dict[Name, Entry] = {}
        self._book: Book | None = None

    @property
    def head(self) -> Head:
        """The end of the ledger as this turn has it."""
        return self._head

    def entries(self, after: int) -> Iterator[Entry]:
        """What stands behind a position."""
        yield from _entries(self._store, after, self._begun.position)
        yield from [entry for entry, _ in self.kept if entry.position > after]

    def find_all(self, names: Collection[Name]) -> dict[Name, Entry]:
        """The entries of names, in one question."""
        own = {name: self._names[name] for name in names if name in self._names}
        return {**_found(self._store, [name for name in names if name not in own]), **own}

    def append(self, kept: Sequence[Kept], book: Book | None = None) -> None:
        """Append entries that follow the head; without the book the graph follows later."""
        self._book = book
        for entry, change in kept:
            name = entry.enterprise, entry.event_id
            assert entry.position == self._head.position + 1, "a position is missing"
            assert entry.previous == self._head.digest, "the chain is broken"
            assert name not in self._names, "one name for two facts"
            self.kept.append((entry, change))
            self._names[name] = entry
            self._head = head_of(entry)

    def write(self) -> None:
        """Hand over what waits."""
        if not self.kept:
            return
        rows = [_row(entry) for entry, _ in self.kept]
        try:
            with self._store.reading():
                self._transaction.run(APPEND, turn={"rows": rows, "name": NAME, **_values(self._head)}).consume()
        except ConstraintError as fault:
            raise AssertionError("one name for two facts") from fault
        if self._book is not None and len(self.kept) <= DRAWN_MOST:
            self._draw(self._book)

    def _draw(self, book: Book) -> None:
        """Write what the entries make of the graph, if it goes as far as this turn began: else it follows."""
        changes = [change for _, change in self.kept if change is not None]
        with self._store.reading():
            if len(changes) == len(self.kept):
                write(self._transaction, self._begun.position, Rows.of(project(changes, book)), self._head)

    def stands(self, transaction: Transaction) -> bool:
        """Whether what this turn wrote is kept: asked by another transaction once it holds the lock."""
        transaction.run(LOCK, name=NAME).consume()
        entry, _ = self.kept[-1] if self.kept else (None, None)
        if entry is None:
            return False
        found = list(transaction.run(ENTRIES, after=entry.position - 1, until=entry.position, page=1))
        return bool(found) and found[0]["digest"] == entry.digest


class Neo4jLedger:
    """Promises of `flows.ports.Ledger`, kept across processes by the write lock of the ledger's node."""

    def __init__(self, store: Neo4jStore) -> None:
        self._store = store

    def head(self) -> Head:
        """The end of the ledger now."""
        record = one(self._store.rows(HEAD, name=NAME))
        if record is None:
            raise self._store.damaged("Ledger")
        return _head(record, self._store)

    def find(self, enterprise: EnterpriseId, event_id: EventId) -> Entry | None:
        """The entry of a name."""
        return self.find_all([(enterprise, event_id)]).get((enterprise, event_id))

    def find_all(self, names: Collection[Name]) -> dict[Name, Entry]:
        """The entries of names, in one question."""
        return _found(self._store, names)

    def entries(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """A prefix that was complete at some instant, read page by page."""
        record = one(self._store.rows(LAST))
        end = 0 if record is None else int(record["position"])
        return _entries(self._store, after, end if until is None else min(until, end))

    @contextmanager
    def turn(self) -> Generator[Neo4jTurn]:
        """Hold the write lock: durable when it ends, gone when it raises.

        Raises:
            StoreProblem: Neo4j is out of reach, of a newer schema, or the ledger's end is not where it was noted.
        """

        def stands(asking: Transaction) -> bool:
            return turn.stands(asking)

        with self._store.writing(stands) as transaction:
            with self._store.reading():
                turn = Neo4jTurn(self._store, transaction)
            yield turn
            turn.write()

    def faults(self) -> list[Finding]:
        """What guards the entries and is missing, and nodes that pass for entries."""
        return self._store.faults()

    def mend(self) -> list[Finding]:
        """Make anew what guards and finds the entries; what was wrong."""
        return self._store.mend()

    def close(self) -> None:
        """Close the connections."""
        self._store.close()


def _locked(store: Neo4jStore, transaction: Transaction) -> Head:
    record = one(list(transaction.run(LOCK, name=NAME)))
    if record is None:
        raise store.damaged("Ledger")
    store.check_version(record["schema"])
    head = _head(record, store)
    noted = head.digest if head.position else None
    if record["found"] != noted or record["beyond"] is not None:
        raise StoreProblem("neo4j-end-differs", uri=store.address.uri, noted=head.position)
    return head


def _head(record: Record, store: Neo4jStore) -> Head:
    match record["position"], record["digest"], record["record_time_us"]:
        case int(position), str(digest), int(record_time_us):
            return Head(position, digest, record_time_us)
        case _:
            raise store.damaged("Ledger")


def _values(head: Head) -> dict[str, Any]:
    return {"position": head.position, "digest": head.digest, "record_time_us": head.record_time_us}


def _row(entry: Entry) -> dict[str, Any]:
    """An entry as properties; the hashed bytes go as bytes."""
    return {
        "position": entry.position,
        "record_time_us": entry.record_time_us,
        "enterprise": entry.enterprise,
        "event_id": entry.event_id,
        "body": entry.body,
        "digest": entry.digest,
    }


def _found(store: Neo4jStore, names: Collection[Name]) -> dict[Name, Entry]:
    if not names:
        return {}
    entries = [_entry(record, store) for record in store.rows(FIND, asked={"names": [list(name) for name in names]})]
    return {(entry.enterprise, entry.event_id): entry for entry in entries}


def _entries(store: Neo4jStore, after: int, until: int) -> Iterator[Entry]:
    while after < until:
        records = store.rows(ENTRIES, after=after, until=until, page=PAGE)
        if not records:
            return
        for record in records:
            entry = _entry(record, store)
            if entry.position <= after:
                raise store.damaged(f"entry {entry.position} behind entry {after}")
            after = entry.position
            yield entry


def _entry(record: Record, store: Neo4jStore) -> Entry:
    """An entry from its properties; the node may hold what no writer of ours put there."""
    match tuple(record.values()):
        case (
            int(position),
            int(recorded_us),
            str(enterprise),
            str(event_id),
            bytes() | bytearray() as body,
            str(digest),
        ):
            return Entry(position, recorded_us, enterprise, event_id, bytes(body), digest)
        case _:
            raise store.damaged(f"entry {record['position']}")
