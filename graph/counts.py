"""Rows of what counts: position, effective time, why, whose, and the grams, as arrays that grow with the ledger."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from flows.ids import SiteId
from graph.keeping import Found, Keeping
from graph.rows import FOREVER, Rows
from graph.values import PLAIN, codec_of

Integers: TypeAlias = npt.NDArray[np.int64]
Key = TypeVar("Key")

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


class Origins:
    """Origins as lines of numbers. The first may have been kept: they are found by one number made of their four."""

    def __init__(
        self, table: Integers | None = None, packed: Integers | None = None, order: Integers | None = None
    ) -> None:
        nothing = np.empty(0, dtype=np.int64)
        self._table: Integers = np.empty((0, 4), dtype=np.int64) if table is None else table
        self._packed = (nothing if packed is None else packed).data
        self._order = (nothing if order is None else order).data
        self._kept = len(self._table)
        self._new: list[Origin] = []
        self._index: dict[Origin, int] = {}

    def keep(self, keeping: Keeping) -> None:
        """Hand out all of them."""
        packed = _packed(*self.table().T)
        order = np.argsort(packed)
        keeping.array("columns.origins", self.table())
        keeping.array("columns.origins.packed", packed[order])
        keeping.array("columns.origins.order", order)

    @classmethod
    def found(cls, found: Found) -> "Origins":
        """The origins that were kept."""
        return cls(*(found.array(f"columns.origins{part}") for part in ("", ".packed", ".order")))

    def __len__(self) -> int:
        return self._kept + len(self._new)

    def index(self, origin: Origin) -> int:
        """The number of an origin, a new one if it is new."""
        found = self._index.get(origin)
        if found is None:
            found = self._index[origin] = self._find(origin)
        return found

    def _find(self, origin: Origin) -> int:
        packed = int(_packed(*origin))
        place = bisect_left(self._packed, packed)
        if place < len(self._packed) and self._packed[place] == packed:
            return int(self._order[place])
        self._new.append(origin)
        return len(self) - 1

    def table(self) -> Integers:
        """One line for each: site, material, day, arising."""
        if len(self._table) < len(self):
            new = np.array(self._new[len(self._table) - self._kept :], dtype=np.int64).reshape(-1, 4)
            self._table = np.concatenate([self._table, new])
        return self._table


def _packed(site: Any, material: Any, day: Any, arising: Any) -> Any:
    """One number for each origin, as long as there are fewer than four thousand materials and 2^27 sites."""
    return ((site << 12 | material) << 22 | day) << 2 | arising


_SINCE: Final = codec_of(dict[int, int])


class Counts:
    """The rows with the tables that they point into."""

    def __init__(self) -> None:
        self.sites = Interned[SiteId]()
        self.materials = Interned[str]()
        self.origins = Origins()
        self._rows = Rows()
        self._since: dict[int, int] = {}

    def keep(self, keeping: Keeping) -> None:
        """Hand out all rows up to now."""
        keeping.plain("columns.sites", self.sites.keys, PLAIN)
        keeping.plain("columns.materials", self.materials.keys, PLAIN)
        self.origins.keep(keeping)
        keeping.plain("columns.since", self._since, _SINCE)
        self._rows.keep(keeping)

    @classmethod
    def found(cls, found: Found) -> "Counts":
        """The rows that were kept."""
        own = cls()
        own.sites = Interned(found.plain("columns.sites", PLAIN))
        own.materials = Interned(found.plain("columns.materials", PLAIN))
        own.origins = Origins.found(found)
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
        return Table(position, since, until, effective_us, kind, origin, amount, self.origins.table())
