"""缓存. What is torn, changed, another's or half written is put aside and read from the entries: never a wrong answer."""

import fcntl
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flows.entries import Entry, head_of
from flows.materials import catalogue
from flows.recording import LedgerFacts
from graph.cache import ASIDE, CONTENTS, PARTS, Cache, Contents, Unfit
from graph.collected import differing
from graph.memory_ledger import MemoryLedger
from graph.readings import Readings
from graph.tables import Damaged
from tests.graph.answers import answers
from tests.graph.stores import unread
from tests.graph.telling import Teller


def _story() -> list[Entry]:
    """Three enterprises: mixing, loads, a rest, an assay."""
    teller = Teller()
    first = teller.generated("A", 50, material="primary-dross")
    teller.assayed(first, 100_000)
    second = teller.generated("B", 40)
    made = teller.made({"C": 60, "D": 20}, {first: 50, second: 30}, losses={"dust": 1}, rest=False)
    received = teller.sent("M1", {made[0]: 35}, to=1)
    teller.made({"E": 30}, {received[0]: 35}, owner=1)
    teller.disposed({made[1]: 20})
    teller.loaded("M2", {made[0]: 5}, to=2)
    return teller.world.entries


ENTRIES = _story()


def _ledger(entries: list[Entry]) -> MemoryLedger:
    ledger = MemoryLedger()
    with ledger.turn() as turn:
        turn.append(unread(entries))
    return ledger


LEDGER = _ledger(ENTRIES)
STRAIGHT = Readings.anew(catalogue(), LEDGER, len(ENTRIES))


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    assert Cache(folder).write(STRAIGHT, head_of(ENTRIES[-1])) is not None
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "cache"))


def _place(folder: Path) -> Path:
    (place,) = Cache(folder).places()
    return place


def _flip(file: Path, at: int) -> None:
    raw = bytearray(file.read_bytes())
    raw[at] ^= 0x10
    file.write_bytes(raw)


def _same(readings: Readings | None) -> bool:
    assert readings is not None
    with closing(readings):
        return answers(readings, [9]) == answers(STRAIGHT, [9])


def test_what_was_kept_answers_as_what_was_read(folder: Path) -> None:
    assert _same(Cache(folder).find(catalogue(), LEDGER))


def test_nothing_is_looked_up_that_nobody_asks_for(folder: Path) -> None:
    found = Cache(folder).find(catalogue(), LEDGER)
    assert found is not None
    with closing(found):
        assert not any(list(layer.own_pasts()) for _, layer in found.book.registers())
        batch = next(iter(STRAIGHT.book.batches.keys()))
        assert found.book.batch(batch) == STRAIGHT.book.batch(batch)
        assert [key for key, _ in found.book.batches.own_pasts()] == [batch]


def _parts(written: Path) -> Iterator[tuple[str, int, int]]:
    contents = Contents.read(_place(written) / CONTENTS)
    yield from ((name, note["begin"], note["size"]) for name, note in contents.parts.items() if note["size"])


