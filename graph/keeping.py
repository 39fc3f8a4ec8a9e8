"""How readings are kept and found again: each names its parts once, for whoever writes, reads, or compares them."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import fields
from threading import Lock
from typing import Any, Final, Generic, Protocol, TypeVar, cast

from flows.book import Book
from flows.layers import Layer
from flows.touches import KeptTouches
from flows.versions import Kept
from graph.arrays import Column
from graph.tables import Array
from graph.texts import Ranks, Texts
from graph.values import Codec

Key = TypeVar("Key")
Value = TypeVar("Value")
Columnar = TypeVar("Columnar")


class Later(Generic[Value]):
    """A value that is made when somebody first asks for it."""

    def __init__(self, value: Value | Callable[[], Value]) -> None:
        self._value = value
        self._lock: Final = Lock()

    @property
    def value(self) -> Value:
        """The value."""
        if callable(self._value):
            with self._lock:
                if callable(self._value):
                    self._value = self._value()
        return cast("Value", self._value)


class Keeping(Protocol):
    """Takes the parts of readings, each under its name."""

    def plain(self, name: str, value: Any, codec: Codec) -> None:
        """Something small."""
        ...

    def array(self, name: str, values: Array) -> None:
        """An array of numbers."""
        ...

    def table(self, name: str, items: Mapping[Any, Any], key: Codec, value: Codec) -> None:
        """A mapping of which an item at a time is asked for."""
        ...

    def register(self, name: str, layer: Layer[Any, Any], key: Codec, value: Codec) -> None:
        """A register of the book, with the past of every value."""
        ...

    def touches(self, name: str, book: Book) -> None:
        """What entries touched."""
        ...


class Found(Protocol):
    """Gives the parts again.

    Raises, before the readings are in use:
        Damaged: the bytes of a part are not those that were written. Later it is read anew from the entries.
    """

    def plain(self, name: str, codec: Codec) -> Any:
        """Something small."""
        ...

    def later(self, name: str, codec: Codec) -> Callable[[], Any]:
        """Something small that few ask for."""
        ...

    def array(self, name: str) -> Array:
        """An array of numbers, in memory."""
        ...

    def column(self, name: str) -> Column:
        """An array with room behind its end."""
        ...

    def table(self, name: str, key: Codec, value: Codec) -> MutableMapping[Any, Any]:
        """A mapping that looks its items up."""
        ...

    def register(self, name: str, key: Codec, value: Codec) -> Kept[Any, Any]:
        """A register of the book."""
        ...

    def touches(self, name: str) -> KeptTouches:
        """What entries touched."""
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...


def keep_columns(keeping: Keeping, name: str, table: Any) -> None:
    """Every column of a dataclass of columns."""
    for each in fields(table):
        column: Column = getattr(table, each.name)
        keeping.array(f"{name}.{each.name}", column.written())


def found_columns(found: Found, name: str, kind: type[Columnar]) -> Columnar:
    """The same again."""
    return kind(**{each.name: found.column(f"{name}.{each.name}") for each in fields(kind)})  # pyright: ignore[reportArgumentType] - callers hand in dataclasses of columns


def keep_texts(keeping: Keeping, name: str, texts: Sequence[str | None]) -> None:
    """Texts in a row, as one block of bytes."""
    block = Texts.of(texts)
    keeping.array(f"{name}.text", block.text)
    keeping.array(f"{name}.end", block.end)


def found_texts(found: Found, name: str) -> Texts:
    """The same again."""
    return Texts(found.array(f"{name}.text"), found.array(f"{name}.end"))


def keep_ranks(keeping: Keeping, name: str, texts: Iterable[str]) -> None:
    """By which digest each of these texts is found."""
    digest, number = Ranks.arrays(texts)
    keeping.array(f"{name}.digest", digest)
    keeping.array(f"{name}.number", number)


def found_ranks(found: Found, name: str, texts: Texts) -> Ranks:
    """The same again."""
    return Ranks(texts, found.array(f"{name}.digest"), found.array(f"{name}.number"))
