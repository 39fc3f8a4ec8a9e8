"""The ledger in one SQLite file: a log only; triggers refuse update and delete, a turn is one immediate transaction.

A turn writes its end a second time, into a row of its own: an entry that somebody takes off the end is missed there.
"""

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, LiteralString

from flows.entries import Entry, Head, head_of
from flows.ids import EnterpriseId, EventId
from graph.sqlite_store import SqliteStore

PAGE: Final = 2_000
"""Entries read at a time: a reader never holds the file's snapshot for longer than one page."""

HEAD: Final[LiteralString] = """
    select position, digest, record_time_us from head
"""
LAST: Final[LiteralString] = """
    select coalesce(max(position), 0) from entry
"""
FIND: Final[LiteralString] = """
    select position, record_time_us, enterprise, event_id, body, digest from entry
    where enterprise = ? and event_id = ?
"""
ENTRIES: Final[LiteralString] = """
    select position, record_time_us, enterprise, event_id, body, digest from entry
    where position > ? and position <= ? order by position limit ?
"""
APPEND: Final[LiteralString] = """
    insert into entry (position, record_time_us, enterprise, event_id, body, digest) values (?, ?, ?, ?, ?, ?)
"""


MOVE_HEAD: Final[LiteralString] = """
    insert into head (one, position, digest, record_time_us) values (1, ?, ?, ?)
    on conflict (one) do update
    set position = excluded.position, digest = excluded.digest, record_time_us = excluded.record_time_us
"""


class SqliteTurn:
    """The one open write transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._head = _head(connection)

    @property
    def head(self) -> Head:
        """The end of the ledger as this turn has it."""
        return self._head

    def entries(self, after: int) -> Iterator[Entry]:
        """What stands behind a position."""
        return _entries(self._connection, after, self._head.position)

    def find(self, enterprise: EnterpriseId, event_id: EventId) -> Entry | None:
        """The entry of a name."""
        return _find(self._connection, enterprise, event_id)

    def append(self, entries: Sequence[Entry]) -> None:
        """Append entries that follow the head."""
        for entry in entries:
            assert entry.position == self._head.position + 1, "a position is missing"
            assert entry.previous == self._head.digest, "the chain is broken"
            row = (
                entry.position, entry.record_time_us, entry.enterprise, entry.event_id, entry.body, entry.digest,
            )  # fmt: skip
            try:
                self._connection.execute(APPEND, row)
            except sqlite3.IntegrityError as fault:
                raise AssertionError("one name for two facts") from fault
            self._head = head_of(entry)
        if entries:
            head = self._head
            self._connection.execute(MOVE_HEAD, (head.position, head.digest, head.record_time_us))


class SqliteLedger:
    """Promises of `flows.ports.Ledger`, kept across processes by SQLite's write lock."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def head(self) -> Head:
        """The end of the ledger now."""
        return _head(self._store.connection())

    def find(self, enterprise: EnterpriseId, event_id: EventId) -> Entry | None:
        """The entry of a name."""
        return _find(self._store.connection(), enterprise, event_id)

    def entries(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """A prefix that was complete at some instant, read page by page."""
        connection = self._store.connection()
        end = int(connection.execute(LAST).fetchone()[0])
        return _entries(connection, after, end if until is None else min(until, end))

    @contextmanager
    def turn(self) -> Generator[SqliteTurn]:
        """Hold the write lock: durable when it ends, gone when it raises."""
        connection = self._store.connection()
        connection.execute("begin immediate")
        try:
            yield SqliteTurn(connection)
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def _head(connection: sqlite3.Connection) -> Head:
    row = connection.execute(HEAD).fetchone()
    return Head() if row is None else Head(*row)


def _find(connection: sqlite3.Connection, enterprise: EnterpriseId, event_id: EventId) -> Entry | None:
    row = connection.execute(FIND, (enterprise, event_id)).fetchone()
    return None if row is None else Entry(*row)


def _entries(connection: sqlite3.Connection, after: int, until: int) -> Iterator[Entry]:
    while after < until:
        rows = connection.execute(ENTRIES, (after, until, PAGE)).fetchall()
        if not rows:
            return
        for row in rows:
            yield Entry(*row)
        after = int(rows[-1][0])
