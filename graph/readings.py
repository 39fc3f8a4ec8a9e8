"""All that is read from the entries, together at one position: kept as one, found as one, read anew as one."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_args, get_origin, get_type_hints

from flows.book import Book, Facts
from flows.layers import Layer
from flows.materials import Catalogue
from flows.ports import Follower, Ledger
from flows.reading import read
from flows.recording import LedgerFacts
from graph.columns import Columns
from graph.containers import Containers
from graph.editions import Editions
from graph.keeping import Found, Keeping
from graph.values import Codec, codec_of

TOUCHES: Final = "book.touches"


@dataclass(frozen=True)
class Readings:
    """Book, lineage, columns and containers of a ledger."""

    book: Book
    editions: Editions
    columns: Columns
    containers: Containers
    begun_with: Found | None = None
    """What was kept of them, from which they look up what nobody has asked for yet."""

    @classmethod
    def empty(cls, catalogue: Catalogue, facts: Facts) -> "Readings":
        """Before the first entry."""
        return cls(Book(catalogue, facts), Editions(catalogue), Columns(catalogue), Containers(catalogue))

    @classmethod
    def anew(cls, catalogue: Catalogue, ledger: Ledger, until: int) -> "Readings":
        """Read from the first entry up to a position."""
        own = cls.empty(catalogue, LedgerFacts(ledger))
        own.read_on(ledger, until)
        return own

    @classmethod
    def found(cls, catalogue: Catalogue, facts: Facts, position: int, found: Found) -> "Readings":
        """As they were kept at a position.

        Raises:
            Damaged: the bytes of a part are not those that were written.
        """
        book = Book(catalogue, facts)
        registers = {name: found.register(f"book.{name}", *codecs) for name, codecs in _registers()}
        book.stand_on(position, registers, found.touches(TOUCHES))
        editions, columns = Editions.found(catalogue, found), Columns.found(catalogue, found)
        return cls(book, editions, columns, Containers.found(catalogue, found), found)

    @property
    def followers(self) -> tuple[Follower, ...]:
        """Who reads after the book."""
        return self.editions, self.columns, self.containers

    def read_on(self, ledger: Ledger, until: int) -> None:
        """Read what follows, up to a position."""
        for entry in ledger.entries(after=self.book.position, until=until):
            change = read(self.book, entry.event, entry.position, entry.record_time_us)
            for follower in self.followers:
                follower.read(entry, change)

    def close(self) -> None:
        """Let go of what they were begun with."""
        if self.begun_with is not None:
            self.begun_with.close()

    def keep(self, keeping: Keeping) -> None:
        """Hand out everything, part by part; nobody reads an entry meanwhile."""
        codecs = dict(_registers())
        for name, layer in self.book.registers():
            keeping.register(f"book.{name}", layer, *codecs[name])
        keeping.touches(TOUCHES, self.book)
        self.editions.keep(keeping)
        self.columns.keep(keeping)
        self.containers.keep(keeping)


def _registers() -> Iterator[tuple[str, tuple[Codec, Codec]]]:
    """The book's registers, with the codecs of their keys and values."""
    return iter(_codecs().items())


@cache
def _codecs() -> dict[str, tuple[Codec, Codec]]:
    hints: dict[str, Any] = get_type_hints(Book, include_extras=True)
    layers = {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Layer}
    return {name: (codec_of(key), codec_of(value)) for name, (key, value) in layers.items()}
