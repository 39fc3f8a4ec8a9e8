"""A byte changed anywhere in a backup is named; in the file of an installation it is named, or nothing reads otherwise.

What may go unnamed in a file that is written to: bytes that no content rests on (free pages, the unused end of a page,
counters of the file's header), and the inside of a desk's document that still reads as one: the desk is what may change,
and no digest covers it. A backup changes no more, so that its seal holds a digest of each page.
"""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest

from api import audits
from api.service import Service
from api.settings import Settings
from flows.errors import Problem, messages
from flows.law import Finding
from graph.sqlite_backup import back_up, check
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore
from tests.api.test_retries_survive import KEY, House, late, made, opened

FLIPS = int(os.environ.get("HUANLIU_TEST_FLIPS", "48"))
"""How many bytes, evenly over the file; a run with one in every few bytes was made by hand."""
PAGE = 4096

__all__ = ["made"]


@pytest.fixture
def kept(made: tuple[Path, str]) -> Path:
    """The file of an installation with everything on its desk, closed and folded into one."""
    folder, secret = made
    house: House = opened(folder, secret)
    assert house.post(late(), KEY).json()["findings"]
    assert house.service.keys.open_session(secret)
    house.service.close()
    file = Settings(data=folder).file
    with sqlite3.connect(file) as raw:
        raw.execute("pragma wal_checkpoint(truncate)")
    raw.close()
    return file


def _places(size: int) -> Iterator[int]:
    """Evenly, and never twice at the same place of a page."""
    stride = max(1, size // FLIPS) | 1
    while stride % 2 == 0 or stride == PAGE:
        stride += 1
    yield from range(0, size, stride)


def _told(found: list[Finding]) -> list[str]:
    return [messages()[each.key]["zh"].format(**each.figures) for each in found]


def _content(file: Path) -> object:
    """What is read back of the ledger, also by name."""
    store = SqliteStore(file)
    try:
        ledger = SqliteLedger(store)
        entries = list(ledger.entries())
        return entries, ledger.head(), [ledger.find(each.enterprise, each.event_id) for each in entries]
    finally:
        store.close()


def _flipped(file: Path, place: int, to: Path) -> Path:
    for old in to.parent.glob(f"{to.name}*"):
        old.unlink()
    copyfile(file, to)
    with to.open("r+b") as body:
        body.seek(place)
        (byte,) = body.read(1)
        body.seek(place)
        body.write(bytes([byte ^ 0xFF]))
    return to


def _audited(file: Path) -> list[Finding]:
    service = Service.open_unread(Settings(data=file.parent))
    try:
        return audits.audit(service).faults
    finally:
        service.close()


def test_a_flipped_byte_of_the_file_is_named_or_changes_nothing(kept: Path, tmp_path: Path) -> None:
    before, folder = _content(kept), tmp_path / "flipped"
    folder.mkdir()
    named = 0
    for place in _places(kept.stat().st_size):
        file = _flipped(kept, place, folder / kept.name)
        try:
            found = _told(_audited(file))
        except Problem as problem:
            found = [problem.text("zh")]
        named += bool(found)
        assert found or _content(file) == before, place
    assert named > FLIPS // 3


def test_a_flipped_byte_of_a_backup_is_named_wherever_it_stands(kept: Path, tmp_path: Path) -> None:
    """Also where no content rests on it: in the unused end of a page, in the desk, in the seal itself."""
    store = SqliteStore(kept)
    backup = tmp_path / "backup.db"
    copied = back_up(store, backup)
    store.close()
    assert (copied.faults, copied.sealed) == ((), True)
    size = backup.stat().st_size
    for place in (*_places(size), *range(size - 64, size, 9)):
        file = _flipped(backup, place, tmp_path / "flipped.db")
        try:
            found = list(check(file).faults)
        except Problem:  # SQLite cannot even open it, and the words say so
            assert place < PAGE
        else:
            assert found, place
            page = next((each for each in found if each.key == "backup-page-differs"), None)
            assert page is None or int(page.figures["first"] or 0) <= place <= int(page.figures["last"] or 0)
            assert page is not None or "backup-seal-damaged" in {each.key for each in found}
