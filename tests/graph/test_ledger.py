"""The promises of a ledger, one test each, held against every store."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from flows.entries import Entry, Head, canonical, chain_faults, digest_of, read_entry
from flows.events import StockTaken
from flows.ports import Ledger
from graph.sqlite_ledger import PAGE, SqliteLedger
from graph.sqlite_store import SCHEMA_VERSION, SqliteStore, StoreProblem
from tests.flows.stories import SLAG, SMELTER, STRANGER, say, site
from tests.graph.stores import NAMES, SHARED, STORES, chained, rows, unread

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=NAMES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    opened = STORES[request.param].ledger(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteLedger]:
    store = SqliteStore(tmp_path / "huanliu.sqlite")
    yield SqliteLedger(store)
    store.close()


def facts(count: int, enterprise: str = SMELTER, first: int = 1) -> list[StockTaken]:
    """Facts told apart by their names."""
    words = {"site_id": site(enterprise), "material": SLAG, "counted_g": 7, "note": "盘点 №1"}
    return [say(StockTaken, enterprise, event_id=f"e{number}", **words) for number in range(first, first + count)]


def write(ledger: Ledger, count: int, enterprise: str = SMELTER, first: int = 1) -> list[Entry]:
    """Append facts in one turn."""
    last = list(ledger.entries())[-1:]
    entries = chained([*facts(count, enterprise, first)], last[0] if last else None)
    with ledger.turn() as turn:
        turn.append(unread(entries))
    return entries


def seen(ledger: Ledger, after: int = 0, until: int | None = None) -> list[int]:
    return [entry.position for entry in ledger.entries(after, until)]


def test_an_empty_ledger_has_the_empty_head(ledger: Ledger) -> None:
    assert ledger.head() == Head()
    assert list(ledger.entries()) == []
    assert ledger.find(SMELTER, "e1") is None


def test_positions_count_from_one_without_a_gap(ledger: Ledger) -> None:
    write(ledger, 3)
    write(ledger, 2, STRANGER)

    assert seen(ledger) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("wrong", [0, 1, 3, 4])
def test_a_position_out_of_line_is_a_broken_invariant(ledger: Ledger, wrong: int) -> None:
    (first,) = write(ledger, 1)
    (second,) = chained([*facts(1, first=2)], first)

    with pytest.raises(AssertionError, match="position"), ledger.turn() as turn:
        turn.append(unread([replace(second, position=wrong)]))
    assert seen(ledger) == [1]


def test_an_entry_that_does_not_follow_the_head_is_a_broken_invariant(ledger: Ledger) -> None:
    (first,) = write(ledger, 1)
    other = chained([*facts(1, STRANGER), *facts(1, first=2)])[1]

    assert other.position == first.position + 1
    with pytest.raises(AssertionError, match="chain"), ledger.turn() as turn:
        turn.append(unread([other]))
    assert seen(ledger) == [1]


def test_an_entry_comes_back_as_it_was_written(ledger: Ledger) -> None:
    written = write(ledger, 3)

    assert list(ledger.entries()) == written
    assert [entry.event for entry in ledger.entries()] == facts(3)
    assert list(chain_faults(ledger.entries())) == []


def test_the_head_is_the_last_entry(ledger: Ledger) -> None:
    last = write(ledger, 3)[-1]

    assert ledger.head() == Head(3, last.digest, last.record_time_us)


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [(0, None, [1, 2, 3, 4, 5]), (2, None, [3, 4, 5]), (0, 2, [1, 2]), (1, 3, [2, 3]), (5, None, []), (3, 2, []), (0, 9, [1, 2, 3, 4, 5]), (9, None, [])],
)  # fmt: skip
def test_a_reader_gets_a_prefix_from_where_it_asks(
    ledger: Ledger, after: int, until: int | None, expected: list[int]
) -> None:
    write(ledger, 5)

    assert seen(ledger, after, until) == expected


def test_a_reader_keeps_the_prefix_that_it_began(ledger: Ledger) -> None:
    write(ledger, 2)
    reading = ledger.entries()
    next(reading)
    write(ledger, 2, STRANGER)

    assert [entry.position for entry in reading] == [2]


def test_a_sound_store_has_no_faults(ledger: Ledger) -> None:
    write(ledger, 3)

    assert list(ledger.faults()) == []


def test_bytes_that_make_no_sense_are_told_as_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "huanliu.sqlite"
    store = SqliteStore(file)
    write(SqliteLedger(store), 100)
    store.connection().execute("pragma wal_checkpoint(truncate)")
    store.close()
    body = file.read_bytes()
    file.write_bytes(body[:4096] + b"\xff" * (len(body) - 4096))
    store = SqliteStore(file)
    broken = SqliteLedger(store)

    for ask in (broken.head, lambda: list(broken.entries()), lambda: broken.find(SMELTER, "e7")):
        with pytest.raises(StoreProblem) as caught:
            ask()
        assert caught.value.key == "store-damaged"
    assert {each.key for each in broken.faults()} == {"audit-file-damaged"}
    store.close()


def test_a_name_finds_its_entry(ledger: Ledger) -> None:
    first, second = write(ledger, 2)
    (others,) = write(ledger, 1, STRANGER)

    assert ledger.find(SMELTER, "e2") == second
    assert (ledger.find(SMELTER, "e1"), ledger.find(STRANGER, "e1")) == (first, others)
    asked = [(SMELTER, "e1"), (STRANGER, "e1"), (STRANGER, "e2")]
    assert ledger.find_all(asked) == {asked[0]: first, asked[1]: others}
    assert ledger.find_all([]) == {}
    assert ledger.find(STRANGER, "e2") is None


def test_a_name_is_used_once_by_its_enterprise(ledger: Ledger) -> None:
    (first,) = write(ledger, 1)
    (again,) = chained([*facts(1)], first)

    with pytest.raises(AssertionError, match="one name for two facts"), ledger.turn() as turn:
        turn.append(unread([again]))
    assert seen(ledger) == [1]


def test_a_name_is_used_once_within_a_turn(ledger: Ledger) -> None:
    first, again = chained([*facts(1), *facts(1)])

    with pytest.raises(AssertionError, match="one name for two facts"), ledger.turn() as turn:
        turn.append(unread([first, again]))
    assert seen(ledger) == []


def test_a_turn_knows_what_it_wrote(ledger: Ledger) -> None:
    first, *entries = chained([*facts(4)])
    with ledger.turn() as turn:
        turn.append(unread([first]))
    with ledger.turn() as turn:
        turn.append(unread(entries[:2]))
        assert turn.head.position == 3
        asked = (SMELTER, "e2"), (SMELTER, "e1"), (SMELTER, "e4"), (STRANGER, "e2")
        assert turn.find_all(asked) == {asked[0]: entries[0], asked[1]: first}
        assert turn.find_all(()) == {}
        assert [[entry.position for entry in turn.entries(after)] for after in (0, 1, 2, 3)] == [
            [1, 2, 3], [2, 3], [3], [],
        ]  # fmt: skip
        turn.append(unread(entries[2:]))
        turn.append([])
        assert turn.head.digest == entries[2].digest

    assert ledger.head().position == 4


def test_what_a_turn_wrote_is_gone_when_it_raises(ledger: Ledger) -> None:
    (first,) = write(ledger, 1)
    second, third = chained([*facts(2, first=2)], first)

    def fail() -> None:
        with ledger.turn() as turn:
            turn.append(unread([second, third]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (seen(ledger), ledger.head().digest) == ([1], first.digest)
    assert ledger.find(SMELTER, "e2") is None
    with ledger.turn() as turn:
        turn.append(unread([second]))
    assert seen(ledger) == [1, 2]


def test_one_writer_at_a_time(ledger: Ledger) -> None:
    """A second thread's turn begins when the first has ended, and begins at its end."""
    inside, begun = Event(), Event()
    heads: list[int] = []

    def second() -> None:
        inside.wait()
        begun.set()
        with ledger.turn() as turn:
            heads.append(turn.head.position)

    waiting = Thread(target=second)
    waiting.start()
    with ledger.turn() as turn:
        turn.append(unread(chained([*facts(1)])))
        inside.set()
        begun.wait()
        waiting.join(0.05)  # it cannot end: the turn is ours
        assert heads == []
        turn.append(unread(chained([*facts(1, first=2)], list(turn.entries(0))[-1])))
    waiting.join()

    assert heads == [2]


