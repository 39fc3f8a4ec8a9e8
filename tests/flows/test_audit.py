"""A changed byte is found, wherever it stands, also in the last entry and where the last entry was."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.audit import audit, findings
from flows.entries import Entry, Head, canonical, digest_of
from flows.errors import messages
from flows.law import Finding
from graph.memory_ledger import MemoryLedger
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SCHEMA, SqliteStore, StoreProblem
from tests.flows.stories import arrived, decided, generated, settled, shipped

COLUMNS = ("position", "record_time_us", "enterprise", "event_id", "body", "digest")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a whole transfer in it, closed."""
    file = tmp_path_factory.mktemp("kept") / "huanliu.sqlite"
    store = SqliteStore(file)
    house = shipped(settled(SqliteLedger(store)))
    house.tell(arrived(["9.9 t"]), decided([("9 t", "0.9 t")]))
    house.tell(generated("B2"))
    store.connection().execute("pragma wal_checkpoint(truncate)")
    store.close()
    return file


@contextmanager
def tampered(kept: Path, *changes: tuple[str, tuple[Any, ...]]) -> Iterator[SqliteLedger]:
    """A copy that somebody worked on with other tools."""
    file = kept.with_name("copy.sqlite")
    for old in file.parent.glob("copy.sqlite*"):
        old.unlink()
    copyfile(kept, file)
    raw = sqlite3.connect(file, isolation_level=None)
    for (name,) in raw.execute("select name from sqlite_master where type = 'trigger'").fetchall():
        raw.execute(f"drop trigger {name}")
    for query, values in changes:
        raw.execute(query, values)
    raw.executescript(SCHEMA)
    raw.close()
    store = SqliteStore(file)
    yield SqliteLedger(store)
    store.close()


def _size(kept: Path) -> int:
    with tampered(kept) as ledger:
        return ledger.head().position


def keys(found: list[Finding]) -> set[str]:
    return {each.key for each in found}


def test_a_whole_ledger_has_no_faults(kept: Path) -> None:
    with tampered(kept) as ledger:
        assert audit(ledger) == []
    assert audit(MemoryLedger()) == []


@settings(max_examples=150)
@given(drawn=st.data())
def test_a_byte_changed_anywhere_is_found(kept: Path, drawn: st.DataObject) -> None:
    position = drawn.draw(st.integers(1, _size(kept)))
    column = drawn.draw(st.sampled_from(COLUMNS))
    with tampered(kept) as ledger:
        (value,) = (
            ledger._store.connection().execute(f"select {column} from entry where position = ?", (position,)).fetchone()
        )
    with tampered(
        kept, (f"update entry set {column} = ? where position = ?", (_changed(drawn, value), position))
    ) as ledger:
        assert audit(ledger) != []


def _changed(drawn: st.DataObject, value: Any) -> Any:
    """The same with one byte, letter or digit of it other than it was."""
    if isinstance(value, int):
        return value + drawn.draw(
            st.sampled_from([-1, 1, 1_000, 10**9]).filter(lambda by: value + by > 100 or by > 100)
        )
    place = drawn.draw(st.integers(0, len(value) - 1))
    if isinstance(value, bytes):
        other = drawn.draw(st.integers(0, 255).filter(lambda byte: byte != value[place]))
        return value[:place] + bytes([other]) + value[place + 1 :]
    other = drawn.draw(st.sampled_from("0aF.Z").filter(lambda letter: letter != value[place]))
    return value[:place] + other + value[place + 1 :]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_to_the_last_entry_is_found(kept: Path, column: str) -> None:
    other = {"position": 99, "record_time_us": 1, "body": b"{}"}.get(column, "0")
    with tampered(
        kept, (f"update entry set {column} = ? where position = (select max(position) from entry)", (other,))
    ) as ledger:
        assert audit(ledger) != []


