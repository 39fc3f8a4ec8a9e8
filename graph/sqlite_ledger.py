"""The ledger in one SQLite file: a log only; triggers refuse update and delete, a turn is one immediate transaction.

A turn writes its end a second time, into a row of its own: an entry that somebody takes off the end is missed there.
"""

import sqlite3
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString

from flows.book import Book
from flows.entries import NO_DIGEST, Entry, Head, head_of
from flows.ids import EnterpriseId, EventId
from flows.law import Finding
from flows.ports import Kept, Name
from graph.sqlite_store import SqliteStore
from graph.store_problems import StoreProblem

_TYPES: Final = (int, int, str, str, bytes, str)
"""Of an entry's columns."""
PAGE: Final = 2_000
"""Entries read at a time: a reader never holds the file's snapshot for longer than one page."""

HEAD: Final[LiteralString] = """
    select position, digest, record_time_us from head
"""
LAST: Final[LiteralString] = """
    select coalesce(max(position), 0) from entry
"""
END: Final[LiteralString] = """
    select position, digest from entry order by position desc limit 1
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

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._head = _head(store)
        _check_end(store, self._head)

    @property
    def head(self) -> Head:
        """The end of the ledger as this turn has it."""
        return self._head

    def entries(self, after: int) -> Iterator[Entry]:
        """What stands behind a position."""
        return _entries(self._store, after, self._head.position)

    def find_all(self, names: Collection[Name]) -> dict[Name, Entry]:
        """The entries of names."""
        return _found(self._store, names)

    def append(self, kept: Sequence[Kept], book: Book | None = None) -> None:
        """Append entries that follow the head."""
        if not kept:
            return
        connection, head = self._store.connection(), self._head
        entries = [entry for entry, _ in kept]
        for entry in entries:
            assert entry.position == head.position + 1, "a position is missing"
            assert entry.previous == head.digest, "the chain is broken"
            head = head_of(entry)
        rows = (
            (each.position, each.record_time_us, each.enterprise, each.event_id, each.body, each.digest)
            for each in entries
        )
        try:
            with self._store.reading():
                connection.executemany(APPEND, rows)
                connection.execute(MOVE_HEAD, (head.position, head.digest, head.record_time_us))
        except sqlite3.IntegrityError as fault:
            raise AssertionError("one name for two facts") from fault
        self._head = head


class SqliteLedger:
    """Promises of `flows.ports.Ledger`, kept across processes by SQLite's write lock."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def head(self) -> Head:
        """The end of the ledger now."""
        return _head(self._store)

    def find(self, enterprise: EnterpriseId, event_id: EventId) -> Entry | None:
        """The entry of a name."""
        return _find(self._store, enterprise, event_id)

    def find_all(self, names: Collection[Name]) -> dict[Name, Entry]:
        """The entries of names."""
        return _found(self._store, names)

    def entries(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """A prefix that was complete at some instant, read page by page."""
        with self._store.reading():
            end = int(self._store.connection().execute(LAST).fetchone()[0])
        return _entries(self._store, after, end if until is None else min(until, end))

    @contextmanager
    def turn(self) -> Generator[SqliteTurn]:
        """Hold the write lock: durable when it ends, gone when it raises.

        Raises:
            StoreProblem: the disk is full or out of reach, or the ledger's end is not where it was noted.
        """
        with self._store.writing():
            yield SqliteTurn(self._store)

    def faults(self) -> list[Finding]:
        """What is wrong with the file itself."""
        return self._store.faults()

    def mend(self) -> list[Finding]:
        """Make the file's indexes anew where they differ from the entries; what was wrong.

        Raises:
            StoreProblem: the entries themselves are damaged.
        """
        return self._store.mend()

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def _head(store: SqliteStore) -> Head:
    with store.reading():
        row = store.connection().execute(HEAD).fetchone()
    if row is None:
        return Head()
    if tuple(map(type, row)) != (int, str, int):
        raise store.damaged("head")
    return Head(*row)


def _check_end(store: SqliteStore, head: Head) -> None:
    """Nothing is written behind an end that is not the one that was noted: it would hide what was taken off."""
    with store.reading():
        last = store.connection().execute(END).fetchone() or (0, NO_DIGEST)
    if last != (head.position, head.digest):
        raise StoreProblem("store-end-differs", path=str(store.path), noted=head.position, found=int(last[0]))


def _found(store: SqliteStore, names: Collection[Name]) -> dict[Name, Entry]:
    """A question each, for the file is in this process."""
    found = {name: _find(store, *name) for name in names}
    return {name: entry for name, entry in found.items() if entry is not None}


def _find(store: SqliteStore, enterprise: EnterpriseId, event_id: EventId) -> Entry | None:
    with store.reading():
        row = store.connection().execute(FIND, (enterprise, event_id)).fetchone()
    return None if row is None else _entry(row, store)


def _entries(store: SqliteStore, after: int, until: int) -> Iterator[Entry]:
    while after < until:
        with store.reading():
            rows = store.connection().execute(ENTRIES, (after, until, PAGE)).fetchall()
        if not rows:
            return
        for row in rows:
            entry = _entry(row, store)
            if entry.position <= after:
                raise store.damaged(f"entry {entry.position} behind entry {after}")
            after = entry.position
            yield entry


def _entry(row: Sequence[Any], store: SqliteStore) -> Entry:
    """An entry from its columns; the file may hold what no writer of ours put there."""
    if tuple(map(type, row)) != _TYPES:
        raise store.damaged(f"entry {row[0]}")
    return Entry(*row)
