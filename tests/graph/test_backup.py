"""A live ledger is copied while it is written to; a copy is checked to the byte; a restore loses nothing unasked."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.audit import audit
from flows.entries import head_of
from flows.times import SHANGHAI
from graph.sqlite_backup import STEP, back_up, check
from graph.sqlite_desk import SqliteDesk
from graph.sqlite_faults import StoreAway, StoreProblem
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_restore import restore
from graph.sqlite_store import SqliteStore
from tests.flows.stories import SMELTER, House, generated, registered
from tests.graph.test_ledger import write

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 21, 5, tzinfo=SHANGHAI)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "data" / "huanliu.db")
    yield opened
    opened.close()


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


# copying -----------------------------------------------------------------------------------------------------------


def test_a_backup_holds_ledger_and_desk_and_is_one_file(store: SqliteStore, tmp_path: Path) -> None:
    written = write(SqliteLedger(store), 2 * STEP + 1)
    SqliteDesk(store).put("kind", "k", b"kept", version=0, now_us=1)
    copied = back_up(store, tmp_path / "copies" / "one.db")

    assert (copied.head, copied.faults) == (head_of(written[-1]), ())
    assert copied.size_b == copied.file.stat().st_size
    assert files(copied.file.parent) == {"one.db"}
    again = SqliteStore(copied.file)
    assert list(SqliteLedger(again).entries()) == written
    assert audit(SqliteLedger(again)) == []
    document = SqliteDesk(again).get("kind", "k", now_us=1)
    assert document is not None
    assert document.body == b"kept"
    again.close()


def test_an_empty_ledger_is_backed_up_too(store: SqliteStore, tmp_path: Path) -> None:
    assert back_up(store, tmp_path / "one.db").head.position == 0
    assert check(tmp_path / "one.db").faults == ()


def test_what_is_written_meanwhile_is_in_it_up_to_one_position(store: SqliteStore, tmp_path: Path) -> None:
    """A writer on its own connection does not stop, and the copy is the ledger as it was at one position."""
    ledger = SqliteLedger(store)
    House(ledger).tell(*registered(SMELTER))
    stop, begun = Event(), Event()

    def writes() -> None:
        other = SqliteStore(store.path)
        house = House(SqliteLedger(other))
        number = 0
        while not stop.is_set():
            house.tell(generated(f"W{number}", "1 g"))
            number += 1
            if number > STEP:
                begun.set()
        other.close()

    writer = Thread(target=writes)
    writer.start()
    begun.wait()
    ends = [back_up(store, tmp_path / f"{number}.db").head for number in range(3)]
    stop.set()
    writer.join()

    digests = {entry.position: entry.digest for entry in ledger.entries()}
    assert STEP < ends[0].position <= ends[1].position <= ends[2].position <= len(digests)
    assert [digests[end.position] for end in ends] == [end.digest for end in ends]


def test_progress_is_told_in_entries(store: SqliteStore, tmp_path: Path) -> None:
    write(SqliteLedger(store), 2 * STEP + 7)
    told: list[tuple[int, int]] = []
    back_up(store, tmp_path / "one.db", lambda done, total: told.append((done, total)))

    assert told == [(STEP, 2 * STEP + 7), (2 * STEP, 2 * STEP + 7), (2 * STEP + 7, 2 * STEP + 7)]


def test_a_backup_writes_over_nothing(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "one.db").write_text("somebody's")

    with pytest.raises(StoreProblem) as caught:
        back_up(store, tmp_path / "one.db")
    assert caught.value.key == "backup-name-taken"
    assert (tmp_path / "one.db").read_text() == "somebody's"


def test_a_backup_that_breaks_off_leaves_no_file(store: SqliteStore, tmp_path: Path) -> None:
    write(SqliteLedger(store), 2 * STEP)

    def breaks(done: int, _: int) -> None:
        if done > STEP:
            raise KeyboardInterrupt

    folder = tmp_path / "copies"
    with pytest.raises(KeyboardInterrupt):
        back_up(store, folder / "one.db", breaks)
    assert files(folder) == set()


BACKS_UP = """
import os, sys
from pathlib import Path
from graph.sqlite_backup import STEP, back_up
from graph.sqlite_store import SqliteStore
back_up(SqliteStore(Path(sys.argv[1])), Path(sys.argv[2]), lambda done, _: done > STEP and os.kill(os.getpid(), 9))
"""


def test_a_backup_that_is_killed_leaves_nothing_under_its_name(store: SqliteStore, tmp_path: Path) -> None:
    write(SqliteLedger(store), 2 * STEP)
    target = tmp_path / "one.db"
    killed = subprocess.run([sys.executable, "-c", BACKS_UP, store.path, target], cwd=ROOT, check=False)

    assert killed.returncode == -9
    assert not target.exists()
    assert back_up(store, target).head.position == 2 * STEP


def test_a_ledger_whose_chain_is_broken_gives_no_backup(store: SqliteStore, tmp_path: Path) -> None:
    write(SqliteLedger(store), 5)
    raw = store.connection()
    raw.execute("drop trigger entry_is_never_changed")
    raw.execute("update entry set body = cast(replace(body, '7', '8') as blob) where position = 3")

    with pytest.raises(StoreProblem) as caught:
        back_up(store, tmp_path / "one.db")
    assert caught.value.key == "backup-unsound"
    assert not (tmp_path / "one.db").exists()


# checking ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    store = SqliteStore(folder / "huanliu.db")
    write(SqliteLedger(store), 20)
    SqliteDesk(store).put("kind", "k", b"kept", version=0, now_us=1)
    back_up(store, folder / "one.db")
    store.close()
    return folder / "one.db"


def test_a_check_writes_nothing(kept: Path) -> None:
    before, body = files(kept.parent), kept.read_bytes()

    assert check(kept).faults == ()
    assert (files(kept.parent), kept.read_bytes()) == (before, body)


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 2**20), mask=st.integers(1, 255))
def test_a_byte_flipped_anywhere_in_a_backup_is_found_or_changes_nothing_that_is_read(
    kept: Path, place: int, mask: int
) -> None:
    body = bytearray(kept.read_bytes())
    body[place % len(body)] ^= mask
    flipped = kept.with_name("flipped.db")
    flipped.write_bytes(body)
    try:
        found = check(flipped)
    except StoreProblem as problem:
        assert problem.text("zh")
        return
    if not found.faults:
        with closing(sqlite3.connect(flipped)) as one, closing(sqlite3.connect(kept)) as other:
            for table in ("entry", "head"):
                query = f"select * from {table}"
                assert one.execute(query).fetchall() == other.execute(query).fetchall()


TAMPERED: list[tuple[str, str]] = [
    ("update entry set body = cast(replace(body, '_g\":7', '_g\":8') as blob) where position = 7", "audit-digest-wrong"),
    ("delete from entry where position = 7", "audit-position-missing"),
    ("delete from entry where position = 20", "audit-head-differs"),
    ("delete from head", "audit-head-differs"),
    ("update entry set event_id = 'x' where position = 7", "audit-columns-differ"),
    ("create table more (name text)", "audit-guard-differs"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "key"), TAMPERED)
def test_what_somebody_changed_in_a_backup_is_named(kept: Path, change: str, key: str) -> None:
    file = kept.with_name("changed.db")
    file.write_bytes(kept.read_bytes())
    with closing(sqlite3.connect(file, isolation_level=None)) as raw:
        for (name,) in raw.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            raw.execute(f"drop trigger {name}")
        raw.execute(change)

    assert key in {finding.key for finding in check(file).faults}


@pytest.mark.parametrize("kind", ["missing", "text", "other", "newer"])
def test_what_is_no_backup_of_ours_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "one.db"
    if kind == "text":
        file.write_text("long enough to be taken for a database, and none " * 50)
    elif kind != "missing":
        with closing(sqlite3.connect(file)) as raw:
            raw.execute("create table entry (a)" if kind == "newer" else "create table song (a)")
            raw.execute("pragma user_version = 99")

    with pytest.raises(StoreProblem) as caught:
        check(file)
    assert caught.value.key == {"missing": "backup-missing", "newer": "store-newer"}.get(kind, "store-not-a-database")


# restoring ---------------------------------------------------------------------------------------------------------


def ledger_of(file: Path, count: int, then: Callable[[SqliteLedger], object] = lambda _: None) -> Path:
    store = SqliteStore(file)
    ledger = SqliteLedger(store)
    if count:
        write(ledger, count)
    then(ledger)
    store.close()
    return file


def copy_of(file: Path, name: str) -> Path:
    store = SqliteStore(file)
    copied = back_up(store, file.with_name(name))
    store.close()
    return copied.file


def position(file: Path) -> int:
    return check(file).head.position


def test_a_backup_is_put_where_nothing_was(tmp_path: Path) -> None:
    backup = copy_of(ledger_of(tmp_path / "a.db", 5), "copy.db")
    restored = restore(backup, tmp_path / "new" / "huanliu.db", force=False, now=NOW)

    assert (restored.backup.head.position, restored.aside, restored.before) == (5, None, None)
    store = SqliteStore(tmp_path / "new" / "huanliu.db")
    assert audit(SqliteLedger(store)) == []
    write(SqliteLedger(store), 1, first=6)
    store.close()
    assert position(backup) == 5


def test_a_ledger_that_the_backup_holds_is_replaced_and_kept_aside(tmp_path: Path) -> None:
    file = ledger_of(tmp_path / "huanliu.db", 3)
    earlier = copy_of(file, "earlier.db")
    store = SqliteStore(file)
    write(SqliteLedger(store), 2, first=4)
    store.close()
    later = copy_of(file, "later.db")
    file.write_bytes(earlier.read_bytes())
    restored = restore(later, file, force=False, now=NOW)

    assert restored.aside == tmp_path / "huanliu-before-restore-20261122-210500.db"
    assert (position(file), position(restored.aside), restored.left_out) == (5, 3, 0)


def test_entries_are_left_out_only_when_asked(tmp_path: Path) -> None:
    file = ledger_of(tmp_path / "huanliu.db", 3)
    backup = copy_of(file, "copy.db")
    store = SqliteStore(file)
    write(SqliteLedger(store), 2, first=4)
    store.close()

    with pytest.raises(StoreProblem) as caught:
        restore(backup, file, force=False, now=NOW)
    assert caught.value.key == "restore-leaves-out"
    assert position(file) == 5
    restored = restore(backup, file, force=True, now=NOW)
    assert restored.aside is not None
    assert (position(file), position(restored.aside), restored.left_out) == (3, 5, 2)
    assert restore(backup, file, force=True, now=NOW).aside == tmp_path / "huanliu-before-restore-20261122-210500-2.db"


def test_another_history_of_the_same_length_is_not_held(tmp_path: Path) -> None:
    backup = copy_of(ledger_of(tmp_path / "a.db", 3), "copy.db")
    other = SqliteStore(tmp_path / "huanliu.db")
    write(SqliteLedger(other), 3, first=50)
    other.close()

    with pytest.raises(StoreProblem) as caught:
        restore(backup, tmp_path / "huanliu.db", force=False, now=NOW)
    assert caught.value.key == "restore-leaves-out"


def test_an_unsound_backup_is_not_restored(tmp_path: Path) -> None:
    file = ledger_of(tmp_path / "huanliu.db", 3)
    backup = copy_of(file, "copy.db")
    with closing(sqlite3.connect(backup, isolation_level=None)) as raw:
        raw.execute("delete from head")

    with pytest.raises(StoreProblem) as caught:
        restore(backup, file, force=True, now=NOW)
    assert caught.value.key == "restore-unsound"
    assert position(file) == 3


def _unused_changed(file: Path) -> None:
    """A byte in the gap between the first page's pointers and its cells: nothing reads it."""
    with file.open("r+b") as body:
        head = body.read(4096)
        cells, begin = int.from_bytes(head[103:105], "big"), int.from_bytes(head[105:107], "big")
        gap = 108 + 2 * cells
        assert gap < begin - 1
        body.seek(gap)
        body.write(bytes([head[gap] ^ 1]))