def test_a_rewritten_last_entry_with_a_fitting_digest_is_found(kept: Path) -> None:
    """The chain alone does not see it: nothing follows that names the old digest."""
    with tampered(kept) as ledger:
        *_, last = ledger.entries()
    body = last.body.replace(b'"mass_g":10000000', b'"mass_g":10000001')
    assert body != last.body
    change = "update entry set body = ?, digest = ? where position = ?", (body, digest_of(body), last.position)
    with tampered(kept, change) as ledger:
        assert keys(audit(ledger)) == {"audit-head-differs"}


def test_entries_taken_off_the_end_are_missed(kept: Path) -> None:
    size = _size(kept)
    with tampered(kept, ("delete from entry where position > ?", (size - 2,))) as ledger:
        (found,) = audit(ledger)

    assert (found.key, found.figures) == ("audit-head-differs", {"told": size, "found": size - 2})
    assert messages()[found.key]["zh"].format(**found.figures) == (
        f"台账末尾登记为第 {size} 条，实为第 {size - 2} 条或摘要不同；末尾的条目被删改或增补"
    )


def test_an_emptied_ledger_is_missed(kept: Path) -> None:
    with tampered(kept, ("delete from entry", ())) as ledger:
        assert keys(audit(ledger)) == {"audit-head-differs"}


def test_an_entry_put_behind_the_end_is_found(kept: Path) -> None:
    size = _size(kept)
    copy = "insert into entry select position + 1, record_time_us, enterprise, 'more', body, digest from entry where position = ?"
    with tampered(kept, (copy, (size,))) as ledger:
        assert "audit-head-differs" in keys(audit(ledger))


def test_an_entry_taken_out_of_the_middle_is_found(kept: Path) -> None:
    with tampered(kept, ("delete from entry where position = 5", ())) as ledger:
        found = audit(ledger)

    assert found[0] == Finding.of("audit-position-missing", position=5)
    assert "audit-chain-broken" in keys(found)


def test_two_entries_that_changed_places_are_found(kept: Path) -> None:
    swap = [
        ("update entry set position = 1000 where position = 4", ()),
        ("update entry set position = 4 where position = 5", ()),
        ("update entry set position = 5 where position = 1000", ()),
    ]
    with tampered(kept, *swap) as ledger:
        assert "audit-chain-broken" in keys(audit(ledger))


def test_a_whole_chain_written_anew_is_found_by_its_end(kept: Path) -> None:
    """Who rewrites every entry from the third on leaves a chain that holds: its end is another."""
    with tampered(kept) as ledger:
        entries = list(ledger.entries())
    changes: list[tuple[str, tuple[Any, ...]]] = []
    previous = entries[1].digest
    for entry in entries[2:]:
        body = _with(entry, previous)
        previous = digest_of(body)
        changes.append(("update entry set body = ?, digest = ? where position = ?", (body, previous, entry.position)))
    with tampered(kept, *changes) as ledger:
        assert keys(audit(ledger)) == {"audit-head-differs"}


def _with(entry: Entry, previous: str) -> bytes:
    import json

    return canonical({**json.loads(entry.body), "previous": previous, "recorded_by": "somebody"})


def test_a_fact_that_does_not_fit_what_was_before_it_ends_the_replay(kept: Path) -> None:
    """Without the entry that generated the batch, what used it cannot be read."""
    with tampered(kept) as ledger:
        entries = list(ledger.entries())
    first_use = next(entry.position for entry in entries if entry.event.kind == "loaded")
    generation = next(entry.position for entry in entries if entry.event.kind == "generated")
    with tampered(kept, ("delete from entry where position = ?", (generation,))) as ledger:
        found = audit(ledger)

    assert found[-1].key == "audit-not-replayable"
    assert int(str(found[-1].figures["position"])) <= first_use


def test_the_words_of_the_audit_name_the_entry() -> None:
    for key in ("audit-position-missing", "audit-digest-wrong", "audit-chain-broken", "audit-columns-differ"):
        assert "7" in messages()[key]["zh"].format(position=7)


def test_findings_come_with_their_positions() -> None:
    house = settled()
    house.tell(generated(when=house.clock.now.replace(minute=10)))

    assert list(findings(house.entries)) == [
        (
            house.ledger.head().position,
            Finding.of("clock-ahead", told="2026-03-09 12:10", now="2026-03-09 12:00"),
        )
    ]


