"""The stores that every contract is held against; a third one adds its two lines here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.book import Change
from flows.entries import Entry, head_of, next_entry
from flows.events import Event
from flows.ports import Desk, Kept, Ledger
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger
from graph.sqlite_desk import SqliteDesk
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore


@dataclass
class Stores:
    """How to open a fresh ledger or desk in a folder, and once more what was opened there before."""

    ledger: Callable[[Path], Ledger]
    desk: Callable[[Path], Desk]
    shared: bool
    """Whether two openings, and so two processes, see one store."""


def _file(folder: Path) -> SqliteStore:
    return SqliteStore(folder / "huanliu.sqlite")


STORES = {
    "memory": Stores(lambda _: MemoryLedger(), lambda _: MemoryDesk(), shared=False),
    "sqlite": Stores(lambda folder: SqliteLedger(_file(folder)), lambda folder: SqliteDesk(_file(folder)), shared=True),
}
SHARED = [name for name, stores in STORES.items() if stores.shared]


def chained(events: list[Event], after: Entry | None = None, recorded_us: int = 1_000_000) -> list[Entry]:
    """Entries for facts, one after the other."""
    entries: list[Entry] = []
    for event in events:
        last = entries[-1] if entries else after
        entries.append(next_entry(head_of(last), event, recorded_us, "tests"))
    return entries


def unread(entries: Iterable[Entry]) -> list[Kept]:
    """Entries that are appended without being read: as facts that move nothing."""
    return [(entry, Change(entry.event, entry.position, entry.record_time_us)) for entry in entries]


def rows(ledger: Any, query: str, *values: object) -> list[Any]:
    """Raw rows of a SQLite ledger."""
    return ledger._store.connection().execute(query, values).fetchall()
