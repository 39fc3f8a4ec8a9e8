"""What came from what: dense ranks in entry order, factorised movements, a consistent prefix for every reader."""

from collections.abc import Collection, Mapping, MutableMapping, MutableSequence
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Final, get_args

import numpy as np

from flows.balance import Boundary, Make, Movement
from flows.batches import Origin
from flows.book import Change
from flows.entries import Entry
from flows.errors import Unknown
from flows.events import (
    KINDS,
    Assayed,
    LegalStatus,
    Loaded,
    Packed,
    SiteRegistered,
    StatusChanged,
    StorageRegistered,
    Stored,
    TakenOut,
    Transformed,
)
from flows.fates import FATES, fate_class
from flows.ids import BatchId, EnterpriseId, Id, SiteId
from flows.materials import Catalogue
from flows.times import latest_us
from graph.arrays import Batches, Draws, Flows, Interned, Lengths, Movements, Remarks
from graph.keeping import (
    Found,
    Keeping,
    found_columns,
    found_ranks,
    found_texts,
    keep_columns,
    keep_ranks,
    keep_texts,
)
from graph.values import PLAIN, codec_of

BOUNDARIES: Final = tuple(Boundary)
ORIGINS: Final[tuple[str, ...]] = get_args(Origin)
STATUSES: Final[tuple[str, ...]] = get_args(LegalStatus)
ARISING: Final = tuple(ORIGINS.index(origin) for origin in ("stock", "generated", "collected", "tapped"))
"""How a batch came to be that was made of no other."""
LOAD: Final = ORIGINS.index("load")
NO_LINE: Final = -1


@dataclass(frozen=True, slots=True)
class Horizon:
    """What a reading knows: entries up to and with a position, and what had happened by an instant.

    Whoever knows a fact so also knows its causes.
    """

    as_of: int | None = None
    at_us: int | None = None

    @classmethod
    def of(cls, as_of: int | None = None, at: date | datetime | None = None) -> "Horizon":
        """A day means its end."""
        return cls(as_of, None if at is None else latest_us(at))


EVERYTHING: Final = Horizon()


