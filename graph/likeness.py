"""Are two readings alike? Whatever they hold is compared, so that no new array or table can be forgotten."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import Any, Final, cast

import numpy as np

from flows.book import Book
from graph.arrays import Column, Ints
from graph.counts import Rows

_LOCK: Final = type(Lock())


def differences(one: Any, other: Any, name: str = "") -> Iterator[str]:
    """The dotted names of what is not alike in two readings; books and what this package makes are looked into."""
    if one is other or (isinstance(one, _LOCK) and isinstance(other, _LOCK)):
        return
    if type(one) is type(other) and _looked_into(one):
        for each in _names(one):
            inside = f"{name}.{each}" if name else each
            yield from differences(getattr(one, each), getattr(other, each), inside)
    elif type(one) is not type(other) or not _alike(one, other):
        yield name


def _looked_into(reading: object) -> bool:
    if isinstance(reading, (Column, Rows, tuple)):
        return False
    return isinstance(reading, Book) or type(reading).__module__.startswith("graph.")


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Column):
        return one.size == other.size and np.array_equal(one.view(one.size), other.view(one.size))
    if isinstance(one, Rows):
        return np.array_equal(one.arrays(), other.arrays())
    if isinstance(one, np.ndarray):
        return np.array_equal(cast("Ints", one), other)
    return bool(one == other)


def _names(reading: object) -> list[str]:
    """What an object keeps, with or without a dict of its own."""
    if is_dataclass(reading):
        return [each.name for each in fields(reading)]
    kept: dict[str, object] | None = getattr(reading, "__dict__", None)
    slots: tuple[str, ...] = getattr(type(reading), "__slots__", ())
    return sorted(slots if kept is None else kept)
