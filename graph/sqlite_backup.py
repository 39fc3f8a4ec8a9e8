"""Copying a ledger while it is written to: entries in order in short readings, so that no writer ever waits for it.

SQLite's own page copy begins anew with each foreign commit, or holds one snapshot under which the write-ahead log grows
until a writer has to fold all of it in. Entries never change: they are copied a few at a time, each time by a reading
that ends at once. Only the last of them, the head and the desk are read in one snapshot, which makes the copy the
ledger at one position.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, LiteralString

from flows.entries import Entry, Head, chain_faults, head_of
from flows.law import Finding
from flows.times import moment_of
from graph import sqlite_schema
from graph.sqlite_copy import check_free, written_whole
from graph.sqlite_faults import UNREADABLE, told
from graph.sqlite_ledger import ENTRIES, HEAD, LAST
from graph.sqlite_seal import is_sealed, seal, seal_faults
from graph.sqlite_store import SqliteStore, file_faults
from graph.store_problems import StoreProblem

STEP: Final = 125
"""Entries of one reading: a few milliseconds."""
PAUSE_SHARE: Final = 1.0
"""Of a step's time that is waited after it: half a processor is for those who serve."""
SYNC_B: Final = 256 * 1024
"""The copy reaches the disk in portions: one great sync at the end would make every commit on that disk wait."""
CACHE_KIB: Final = 64 * 1024
"""For the copy's index of names, which grows in no order."""
SEAL_FAULTS: Final = frozenset({"backup-page-differs", "backup-seal-damaged"})
FAULTS_MOST: Final = 100
"""Of a file's faults that are named; the rest follows from them."""

Progress = Callable[[int, int], None]
"""Entries done, and of how many."""

SCHEMA_OF: Final[LiteralString] = """
    select type, name, sql from sqlite_master where sql is not null and name not like 'sqlite_%' order by rowid
"""
FINAL: Final = 1 << 62
"""Behind every position."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A file that was checked: how far its ledger goes, and all that is wrong with it."""

    file: Path
    schema: int
    head: Head = field(default_factory=Head)
    size_b: int = 0
    faults: tuple[Finding, ...] = ()
    sealed: bool = False
    """Each of its pages was held against the digest that it had when it was made."""

    @property
    def readable(self) -> bool:
        """Nothing is wrong but pages that differ from their seal: entries, indexes and pages hold all the same."""
        return all(each.key in SEAL_FAULTS for each in self.faults)

    @property
    def recorded(self) -> datetime | None:
        """When its last entry was recorded."""
        return moment_of(self.head.record_time_us) if self.head.position else None


def back_up(store: SqliteStore, target: Path, progress: Progress | None = None) -> Copied:
    """Copy a live ledger with its desk into a new file, check the copy, and only then give it its name.

    Raises:
        StoreProblem: the name is taken; the ledger cannot be read; its chain or its end does not hold; no room.
    """
    check_free(target)
    with written_whole(target) as part:
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            _Copying(store, copy, part, progress).run()
        seal(part)
        copied = check(part)
        if copied.faults:
            raise StoreProblem("backup-unsound", path=str(store.path), count=len(copied.faults))
    return replace(copied, file=target)