def test_a_backup_that_only_its_seal_finds_changed_is_restored_by_force(tmp_path: Path) -> None:
    file = ledger_of(tmp_path / "huanliu.db", 3)
    backup = copy_of(file, "copy.db")
    _unused_changed(backup)

    found = check(backup)
    assert [(each.key, each.figures["page"]) for each in found.faults] == [("backup-page-differs", 1)]
    with pytest.raises(StoreProblem) as caught:
        restore(backup, file, force=False, now=NOW)
    assert caught.value.key == "restore-seal-differs"
    restored = restore(backup, file, force=True, now=NOW)
    assert restored.backup.faults == found.faults
    assert (position(file), check(file).faults, check(file).sealed) == (3, (), False)


def test_a_seal_that_was_cut_off_in_part_is_told_and_none_at_all_is_said(tmp_path: Path) -> None:
    backup = copy_of(ledger_of(tmp_path / "huanliu.db", 3), "copy.db")
    size, pages = backup.stat().st_size, check(tmp_path / "huanliu.db").size_b // 4096
    os.truncate(backup, size - 1)
    assert [each.key for each in check(backup).faults] == ["backup-seal-damaged"]
    os.truncate(backup, size // 4096 * 4096)

    assert pages == size // 4096
    assert (check(backup).faults, check(backup).sealed) == ((), False)


def test_a_ledger_that_cannot_be_read_moves_aside_and_its_log_is_not_read_into_the_new_one(tmp_path: Path) -> None:
    backup = copy_of(ledger_of(tmp_path / "a.db", 3), "copy.db")
    file = tmp_path / "huanliu.db"
    file.write_bytes(os.urandom(9000))
    file.with_name("huanliu.db-wal").write_bytes(b"log")

    with pytest.raises(StoreProblem) as caught:
        restore(backup, file, force=False, now=NOW)
    assert caught.value.key == "restore-over-unreadable"
    restored = restore(backup, file, force=True, now=NOW)
    assert restored.aside is not None
    assert restored.aside.stat().st_size == 9000
    assert not file.with_name("huanliu.db-wal").exists()
    assert position(file) == 3


def test_a_ledger_in_use_is_not_replaced(store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.sqlite_restore.STOPPED_SECONDS", 0.05)
    write(SqliteLedger(store), 3)
    back_up(store, tmp_path / "copy.db")

    with pytest.raises(StoreAway) as caught:
        restore(tmp_path / "copy.db", store.path, force=True, now=NOW)
    assert caught.value.key == "store-in-use"
    write(SqliteLedger(store), 1, first=4)
    assert SqliteLedger(store).head().position == 4
    assert files(store.path.parent) <= {"huanliu.db", "huanliu.db-wal", "huanliu.db-shm"}


def test_a_restore_that_breaks_off_leaves_the_ledger_where_it_was(tmp_path: Path) -> None:
    """The last step names the new file over the old one: before it, what was there still stands under its name."""
    file = ledger_of(tmp_path / "huanliu.db", 3)
    backup = copy_of(file, "copy.db")
    (tmp_path / ".huanliu.db.restored").mkdir()

    with pytest.raises(StoreProblem):
        restore(backup, file, force=True, now=NOW)
    assert position(file) == 3
