"""One SQLite file for ledger and desk: opened with full durability, its schema counted, one connection a thread."""

import logging
import sqlite3
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from flows.errors import messages
from flows.law import Finding
from graph import sqlite_copy, sqlite_schema
from graph.sqlite_faults import UNREADABLE, told, told_by_system, waits
from graph.sqlite_schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION, Migration
from graph.store_problems import StoreAway, StoreFull, StoreProblem

__all__ = ["SCHEMA", "SCHEMA_VERSION", "SqliteStore", "StoreAway", "StoreFull", "StoreProblem"]

BUSY_SECONDS: Final = 60.0
"""How long a writer waits for another process's turn before it gives up: on a machine that hardly moves, turns take long."""
MS: Final = 1_000
LOCK_AGAIN_SECONDS: Final = 0.0005
"""Between two looks at the write lock. SQLite itself looks again after 1, 2, 5 and soon only each 100 ms: beside somebody
who writes without a pause its waiter found the lock free after 0.7 s, and by then had a thousand entries to read."""
WAL_AGAIN_SECONDS: Final = 0.01
"""Between two tries to switch a new file to its write-ahead log: the other process needs about as long."""
INDEX_FAULTS: Final = ("missing from index", "wrong # of entries in index", "non-unique entry in index")
"""How SQLite's check tells that an index, and not the entries, is wrong."""

_LOG: Final = logging.getLogger(__name__)


