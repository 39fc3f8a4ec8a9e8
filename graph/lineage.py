"""What came from what: dense ranks in entry order, factorised movements, a consistent prefix for every reader."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Final, get_args

import numpy as np

from flows.balance import Boundary, Make, Movement
from flows.batches import Batch, Origin
from flows.book import Change
from flows.entries import Entry
from flows.errors import Unknown
from flows.events import (
    KINDS,
    Arrived,
    Assayed,
    Cancelled,
    Decided,
    Event,
    LegalStatus,
    Loaded,
    Packed,
    Packing,
    SiteRegistered,
    StatusChanged,
    StorageRegistered,
    Stored,
    Submitted,
    TakenOut,
    Transformed,
)
from flows.fates import FATES, fate_class
from flows.ids import BatchId, EnterpriseId, Id, ManifestId, SiteId
from flows.manifests import Manifest
from flows.materials import Catalogue
from flows.times import latest_us
from graph.arrays import Batches, Column, Draws, Flows, Interned, Ints, Lengths, Movements, Remarks

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
    """The index of all batches. A follower of the ledger, and the book's past: it keeps what is closed.

    One thread writes, under the recording's lock. Readers take a `Prefix` (`graph.prefix`), which is whole up to an
    entry and stays as it was, whatever is written meanwhile.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.lengths = Lengths()
        self.batch_ids: list[BatchId] = []
        self.codes: list[str | None] = []
        self.packings: list[Packing | None] = []
        self.manifest_ids: list[ManifestId | None] = []
        self.holders = Interned()
        self.sites = Interned()
        self.materials = Interned()
        self.processes = Interned([""])
        self.details = Interned([""])
        self.kinds = Interned(list(KINDS))
        self.divisions: dict[SiteId, str] = {}
        self.batches = Batches()
        self.movements = Movements()
        self.draws = Draws()
        self.sources = Flows()
        self.ends = Flows()
        self.statuses = Remarks()
        self.places = Remarks()
        self.moistures = Remarks()
        self._rank_of: dict[BatchId, int] = {}
        self._named: dict[str, list[int]] = {}
        self._storage_sites: dict[Id, SiteId] = {}
        self._manifests: dict[ManifestId, Manifest] = {}
        self._closed_batches: dict[BatchId, Batch] = {}
        self._closed_manifests: dict[ManifestId, Manifest] = {}
        self._mentioned = Interned()
        self._mention = Column(np.int32)
        self._mention_position = Column()
        self._lock = Lock()

    # the past ---------------------------------------------------------------------------------------------------

    def find_batch(self, batch_id: BatchId) -> Batch | None:
        """A batch of which nothing is left, as it was."""
        return self._closed_batches.get(batch_id)

    def find_manifest(self, manifest_id: ManifestId) -> Manifest | None:
        """A manifest that is closed."""
        return self._closed_manifests.get(manifest_id)

    def keep_batch(self, batch: Batch) -> None:
        """Take over a batch of which nothing is left."""
        self._closed_batches[batch.batch_id] = batch

    def keep_manifest(self, manifest: Manifest) -> None:
        """Take over a manifest that is closed."""
        self._closed_manifests[manifest.manifest_id] = manifest

    # following --------------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The last entry that was read."""
        return self.lengths.position

    def read(self, entry: Entry, change: Change) -> None:
        """Take in the next entry and what it did. What readers see moves on in one step, at the end."""
        with self._lock:
            assert change.position > self.position, f"entry {change.position} comes twice"
            self._note(change)
            for movement in change.movements:
                self._move(change, movement)
            self._remark(change)
            for name in dict.fromkeys([*_named_in(change), *self._loads(change.event)]):
                self._mention.append(self._mentioned.add(name))
                self._mention_position.append(change.position)
            self.lengths = Lengths(
                change.position, self.batches.mass_g.size, self.movements.position.size, self.draws.batch.size,
                self.sources.mass_g.size, self.ends.mass_g.size, self._mention.size,
            )  # fmt: skip

    def _note(self, change: Change) -> None:
        match change.event:
            case SiteRegistered(site=site):
                self.divisions[site.site_id] = site.division
            case StorageRegistered(storage=storage):
                self._storage_sites[storage.storage_id] = storage.site_id
            case Submitted(manifest_id=manifest_id) as submitted:
                self._manifests[manifest_id] = Manifest((submitted,), (change.position,), change.effective_us)
            case Loaded() | Arrived() | Decided() | Cancelled() as step:
                before = self._manifests[step.manifest_id]
                self._manifests[step.manifest_id] = before.then(step, change.position, change.effective_us)
            case _:
                pass

    def _move(self, change: Change, movement: Movement) -> None:
        event, own = change.event, self.movements
        number = own.position.size
        drawn = [self._rank_of[draw.batch_id] for draw in movement.draws]
        levels = [own.level[self.batches.movement[rank]] for rank in drawn]
        own.position.append(change.position)
        own.effective_us.append(change.effective_us)
        own.through_g.append(movement.throughput_g)
        own.kind.append(self.kinds.add(event.kind))
        own.process.append(self.processes.add(event.process if isinstance(event, Transformed) else ""))
        own.enterprise.append(self.holders.add(event.enterprise))
        own.site.append(self.sites.add(self._site_of(event)))
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
        self.packings.append(made.packing)
        self.manifest_ids.append(made.manifest_id)
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
        self._rank_of[made.batch_id] = rank
        self._name(made.code, rank)
        self._name(made.packing.code if made.packing else None, rank)

    def _loads(self, event: Event) -> list[BatchId]:
        """The loads that an arrival speaks of by their lines only."""
        loaded = self._manifests[event.manifest_id].loaded if isinstance(event, Arrived) else None
        return [line.load_id for line in loaded.lines] if loaded else []

    def _site_of(self, event: Event) -> SiteId:
        match event:
            case Loaded(manifest_id=manifest_id):
                return self._manifests[manifest_id].submitted.consignor_site
            case Decided(manifest_id=manifest_id):
                return self._manifests[manifest_id].submitted.consignee_site
            case _:
                return str(getattr(event, "site_id", ""))

    def _remark(self, change: Change) -> None:
        when = change.position, change.effective_us
        match change.event:
            case StatusChanged(batch_id=batch_id, status=status):
                self.statuses.append(self._rank_of[batch_id], *when, STATUSES.index(status))
            case Assayed(batch_id=batch_id, moisture_ppm=int(moisture_ppm)):
                self.moistures.append(self._rank_of[batch_id], *when, moisture_ppm)
            case Stored(batch_id=batch_id, storage_id=storage_id, code=code):
                rank = self._rank_of[batch_id]
                self.places.append(rank, *when, self.sites.add(self._storage_sites[storage_id]))
                self._name(code, rank)
            case TakenOut(batch_id=batch_id, code=code):
                self._name(code, self._rank_of[batch_id])
            case Packed(batch_id=batch_id, packing=packing):
                rank = self._rank_of[batch_id]
                self.packings[rank] = packing
                self._name(packing.code, rank)
            case _:
                pass

    def _name(self, code: str | None, rank: int) -> None:
        if code is not None:
            ranks = self._named.setdefault(code, [])
            if rank not in ranks[-1:]:
                ranks.append(rank)

    # looking up -------------------------------------------------------------------------------------------------

    def find_rank(self, batch_id: BatchId) -> int | None:
        """The rank of a batch that was read, or None."""
        rank = self._rank_of.get(batch_id)
        return rank if rank is not None and rank < self.lengths.batches else None

    def rank(self, batch_id: BatchId) -> int:
        """The rank of a batch, or `Unknown`."""
        found = self.find_rank(batch_id)
        if found is None:
            raise Unknown("batch-unknown", batch=batch_id)
        return found

    def manifest(self, manifest_id: ManifestId) -> Manifest:
        """A manifest as it stands, open or closed, or `Unknown`."""
        found = self._manifests.get(manifest_id)
        if found is None:
            raise Unknown("manifest-unknown", manifest=manifest_id)
        return found

    def manifests(self) -> list[Manifest]:
        """All manifests, open and closed, the latest submitted first."""
        return list(self._manifests.values())[::-1]

    def find(
        self, code: str, *, site: SiteId | None = None, holders: Collection[EnterpriseId] | None = None
    ) -> list[int]:
        """Ranks of the batches that were ever called by a code (HJ 1259, container or storage code), newest first."""
        ranks = sorted(set(self._named.get(code, ())), reverse=True)
        return [
            rank
            for rank in ranks
            if rank < self.lengths.batches
            and (site is None or self.sites.names[self.batches.site[rank]] == site)
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

    def history(self, name: BatchId | ManifestId) -> list[int]:
        """Positions of all entries that speak of a batch or a manifest."""
        number = self._mentioned.find(name)
        if number is None:
            return []
        size = self.lengths.mentions
        hits = np.flatnonzero(self._mention.view(size) == number)
        positions: Ints = self._mention_position.view(size)[hits]
        return [int(position) for position in positions]


def _named_in(change: Change) -> Iterator[str]:
    """The batches and manifests that an entry speaks of."""
    event = change.event
    manifest_id = getattr(event, "manifest_id", None)
    if isinstance(manifest_id, str):
        yield manifest_id
    batch_id = getattr(event, "batch_id", None)
    if isinstance(batch_id, str):
        yield batch_id
    if isinstance(event, Submitted):
        yield from (line.batch_id for line in event.lines)
    for movement in change.movements:
        yield from (draw.batch_id for draw in movement.draws)
        yield from (made.batch_id for made in movement.makes)
