"""What can go wrong below the ledger, and what is said: a full disk, a torn log, a damaged index, a folder nobody may write to."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.audit import audit
from flows.entries import chain_faults
from graph.sqlite_desk import SqliteDesk
from graph.sqlite_faults import LEAST_FREE_B, StoreAway, StoreFull, StoreProblem, free_b, told
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore
from tests.flows.stories import SMELTER, House, generated, registered
from tests.graph.stores import rows
from tests.graph.test_ledger import write

NOBODY: Final = 65534
"""The user of a system that owns nothing."""

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "huanliu.db")
    yield opened
    opened.close()


def positions(store: SqliteStore) -> list[int]:
    return [entry.position for entry in SqliteLedger(store).entries()]


# a full disk -------------------------------------------------------------------------------------------------------


@contextmanager
def full(store: SqliteStore) -> Iterator[None]:
    """The file may not grow by a page."""
    (pages,) = store.rows("pragma page_count")[0]
    store.connection().execute(f"pragma max_page_count = {pages}")
    yield
    store.connection().execute("pragma max_page_count = 4294967294")


def test_without_room_nothing_is_kept_and_with_room_it_goes_on(store: SqliteStore) -> None:
    ledger = SqliteLedger(store)
    house = House(ledger)
    house.tell(*registered(SMELTER))
    before = positions(store)
    with full(store):
        problem = house.refusal(*(generated(f"B{number}", "1 g") for number in range(200)))
        assert isinstance(problem, StoreFull)
        assert str(store.path.parent) in problem.text("zh")
        assert "无需重启" in problem.text("zh")
        assert "no restart is needed" in problem.text("en")
        assert positions(store) == before

    house.tell(*(generated(f"B{number}", "1 g") for number in range(200)))
    assert positions(store) == list(range(1, len(before) + 201))
    assert audit(ledger) == []


def test_the_desk_says_so_too_and_keeps_what_it_had(store: SqliteStore) -> None:
    desk = SqliteDesk(store)
    desk.put("kind", "k", b"small", version=0, now_us=1, expires_us=10)
    with full(store):
        with pytest.raises(StoreFull):
            desk.put("kind", "k", b"large" * 10_000, version=1, now_us=1)
        kept = desk.get("kind", "k", now_us=1)
        assert kept is not None
        assert kept.body == b"small"
        assert desk.get("kind", "k", now_us=10) is None

    assert desk.put("kind", "k", b"large" * 10_000, version=0, now_us=10)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only an administrator may mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_is_really_full(small: Path) -> None:
    """Ballast takes the last byte; facts are refused in words; without the ballast the same process goes on."""
    store = SqliteStore(small / "huanliu.db")
    ledger = SqliteLedger(store)
    house = House(ledger)
    house.tell(*registered(SMELTER))
    (small / "ballast").write_bytes(bytes(free_b(small)))
    acknowledged = 0
    problem: StoreProblem | None = None
    while problem is None and acknowledged < 10_000:
        try:
            house.tell(generated(f"B{acknowledged}", "1 g"))
            acknowledged += 1
        except StoreProblem as refused:
            problem = refused

    assert isinstance(problem, StoreFull)
    assert f"文件夹 {small} 仅剩" in problem.text("zh")
    assert positions(store) == list(range(1, acknowledged + 4))
    for _ in range(3):
        with pytest.raises(StoreFull):
            house.tell(generated("MORE", "1 g"))
    (small / "ballast").unlink()
    house.tell(generated("MORE", "1 g"))
    assert len(positions(store)) == acknowledged + 4
    assert audit(ledger) == []
    store.close()


def test_a_new_ledger_on_a_full_disk_is_refused_in_words(small: Path) -> None:
    (small / "ballast").write_bytes(bytes(free_b(small)))

    with pytest.raises(StoreFull):
        SqliteStore(small / "huanliu.db")
    (small / "ballast").unlink()
    SqliteStore(small / "huanliu.db").close()


# a torn log --------------------------------------------------------------------------------------------------------

COMMITS = 6
WRITES = """
import os, sys
from pathlib import Path
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore
from tests.graph.test_ledger import write
store = SqliteStore(Path(sys.argv[1]))
store.connection().execute("pragma wal_checkpoint(truncate)")
for number in range(int(sys.argv[2])):
    write(SqliteLedger(store), 2, first=2 * number + 1)
    print(os.path.getsize(sys.argv[1] + "-wal"), flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """The files of a killed writer, and how long its log was after each commit that it acknowledged."""
    file = tmp_path_factory.mktemp("torn") / "huanliu.db"
    done = subprocess.run(
        [sys.executable, "-c", WRITES, file, str(COMMITS)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return file, [int(line) for line in done.stdout.split()]


def _opened_torn(file: Path, log: bytes) -> list[int]:
    """What is found when the log is this; the ledger must be whole and go on."""
    copy = file.with_name("copy.db")
    for old in file.parent.glob("copy.db*"):
        old.unlink()
    shutil.copyfile(file, copy)
    copy.with_name("copy.db-wal").write_bytes(log)
    store = SqliteStore(copy)
    ledger = SqliteLedger(store)
    found = positions(store)
    assert store.faults() == []
    assert list(chain_faults(ledger.entries())) == []
    assert ledger.head().position == len(found)
    write(ledger, 1, first=1000)
    store.close()
    return found


@settings(max_examples=60, deadline=None)
@given(
    commit=st.integers(0, COMMITS - 1), share=st.floats(0, 0.999), garbage=st.binary(max_size=200), seed=st.integers()
)
def test_a_log_torn_after_an_acknowledged_commit_loses_nothing_before(
    torn: tuple[Path, list[int]], commit: int, share: float, garbage: bytes, seed: int
) -> None:
    """Cut anywhere within what the next commit wrote, and then zeros, garbage, or pages of an older round."""
    file, lengths = torn
    assert len(lengths) == COMMITS
    log = file.with_name("huanliu.db-wal").read_bytes()
    end = lengths[commit]
    following = lengths[commit + 1] if commit + 1 < COMMITS else len(log)
    cut = log[: end + int(share * (following - end))]

    expected = list(range(1, 2 * (commit + 1) + 1))
    rest = Random(seed).randbytes(len(log) - len(cut))
    for tail in (b"", garbage, bytes(len(log) - len(cut)), rest):
        assert _opened_torn(file, cut + tail) == expected


# a damaged cache ---------------------------------------------------------------------------------------------------


def _index_emptied(file: Path) -> None:
    """What somebody with a hex editor, or a bad sector, does to the index of names: its tree is another's."""
    with closing(sqlite3.connect(file, isolation_level=None)) as raw:
        raw.execute("pragma writable_schema = on")
        raw.execute("create table spare (enterprise text, event_id text, unique (enterprise, event_id))")
        raw.execute(
            "update sqlite_master set rootpage = (select rootpage from sqlite_master "
            "where name = 'sqlite_autoindex_spare_1') where name = 'sqlite_autoindex_entry_1'"
        )
        raw.execute("delete from sqlite_master where tbl_name = 'spare'")


def test_an_index_that_lost_its_entries_is_named_and_made_anew(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "huanliu.db")
    write(SqliteLedger(store), 30)
    store.close()
    _index_emptied(store.path)

    store = SqliteStore(store.path)
    ledger = SqliteLedger(store)
    assert ledger.find(SMELTER, "e7") is None
    assert "audit-index-differs" in {finding.key for finding in audit(ledger)}
    assert ledger.mend() != []
    assert ledger.find(SMELTER, "e7") is not None
    assert "audit-index-differs" not in {finding.key for finding in audit(ledger)}
    assert ledger.mend() == []
    store.close()


@pytest.mark.parametrize(
    "change", ["delete from head", "update head set position = 2", "update head set digest = 'x'", "drop table head"]
)
def test_nothing_is_written_behind_an_end_that_is_not_the_noted_one(store: SqliteStore, change: str) -> None:
    write(SqliteLedger(store), 3)
    rows(SqliteLedger(store), change)
    store.close()
    again = SqliteStore(store.path)

    with pytest.raises(StoreProblem) as caught, SqliteLedger(again).turn():
        pass
    assert caught.value.key == "store-end-differs"
    assert "huanliu audit" in caught.value.text("zh")
    assert "audit-head-differs" in {finding.key for finding in audit(SqliteLedger(again))}
    again.close()


# out of reach ------------------------------------------------------------------------------------------------------


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """Nobody, not even an administrator, may change it."""
    done = subprocess.run(["chattr", "+i", path], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this disk cannot lock a file for everybody")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


def test_a_folder_that_nobody_may_write_to_is_told_with_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for file in (folder / "huanliu.db", folder / "inner" / "huanliu.db"):
        with immutable(folder), pytest.raises(StoreAway) as caught:
            SqliteStore(file)
        assert caught.value.key == "store-not-writable"
        assert str(file) in caught.value.text("zh")
        assert "权限" in caught.value.text("zh")


def test_a_file_that_nobody_may_write_to_is_told_and_left_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "huanliu.db")
    write(SqliteLedger(store), 3)
    store.close()
    with immutable(store.path):
        again = SqliteStore(store.path)
        assert positions(again) == [1, 2, 3]
        for write_again in (
            lambda: write(SqliteLedger(again), 1, first=4),
            lambda: SqliteDesk(again).drop("kind", "k"),
        ):
            with pytest.raises(StoreAway) as caught:
                write_again()
            assert caught.value.key == "store-not-writable"
        again.close()

    again = SqliteStore(store.path)
    assert positions(again) == [1, 2, 3]
    again.close()


@contextmanager
def plain_user() -> Iterator[None]:
    """Whoever runs the tests, but no administrator: who may write everywhere is nobody for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_user_without_the_right_is_told_the_path() -> None:
    with TemporaryDirectory() as folder:  # not pytest's own, which only its owner may enter
        if not os.geteuid():
            os.chown(folder, NOBODY, NOBODY)
        Path(folder).chmod(0o500)
        with plain_user(), pytest.raises(StoreAway) as caught:
            SqliteStore(Path(folder) / "huanliu.db")
        assert folder in caught.value.text("en")
        Path(folder).chmod(0o700)


def _fault(code: int) -> sqlite3.Error:
    fault = sqlite3.OperationalError("told by SQLite")
    fault.sqlite_errorcode = code  # type: ignore[misc]
    return fault


@pytest.mark.parametrize(
    ("code", "kind", "key"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreAway, "store-busy"),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreAway, "store-disk-fails"),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreAway, "store-not-writable"),
        (sqlite3.SQLITE_FULL, StoreFull, "store-full"),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreProblem, "store-damaged"),
    ],
)
def test_what_says_nothing_of_the_bytes_is_not_told_as_damage(
    tmp_path: Path, code: int, kind: type[StoreProblem], key: str
) -> None:
    problem = told(_fault(code), tmp_path / "huanliu.db")

    assert isinstance(problem, StoreProblem)
    assert (type(problem), problem.key) == (kind, key)
    assert free_b(tmp_path) > LEAST_FREE_B


def test_a_promise_that_was_broken_keeps_its_own_error(tmp_path: Path) -> None:
    fault = _fault(sqlite3.SQLITE_CONSTRAINT_TRIGGER)

    assert told(fault, tmp_path / "huanliu.db") is fault


def test_a_writer_that_does_not_let_go_is_told_as_busy(store: SqliteStore) -> None:
    other = SqliteStore(store.path, busy_seconds=0.01)
    with store.writing(), pytest.raises(StoreAway) as caught, SqliteLedger(other).turn():
        pass
    assert caught.value.key == "store-busy"
    with SqliteLedger(other).turn():
        pass
    other.close()