class Lineage:
    """The index of all batches, as the entries are read at one time: a follower of a ledger without corrections.

    One thread writes, under the recording's lock. Readers take a `Prefix` (`graph.prefix`), which is whole up to an
    entry and stays as it was, whatever is written meanwhile. A correction makes another index (`graph.editions`).
    """

    def __init__(self, catalogue: Catalogue, names: "Names | None" = None) -> None:
        self.catalogue = catalogue
        self.lengths = Lengths()
        self.batch_ids: MutableSequence[BatchId] = []
        self.codes: MutableSequence[str | None] = []
        self.names = names or Names()
        self.batches = Batches()
        self.movements = Movements()
        self.draws = Draws()
        self.sources = Flows()
        self.ends = Flows()
        self.statuses = Remarks()
        self.places = Remarks()
        self.moistures = Remarks()
        self.rank_of: MutableMapping[BatchId, int] = {}
        self.site_entries: dict[int, tuple[SiteId, str]] = {}
        self.storage_entries: dict[int, tuple[Id, SiteId]] = {}
        self.divisions: dict[SiteId, str] = {}
        self.storage_sites: dict[Id, SiteId] = {}
        self._lock = Lock()

    @property
    def holders(self) -> Interned:
        """Holders, and all who state facts."""
        return self.names.holders

    @property
    def sites(self) -> Interned:
        """Sites."""
        return self.names.sites

    @property
    def materials(self) -> Interned:
        """Materials of batches."""
        return self.names.materials

    @property
    def processes(self) -> Interned:
        """Process kinds; number 0 is none."""
        return self.names.processes

    @property
    def details(self) -> Interned:
        """What a boundary flow says beyond its boundary; number 0 is nothing."""
        return self.names.details

    # keeping ----------------------------------------------------------------------------------------------------

    def keep(self, keeping: Keeping) -> None:
        """Hand out all of it, up to `position`."""
        keeping.plain("lineage.position", self.position, PLAIN)
        for name, _ in _TABLES:
            keep_columns(keeping, f"lineage.{name}", getattr(self, name))
        keep_texts(keeping, "lineage.batch_ids", self.batch_ids)
        keep_ranks(keeping, "lineage.rank_of", self.batch_ids)
        keep_texts(keeping, "lineage.codes", self.codes)
        keeping.plain("lineage.site_entries", self.site_entries, _PLACES)
        keeping.plain("lineage.storage_entries", self.storage_entries, _PLACES)
        self.names.keep(keeping)

    @classmethod
    def found(cls, catalogue: Catalogue, found: Found) -> "Lineage":
        """The index that was kept."""
        own = cls(catalogue, Names.found(found))
        for name, kind in _TABLES:
            setattr(own, name, found_columns(found, f"lineage.{name}", kind))
        own.batch_ids = ids = found_texts(found, "lineage.batch_ids")
        own.rank_of = found_ranks(found, "lineage.rank_of", ids)
        own.codes = found_texts(found, "lineage.codes")
        own.site_entries = found.plain("lineage.site_entries", _PLACES)
        own.storage_entries = found.plain("lineage.storage_entries", _PLACES)
        own.divisions, own.storage_sites = dict(own.site_entries.values()), dict(own.storage_entries.values())
        own.close(found.plain("lineage.position", PLAIN))
        return own

    # following --------------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The last entry that was read."""
        return self.lengths.position

    def read(self, entry: Entry, change: Change) -> None:
        """Take in the next entry and what it did. What readers see moves on in one step, at the end."""
        with self._lock:
            assert change.position > self.position, f"entry {change.position} comes twice"
            self.write(change)
            self.close(change.position)

    def write(self, change: Change) -> None:
        """Write behind the end what a fact did; nobody sees it before `close`."""
        match change.event:
            case SiteRegistered(site=site):
                self.site_entries[change.position] = site.site_id, site.division
                self.divisions[site.site_id] = site.division
            case StorageRegistered(storage=storage):
                self.storage_entries[change.position] = storage.storage_id, storage.site_id
                self.storage_sites[storage.storage_id] = storage.site_id
            case _:
                pass
        for movement in change.movements:
            self._move(change, movement)
        self._remark(change)

    def close(self, position: int) -> None:
        """What was written up to an entry is whole."""
        self.lengths = Lengths(
            position, self.batches.mass_g.size, self.movements.position.size, self.draws.batch.size,
            self.sources.mass_g.size, self.ends.mass_g.size,
        )  # fmt: skip

    def _move(self, change: Change, movement: Movement) -> None:
        event, own = change.event, self.movements
        number = own.position.size
        drawn = [self.rank_of[draw.batch_id] for draw in movement.draws]
        levels = [own.level[self.batches.movement[rank]] for rank in drawn]
        own.position.append(change.position)
        own.effective_us.append(change.effective_us)
        own.through_g.append(movement.throughput_g)
        own.kind.append(self.names.kinds.add(event.kind))
        own.process.append(self.processes.add(event.process if isinstance(event, Transformed) else ""))
        own.enterprise.append(self.holders.add(event.enterprise))
        own.site.append(self.sites.add(_site_of(change)))
        own.gap.append(BOUNDARIES.index(movement.gap))
        own.level.append(1 + max(levels, default=0))
        for rank, draw in zip(drawn, movement.draws, strict=True):
            self._draw(number, rank, draw.mass_g, draw.weighed_g)
        for table, lines in ((self.sources, movement.sources), (self.ends, movement.ends)):
            for line in lines:
                fate = FATES.index(fate_class(line, self.catalogue)) if table is self.ends else -1
                table.movement.append(number)
                table.boundary.append(BOUNDARIES.index(line.boundary))
                table.detail.append(self.details.add(line.detail))
                table.fate.append(fate)
                table.mass_g.append(line.mass_g)
        for made in movement.makes:
            self._make(number, change, made)

    def _draw(self, number: int, rank: int, mass_g: int, weighed_g: int) -> None:
        line = self.draws.batch.size
        self.draws.movement.append(number)
        self.draws.mass_g.append(mass_g)
        self.draws.weighed_g.append(weighed_g)
        self.draws.older.append(self.batches.newest_draw[rank])
        self.draws.batch.append(rank)
        self.batches.newest_draw[rank] = line  # last: who finds the line finds what is older

    def _make(self, number: int, change: Change, made: Make) -> None:
        own, rank = self.batches, len(self.batch_ids)
        self.batch_ids.append(made.batch_id)
        self.codes.append(made.code)
        own.mass_g.append(made.mass_g)
        own.made_us.append(change.effective_us)
        own.position.append(change.position)
        own.movement.append(number)
        own.holder.append(self.holders.add(made.holder))
        own.site.append(self.sites.add(made.site_id))
        own.material.append(self.materials.add(made.material))
        own.origin.append(ORIGINS.index(made.origin))
        own.status.append(STATUSES.index(made.status or self.catalogue.material(made.material).legal_status))
        own.newest_draw.append(NO_LINE)
        self.rank_of[made.batch_id] = rank
        self.names.call(made.code, made.batch_id)
        self.names.call(made.packing.code if made.packing else None, made.batch_id)

    def _remark(self, change: Change) -> None:
        when = change.position, change.effective_us
        match change.event:
            case StatusChanged(batch_id=batch_id, status=status):
                self.statuses.append(self.rank_of[batch_id], *when, STATUSES.index(status))
            case Assayed(batch_id=batch_id, moisture_ppm=int(moisture_ppm)):
                self.moistures.append(self.rank_of[batch_id], *when, moisture_ppm)
            case Stored(batch_id=batch_id, storage_id=storage_id, code=code):
                rank = self.rank_of[batch_id]
                self.places.append(rank, *when, self.sites.add(self.storage_sites[storage_id]))
                self.names.call(code, batch_id)
            case TakenOut(batch_id=batch_id, code=code):
                self.names.call(code, batch_id)
            case Packed(batch_id=batch_id, packing=packing):
                self.names.call(packing.code, batch_id)
            case _:
                pass

    # looking up -------------------------------------------------------------------------------------------------

    def divisions_as_of(self, position: int | None) -> Mapping[SiteId, str]:
        """The division code of each site, as the entries up to and with a position say."""
        if position is None:
            return self.divisions
        return dict(told for at, told in self.site_entries.items() if at <= position)

    def find_rank(self, batch_id: BatchId) -> int | None:
        """The rank of a batch that was read, or None."""
        rank = self.rank_of.get(batch_id)
        return rank if rank is not None and rank < self.lengths.batches else None

    def rank(self, batch_id: BatchId) -> int:
        """The rank of a batch, or `Unknown`."""
        found = self.find_rank(batch_id)
        if found is None:
            raise Unknown("batch-unknown", batch=batch_id)
        return found

    def find(
        self, code: str, *, site: SiteId | None = None, holders: Collection[EnterpriseId] | None = None
    ) -> list[int]:
        """Ranks of the batches that were ever called by a code (HJ 1259, container or storage code), newest first."""
        found = {self.find_rank(batch_id) for batch_id in self.names.called(code)}
        return [
            rank
            for rank in sorted((rank for rank in found if rank is not None), reverse=True)
            if (site is None or self.sites.names[self.batches.site[rank]] == site)
            and (holders is None or self.holders.names[self.batches.holder[rank]] in holders)
        ]

    def newest(
        self, holders: Collection[EnterpriseId] | None = None, *, limit: int = 50, before: int | None = None
    ) -> list[int]:
        """Ranks of the latest batches of these holders (of all, without them), newest first; `before` turns the page."""
        size = self.lengths.batches if before is None else min(before, self.lengths.batches)
        if holders is None:
            return list(range(size - 1, max(-1, size - 1 - limit), -1))
        wanted = [number for name in holders if (number := self.holders.find(name)) is not None]
        ranks = np.flatnonzero(np.isin(self.batches.holder.view(size), wanted))
        return [int(rank) for rank in ranks[::-1][:limit]]


