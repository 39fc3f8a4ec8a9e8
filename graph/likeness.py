"""Are two readings alike? Whatever they hold is compared, so that no new array or table can be forgotten."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import Any, Final, cast

import numpy as np

from flows.book import Book
from graph.arrays import Column
from graph.collected import same_parts
from graph.counts import Origins
from graph.keeping import Later
from graph.rows import Rows

_LOCK: Final = type(Lock())


def differences(one: Any, other: Any, name: str = "") -> Iterator[str]:
    """The dotted names of what is not alike in two readings; books and what this package makes are looked into."""
    if one is other or (isinstance(one, _LOCK) and isinstance(other, _LOCK)):
        return
    if isinstance(one, Book) and isinstance(other, Book):
        yield from _books(one, other)
    elif type(one) is type(other) and _looked_into(one):
        for each in _names(one):
            inside = f"{name}.{each}" if name else each
            yield from differences(getattr(one, each), getattr(other, each), inside)
    elif not _alike(one, other):
        yield name


def _books(one: Book, other: Book) -> Iterator[str]:
    """The registers in which two books differ, past and present, and whether they know alike what entries touched."""
    for (name, ours), (_, theirs) in zip(one.registers(), other.registers(), strict=True):
        if not same_parts(ours, theirs):
            yield name
    if one.position != other.position or not same_parts(one, other):
        yield "touches"


def _looked_into(reading: object) -> bool:
    if isinstance(reading, (Column, Rows, Origins, Later, Mapping, Sequence)):
        return False
    return type(reading).__module__.startswith("graph.")


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Column):
        return one.size == other.size and np.array_equal(one.view(one.size), other.view(one.size))
    if isinstance(one, Rows):
        return all(np.array_equal(*pair) for pair in zip(one.lines(), other.lines(), strict=True))
    if isinstance(one, Origins):
        return np.array_equal(one.table(), other.table())
    if isinstance(one, Later):
        return bool(cast("Later[Any]", one).value == other.value)
    return same_parts(one, other)


def _names(reading: object) -> list[str]:
    """What an object keeps, with or without a dict of its own."""
    if is_dataclass(reading):
        return [each.name for each in fields(reading)]
    kept: dict[str, object] | None = getattr(reading, "__dict__", None)
    slots: tuple[str, ...] = getattr(type(reading), "__slots__", ())
    return sorted(slots if kept is None else [each for each in kept if not each.startswith("__")])
