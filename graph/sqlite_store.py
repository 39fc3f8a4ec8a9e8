"""One SQLite file for ledger and desk: opened with full durability, its schema counted, one connection a thread."""

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from flows.errors import Problem

SCHEMA_VERSION: Final = 1
BUSY_SECONDS: Final = 60.0
"""How long a writer waits for another process's turn: a large import commits in turns of seconds."""
WAL_AGAIN_SECONDS: Final = 0.01
"""Between two tries to switch a new file to its write-ahead log: the other process needs about as long."""

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
            tables = {
                str(name) for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
            }
        except sqlite3.DatabaseError:
            raise StoreProblem("store-not-a-database", path=str(self.path)) from None
        if tables and "entry" not in tables:
            raise StoreProblem("store-not-a-database", path=str(self.path))
        _into_wal(connection)
        if found < SCHEMA_VERSION:
            connection.execute("begin immediate")
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
        except sqlite3.OperationalError:
            if time.monotonic() > until:
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