def test_many_threads_write_one_line(ledger: Ledger) -> None:
    start = Barrier(8)

    def one(number: int) -> None:
        start.wait()
        for event in facts(5, first=number * 100):
            with ledger.turn() as turn:
                last = list(turn.entries(turn.head.position - 1))[-1:]
                turn.append(unread(chained([event], last[0] if last else None)))

    threads = [Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen(ledger) == list(range(1, 41))
    assert list(chain_faults(ledger.entries())) == []


@pytest.mark.parametrize("name", SHARED)
def test_what_was_written_is_there_when_it_is_opened_again(name: str, tmp_path: Path) -> None:
    ledger = STORES[name].ledger(tmp_path)
    written = write(ledger, 3)
    ledger.close()
    again = STORES[name].ledger(tmp_path)

    assert list(again.entries()) == written
    assert again.head().position == 3
    again.close()


@pytest.mark.parametrize("name", SHARED)
def test_another_opening_sees_what_was_written_and_nothing_before_its_commit(name: str, tmp_path: Path) -> None:
    one, other = STORES[name].ledger(tmp_path), STORES[name].ledger(tmp_path)
    with one.turn() as turn:
        turn.append(unread(chained([*facts(1)])))
        assert other.head() == Head()
        assert seen(other) == []
    assert seen(other) == [1]
    assert other.find(SMELTER, "e1") is not None
    one.close()
    other.close()


WRITES_ONE = """
import sys
from pathlib import Path
from tests.graph.stores import STORES
from tests.graph.test_ledger import write, STRANGER
ledger = STORES[sys.argv[1]].ledger(Path(sys.argv[2]))
write(ledger, 1, STRANGER)
ledger.close()
"""


@pytest.mark.parametrize("name", SHARED)
def test_what_another_process_wrote_is_seen(name: str, tmp_path: Path) -> None:
    ledger = STORES[name].ledger(tmp_path)
    write(ledger, 1)
    subprocess.run([sys.executable, "-c", WRITES_ONE, name, str(tmp_path)], cwd=ROOT, check=True)

    assert seen(ledger) == [1, 2]
    with ledger.turn() as turn:
        assert turn.head.position == 2
        assert list(turn.find_all([(STRANGER, "e1")])) == [(STRANGER, "e1")]
    ledger.close()


# an entry ----------------------------------------------------------------------------------------------------------


def test_the_digest_is_taken_over_the_kept_bytes() -> None:
    (entry,) = chained([*facts(1)])

    assert entry.digest == digest_of(entry.body)
    assert entry.body == canonical(json.loads(entry.body))
    assert read_entry(entry.body, entry.digest) == entry


# sqlite ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["position", "record_time_us", "enterprise", "event_id", "body", "digest"])
def test_sqlite_refuses_to_change_an_entry(sqlite: SqliteLedger, column: str) -> None:
    write(sqlite, 2)
    value = 9 if column in {"position", "record_time_us"} else b"x" if column == "body" else "x"

    with pytest.raises(sqlite3.IntegrityError, match="an entry never changes"):
        rows(sqlite, f"update entry set {column} = ? where position = 1", value)


def test_sqlite_refuses_to_take_an_entry_away(sqlite: SqliteLedger) -> None:
    write(sqlite, 2)

    with pytest.raises(sqlite3.IntegrityError, match="an entry is never taken away"):
        rows(sqlite, "delete from entry where position = 2")


def test_sqlite_refuses_to_replace_an_entry(sqlite: SqliteLedger) -> None:
    """`insert or replace` takes away what is in its place, by position or by name, and asks no delete trigger."""
    write(sqlite, 2)

    for position, name in ((1, "other"), (3, "e1"), (3, "e2")):
        with pytest.raises(sqlite3.IntegrityError, match="an entry is never replaced"):
            rows(sqlite, "insert or replace into entry values (?, 0, ?, ?, x'', '')", position, SMELTER, name)
    assert rows(sqlite, "select count(*), min(record_time_us) from entry") == [(2, 1_000_000)]


def test_every_connection_is_in_wal_with_full_durability(sqlite: SqliteLedger) -> None:
    asked: list[tuple[object, ...]] = []

    def ask() -> None:
        asked.append((rows(sqlite, "pragma journal_mode"), rows(sqlite, "pragma synchronous")))

    ask()
    thread = Thread(target=ask)
    thread.start()
    thread.join()

    assert asked == [([("wal",)], [(2,)])] * 2


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "huanliu.sqlite"
    SqliteStore(file).close()
    with sqlite3.connect(file) as raw:
        raw.execute(f"pragma user_version = {SCHEMA_VERSION + 1}")
    raw.close()
    before = file.read_bytes()

    with pytest.raises(StoreProblem) as caught:
        SqliteStore(file)

    assert caught.value.text("en") == (
        f"{file} was written by a newer version (schema {SCHEMA_VERSION + 1}, this program knows {SCHEMA_VERSION}); "
        "upgrade the program, the file is untouched"
    )
    assert caught.value.text("zh") == (
        f"数据文件 {file} 由更新的版本写成（结构版本 {SCHEMA_VERSION + 1}，本程序支持到 {SCHEMA_VERSION}）；请升级程序，文件未被改动"
    )
    assert file.read_bytes() == before


@pytest.mark.parametrize("kind", ["text", "another database", "a folder"])
def test_what_is_no_ledger_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "huanliu.sqlite"
    match kind:
        case "text":
            file.write_text("not a database, but long enough to be taken for one " * 100)
        case "a folder":
            file.mkdir()
        case _:
            raw = sqlite3.connect(file)
            raw.execute("create table song (title text)")
            raw.close()
    before = file.read_bytes() if file.is_file() else b""

    with pytest.raises(StoreProblem) as caught:
        SqliteStore(file)

    assert caught.value.text("en") == f"{file} is no ledger of this service; check the folder that HUANLIU_DATA names"
    assert (file.read_bytes() if file.is_file() else b"") == before


def test_many_pages_are_read_in_order(sqlite: SqliteLedger) -> None:
    write(sqlite, 2 * PAGE + 1)

    assert seen(sqlite) == list(range(1, 2 * PAGE + 2))
    assert seen(sqlite, PAGE - 1, PAGE + 1) == [PAGE, PAGE + 1]


def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    start, opened = Barrier(8), list[SqliteStore]()

    def one() -> None:
        start.wait()
        opened.append(SqliteStore(tmp_path / "huanliu.sqlite"))

    threads = [Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in opened:
        store.close()

    assert len(opened) == 8
