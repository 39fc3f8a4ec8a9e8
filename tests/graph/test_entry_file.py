"""A ledger in a file: the same bytes from store to store, gone on with where it broke off, and every wrong line named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.audit import audit
from flows.entries import Entry, Head, canonical, digest_of, next_entry
from flows.errors import Malformed, Problem
from flows.ports import Ledger
from graph import entry_file
from graph.entry_file import OtherLedger, WrongLine, check, end_of, take_in, write
from graph.memory_ledger import MemoryLedger
from tests.flows.stories import SMELTER, House, generated, registered
from tests.graph.stores import NAMES, STORES, chained, unread

FIRST, LINES = len(entry_file.FIRST), 12


def told(count: int = LINES - 3, ledger: Ledger | None = None) -> House:
    """Twelve entries: an enterprise, its site and yard, and batches."""
    house = House(ledger or MemoryLedger())
    house.tell(*registered(SMELTER), *(generated(f"B{number}", "1 t") for number in range(count)))
    return house


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write(told().ledger, tmp_path / "a.ledger")
    return tmp_path / "a.ledger"


def refused(work: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught:
        work()
    assert caught.value.text("zh")
    return caught.value


@pytest.mark.parametrize("name", NAMES)
def test_a_ledger_goes_to_another_store_and_back_with_its_bytes(name: str, tmp_path: Path) -> None:
    first, last = told(ledger=STORES["sqlite"].ledger(tmp_path / "one")).ledger, MemoryLedger()
    between = STORES[name].ledger(tmp_path / "two")
    write(first, tmp_path / "a.ledger")
    take_in(tmp_path / "a.ledger", between)
    write(between, tmp_path / "b.ledger")
    take_in(tmp_path / "b.ledger", last)

    assert (tmp_path / "a.ledger").read_bytes() == (tmp_path / "b.ledger").read_bytes()
    for each in (between, last):
        assert list(each.entries()) == list(first.entries())
        assert each.head() == first.head()
        assert audit(each) == []
        assert House(each).recording.catch_up() == LINES
    for each in (first, between):
        each.close()


def test_the_file_holds_the_hashed_bytes(written: Path) -> None:
    lines = written.read_bytes().splitlines()[1:-1]

    assert [digest_of(line[65:]).encode() for line in lines] == [line[:64] for line in lines]
    assert written.stat().st_mode & 0o077 == 0, "trade data is its owner's"
    assert check(written).position == LINES == end_of(written).position


def test_a_file_is_gone_on_with_after_it_broke_off_and_as_the_ledger_grows(written: Path) -> None:
    house = told()
    whole = written.read_bytes()
    for broken_off in range(FIRST, len(whole), 97):
        written.write_bytes(whole[:broken_off])
        assert refused(lambda: take_in(written, MemoryLedger())).key == "ledger-file-broken-off"
        write(house.ledger, written)
        assert written.read_bytes() == whole
    written.write_bytes(whole + b"what somebody else wrote behind it")
    write(house.ledger, written)
    assert written.read_bytes() == whole
    house.tell(generated("LATER", "1 t"))

    moved = write(house.ledger, written)

    assert (moved.before.position, moved.entries) == (LINES, 1)
    assert check(written) == house.ledger.head()
    assert written.read_bytes().startswith(whole.rpartition(b"end ")[0])


def test_an_import_appends_only_what_is_missing(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_file, "TURN_ENTRIES", 2)
    entries = list(told().ledger.entries())
    for there in range(LINES + 1):
        ledger = MemoryLedger()
        with ledger.turn() as turn:
            turn.append(unread(entries[:there]))

        moved = take_in(written, ledger)

        assert (moved.before.position, moved.entries) == (there, LINES - there)
        assert list(ledger.entries()) == entries
        assert take_in(written, ledger).entries == 0


def test_what_a_turn_kept_stays_when_a_later_one_fails(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_file, "TURN_ENTRIES", 5)
    whole = written.read_bytes()
    written.write_bytes(_changed(whole, line=8))
    ledger = MemoryLedger()
    assert refused(lambda: take_in(written, ledger)).key == "ledger-line-digest"
    assert ledger.head().position == 5

    written.write_bytes(whole)

    assert take_in(written, ledger).entries == LINES - 5


def test_another_ledger_is_not_added_to(written: Path) -> None:
    house = House(MemoryLedger())
    house.tell(*registered(SMELTER), generated("OTHER", "2 t"))
    before = house.ledger.head()

    for work in (lambda: take_in(written, house.ledger), lambda: write(house.ledger, written)):
        assert isinstance(refused(work), OtherLedger)
    assert house.ledger.head() == before
    assert check(written).position == LINES


def test_a_ledger_that_has_the_whole_file_and_more_is_left_alone(written: Path) -> None:
    house = told()
    house.tell(generated("MORE", "1 t"))

    assert take_in(written, house.ledger).entries == 0
    assert house.ledger.head().position == LINES + 1


def test_an_older_ledger_does_not_shorten_a_file(written: Path) -> None:
    house = told(count=4)

    assert refused(lambda: write(house.ledger, written)).key == "ledger-file-ahead"
    assert check(written).position == LINES


def test_somebody_who_writes_meanwhile_is_not_written_over(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_file, "TURN_ENTRIES", 5)
    house, ledger = told(), MemoryLedger()
    entries = list(house.ledger.entries())
    monkeypatch.setattr(entry_file, "TELLING", 1)

    def writes(done: int, _: int) -> None:
        if done == 7:
            with ledger.turn() as turn:
                turn.append(unread(chained([generated("MINE", "1 t")], entries[4])))

    assert refused(lambda: take_in(written, ledger, writes)).key == "ledger-written-meanwhile"
    assert ledger.head().position == 6


def _changed(whole: bytes, line: int) -> bytes:
    """One byte of a line's body is another one."""
    lines = whole.splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b"event_time", b"event_tame", 1)
    return b"".join(lines)


