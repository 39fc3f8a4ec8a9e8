"""Rows of what counts: position, effective time, why, whose, and the grams, as arrays that grow with the ledger."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from flows.ids import SiteId
from graph.keeping import Found, Keeping
from graph.values import PLAIN, codec_of

Integers: TypeAlias = npt.NDArray[np.int64]
Key = TypeVar("Key")

WIDTH: Final = 7
FOREVER: Final = np.iinfo(np.int64).max
NET: Final = 64
"""Added to a kind: the same of the net ledger, where waste made of waste stays its first generator's."""


class Kind(IntEnum):
    """Why a row's grams count. Those up to `UNLOADED` keep a waste's account, and sum to what is left of it."""

    ARISEN = 0
    OPENING = 1
    UTILIZED = 2
    DISPOSED = 3
    LEFT = 4
    LOST = 5
    GAP = 6
    REPLACED = 7
    LOADED = 8
    UNLOADED = 9
    CHARGED = 20
    RELEASED = 21
    SUPPLIED = 30
    SUPPLY_LEFT = 31
    TAPPED = 32
    ALLOYED = 33
    PRODUCED = 34
    BATCH = 40
    ASSAYED = 41
    MANIFEST_OPENED = 42
    MANIFEST_CLOSED = 43
    MANIFEST_LATE = 44


class Arising(IntEnum):
    """How the grams of an origin came: waste of a day, waste from before the ledger, or no waste at all."""

    WASTE = 0
    STOCK = 1
    OTHER = 2


class Origin(NamedTuple):
    """Whose and what: indices of site and material, the Shanghai day as an ordinal, and how it came."""

    site: int
    material: int
    day: int
    arising: Arising


@dataclass(frozen=True, slots=True)
class Table:
    """The rows as arrays of one length, and the origins that they point at.

    A row is known from the entry `since` on (its own, or a correction), until a correction ends it.
    """

    position: Integers
    since: Integers
    until: Integers
    effective_us: Integers
    kind: Integers
    origin: Integers
    amount: Integers
    origins: Integers
    """One line for each origin: site, material, day, arising."""


def _origins(table: Integers) -> Iterator[Origin]:
    lines: list[list[int]] = table.tolist()
    return (Origin(site, material, day, Arising(arising)) for site, material, day, arising in lines)


class Interned(Generic[Key]):
    """Small integers for keys, in the order in which they came."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.keys = list(keys)
        self._index = {key: number for number, key in enumerate(self.keys)}

    def index(self, key: Key) -> int:
        """The key's number, a new one for a new key."""
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = len(self.keys)
            self.keys.append(key)
        return found


class Rows:
    """Growing arrays: rows wait in a buffer and are written in one go when somebody reads."""

    def __init__(self) -> None:
        self._waiting = array("q")
        self._array: Integers = np.empty((WIDTH, 1024), dtype=np.int64)
        self._length = 0
        self._read = False

    def keep(self, keeping: Keeping) -> None:
        """Hand out all rows."""
        keeping.array("columns.rows", self.arrays())

    @classmethod
    def found(cls, found: Found) -> "Rows":
        """The rows that were kept."""
        own = cls()
        own._array = found.array("columns.rows")
        own._length = own._array.shape[1]
        return own

    def add(self, row: tuple[int, int, int, int, int, int, int]) -> None:
        """One more row: position, since, until, effective time, kind, origin, amount."""
        self._waiting.extend(row)

    def end(self, position: int, since: int, until: int) -> None:
        """The rows of an entry, known since then, are known no longer; who reads has them as they were."""
        rows = self.arrays()
        if self._read:
            self._read, self._array = False, self._array.copy()
            rows = self.arrays()
        begin, stop = np.searchsorted(rows[1], since, "left"), np.searchsorted(rows[1], since, "right")
        ended = begin + np.flatnonzero(rows[0, begin:stop] == position)
        rows[2, ended] = until

    def table(self) -> Integers:
        """The same for a reader: what it holds stays as it is."""
        self._read = True
        return self.arrays()

    def arrays(self) -> Integers:
        """`WIDTH` lines, each as long as there are rows."""
        if self._waiting:
            waiting, self._waiting = self._waiting, array("q")
            new = np.frombuffer(waiting, dtype=np.int64).reshape(-1, WIDTH).T
            grown = self._length + new.shape[1]
            if grown > self._array.shape[1]:
                larger = np.empty((WIDTH, 2 * grown), dtype=np.int64)
                larger[:, : self._length] = self._array[:, : self._length]
                self._array = larger
            self._array[:, self._length : grown] = new
            self._length = grown
        return self._array[:, : self._length]


_SINCE: Final = codec_of(dict[int, int])


class Counts:
    """The rows with the tables that they point into."""

    def __init__(self) -> None:
        self.sites = Interned[SiteId]()
        self.materials = Interned[str]()
        self.origins = Interned[Origin]()
        self._rows = Rows()
        self._since: dict[int, int] = {}
        self._origin_table: Integers = np.empty((0, 4), dtype=np.int64)

    def keep(self, keeping: Keeping) -> None:
        """Hand out all rows up to now."""
        keeping.plain("columns.sites", self.sites.keys, PLAIN)
        keeping.plain("columns.materials", self.materials.keys, PLAIN)
        keeping.array("columns.origins", self.origin_table())
        keeping.plain("columns.since", self._since, _SINCE)
        self._rows.keep(keeping)

    @classmethod
    def found(cls, found: Found) -> "Counts":
        """The rows that were kept."""
        own = cls()
        own.sites = Interned(found.plain("columns.sites", PLAIN))
        own.materials = Interned(found.plain("columns.materials", PLAIN))
        own._origin_table = table = found.array("columns.origins")
        own.origins = Interned(_origins(table))
        own._since = found.plain("columns.since", _SINCE)
        own._rows = Rows.found(found)
        return own

    def origin(self, site_id: SiteId, material: str, day: date, arising: Arising) -> int:
        """The number of an origin."""
        return self.origins.index(
            Origin(self.sites.index(site_id), self.materials.index(material), day.toordinal(), arising)
        )

    def add(self, position: int, since: int, effective_us: int, kind: int, origin: int, amount: int) -> None:
        """One more mass that counts, known since an entry."""
        self._rows.add((position, since, FOREVER, effective_us, kind, origin, amount))

    def end(self, position: int, until: int) -> None:
        """What an entry counted is known no longer since a correction, which says what it counts now."""
        self._rows.end(position, self._since.get(position, position), until)
        self._since[position] = until

    @property
    def revised(self) -> bool:
        """Has any correction ended a row?"""
        return bool(self._since)

    def table(self) -> Table:
        """All rows up to now."""
        position, since, until, effective_us, kind, origin, amount = self._rows.table()
        return Table(position, since, until, effective_us, kind, origin, amount, self.origin_table())

    def origin_table(self) -> Integers:
        """One line for each origin: site, material, day, arising."""
        known = len(self._origin_table)
        if known < len(self.origins.keys):
            new = np.array(self.origins.keys[known:], dtype=np.int64).reshape(-1, 4)
            self._origin_table = np.concatenate([self._origin_table, new])
        return self._origin_table