class SqliteStore:
    """The file and its connections. Threads each get their own; `close` closes them all.

    A file of an older schema is brought forward, step by step, after a backup of it was laid beside it.

    Raises:
        StoreProblem: newer than this program, unreadable, not ours, full, or out of reach; the words say what to do.
    """

    def __init__(
        self, path: Path, migrations: tuple[Migration, ...] = MIGRATIONS, *, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self.path = path
        self._migrations = migrations
        self._busy_seconds = busy_seconds
        self._threads = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._mended: list[str] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise told_by_system(fault, path) from fault
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit; writers begin their own transactions."""
        found: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if found is None:
            with self.reading():
                found = self._open()
            self._threads.connection = found
        return found

    @contextmanager
    def reading(self) -> Generator[None]:
        """What SQLite cannot do is told in words.

        Raises:
            StoreProblem: the file is damaged, full or out of reach.
        """
        try:
            yield
        except UNREADABLE as fault:
            problem = told(fault, self.path)
            if problem is fault:
                raise
            raise problem from fault

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """The write lock: durable when it ends, gone when it raises. Within another, of one thread, it is part of that.

        Raises as `reading` does.
        """
        connection = self.connection()
        if connection.in_transaction:  # what the desk keeps in a turn is kept or gone with the turn
            yield connection
            return
        with self.reading():
            _begin(connection, self._busy_seconds)
        try:
            yield connection
            with self.reading():
                connection.execute("commit")
        except BaseException:
            if connection.in_transaction:  # a full disk may have ended it already
                with suppress(sqlite3.Error):  # what is not committed is gone either way
                    connection.execute("rollback")
            raise

    def damaged(self, said: str) -> StoreProblem:
        """The problem of bytes that make no sense."""
        return StoreProblem("store-damaged", path=str(self.path), told=said)

    def faults(self) -> list[Finding]:
        """What is wrong with the file below the entries: its pages and indexes, and the tables and triggers that guard it."""
        missing = [Finding.of("audit-guard-missing", name=name) for name in self._mended]
        version = sqlite_schema.known_version(self._migrations)
        return [*missing, *file_faults(self.connection(), version, self._migrations)]

    def mend(self) -> list[Finding]:
        """Make the indexes anew from the tables when they differ from them; what was wrong.

        Raises:
            StoreProblem: the entries themselves are damaged.
        """
        wrong = [each for each in self.faults() if each.key == "audit-index-differs"]
        if wrong:
            with self.writing() as connection, self.reading():
                connection.execute("reindex")
        return wrong

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """All rows of a query."""
        return self.connection().execute(query, tuple(values)).fetchall()

    def close(self) -> None:
        """Close every connection that was opened."""
        with self._lock:
            while self._all:
                self._all.pop().close()
        self._threads = threading.local()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
        with self._lock:
            self._all.append(connection)
        return connection

    def _prepare(self) -> None:
        if self.path.is_dir():
            raise StoreProblem("store-not-a-database", path=str(self.path))
        known = sqlite_schema.known_version(self._migrations)
        try:
            connection = self._open()
            version = _version(connection)
            if version > known:
                raise StoreProblem("store-newer", path=str(self.path), found=version, known=known)
            there = sqlite_schema.found(connection)
        except UNREADABLE as fault:
            raise told(fault, self.path, opening=True) from fault
        if there and ("table", "entry") not in there:
            raise StoreProblem("store-not-a-database", path=str(self.path))
        self._threads.connection = connection
        with self.reading():
            _into_wal(connection)
        if there and 0 < version < known:
            self._migrate(version)
        elif not there.keys() >= sqlite_schema.wanted(known, self._migrations).keys():
            self._make()

    def _make(self) -> None:
        """Make what is not there: all of a new file, or a guard that somebody took away."""
        with self.writing() as connection, self.reading():
            if not sqlite_schema.found(connection):
                sqlite_schema.make(connection, self._migrations)
                return
            known = sqlite_schema.known_version(self._migrations)
            self._mended = sqlite_schema.make_missing(connection, known, self._migrations)
            connection.execute(f"pragma user_version = {known}")
        for name in self._mended:
            _LOG.warning("%s", messages()["audit-guard-missing"]["zh"].format(name=name))

    def _migrate(self, found: int) -> None:
        """Bring the file forward. Each step is a transaction of its own: what breaks off goes on from there.

        Where the version is no longer the one that was found, another process began, and laid a copy aside before.
        """
        before = backup = None
        for step in self._migrations:
            with self.writing() as connection, self.reading():
                version = _version(connection)
                if version >= step.version:  # another process was first
                    continue
                if backup is None and version == found:
                    before = version
                    backup = self._laid_aside(version)
                self._mended += sqlite_schema.make_missing(connection, version, self._migrations)
                for statement in sqlite_schema.statements(step.script):
                    connection.execute(statement)
                connection.execute(f"pragma user_version = {step.version}")
        if backup is not None:
            after = sqlite_schema.known_version(self._migrations)
            figures = {"path": str(self.path), "before": before, "after": after, "backup": str(backup)}
            _LOG.warning("%s", messages()["store-migrated"]["zh"].format(**figures))

    def _laid_aside(self, version: int) -> Path:
        """A copy of the file as it is, beside it; the write lock is held, so that it is the last of its schema."""
        beside = sqlite_copy.dated(self.path, f"schema{version}", datetime.now().astimezone())
        sqlite_copy.copy_at_rest(self.path, beside)
        return beside


def file_faults(
    connection: sqlite3.Connection, version: int, migrations: tuple[Migration, ...] = MIGRATIONS
) -> Iterator[Finding]:
    """What SQLite's own check says of pages and indexes, and where the schema is not that of its version."""
    try:
        for (line,) in connection.execute("pragma integrity_check"):
            if any(words in str(line) for words in INDEX_FAULTS):
                yield Finding.of("audit-index-differs", told=str(line))
            elif line != "ok":
                yield Finding.of("audit-file-damaged", told=str(line))
        wanted, found = sqlite_schema.wanted(version, migrations), sqlite_schema.found(connection)
        for key in sorted({*wanted, *found}):
            if wanted.get(key) != found.get(key):
                yield Finding.of("audit-guard-differs", name=key[1])
    except UNREADABLE as fault:
        yield Finding.of("audit-file-damaged", told=str(fault))


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _begin(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Begin to write as soon as nobody else does."""
    until = time.monotonic() + busy_seconds
    connection.execute("pragma busy_timeout = 0")
    try:
        while not _begun(connection, until):
            time.sleep(LOCK_AGAIN_SECONDS)
    finally:
        connection.execute(f"pragma busy_timeout = {int(busy_seconds * MS)}")


def _begun(connection: sqlite3.Connection, until: float) -> bool:
    try:
        connection.execute("begin immediate")
    except sqlite3.OperationalError as fault:
        if not waits(fault) or time.monotonic() > until:
            raise
        return False
    return True


def _into_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait here when another process is just doing the same."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as fault:
            if not waits(fault) or time.monotonic() > until:
                raise
            time.sleep(WAL_AGAIN_SECONDS)
        else:
            return