def _forged(whole: bytes, line: int, **said: object) -> bytes:
    """A line whose digest fits its body, and whose body says something else."""
    import orjson

    lines = whole.splitlines(keepends=True)
    body = canonical(orjson.loads(lines[line - 1][65:]) | said)
    lines[line - 1] = b"%s %s\n" % (digest_of(body).encode(), body)
    return b"".join(lines)


@pytest.mark.parametrize(
    ("spoil", "key", "line"),
    [
        (lambda whole: _changed(whole, 6), "ledger-line-digest", 6),
        (lambda whole: _forged(whole, 6, previous="f" * 64), "ledger-line-chain", 6),
        (lambda whole: _forged(whole, 6, position=9), "ledger-line-position", 6),
        (lambda whole: _forged(whole, 6, position=True), "ledger-line-unreadable", 6),
        (lambda whole: _forged(whole, 6, recorded_by="somebody else"), "ledger-line-chain", 7),
        (lambda whole: _forged(whole, 13, event={"enterprise": "a", "event_id": "b"}), "ledger-line-no-fact", 13),
        (lambda whole: b"".join(whole.splitlines(keepends=True)[:4] + whole.splitlines(keepends=True)[5:]), "ledger-line-position", 5),
        (lambda whole: whole.replace(b"\n", b"\n\n", 3), "ledger-line-unreadable", 2),
        (lambda whole: whole.replace(b"end 12", b"end 13"), "ledger-file-end-differs", None),
        (lambda whole: whole[FIRST:], "ledger-file-other", None),
        (lambda _: b"", "ledger-file-other", None),
        (lambda _: b"x" * 50, "ledger-file-other", None),
    ],
)  # fmt: skip
def test_every_wrong_line_is_named(written: Path, spoil: Callable[[bytes], bytes], key: str, line: int | None) -> None:
    written.write_bytes(spoil(written.read_bytes()))

    problem = refused(lambda: check(written))

    assert (problem.key, problem.figures.get("line")) == (key, line)
    assert isinstance(problem, WrongLine)


def test_a_changed_byte_anywhere_is_found(written: Path) -> None:
    whole = written.read_bytes()
    for place in range(0, len(whole), 31):
        written.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert isinstance(refused(lambda: check(written)), Malformed), place


def test_a_broken_ledger_is_not_exported_as_if_it_were_whole(tmp_path: Path) -> None:
    class Broken(MemoryLedger):
        def spoil(self, entry: Entry) -> None:
            self._kept[entry.position - 1] = entry

    ledger = Broken()
    told(ledger=ledger)
    fifth = next(ledger.entries(after=4))
    ledger.spoil(next_entry(Head(4, "0" * 64), fifth.event, fifth.record_time_us, SMELTER))

    problem = refused(lambda: write(ledger, tmp_path / "a.ledger"))

    assert (problem.key, problem.figures["position"]) == ("ledger-export-unsound", 5)
    assert refused(lambda: check(tmp_path / "a.ledger")).key == "ledger-file-broken-off"


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert refused(lambda: check(tmp_path / "none.ledger")).key == "ledger-file-unreadable"