@dataclass
class _Copying:
    """A copy on its way."""

    store: SqliteStore
    copy: sqlite3.Connection
    part: Path
    progress: Progress | None
    _unsynced_b: int = 0

    def run(self) -> None:
        origin = self.store.connection()
        for line in ("journal_mode = off", "synchronous = off", f"cache_size = -{CACHE_KIB}"):
            self.copy.execute(f"pragma {line}")  # what breaks off is thrown away: it needs no journal
        with self.store.reading():
            schema = [(str(kind), str(name), str(sql)) for kind, name, sql in origin.execute(SCHEMA_OF)]
        self._make(schema, "table")
        after = self._entries(0, paced=True)
        with self.store.reading():
            origin.execute("begin")  # one snapshot for the rest: it lasts for as long as the desk takes
            try:
                self._entries(after, paced=False)
                for kind, name, _ in schema:
                    if kind == "table" and name != "entry":
                        self._table(name)
                version = int(origin.execute("pragma user_version").fetchone()[0])
            finally:
                origin.execute("rollback")
        for kind in ("index", "trigger"):
            self._make(schema, kind)
        self.copy.execute(f"pragma user_version = {version}")

    def _make(self, schema: Iterable[tuple[str, str, str]], wanted: str) -> None:
        for kind, _, sql in schema:
            if kind == wanted:
                self.copy.execute(sql)

    def _entries(self, after: int, *, paced: bool) -> int:
        """Copy entries behind a position, as far as they go; the last position."""
        origin = self.store.connection()
        while True:
            begun = time.perf_counter()
            with self.store.reading():
                end = int(origin.execute(LAST).fetchone()[0])
                rows = origin.execute(ENTRIES, (after, FINAL, STEP)).fetchall()
            if rows:
                self._put("entry", rows)
                after = int(rows[-1][0])
                if self.progress:
                    self.progress(after, max(after, end))
            if len(rows) < STEP:
                return after
            if paced:
                time.sleep((time.perf_counter() - begun) * PAUSE_SHARE)

    def _table(self, table: str) -> None:
        read = self.store.connection().execute(f'select * from "{table}"')  # noqa: S608 - its name comes out of the schema
        while rows := read.fetchmany(STEP):
            self._put(table, rows)

    def _put(self, table: str, rows: list[Any]) -> None:
        marks = ", ".join("?" * len(rows[0]))
        self.copy.execute("begin")
        self.copy.executemany(f'insert into "{table}" values ({marks})', rows)  # noqa: S608 - the same
        self.copy.execute("commit")
        self._unsynced_b += sum(len(each) for row in rows for each in row if isinstance(each, str | bytes))
        if self._unsynced_b >= SYNC_B:
            self._unsynced_b = 0
            opened = os.open(self.part, os.O_RDWR)
            try:
                os.fdatasync(opened)
            finally:
                os.close(opened)


def check(file: Path) -> Copied:
    """Everything that is wrong with a ledger's file: pages, indexes, guards, chain, end, and seal. Nothing is written to it.

    Raises:
        StoreProblem: it is no ledger's file, or of a newer schema, or cannot be opened.
    """
    with closing(opened_to_read(file)) as connection:
        try:
            version = int(connection.execute("pragma user_version").fetchone()[0])
            there = sqlite_schema.found(connection)
        except UNREADABLE as fault:
            raise told(fault, file, opening=True) from fault
        if ("table", "entry") not in there:
            raise StoreProblem("store-not-a-database", path=str(file))
        if version > sqlite_schema.SCHEMA_VERSION:
            raise StoreProblem("store-newer", path=str(file), found=version, known=sqlite_schema.SCHEMA_VERSION)
        sealed = is_sealed(file)
        faults = [*file_faults(connection, version), *(seal_faults(file) if sealed else ())]
        last = Head()
        try:
            for found, last in _chain(connection):  # noqa: B007 - the last one is the end
                faults += found
            noted = connection.execute(HEAD).fetchone()
            if Head(*(noted or ())) != last:
                faults.append(Finding.of("audit-head-differs", told=noted[0] if noted else 0, found=last.position))
        except UNREADABLE as fault:
            faults.append(Finding.of("audit-file-damaged", told=str(fault)))
        except TypeError:
            faults.append(Finding.of("audit-file-damaged", told="entry, head"))
    return Copied(file, version, last, file.stat().st_size, tuple(faults[:FAULTS_MOST]), sealed)


def opened_to_read(file: Path) -> sqlite3.Connection:
    """A connection that leaves no trace: a file without a write-ahead log beside it is taken as it lies there.

    Raises:
        StoreProblem: there is no such file.
    """
    if not file.is_file():
        raise StoreProblem("backup-missing", path=str(file))
    still = "" if file.with_name(file.name + "-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro{still}", uri=True, isolation_level=None)


def _chain(connection: sqlite3.Connection) -> Iterator[tuple[list[Finding], Head]]:
    """Entries step by step: what is wrong with them, and the end so far."""
    last = Head()
    while rows := connection.execute(ENTRIES, (last.position, FINAL, STEP)).fetchall():
        entries = [Entry(*row) for row in rows]
        yield (
            [Finding.of(key, position=position) for position, key in chain_faults(entries, last)],
            head_of(entries[-1]),
        )
        last = head_of(entries[-1])


def digest_at(file: Path, position: int) -> str | None:
    """The digest that a ledger's file has at a position; none beyond its end."""
    with closing(opened_to_read(file)) as connection:
        row = connection.execute(ENTRIES, (position - 1, position, 1)).fetchone()
    return None if row is None else str(row[5])
