"""What the house needs of a store: two lists of promises, held by every adapter and by none inherited."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from flows.book import Book, Change
from flows.entries import Entry, Head
from flows.ids import EnterpriseId, EventId
from flows.law import Finding

Clock: TypeAlias = Callable[[], datetime]
"""The one source of record times; always with a zone."""
Name: TypeAlias = tuple[EnterpriseId, EventId]
"""What an enterprise calls a fact: unique, and the same in every retry."""
Kept: TypeAlias = tuple[Entry, Change | None]
"""An entry, and what it did to the book; None where entries are moved from another ledger and not judged again."""


class Turn(Protocol):
    """The one writer's hold on the ledger. What it appended is kept whole when it ends, and is gone when it raises."""

    @property
    def head(self) -> Head:
        """The end of the ledger as this turn has it, its own entries included."""
        ...

    def entries(self, after: int) -> Iterator[Entry]:
        """What stands behind a position, in order, also what another process wrote before this turn."""
        ...

    def find_all(self, names: Collection[Name]) -> Mapping[Name, Entry]:
        """The entries that statements of these names became, this turn's own included: one question, however many."""
        ...

    def append(self, kept: Sequence[Kept], book: Book | None = None) -> None:
        """Append entries that follow the head, each with what it did: a store may keep a picture of that beside them.

        `book` stands as the turn's entries have left it when the turn ends; without it the picture follows later.
        """
        ...


class Ledger(Protocol):
    """An append-only log of facts in one total order.

    - positions count 1, 2, 3 without a gap, and an entry never changes;
    - one writer at a time, in all processes: `turn` waits for the turn before it;
    - what a turn wrote is durable when `turn` ends, and is gone when it raises;
    - an event's name is unique for its enterprise: `append` raises `AssertionError` on a second one;
    - `head` is kept beside the entries and in the same commit, so that what is taken off the end is missed;
    - bytes that make no sense are told as a `Problem`, whoever asks, and `faults` names them without raising.
    """

    def head(self) -> Head:
        """The end of the ledger now."""
        ...

    def find(self, enterprise: EnterpriseId, event_id: EventId) -> Entry | None:
        """The entry that a statement of this name became."""
        ...

    def find_all(self, names: Collection[Name]) -> Mapping[Name, Entry]:
        """The entries that statements of these names became: one question, however many."""
        ...

    def entries(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """What stands behind `after`, up to and with `until`, in order: a prefix that was complete at some instant."""
        ...

    def turn(self) -> AbstractContextManager[Turn]:
        """Hold the write lock."""
        ...

    def faults(self) -> Sequence[Finding]:
        """What is wrong below the entries: pages, indexes, what guards the entries. None for a sound store."""
        ...

    def mend(self) -> Sequence[Finding]:
        """Make anew what the store itself derives from the entries where it differs from them; what was wrong."""
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...


class Follower(Protocol):
    """Who reads what the ledger says: the lineage index, the columns of the indicators."""

    def read(self, entry: Entry, change: Change) -> None:
        """Take in the next entry and what it did to the book. Entries come once, in order, after their commit."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """What a desk keeps: a small body under (kind, key), its version counting from 1, and when it lapses."""

    kind: str
    key: str
    version: int
    body: bytes
    expires_us: int | None = None


class Desk(Protocol):
    """What is not a fact and may change: keys, sessions, import jobs, receipts that wait.

    - `put` is compare-and-swap: it succeeds when the kept version is `version` (0: nothing is kept), and says so;
    - a document past its expiry is not there, and what was seen so stays away when the clock is set back;
    - two processes see one desk.
    """

    def get(self, kind: str, key: str, *, now_us: int) -> Document | None:
        """The document, if it is there and has not lapsed."""
        ...

    def put(
        self, kind: str, key: str, body: bytes, *, version: int, now_us: int, expires_us: int | None = None
    ) -> bool:
        """Write the next version over `version`; False when another came first."""
        ...

    def drop(self, kind: str, key: str) -> None:
        """Take it away, if it is there."""
        ...

    def all(self, kind: str, *, now_us: int) -> list[Document]:
        """All documents of a kind, by key."""
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...
