"""One SQLite file for ledger and desk: opened with full durability, its schema counted, one connection a thread."""

import sqlite3
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from flows.errors import Problem
from flows.law import Finding

SCHEMA_VERSION: Final = 1
BUSY_SECONDS: Final = 60.0
"""How long a writer waits for another process's turn: a large import commits in turns of seconds."""
WAL_AGAIN_SECONDS: Final = 0.01
"""Between two tries to switch a new file to its write-ahead log: the other process needs about as long."""

_BYTE: Final = 0xFF
"""An extended result code keeps the primary one in its lowest byte."""
_WAITING: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SOUND: Final = {
    *_WAITING, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}  # fmt: skip
"""Faults that say nothing of the bytes: somebody else writes, the disk is full or away, a promise is kept."""

UNREADABLE: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What a damaged file runs into: SQLite itself, and Python that reads a message quoting broken text."""

SCHEMA: Final = """
    create table if not exists entry (
        position integer primary key check (position > 0),
        record_time_us integer not null,
        enterprise text not null,
        event_id text not null,
        body blob not null,
        digest text not null,
        unique (enterprise, event_id)
    ) strict;
    create trigger if not exists entry_is_never_changed before update on entry
        begin select raise(abort, 'an entry never changes'); end;
    create trigger if not exists entry_is_never_taken_away before delete on entry
        begin select raise(abort, 'an entry is never taken away'); end;
    create trigger if not exists entry_is_never_replaced before insert on entry
        when exists (select 1 from entry where position >= new.position)
            or exists (select 1 from entry where enterprise = new.enterprise and event_id = new.event_id)
        begin select raise(abort, 'an entry is never replaced'); end;
    create table if not exists head (
        one integer primary key check (one = 1),
        position integer not null,
        digest text not null,
        record_time_us integer not null
    ) strict;
    create table if not exists document (
        kind text not null,
        key text not null,
        version integer not null check (version > 0),
        body blob not null,
        expires_us integer,
        primary key (kind, key)
    ) strict, without rowid;
"""


class StoreProblem(Problem):
    """The file cannot serve: newer than this program, unreadable, or not ours."""

    title = {"zh": "数据文件无法使用", "en": "Store unusable"}


class SqliteStore:
    """The file and its connections. Threads each get their own; `close` closes them all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._mended: list[str] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit; writers begin their own transactions."""
        found: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if found is None:
            found = self._open()
            self._threads.connection = found
        return found

    @contextmanager
    def reading(self) -> Generator[None]:
        """Bytes that SQLite cannot make sense of are told in words.

        Raises:
            StoreProblem: the file is damaged.
        """
        try:
            yield
        except UNREADABLE as fault:
            if _sound(fault):
                raise
            raise self.damaged(str(fault)) from fault

    def damaged(self, told: str) -> StoreProblem:
        """The problem of bytes that make no sense."""
        return StoreProblem("store-damaged", path=str(self.path), told=told)

    def faults(self) -> list[Finding]:
        """What is wrong with the file below the entries: its pages and indexes, and the tables and triggers that guard it."""
        found = [Finding.of("audit-guard-missing", name=name) for name in self._mended]
        try:
            told = [str(line) for (line,) in self.connection().execute("pragma integrity_check")]
            found += [Finding.of("audit-file-damaged", told=line) for line in told if line != "ok"]
            found += [Finding.of("audit-guard-differs", name=name) for name in self._strange()]
        except UNREADABLE as fault:
            found.append(Finding.of("audit-file-damaged", told=str(fault)))
        return found

    def _strange(self) -> Iterator[str]:
        """Names in the schema that are missing, say something else, or are nobody's."""
        with closing(sqlite3.connect(":memory:")) as pure:
            for statement in _statements(SCHEMA):
                pure.execute(statement)
            wanted, found = _schema_of(pure), _schema_of(self.connection())
        for name in sorted({*wanted, *found}):
            if wanted.get(name) != found.get(name):
                yield name[1]

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
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
        with self._lock:
            self._all.append(connection)
        return connection

    def _prepare(self) -> None:
        try:
            connection = self.connection()
            found = int(connection.execute("pragma user_version").fetchone()[0])
            if found > SCHEMA_VERSION:
                raise StoreProblem("store-newer", path=str(self.path), found=found, known=SCHEMA_VERSION)
            names = {str(name) for (name,) in connection.execute("select name from sqlite_master")}
        except UNREADABLE as fault:
            if _code(fault) in {sqlite3.SQLITE_CORRUPT, None}:
                raise self.damaged(str(fault)) from fault
            raise StoreProblem("store-not-a-database", path=str(self.path)) from None
        if names and "entry" not in names:
            raise StoreProblem("store-not-a-database", path=str(self.path))
        with self.reading():
            _into_wal(connection)
            if found < SCHEMA_VERSION or not names >= _GUARDS:
                self._make(connection)

    def _make(self, connection: sqlite3.Connection) -> None:
        """Make what is not there: all of a new file, or a guard that somebody took away."""
        connection.execute("begin immediate")
        names = {str(name) for (name,) in connection.execute("select name from sqlite_master")}
        if names:
            self._mended = sorted(_GUARDS - names)
        for statement in _statements(SCHEMA):
            connection.execute(statement)
        connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        connection.execute("commit")


def _into_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait here when another process is just doing the same."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as fault:
            if _code(fault) not in _WAITING or time.monotonic() > until:
                raise
            time.sleep(WAL_AGAIN_SECONDS)
        else:
            return


def _statements(script: str) -> list[str]:
    """The single statements of a script: a trigger's body holds semicolons of its own."""
    statements: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements


_GUARDS: Final = frozenset(
    next(word for word in statement.split("exists ", 1)[1].split()) for statement in _statements(SCHEMA)
)
"""What every file holds: the tables, and the triggers that guard the entries."""


def _schema_of(connection: sqlite3.Connection) -> dict[tuple[str, str], tuple[str, str]]:
    """What a file says of its tables and triggers, blanks aside; SQLite's own statistics are not looked at."""
    rows = connection.execute("select type, name, tbl_name, coalesce(sql, '') from sqlite_master").fetchall()
    return {
        (str(kind), str(name)): (str(table), " ".join(str(sql).split()))
        for kind, name, table, sql in rows
        if not str(name).startswith("sqlite_stat")
    }


def _code(fault: Exception) -> int | None:
    """SQLite's primary result code; none where Python could not read what SQLite gave."""
    code: int | None = getattr(fault, "sqlite_errorcode", None)
    return None if code is None else code & _BYTE


def _sound(fault: Exception) -> bool:
    return _code(fault) in _SOUND
