"""The parts of readings in memory, by name: to find one again, and to hold one reading against another."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np

from flows.book import Book
from flows.layers import Layer
from flows.versions import Past, Versions
from graph.readings import Readings
from graph.registers import KeptRegister, TouchTable
from graph.shelves import Shelf
from graph.tables import Array, Damaged
from graph.texts import Ranks, Texts
from graph.values import Codec, Told


class Collected:
    """Takes parts as they are: promises of `graph.keeping.Keeping`."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}

    @classmethod
    def of(cls, readings: Readings) -> "Collected":
        """All parts of readings."""
        own = cls()
        readings.keep(own)
        return own

    def plain(self, name: str, value: Any, codec: Codec) -> None:
        """Something small."""
        told = Told()
        self.parts[name] = codec.encode(value, told), told.models

    def array(self, name: str, values: Array) -> None:
        """An array of numbers."""
        self.parts[name] = values

    def table(self, name: str, items: Mapping[Any, Any], key: Codec, value: Codec) -> None:
        """A mapping."""
        self.parts[name] = items

    def register(self, name: str, layer: Layer[Any, Any], key: Codec, value: Codec) -> None:
        """A register of the book."""
        self.parts[name] = layer

    def touches(self, name: str, book: Book) -> None:
        """What entries touched."""
        self.parts[name] = book


def differing(one: Readings, other: Readings) -> Iterator[str]:
    """The names of the parts in which two readings differ."""
    ours, theirs = Collected.of(one).parts, Collected.of(other).parts
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs or not same_parts(ours[name], theirs[name]):
            yield name


def same_parts(one: object, other: object) -> bool:
    """Do two parts hold the same, in memory or on disk?"""
    try:
        return _same(_whole(one), _whole(other))
    except Damaged:
        return False


def _same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return bool(np.array_equal(cast("Array", one), cast("Array", other)))
    return one == other


def _whole(part: object) -> object:
    """All that a part holds, in memory or on disk."""
    match part:
        case Layer():
            layer = cast("Layer[Any, Any]", part)
            return {"": layer.listed(), **pasts_of(layer)}
        case Book():
            kept = part.kept_touches
            touches = dict(part.own_touches())
            if isinstance(kept, TouchTable):
                touches = {touch: list(found) for touch, found in kept.every()} | {
                    touch: part.touches(touch) for touch in touches
                }
            return touches
        case Shelf():
            return dict(cast("Shelf[Any, Any]", part).pairs())
        case Ranks():
            return dict(part.items())
        case Texts():
            return list(part)
        case _:
            return part


def pasts_of(layer: Layer[Any, Any]) -> dict[Any, Past[Any]]:
    """Every past of a register, in memory or on disk; on the ground nothing lies below, whatever a past says."""
    kept = layer.kept
    found = dict(kept.pasts()) if isinstance(kept, KeptRegister) else {}
    found |= dict(layer.own_pasts())
    return {key: Past(_ground(past.versions), [(u, _ground(v)) for u, v in past.ended]) for key, past in found.items()}


def _ground(versions: Versions[Any]) -> Versions[Any]:
    return Versions(versions.positions, versions.values, whole=True)
