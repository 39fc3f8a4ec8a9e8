"""A file of an older schema is brought forward whole, with a backup beside it, however often it breaks off."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest

from flows.audit import audit
from graph import sqlite_schema
from graph.sqlite_backup import check
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_schema import MIGRATIONS, SCHEMA_VERSION, Migration
from graph.sqlite_store import SqliteStore, StoreProblem
from tests.graph.stores import rows
from tests.graph.test_ledger import write

ROOT = Path(__file__).parents[2]
NEXT = Migration(SCHEMA_VERSION + 1, "create table more (name text not null) strict;\ninsert into more values ('a');")
LAST = Migration(SCHEMA_VERSION + 2, "create index more_by_name on more (name);")
LONG = Migration(
    SCHEMA_VERSION + 1,
    """
    create table more (n integer);
    insert into more with recursive count (n) as (select 1 union all select n + 1 from count where n < 300000)
        select n from count;
    """,
)
BROKEN = Migration(SCHEMA_VERSION + 2, "insert into more values ('b');\ncreate index lost on nowhere (name);")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A ledger as the first version wrote it."""
    file = tmp_path / "huanliu.db"
    store = SqliteStore(file, ())
    write(SqliteLedger(store), 5)
    store.close()
    return file


def backups(file: Path) -> list[Path]:
    return sorted(file.parent.glob("huanliu-schema*.db"))


def version(file: Path) -> int:
    with closing(sqlite3.connect(file)) as raw:
        return int(raw.execute("pragma user_version").fetchone()[0])


def test_an_older_file_becomes_what_a_new_one_is(first: Path, tmp_path: Path) -> None:
    store = SqliteStore(first)
    new = SqliteStore(tmp_path / "new.db")

    assert version(first) == SCHEMA_VERSION
    assert sqlite_schema.found(store.connection()) == sqlite_schema.found(new.connection())
    assert audit(SqliteLedger(store)) == []
    assert SqliteLedger(store).head().position == 5
    store.close()
    new.close()


def test_a_backup_of_what_it_was_lies_beside_it(first: Path) -> None:
    SqliteStore(first).close()

    (backup,) = backups(first)
    copied = check(backup)
    assert (copied.schema, copied.head.position, copied.faults) == (1, 5, ())
    assert "schema1" in backup.name


def test_a_file_of_this_version_is_not_backed_up(first: Path) -> None:
    SqliteStore(first).close()
    SqliteStore(first).close()

    assert len(backups(first)) == 1


def test_several_steps_lead_to_the_newest(first: Path) -> None:
    steps = (*MIGRATIONS, NEXT, LAST)
    store = SqliteStore(first, steps)

    assert version(first) == LAST.version
    assert rows(SqliteLedger(store), "select name from more") == [("a",)]
    assert store.faults() == []
    assert len(backups(first)) == 1
    store.close()


def test_a_step_that_breaks_off_leaves_the_one_before_and_is_gone_on_from(first: Path) -> None:
    with pytest.raises(StoreProblem):
        SqliteStore(first, (*MIGRATIONS, NEXT, BROKEN))
    assert version(first) == NEXT.version

    store = SqliteStore(first, (*MIGRATIONS, NEXT, LAST))
    assert version(first) == LAST.version
    assert rows(SqliteLedger(store), "select name from more") == [("a",)]
    assert SqliteLedger(store).head().position == 5
    store.close()


def test_many_that_open_an_old_file_at_once_migrate_it_once(first: Path) -> None:
    start, opened = Barrier(6), list[SqliteStore]()

    def one() -> None:
        start.wait()
        opened.append(SqliteStore(first, (*MIGRATIONS, NEXT)))

    threads = [Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == 6
    assert rows(SqliteLedger(opened[0]), "select name from more") == [("a",)]
    assert len(backups(first)) == 1
    for store in opened:
        store.close()


def test_a_guard_that_an_old_file_lacks_is_made_anew_and_told(first: Path) -> None:
    with closing(sqlite3.connect(first)) as raw:
        raw.execute("drop trigger entry_is_never_changed")

    store = SqliteStore(first)
    assert [finding.key for finding in store.faults()] == ["audit-guard-missing"]
    with pytest.raises(sqlite3.IntegrityError):
        store.connection().execute("update entry set event_id = 'x' where position = 1")
    store.close()


def test_a_writer_of_the_version_before_goes_on_writing(first: Path) -> None:
    """Steps only add: nobody has to stop all processes at one instant."""
    old = SqliteLedger(SqliteStore(first, ()))
    new = SqliteStore(first)
    write(old, 1, first=6)

    assert SqliteLedger(new).head().position == 6
    assert audit(SqliteLedger(new)) == []
    old.close()
    new.close()


MIGRATES = """
import sys
from pathlib import Path
from graph.sqlite_store import SqliteStore
from tests.graph.test_migrations import LONG, MIGRATIONS
SqliteStore(Path(sys.argv[1]), (*MIGRATIONS, LONG))
"""


def test_a_process_killed_within_a_step_leaves_a_file_that_goes_on_from_there(first: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", MIGRATES, first], cwd=ROOT) as process:
        while not backups(first) and process.poll() is None:
            pass
        process.kill()

    (backup,) = backups(first)
    assert check(backup).faults == ()
    store = SqliteStore(first, (*MIGRATIONS, LONG))
    assert version(first) == LONG.version
    assert rows(SqliteLedger(store), "select count(*) from more") == [(300_000,)]
    assert SqliteLedger(store).head().position == 5
    assert store.faults() == []
    store.close()
