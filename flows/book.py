"""账面. What the rules must know now: open batches and manifests, permits and their use; it grows with what is open."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

from flows.balance import Draw, Make, Movement, movements, shelf
from flows.batches import Batch, Place
from flows.enterprises import Approval, Facility, Mandate, Permit, PermitLine, Plan, Scale, Site, StorageArea, Vehicle
from flows.errors import Unknown
from flows.events import (
    ApprovalGranted,
    Arrived,
    Assayed,
    Cancelled,
    Decided,
    EnterpriseConfirmed,
    EnterpriseRegistered,
    Event,
    FacilityRegistered,
    Loaded,
    MandateEnded,
    MandateGiven,
    Packed,
    PermitAmended,
    PermitGranted,
    PermitRevoked,
    PlanFiled,
    ScaleRegistered,
    SiteRegistered,
    StatusChanged,
    StorageRegistered,
    Stored,
    Submitted,
    TakenOut,
    VehicleRegistered,
)
from flows.ids import BatchId, EnterpriseId, Id, ManifestId
from flows.layers import Layer
from flows.manifests import Manifest, ManifestFact
from flows.materials import Catalogue
from flows.times import day_of, earliest_us


class Past(Protocol):
    """What the book has let go: closed batches and manifests, answered by whoever keeps the history.

    It keeps all that the book hands it, and never forgets.
    """

    def find_batch(self, batch_id: BatchId) -> Batch | None:
        """A batch of which nothing is left, as it was."""
        ...

    def find_manifest(self, manifest_id: ManifestId) -> Manifest | None:
        """A manifest that is closed."""
        ...

    def keep_batch(self, batch: Batch) -> None:
        """Take over a batch of which nothing is left."""
        ...

    def keep_manifest(self, manifest: Manifest) -> None:
        """Take over a manifest that is closed."""
        ...


@dataclass
class KeptPast:
    """Everything the book lets go, kept in plain dicts: the measure of other keepers."""

    batches: dict[BatchId, Batch] = field(default_factory=dict[BatchId, Batch])
    manifests: dict[ManifestId, Manifest] = field(default_factory=dict[ManifestId, Manifest])

    def find_batch(self, batch_id: BatchId) -> Batch | None:
        """A closed batch."""
        return self.batches.get(batch_id)

    def find_manifest(self, manifest_id: ManifestId) -> Manifest | None:
        """A closed manifest."""
        return self.manifests.get(manifest_id)

    def keep_batch(self, batch: Batch) -> None:
        """Keep a closed batch."""
        self.batches[batch.batch_id] = batch

    def keep_manifest(self, manifest: Manifest) -> None:
        """Keep a closed manifest."""
        self.manifests[manifest.manifest_id] = manifest


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise as registered last; `confirmed_by` is the regulator that confirmed it."""

    registered: EnterpriseRegistered
    confirmed_by: EnterpriseId | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What one fact did: its movements, and its effective time (the latest of its own and its causes')."""

    event: Event
    position: int
    effective_us: int
    movements: tuple[Movement, ...]
    draws: tuple[Batch, ...]
    """The drawn batches as they stood before, in the order of the movements' draws."""


@dataclass
class Book:
    """The state as of the last entry read. `overlay` gives a draft on top; `fold` writes a draft down."""

    catalogue: Catalogue
    past: Past = field(default_factory=KeptPast)
    position: int = 0
    enterprises: Layer[str, Enterprise] = field(default_factory=Layer[str, Enterprise])
    sites: Layer[str, Site] = field(default_factory=Layer[str, Site])
    facilities: Layer[str, Facility] = field(default_factory=Layer[str, Facility])
    storages: Layer[str, StorageArea] = field(default_factory=Layer[str, StorageArea])
    scales: Layer[str, Scale] = field(default_factory=Layer[str, Scale])
    vehicles: Layer[tuple[str, str], Vehicle] = field(default_factory=Layer[tuple[str, str], Vehicle])
    permits: Layer[str, Permit] = field(default_factory=Layer[str, Permit])
    plans: Layer[tuple[str, int], Plan] = field(default_factory=Layer[tuple[str, int], Plan])
    approvals: Layer[str, Approval] = field(default_factory=Layer[str, Approval])
    mandates: Layer[tuple[str, str], Mandate] = field(default_factory=Layer[tuple[str, str], Mandate])
    permit_used_g: Layer[tuple[str, str, str, int], int] = field(default_factory=Layer[tuple[str, str, str, int], int])
    """Accepted under (permit number, waste, mode, year)."""
    approval_used_g: Layer[str, int] = field(default_factory=Layer[str, int])
    """Loaded under an approval."""
    open_batches: Layer[BatchId, Batch] = field(default_factory=Layer[BatchId, Batch])
    open_manifests: Layer[ManifestId, Manifest] = field(default_factory=Layer[ManifestId, Manifest])
    _below: "Book | None" = None

    # what is known ----------------------------------------------------------------------------------------------

    def find_batch(self, batch_id: BatchId) -> Batch | None:
        """A batch, open or closed."""
        return self.open_batches.get(batch_id) or self.past.find_batch(batch_id)

    def batch(self, batch_id: BatchId) -> Batch:
        """A batch, open or closed, or `Unknown`."""
        found = self.find_batch(batch_id)
        if found is None:
            raise Unknown("batch-unknown", batch=batch_id)
        return found

    def find_manifest(self, manifest_id: ManifestId) -> Manifest | None:
        """A manifest, open or closed."""
        return self.open_manifests.get(manifest_id) or self.past.find_manifest(manifest_id)

    def manifest(self, manifest_id: ManifestId) -> Manifest:
        """A manifest, open or closed, or `Unknown`."""
        found = self.find_manifest(manifest_id)
        if found is None:
            raise Unknown("manifest-unknown", manifest=manifest_id)
        return found

    def permits_of(self, holder: EnterpriseId) -> list[Permit]:
        """The permits that stand in an enterprise's name."""
        return [permit for permit in self.permits.values() if permit.holder == holder]

    # drafts -----------------------------------------------------------------------------------------------------

    def overlay(self) -> "Book":
        """A draft: reads through to this book, and keeps its own changes until they are folded."""
        return Book(
            catalogue=self.catalogue,
            past=self.past,
            position=self.position,
            enterprises=self.enterprises.over(),
            sites=self.sites.over(),
            facilities=self.facilities.over(),
            storages=self.storages.over(),
            scales=self.scales.over(),
            vehicles=self.vehicles.over(),
            permits=self.permits.over(),
            plans=self.plans.over(),
            approvals=self.approvals.over(),
            mandates=self.mandates.over(),
            permit_used_g=self.permit_used_g.over(),
            approval_used_g=self.approval_used_g.over(),
            open_batches=self.open_batches.over(),
            open_manifests=self.open_manifests.over(),
            _below=self,
        )

    def fold(self) -> None:
        """Write a draft into the book below it."""
        below = self._below
        assert below is not None, "only a draft folds"
        touched = list(self.open_batches.own()), list(self.open_manifests.own())
        for layer in (
            self.enterprises, self.sites, self.facilities, self.storages, self.scales, self.vehicles, self.permits,
            self.plans, self.approvals, self.mandates, self.permit_used_g, self.approval_used_g, self.open_batches,
            self.open_manifests,
        ):  # fmt: skip
            layer.fold()
        below.position = self.position
        below._let_go(*touched)

    def _let_go(self, batch_ids: Iterable[BatchId], manifest_ids: Iterable[ManifestId]) -> None:
        """Hand what is closed to the past. A draft keeps it, so that what it closed still shows in it."""
        if self._below is not None:
            return
        for batch_id in batch_ids:
            batch = self.open_batches.get(batch_id)
            if batch is not None and batch.left_g == 0:
                self.past.keep_batch(batch)
                self.open_batches.drop(batch_id)
        for manifest_id in manifest_ids:
            manifest = self.open_manifests.get(manifest_id)
            if manifest is not None and manifest.closed:
                self.past.keep_manifest(manifest)
                self.open_manifests.drop(manifest_id)

    # reading ----------------------------------------------------------------------------------------------------

    def read(self, event: Event, position: int) -> Change:
        """Take in a fact that was admitted, and say what it did."""
        moved = movements(event, self)
        drawn = tuple(self.batch(draw.batch_id) for movement in moved for draw in movement.draws)
        effective_us = self.effective_us(event, drawn)
        for movement in moved:
            for draw in movement.draws:
                self._draw(draw, effective_us)
            for made in movement.makes:
                self._make(made, position, effective_us, shelf(event, drawn, self.catalogue))
        self._note(event, position, effective_us)
        self.position = position
        closing = [event.manifest_id] if isinstance(event, (Decided, Cancelled)) else []
        self._let_go([batch.batch_id for batch in drawn], closing)
        return Change(event, position, effective_us, moved, drawn)

    def effective_us(self, event: Event, drawn: tuple[Batch, ...]) -> int:
        """The latest of a fact's own time and the times of what it uses."""
        causes_us = [batch.made_us for batch in drawn]
        if isinstance(event, (Loaded, Arrived, Decided, Cancelled)):
            causes_us.append(self.manifest(event.manifest_id).effective_us)
        elif isinstance(event, Submitted):
            causes_us += [self.batch(line.batch_id).made_us for line in event.lines]
        elif isinstance(event, (Assayed, Packed, Stored, TakenOut, StatusChanged)):
            batch = self.batch(event.batch_id)
            causes_us.append(batch.made_us)
            if isinstance(event, (Stored, TakenOut)):
                causes_us.append(batch.placed_us)
        return max([earliest_us(event.event_time), *causes_us])

    def _draw(self, draw: Draw, effective_us: int) -> None:
        batch = self.batch(draw.batch_id)
        left_g = batch.left_g - draw.mass_g
        assert left_g >= 0, f"{draw.batch_id} overdrawn"
        self.open_batches.set(draw.batch_id, replace(batch, left_g=left_g, used_us=max(batch.used_us, effective_us)))

    def _make(self, made: Make, position: int, effective_us: int, area: Id | None) -> None:
        place: dict[str, Place] = {"load": "road", "rejected": "gate"}
        batch = Batch(
            made.batch_id, made.material, made.holder, made.site_id, made.mass_g, made.mass_g, made.origin,
            effective_us, effective_us, position, made.status or self.catalogue.material(made.material).legal_status,
            made.code, made.packing, made.manifest_id, "storage" if area else place.get(made.origin, "site"), area,
        )  # fmt: skip
        self.open_batches.set(made.batch_id, batch)

    def _change(self, batch_id: BatchId, **changes: object) -> None:
        batch = self.batch(batch_id)
        if batch.left_g:
            self.open_batches.set(batch_id, replace(batch, **changes))  # pyright: ignore[reportArgumentType] # checked by the callers below, whose names are fields of Batch

    def _note(self, event: Event, position: int, effective_us: int) -> None:
        """What a fact says beyond mass."""
        match event:
            case EnterpriseRegistered():
                known = self.enterprises.get(event.enterprise)
                moved_away = known is None or known.registered.division != event.division
                confirmed_by = None if known is None or moved_away else known.confirmed_by
                self.enterprises.set(event.enterprise, Enterprise(event, confirmed_by))
            case EnterpriseConfirmed(confirmed=confirmed):
                known = self.enterprises.get(confirmed)
                assert known is not None, confirmed
                self.enterprises.set(confirmed, replace(known, confirmed_by=event.enterprise))
            case SiteRegistered(site=site):
                self.sites.set(site.site_id, site)
            case FacilityRegistered(facility=facility):
                self.facilities.set(facility.facility_id, facility)
            case StorageRegistered(storage=storage):
                self.storages.set(storage.storage_id, storage)
            case ScaleRegistered(scale=scale):
                self.scales.set(scale.scale_id, scale)
            case VehicleRegistered(vehicle=vehicle):
                self.vehicles.set((event.enterprise, vehicle.plate), vehicle)
            case PermitGranted(permit=permit) | PermitAmended(permit=permit):
                self.permits.set(permit.permit_no, permit)
            case PermitRevoked(permit_no=permit_no):
                self.permits.drop(permit_no)
            case PlanFiled(plan=plan):
                self.plans.set((plan.site_id, plan.year), plan)
            case ApprovalGranted(approval=approval):
                self.approvals.set(approval.approval_no, approval)
            case MandateGiven(mandate=mandate):
                self.mandates.set((event.enterprise, mandate.mandate_id), mandate)
            case MandateEnded(mandate_id=mandate_id):
                self.mandates.drop((event.enterprise, mandate_id))
            case Packed(batch_id=batch_id, packing=packing):
                self._change(batch_id, packing=packing)
            case Stored(batch_id=batch_id, storage_id=storage_id):
                storage = self.storages.get(storage_id)
                assert storage is not None, storage_id
                placed: dict[str, object] = {"place": "storage", "storage_id": storage_id, "site_id": storage.site_id}
                self._change(batch_id, placed_us=effective_us, **placed)
            case TakenOut(batch_id=batch_id):
                self._change(batch_id, place="site", storage_id=None, placed_us=effective_us)
            case StatusChanged(batch_id=batch_id, status=status):
                self._change(batch_id, status=status)
            case Submitted(manifest_id=manifest_id):
                self.open_manifests.set(manifest_id, Manifest((event,), (position,), effective_us))
            case Loaded() | Arrived() | Cancelled() | Decided():
                self._advance(event, position, effective_us)
            case _:
                pass

    def _advance(self, event: ManifestFact, position: int, effective_us: int) -> None:
        manifest = self.manifest(event.manifest_id)
        self.open_manifests.set(event.manifest_id, manifest.then(event, position, effective_us))
        match event:
            case Loaded():
                self._use_approval(manifest.submitted, event)
            case Decided():
                self._use_permits(manifest, event, effective_us)
            case _:
                pass

    def _use_approval(self, submitted: Submitted, event: Loaded) -> None:
        for line in event.lines:
            batch = self.batch(line.portion.batch_id)
            code = self.catalogue.material(batch.material).waste_code
            if code is None or batch.status != "hazardous_waste" or not self.crosses_province(submitted):
                continue
            if approval := self.find_approval(submitted, code):
                number = approval.approval_no
                self.approval_used_g.set(number, (self.approval_used_g.get(number) or 0) + line.portion.mass_g)

    def _use_permits(self, manifest: Manifest, event: Decided, effective_us: int) -> None:
        submitted = manifest.submitted
        day = day_of(effective_us)
        for line in event.lines:
            if line.accepted is None:
                continue
            load = self.batch(line.load_id)
            code = self.catalogue.material(load.material).waste_code
            if code is None or load.status != "hazardous_waste":
                continue
            found = self.find_permit_line(submitted.consignee, code, line.method or submitted.method, day)
            if found is not None:
                permit, permit_line = found
                key = (permit.permit_no, permit_line.waste, permit_line.mode, day.year)
                self.permit_used_g.set(key, (self.permit_used_g.get(key) or 0) + line.accepted.mass_g)

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
            used_g = self.permit_used_g.get((permit.permit_no, line.waste, line.mode, day.year)) or 0
            valid = permit.valid_from <= day <= permit.valid_to
            return not valid, used_g - line.annual_g, permit.permit_no, line.waste

        return min(covering, key=rank, default=None)

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