def test_the_audit_reads_on_when_somebody_writes_meanwhile() -> None:
    house = settled()

    class Written(MemoryLedger):
        """Its head moves on while the audit reads."""

        def head(self) -> Head:
            if not self.moved:
                self.moved = True
                house.tell(generated())
            return super().head()

    ledger = house.ledger
    assert isinstance(ledger, MemoryLedger)
    ledger.__class__ = Written
    ledger.moved = False  # pyright: ignore[reportAttributeAccessIssue]

    assert audit(ledger) == []


# the file below the entries -----------------------------------------------------------------------------------------


def _copied(kept: Path) -> Path:
    file = kept.with_name("flipped.sqlite")
    for old in file.parent.glob("flipped.sqlite*"):
        old.unlink()
    copyfile(kept, file)
    return file


def _content(ledger: SqliteLedger) -> object:
    """Entries and head as they are read back, also by name."""
    entries = list(ledger.entries())
    return entries, ledger.head(), [ledger.find(each.enterprise, each.event_id) for each in entries]


def _found_or_unchanged(kept: Path, place: int, mask: int) -> None:
    """A flipped byte is told when the file is opened or audited, or nothing that can be read is other than it was."""
    with tampered(kept) as ledger:
        before = _content(ledger)
    file = _copied(kept)
    body = bytearray(file.read_bytes())
    body[place] ^= mask
    file.write_bytes(body)
    try:
        store = SqliteStore(file)
    except StoreProblem as problem:
        assert problem.text("zh")
        return
    try:
        ledger = SqliteLedger(store)
        faults = audit(ledger)
        for each in faults:
            assert messages()[each.key]["zh"].format(**each.figures)
        assert faults or _content(ledger) == before
    finally:
        store.close()


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(drawn=st.data())
def test_a_byte_flipped_anywhere_in_the_file_is_found(kept: Path, drawn: st.DataObject) -> None:
    place = drawn.draw(st.integers(0, kept.stat().st_size - 1))
    _found_or_unchanged(kept, place, drawn.draw(st.integers(1, 255)))


def test_a_flipped_byte_of_the_files_own_head_and_schema_is_found(kept: Path) -> None:
    """The header of the file, and every seventeenth byte of the page where its tables and triggers are named."""
    for place in [*range(100), *range(100, 4096, 17)]:
        _found_or_unchanged(kept, place, 1 << place % 8)


def test_a_file_that_lost_pages_is_told_in_words(kept: Path) -> None:
    file = _copied(kept)
    body = file.read_bytes()
    file.write_bytes(body[: 4096 * 3])
    try:
        store = SqliteStore(file)
    except StoreProblem as problem:
        assert problem.key == "store-damaged"
        return
    assert audit(SqliteLedger(store)) != []
    store.close()


def test_a_guard_that_was_taken_away_is_told_and_made_anew(kept: Path) -> None:
    file = _copied(kept)
    with sqlite3.connect(file) as raw:
        raw.execute("drop trigger entry_is_never_changed")
    raw.close()

    store = SqliteStore(file)
    assert audit(SqliteLedger(store)) == [Finding.of("audit-guard-missing", name="entry_is_never_changed")]
    with pytest.raises(sqlite3.IntegrityError):
        store.connection().execute("update entry set event_id = 'x' where position = 1")
    store.close()
    again = SqliteStore(file)
    assert audit(SqliteLedger(again)) == []
    again.close()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("create trigger quiet before insert on entry begin select raise(ignore); end", "quiet"),
        (
            "drop trigger entry_is_never_changed;"
            "create trigger entry_is_never_changed before update on entry begin select 1; end",
            "entry_is_never_changed",
        ),
        ("create index more on entry (digest)", "more"),
    ],
)
def test_a_guard_that_says_something_else_is_told(kept: Path, change: str, name: str) -> None:
    file = _copied(kept)
    raw = sqlite3.connect(file)
    raw.executescript(change)
    raw.close()

    store = SqliteStore(file)
    assert audit(SqliteLedger(store)) == [Finding.of("audit-guard-differs", name=name)]
    store.close()