_PLACES: Final = codec_of(dict[int, tuple[str, str]])
_TABLES: Final = (
    ("batches", Batches), ("movements", Movements), ("draws", Draws), ("sources", Flows), ("ends", Flows),
    ("statuses", Remarks), ("places", Remarks), ("moistures", Remarks),
)  # fmt: skip
_INTERNED: Final = ("holders", "sites", "materials", "processes", "details", "kinds")
_IDS: Final = codec_of(list[BatchId])


class Names:
    """Names as small integers, and what batches were ever called; all editions of an index share them."""

    def __init__(self) -> None:
        self.holders = Interned()
        self.sites = Interned()
        self.materials = Interned()
        self.processes = Interned([""])
        self.details = Interned([""])
        self.kinds = Interned(list(KINDS))
        self._called: MutableMapping[str, list[BatchId]] = {}

    def keep(self, keeping: Keeping) -> None:
        """Hand out all of it."""
        for each in _INTERNED:
            interned: Interned = getattr(self, each)
            keeping.plain(f"lineage.names.{each}", interned.names, PLAIN)
        keeping.table("lineage.names.called", self._called, PLAIN, _IDS)

    @classmethod
    def found(cls, found: Found) -> "Names":
        """The names that were kept."""
        own = cls()
        for each in _INTERNED:
            setattr(own, each, Interned(found.plain(f"lineage.names.{each}", PLAIN)))
        own._called = found.table("lineage.names.called", PLAIN, _IDS)
        return own

    def call(self, code: str | None, batch_id: BatchId) -> None:
        """A batch has a code; once printed it keeps its meaning, also when the fact is corrected."""
        if code is not None:
            batch_ids = self._called.setdefault(code, [])
            if batch_id not in batch_ids[-1:]:
                batch_ids.append(batch_id)

    def called(self, code: str) -> list[BatchId]:
        """The batches that were ever called so."""
        return list(self._called.get(code, ()))


def _site_of(change: Change) -> SiteId:
    """The site that a fact is stated for: of a load its consignor's, of a decision its consignee's."""
    event, manifest = change.event, change.manifest
    if manifest is None:
        return str(getattr(event, "site_id", ""))
    return manifest.submitted.consignor_site if isinstance(event, Loaded) else manifest.submitted.consignee_site
