"""账面. What the rules must know now, and how each of it came to stand so: every value keeps its past."""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal, TypeAlias

from flows.balance import Movement
from flows.batches import Batch
from flows.enterprises import Approval, Facility, Mandate, Permit, PermitLine, Plan, Scale, Site, StorageArea, Vehicle
from flows.errors import Unknown
from flows.events import CorrectionRequested, EnterpriseRegistered, Event, Stated, Submitted
from flows.ids import BatchId, EnterpriseId, EventId, ManifestId
from flows.layers import Layer
from flows.manifests import Manifest
from flows.materials import Catalogue
from flows.stated import Facts, KeptFacts, Told
from flows.touches import KeptTouches, Touch
from flows.versions import Kept


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise as registered last; `confirmed_by` is the regulator that confirmed it."""

    registered: EnterpriseRegistered
    confirmed_by: EnterpriseId | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a fact is read as since a correction; None: as never stated."""

    event: Stated | None


RequestState: TypeAlias = Literal["open", "in_force", "declined"]
"""待对方确认 · 已生效 · 未获同意"""


@dataclass(frozen=True, slots=True)
class Request:
    """更正申请 as it stands. `others` still have to agree on the manifests that it changes; without any it is in force."""

    event: CorrectionRequested
    position: int
    corrects: tuple[int, ...]
    """The positions of the facts that it is about, in the order of its changes."""
    manifest_ids: tuple[ManifestId, ...] = ()
    others: tuple[EnterpriseId, ...] = ()
    agreed: tuple[EnterpriseId, ...] = ()
    state: RequestState = "open"
    settled: int | None = None
    """The position of the entry that brought it into force, or declined it."""

    @property
    def manifest_id(self) -> ManifestId | None:
        """The first manifest that it is about."""
        return self.manifest_ids[0] if self.manifest_ids else None

    @property
    def other(self) -> EnterpriseId | None:
        """The next who has to agree."""
        return self.others[0] if self.others else None

    @property
    def open(self) -> bool:
        """Is it still to be answered?"""
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class Change:
    """What one fact did: its movements, and its effective time (the latest of its own and its causes')."""

    event: Event
    position: int
    effective_us: int
    movements: tuple[Movement, ...] = ()
    draws: tuple[Batch, ...] = ()
    """The drawn batches as they stood before, in the order of the movements' draws."""
    manifest: Manifest | None = None
    """The manifest of a step as it stood before."""
    batch: Batch | None = None
    """The batch that a remark is about, as it stood before."""
    revision: "Revision | None" = None
    """What a correction that came into force changed in what was read before."""
    record_time_us: int = 0


@dataclass(frozen=True, slots=True)
class Rereading:
    """What one earlier entry did until a correction, and what it does since."""

    was: Change | None
    now: Change | None


@dataclass(frozen=True, slots=True)
class Revision:
    """更正. The entries that are read anew, and every later one that does something else because of them, by position."""

    corrects: tuple[int, ...]
    entries: dict[int, Rereading]
    again: Callable[[int], Change] = field(compare=False, repr=False)
    """What any other entry does, as the facts are read since."""


_REGISTERS: Final = (
    "enterprises", "sites", "facilities", "storages", "scales", "vehicles", "permits", "permit_holders", "plans",
    "approvals", "mandates", "permit_used_g", "approval_used_g", "batches", "manifests", "requests", "disputed",
    "replaced",
)  # fmt: skip


def _open_batches() -> Layer[BatchId, Batch]:
    return Layer(listed=lambda batch: batch.left_g > 0)


def _open_manifests() -> Layer[ManifestId, Manifest]:
    return Layer(listed=lambda manifest: not manifest.closed)


def _open_requests() -> "Layer[tuple[EnterpriseId, EventId], Request]":
    return Layer(listed=lambda request: request.open)


