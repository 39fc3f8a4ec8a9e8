"""The stores that every contract is held against; one more adds its lines here.

Neo4j is the one server of the run, so that whatever is opened within one test is one ledger and one desk.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from flows.entries import Entry, head_of, next_entry
from flows.events import Event
from flows.ports import Desk, Kept, Ledger
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger
from graph.neo4j_desk import Neo4jDesk
from graph.neo4j_ledger import Neo4jLedger
from graph.neo4j_store import Neo4jAddress, Neo4jStore
from graph.sqlite_desk import SqliteDesk
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore
from tests.servers.neo4j_server import Address


@dataclass
class Stores:
    """How to open a fresh ledger or desk in a folder, and once more what was opened there before."""

    ledger: Callable[[Path], Ledger]
    desk: Callable[[Path], Desk]
    shared: bool
    """Whether two openings, and so two processes, see one store."""


def _file(folder: Path) -> SqliteStore:
    return SqliteStore(folder / "huanliu.sqlite")


def database() -> Neo4jStore:
    """The test server's database, opened once more."""
    named = Address.of_environment()
    assert named is not None, "a test that bears the mark `neo4j` starts the server first"
    return Neo4jStore(Neo4jAddress(named.uri, named.user, named.password))


STORES = {
    "memory": Stores(lambda _: MemoryLedger(), lambda _: MemoryDesk(), shared=False),
    "sqlite": Stores(lambda folder: SqliteLedger(_file(folder)), lambda folder: SqliteDesk(_file(folder)), shared=True),
    "neo4j": Stores(lambda _: Neo4jLedger(database()), lambda _: Neo4jDesk(database()), shared=True),
}
NAMES: Final[list[Any]] = [pytest.param(name, marks=pytest.mark.neo4j) if name == "neo4j" else name for name in STORES]
SHARED: Final[list[Any]] = [
    pytest.param(name, marks=pytest.mark.neo4j) if name == "neo4j" else name for name in STORES if STORES[name].shared
]
"""Those that another opening, and so another process, sees too."""


def chained(events: list[Event], after: Entry | None = None, recorded_us: int = 1_000_000) -> list[Entry]:
    """Entries for facts, one after the other."""
    entries: list[Entry] = []
    for event in events:
        last = entries[-1] if entries else after
        entries.append(next_entry(head_of(last), event, recorded_us, "tests"))
    return entries


def unread(entries: Iterable[Entry]) -> list[Kept]:
    """Entries that are appended and that nobody has read."""
    return [(entry, None) for entry in entries]


def rows(ledger: Any, query: str, *values: object) -> list[Any]:
    """Raw rows of a SQLite ledger."""
    return ledger._store.connection().execute(query, values).fetchall()
