"""What a SQLite file holds, version by version: the first schema, and the steps that lead from it to this one."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Final

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
"""Version 1. What came later stands in the steps, so that a new file and a migrated one are the same."""


@dataclass(frozen=True, slots=True)
class Migration:
    """The step to a version: kept whole or not at all.

    A step adds and never takes away or renames: a process of the version before may still be writing to the file.
    """

    version: int
    script: str


MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(
        2,
        """
        create index if not exists document_by_expiry on document (expires_us) where expires_us is not null;
        """,  # what has lapsed is swept away with each writing to the desk, and is to be found without reading it all
    ),
)
SCHEMA_VERSION: Final = MIGRATIONS[-1].version


def statements(script: str) -> Iterator[str]:
    """The single statements of a script: a trigger's body holds semicolons of its own."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def known_version(migrations: Sequence[Migration]) -> int:
    """The version that the last step leads to."""
    return migrations[-1].version if migrations else 1


def make(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Make everything of the newest version in an empty file, inside the open transaction."""
    for script in (SCHEMA, *(step.script for step in migrations)):
        for statement in statements(script):
            connection.execute(statement)
    connection.execute(f"pragma user_version = {known_version(migrations)}")


@cache
def wanted(version: int, migrations: tuple[Migration, ...] = MIGRATIONS) -> dict[tuple[str, str], tuple[str, str]]:
    """What a file of a version holds, by kind and name: on which table, in which words."""
    with closing(sqlite3.connect(":memory:")) as pure:
        make(pure, [step for step in migrations if step.version <= version])
        return found(pure)


def found(connection: sqlite3.Connection) -> dict[tuple[str, str], tuple[str, str]]:
    """What a file says of its tables, indexes and triggers, blanks aside; SQLite's own statistics are not looked at."""
    rows = connection.execute("select type, name, tbl_name, coalesce(sql, '') from sqlite_master").fetchall()
    return {
        (str(kind), str(name)): (str(table), " ".join(str(sql).split()))
        for kind, name, table, sql in rows
        if not str(name).startswith("sqlite_stat")
    }


def make_missing(
    connection: sqlite3.Connection, version: int, migrations: tuple[Migration, ...] = MIGRATIONS
) -> list[str]:
    """Make anew what somebody took away of a file's schema, inside the open transaction; the names of it."""
    there = found(connection)
    missing = [key for key in wanted(version, migrations) if key not in there]
    made = [name for _, name in missing if not name.startswith("sqlite_")]
    for kind in ("table", "index", "trigger"):
        for key in missing:
            if key[0] == kind and (sql := wanted(version, migrations)[key][1]):
                connection.execute(sql)
    return sorted(made)