@dataclass
class Book:
    """The state as of the last entry read. `overlay` gives a draft on top; `fold` writes a draft down."""

    catalogue: Catalogue
    facts: Facts = field(default_factory=KeptFacts)
    position: int = 0
    enterprises: Layer[str, Enterprise] = field(default_factory=Layer[str, Enterprise])
    sites: Layer[str, Site] = field(default_factory=Layer[str, Site])
    facilities: Layer[str, Facility] = field(default_factory=Layer[str, Facility])
    storages: Layer[str, StorageArea] = field(default_factory=Layer[str, StorageArea])
    scales: Layer[str, Scale] = field(default_factory=Layer[str, Scale])
    vehicles: Layer[tuple[str, str], Vehicle] = field(default_factory=Layer[tuple[str, str], Vehicle])
    permits: Layer[str, tuple[Permit, ...]] = field(default_factory=Layer[str, tuple[Permit, ...]])
    """By holder."""
    permit_holders: Layer[str, EnterpriseId] = field(default_factory=Layer[str, EnterpriseId])
    plans: Layer[tuple[str, int], Plan] = field(default_factory=Layer[tuple[str, int], Plan])
    approvals: Layer[str, Approval] = field(default_factory=Layer[str, Approval])
    mandates: Layer[tuple[str, str], Mandate] = field(default_factory=Layer[tuple[str, str], Mandate])
    permit_used_g: Layer[tuple[str, str, str, str, int], int] = field(
        default_factory=Layer[tuple[str, str, str, str, int], int]
    )
    """Accepted under (holder, permit number, waste, mode, year)."""
    approval_used_g: Layer[str, int] = field(default_factory=Layer[str, int])
    """Loaded under an approval."""
    batches: Layer[BatchId, Batch] = field(default_factory=_open_batches)
    """All batches by id; those of which something is left are listed."""
    manifests: Layer[ManifestId, Manifest] = field(default_factory=_open_manifests)
    """All manifests by id; the open ones are listed."""
    requests: Layer[tuple[EnterpriseId, EventId], Request] = field(default_factory=_open_requests)
    """All requests for correction by requester and name; those that wait for an answer are listed."""
    disputed: Layer[ManifestId, tuple[EnterpriseId, EventId]] = field(
        default_factory=Layer[ManifestId, tuple[EnterpriseId, EventId]]
    )
    """The open request of a manifest."""
    replaced: Layer[int, Replacement] = field(default_factory=Layer[int, Replacement])
    """What corrected facts are read as, by position."""
    _fresh: dict[int, Told] = field(default_factory=dict[int, Told])
    _named: dict[tuple[EnterpriseId, EventId], int] = field(default_factory=dict[tuple[EnterpriseId, EventId], int])
    """The fresh facts by their names."""
    _touches: dict[Touch, list[int]] = field(default_factory=dict[Touch, list[int]])
    _below: "Book | None" = None
    _kept_touches: KeptTouches | None = None

    def stand_on(self, position: int, registers: Mapping[str, Kept[Any, Any]], touches: KeptTouches) -> None:
        """Begin as the book that was kept at a position."""
        for name, layer in self.registers():
            layer.stand_on(registers[name])
        self.position, self._kept_touches = position, touches

    # what is known ----------------------------------------------------------------------------------------------

    def find_batch(self, batch_id: BatchId) -> Batch | None:
        """A batch, open or closed."""
        return self.batches.get(batch_id)

    def batch(self, batch_id: BatchId) -> Batch:
        """A batch, open or closed, or `Unknown`."""
        found = self.batches.get(batch_id)
        if found is None:
            raise Unknown("batch-unknown", batch=batch_id)
        return found

    def find_manifest(self, manifest_id: ManifestId) -> Manifest | None:
        """A manifest, open or closed."""
        return self.manifests.get(manifest_id)

    def manifest(self, manifest_id: ManifestId) -> Manifest:
        """A manifest, open or closed, or `Unknown`."""
        found = self.manifests.get(manifest_id)
        if found is None:
            raise Unknown("manifest-unknown", manifest=manifest_id)
        return found

    def all_manifests(self) -> list[Manifest]:
        """All manifests, open and closed, the latest submitted first."""
        return sorted(self.manifests.every(), key=lambda manifest: -manifest.positions[0])

    def open_manifests(self) -> list[Manifest]:
        """The manifests to which something can still happen, the latest submitted first."""
        return sorted(self.manifests.values(), key=lambda manifest: -manifest.positions[0])

    def history(self, name: BatchId | ManifestId) -> list[int]:
        """Positions of all entries that speak of a batch or a manifest."""
        return sorted({*self.touches(Touch("batches", name)), *self.touches(Touch("manifests", name))})

    def permits_of(self, holder: EnterpriseId) -> list[Permit]:
        """The permits that stand in an enterprise's name."""
        return list(self.permits.get(holder) or ())

    def find_permit_holder(self, permit_no: str) -> EnterpriseId | None:
        """Whose permit it is."""
        return self.permit_holders.get(permit_no)

    def find_permit(self, permit_no: str) -> Permit | None:
        """A permit that stands, by its number."""
        holder = self.permit_holders.get(permit_no)
        found = self.permits_of(holder) if holder is not None else []
        return next((permit for permit in found if permit.permit_no == permit_no), None)

    # what was stated --------------------------------------------------------------------------------------------

    def told(self, position: int) -> Told:
        """The fact at a position as stated, also one of this draft."""
        book: Book | None = self
        while book is not None:
            if position in book._fresh:
                return book._fresh[position]
            book = book._below
        return self.facts.told(position)

    def fact(self, position: int) -> Told:
        """The fact at a position as it is read now, corrections included."""
        told, replaced = self.told(position), self.replaced.get(position)
        return told if replaced is None else Told(replaced.event, told.record_time_us)

    def find_fact(self, enterprise: EnterpriseId, event_id: EventId) -> int | None:
        """The position of the fact that an enterprise stated under a name."""
        book: Book | None = self
        while book is not None:
            position = book._named.get((enterprise, event_id))
            if position is not None:
                return position
            book = book._below
        return self.facts.find(enterprise, event_id)

    def keep_fact(self, position: int, told: Told) -> None:
        """Remember a fact that is being read."""
        if self._below is None:
            self.facts.keep(position, told)
        else:
            self._fresh[position] = told
            if told.event is not None:
                self._named[told.event.enterprise, told.event.event_id] = position

    def touches(self, touch: Touch, after: int = 0, until: int | None = None) -> list[int]:
        """Positions of the entries that rest on a name or change it, behind one and up to another, in order."""
        found: set[int] = set()
        book: Book | None = self
        while book is not None:
            kept = () if book._kept_touches is None else book._kept_touches.find(touch)
            for positions in (kept, book._touches.get(touch, ())):
                end = len(positions) if until is None else bisect_right(positions, until)
                found.update(positions[bisect_right(positions, after) : end])
            book = book._below
        return sorted(found)

    def own_touches(self) -> Iterator[tuple[Touch, list[int]]]:
        """What entries touched, as far as it stands in memory: all of it, or what came since this book was kept."""
        return iter(list(self._touches.items()))

    @property
    def kept_touches(self) -> KeptTouches | None:
        """What this book began with."""
        return self._kept_touches

    def touch(self, position: int, touches: Iterable[Touch]) -> None:
        """Note what an entry rests on or changes."""
        for touch in touches:
            positions = self._touches.setdefault(touch, [])
            if not positions or positions[-1] < position:
                positions.append(position)
            elif position not in positions:
                insort(positions, position)

    # drafts and views -------------------------------------------------------------------------------------------

    def overlay(self) -> "Book":
        """A draft: reads through to this book, and keeps its own changes until they are folded."""
        return self._on_top(self.position, {name: layer.over() for name, layer in self.registers()})

    def before(self, position: int) -> "Book":
        """A draft on this book as the entries before a position had left it, as they are read now."""
        return self._on_top(position - 1, {name: layer.before(position) for name, layer in self.registers()})

    def as_of(self, position: int) -> "Book":
        """This book as it was known at a position; for reading only."""
        return self if position >= self.position else self.known_at(position)

    def known_at(self, position: int) -> "Book":
        """The same for a position that may still come: what is written after it will not be seen."""
        return self._on_top(position, {name: layer.as_of(position) for name, layer in self.registers()})

    def _on_top(self, position: int, layers: dict[str, Any]) -> "Book":
        return Book(self.catalogue, self.facts, position, **layers, _below=self)

    def registers(self) -> Iterator[tuple[str, Layer[Any, Any]]]:
        """Its layers by name."""
        return ((name, getattr(self, name)) for name in _REGISTERS)

    def fold(self) -> None:
        """Write a draft into the book below it."""
        below = self._below
        assert below is not None, "only a draft folds"
        for _, layer in self.registers():
            layer.fold()
        for position, told in self._fresh.items():
            below.keep_fact(position, told)
        for touch, positions in self._touches.items():
            for position in positions:
                below.touch(position, (touch,))
        below.position = max(below.position, self.position)
        self._fresh, self._named, self._touches = {}, {}, {}

    # permits and approvals --------------------------------------------------------------------------------------

    def find_permit_line(
        self, holder: EnterpriseId, waste: str, method: str, day: date
    ) -> tuple[Permit, PermitLine] | None:
        """The holder's permit line for a waste and a method that year: one valid on the day first, then the roomiest."""
        if not self.catalogue.waste(waste).hazardous:
            return None  # permits are for hazardous waste: class 09 of general waste is not category 09
        mode = {"utilization": "utilize", "disposal": "dispose"}[self.catalogue.method(method).side]
        covering = [
            (permit, line)
            for permit in self.permits_of(holder)
            for line in permit.lines
            if line.mode == mode and line.covers(waste) and permit.valid_from.year <= day.year <= permit.valid_to.year
        ]

        def rank(found: tuple[Permit, PermitLine]) -> tuple[bool, int, str, str]:
            permit, line = found
            valid = permit.valid_from <= day <= permit.valid_to
            return not valid, self.used_g(permit, line, day.year) - line.annual_g, permit.permit_no, line.waste

        return min(covering, key=rank, default=None)

    def used_g(self, permit: Permit, line: PermitLine, year: int) -> int:
        """What was accepted under a permit's line in a year."""
        return self.permit_used_g.get((permit.holder, permit.permit_no, line.waste, line.mode, year)) or 0

    def find_approval(self, submitted: Submitted, code: str) -> Approval | None:
        """The approval that a manifest names, if it is for these parties, this waste and this method."""
        approval = self.approvals.get(submitted.approval_no) if submitted.approval_no else None
        if approval is None:
            return None
        method = self.catalogue.method
        fits = (
            (approval.consignor, approval.consignee) == (submitted.enterprise, submitted.consignee)
            and self.catalogue.waste(approval.waste_code).code == code
            and method(approval.method).code == method(submitted.method).code
        )
        return approval if fits else None

    def crosses_province(self, submitted: Submitted) -> bool:
        """Does a transfer leave its province?"""
        sites = [self.sites.get(submitted.consignor_site), self.sites.get(submitted.consignee_site)]
        assert all(sites), submitted.manifest_id
        return len({site.division[:2] for site in sites if site is not None}) > 1