def test_a_byte_changed_in_any_part_changes_no_answer_and_is_named_by_the_audit(
    written: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number, (name, begin, size) in enumerate(_parts(written)):
        cache = Cache(Path(shutil.copytree(written, tmp_path / str(number))))
        place = _place(cache.folder)
        for at in {begin, begin + size // 2}:
            _flip(place / PARTS, at)
        contents = cache.contents(place, LEDGER)
        assert list(cache.spoilt(place, contents)) == [name]
        found = cache.find(catalogue(), LEDGER)
        if found is not None:
            with closing(found):
                assert list(differing(found, STRAIGHT)) == [], name
        if found is None or cache.places() == []:
            assert (cache.folder / ASIDE / PARTS).exists()
            assert str(place) in caplog.text
        shutil.rmtree(cache.folder)
        caplog.clear()


@pytest.mark.parametrize(
    "part", ["book.batches", "book.batches.digest", "book.manifests", "book.touches", "columns.rows.amount",
             "columns.contents.now", "containers.serials.check", "columns.arisen"],
)  # fmt: skip
def test_a_byte_that_is_changed_while_the_readings_are_in_use_changes_no_answer(folder: Path, part: str) -> None:
    cache = Cache(folder)
    found = cache.find(catalogue(), LEDGER)
    begin = next(begin for name, begin, _ in _parts(folder) if name == part)
    with (_place(folder) / PARTS).open("r+b") as file:
        file.seek(begin)
        (byte,) = file.read(1)
        file.seek(begin)
        file.write(bytes([byte ^ 1]))

    assert _same(found)
    if part.startswith("book."):  # of the others no answer needs what is changed
        assert cache.places() == []


@pytest.mark.parametrize("file", [PARTS, CONTENTS])
@pytest.mark.parametrize("how", ["cut", "gone", "empty", "longer"])
def test_a_torn_cache_is_set_aside(folder: Path, file: str, how: str, caplog: pytest.LogCaptureFixture) -> None:
    torn = _place(folder) / file
    raw = torn.read_bytes()
    match how:
        case "gone":
            torn.unlink()
        case "longer":
            torn.write_bytes(raw + b"x")
        case _:
            torn.write_bytes(raw[: -len(raw) // 3] if how == "cut" else b"")

    assert Cache(folder).find(catalogue(), LEDGER) is None
    assert "不完整" in caplog.text
    assert Cache(folder).places() == []
    assert (folder / ASIDE).exists()


def test_a_changed_page_of_contents_is_not_believed(folder: Path) -> None:
    page = _place(folder) / CONTENTS
    for at in range(0, page.stat().st_size, page.stat().st_size // 40):
        raw = page.read_bytes()
        _flip(page, at)
        with pytest.raises(Damaged):
            Contents.read(page)
        page.write_bytes(raw)


def test_another_ledgers_cache_is_not_used(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    teller = Teller()
    while len(teller.world.entries) < len(ENTRIES):
        teller.generated(f"X{len(teller.world.entries)}", 9)

    assert Cache(folder).find(catalogue(), _ledger(teller.world.entries)) is None
    assert "另一本台账" in caplog.text


def test_a_cache_that_is_ahead_of_its_ledger_is_not_used(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert Cache(folder).find(catalogue(), _ledger(ENTRIES[:-1])) is None
    assert f"台账只有 {len(ENTRIES) - 1} 条" in caplog.text


def test_a_cache_by_other_tables_is_not_used_and_stays_for_whoever_has_them(folder: Path, tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "plates.csv").write_text("x", "utf-8")

    assert Cache(folder, tables).find(catalogue(), LEDGER) is None
    assert _same(Cache(folder).find(catalogue(), LEDGER))


def test_a_cache_of_another_form_is_not_used(folder: Path) -> None:
    place = _place(folder)
    contents = Contents.read(place / CONTENTS)
    told = json.loads(contents.written().split(b"\n")[0]) | {"form": 0, "more": 1}
    line = json.dumps(told).encode()
    digest = hashlib.sha256(line).hexdigest().encode()
    (place / CONTENTS).write_bytes(line + b"\n" + digest)

    with pytest.raises(Unfit) as caught:
        Cache(folder).contents(place, LEDGER)
    assert caught.value.key == "cache-other-code"


def test_the_cache_goes_on_from_the_one_before_it(folder: Path) -> None:
    """Records that nobody looked up are copied as they are; a damaged one is not copied on."""
    more = _ledger([*ENTRIES, *_next()])
    cache = Cache(folder)
    found = cache.find(catalogue(), more)
    assert found is not None
    with closing(found):
        found.read_on(more, len(ENTRIES) + 1)
        assert cache.write(found, more.head()) is not None
    straight = Readings.anew(catalogue(), more, len(ENTRIES) + 1)
    again = cache.find(catalogue(), more)
    assert again is not None
    with closing(again):
        assert list(differing(again, straight)) == []
        assert answers(again, [5]) == answers(straight, [5])

        begin = next(begin for name, begin, _ in _parts(folder) if name == "columns.contents.made")
        _flip(_place(folder) / PARTS, begin)
    spoilt = cache.find(catalogue(), more)
    assert spoilt is not None
    with closing(spoilt), pytest.raises(Damaged):
        cache.write(spoilt, more.head())


def _next() -> list[Entry]:
    teller = Teller()
    teller.world.entries.clear()
    again = Readings.anew(catalogue(), LEDGER, len(ENTRIES))
    teller.world.book = again.book
    teller.world.entries.append(ENTRIES[-1])
    teller.generated("LATER", 7)
    return teller.world.entries[1:]


def test_while_another_process_writes_none_is_written(folder: Path) -> None:
    with (folder / "lock").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert Cache(folder).write(STRAIGHT, head_of(ENTRIES[-1])) is None
    assert Cache(folder).write(STRAIGHT, head_of(ENTRIES[-1])) is not None


ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from flows.entries import head_of
from graph.cache import Cache
from tests.graph.test_cache import ENTRIES, STRAIGHT
while True:
    Cache(Path(sys.argv[1])).write(STRAIGHT, head_of(ENTRIES[-1]))
"""


def test_a_writer_that_is_killed_leaves_the_cache_before_it(folder: Path) -> None:
    cache = Cache(folder)
    writer = subprocess.Popen(
        [sys.executable, "-P", "-c", WRITER, str(folder)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    while not list(folder.glob(".new-*")):
        assert writer.poll() is None, "the writer ended"
        os.sched_yield()
    writer.kill()
    writer.wait()

    found = cache.find(catalogue(), LEDGER)
    if found is not None:  # it may have been killed between taking the old one away and naming the new
        assert _same(found)
    assert cache.write(STRAIGHT, head_of(ENTRIES[-1])) is not None
    assert not list(folder.glob(".new-*"))
    assert _same(cache.find(catalogue(), LEDGER))


def test_where_nothing_can_be_written_the_cache_before_stays(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            Cache(folder).write(STRAIGHT, head_of(ENTRIES[-1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert not list(folder.glob(".new-*"))
    assert _same(Cache(folder).find(catalogue(), LEDGER))


def test_the_readings_are_asked_for_facts_of_the_ledger(folder: Path) -> None:
    found = Cache(folder).find(catalogue(), LEDGER)
    assert found is not None
    with closing(found):
        assert found.book.facts == LedgerFacts(LEDGER)
