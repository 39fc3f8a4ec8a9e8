"""The ledger in a list: the measure of the others."""

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock

from flows.book import Book
from flows.entries import Entry, Head, head_of
from flows.ids import EnterpriseId, EventId
from flows.law import Finding
from flows.ports import Kept, Name


class MemoryTurn:
    """What one writer adds; it joins the list when the turn ends well."""

    def __init__(self, kept: list[Entry], names: dict[tuple[str, str], Entry]) -> None:
        self._kept = kept
        self._names = names
        self.fresh: list[Entry] = []
        self.fresh_names: dict[tuple[str, str], Entry] = {}

    @property
    def head(self) -> Head:
        """The end of the ledger as this turn has it."""
        last = self.fresh[-1] if self.fresh else self._kept[-1] if self._kept else None
        return head_of(last)

    def entries(self, after: int) -> Iterator[Entry]:
        """What stands behind a position."""
        return iter([*self._kept[after:], *self.fresh[max(0, after - len(self._kept)) :]])

    def find_all(self, names: Collection[Name]) -> dict[Name, Entry]:
        """The entries of names."""
        found = {name: self.fresh_names.get(name) or self._names.get(name) for name in names}
        return {name: entry for name, entry in found.items() if entry is not None}

    def append(self, kept: Sequence[Kept], book: Book | None = None) -> None:
        """Append entries that follow the head."""
        for entry, _ in kept:
            name = entry.enterprise, entry.event_id
            assert entry.position == self.head.position + 1, "a position is missing"
            assert entry.previous == self.head.digest, "the chain is broken"
            assert not self.find_all([name]), "one name for two facts"
            self.fresh.append(entry)
            self.fresh_names[name] = entry


class MemoryLedger:
    """Promises of `flows.ports.Ledger`, kept within one process."""

    def __init__(self) -> None:
        self._kept: list[Entry] = []
        self._names: dict[tuple[str, str], Entry] = {}
        self._lock = RLock()

    def head(self) -> Head:
        """The end of the ledger now."""
        with self._lock:
            return head_of(self._kept[-1] if self._kept else None)

    def find(self, enterprise: EnterpriseId, event_id: EventId) -> Entry | None:
        """The entry of a name."""
        return self._names.get((enterprise, event_id))

    def find_all(self, names: Collection[Name]) -> dict[Name, Entry]:
        """The entries of names."""
        return {name: self._names[name] for name in names if name in self._names}

    def entries(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """A prefix that was complete at some instant."""
        with self._lock:
            return iter(self._kept[after:until])

    @contextmanager
    def turn(self) -> Generator[MemoryTurn]:
        """Hold the write lock."""
        with self._lock:
            turn = MemoryTurn(self._kept, self._names)
            yield turn
            self._kept += turn.fresh
            self._names.update(turn.fresh_names)

    def faults(self) -> list[Finding]:
        """A list has no bytes of its own that could be wrong."""
        return []

    def mend(self) -> list[Finding]:
        """A list has no index beside it."""
        return []

    def close(self) -> None:
        """Nothing is held open."""
