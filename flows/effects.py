"""What one fact does to the book: what it moved, where that leaves batches, manifests, permits and registers."""

from dataclasses import replace
from typing import Final

from flows.balance import Draw, Make, movements, shelf
from flows.batches import Batch, Place
from flows.book import Book, Change, Enterprise
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
    Transformed,
    VehicleRegistered,
)
from flows.ids import Id
from flows.manifests import Manifest, ManifestFact
from flows.permits import note_permit, use_approval, use_permits
from flows.times import earliest_us

_FROM_OTHERS: Final = frozenset({"received", "collected"})
"""Origins of waste that somebody else made."""
_REMARKS: Final = (Assayed, Packed, Stored, TakenOut, StatusChanged)
STEPS: Final = (Loaded, Arrived, Decided, Cancelled)
"""What follows the submission of a manifest."""


def take_in(book: Book, event: Event, position: int, record_time_us: int) -> Change:
    """What a fact does, written into the book; what it has read otherwise is the matter of `flows.reading`."""
    moved = movements(event, book)
    drawn = tuple(book.batch(draw.batch_id) for movement in moved for draw in movement.draws)
    manifest = book.manifest(event.manifest_id) if isinstance(event, STEPS) else None
    batch = book.batch(event.batch_id) if isinstance(event, _REMARKS) else None
    effective_us = _effective_us(book, event, drawn)
    before = iter(drawn)
    for movement in moved:
        sources = [next(before) for _ in movement.draws]
        for draw in movement.draws:
            _draw(book, draw, position, effective_us)
        foreign = any(each.foreign for each in sources) and not _changes_substance(book, event)
        for made in movement.makes:
            _make(book, made, position, effective_us, shelf(event, drawn, book.catalogue), foreign=foreign)
    _note(book, event, position, effective_us)
    return Change(event, position, effective_us, moved, drawn, manifest, batch, record_time_us=record_time_us)


def _effective_us(book: Book, event: Event, drawn: tuple[Batch, ...]) -> int:
    """The latest of a fact's own time and the times of what it uses."""
    causes_us = [batch.made_us for batch in drawn]
    if isinstance(event, STEPS):
        causes_us.append(book.manifest(event.manifest_id).effective_us)
    elif isinstance(event, Submitted):
        causes_us += [book.batch(line.batch_id).made_us for line in event.lines]
    elif isinstance(event, _REMARKS):
        batch = book.batch(event.batch_id)
        causes_us.append(batch.made_us)
        if isinstance(event, (Stored, TakenOut)):
            causes_us.append(batch.placed_us)
    return max([earliest_us(event.event_time), *causes_us])


def _changes_substance(book: Book, event: Event) -> bool:
    return isinstance(event, Transformed) and book.catalogue.process(event.process).changes_substance


def _draw(book: Book, draw: Draw, position: int, effective_us: int) -> None:
    batch = book.batch(draw.batch_id)
    left_g = batch.left_g - draw.mass_g
    assert left_g >= 0, f"{draw.batch_id} overdrawn"
    drawn = replace(batch, left_g=left_g, used_us=max(batch.used_us, effective_us))
    book.batches.set(draw.batch_id, drawn, position)


def _make(book: Book, made: Make, position: int, effective_us: int, area: Id | None, *, foreign: bool) -> None:
    place: dict[str, Place] = {"load": "road", "rejected": "gate"}
    batch = Batch(
        made.batch_id, made.material, made.holder, made.site_id, made.mass_g, made.mass_g, made.origin,
        effective_us, effective_us, position, made.status or book.catalogue.material(made.material).legal_status,
        made.code, made.packing, made.manifest_id, "storage" if area else place.get(made.origin, "site"), area,
        foreign=foreign or made.origin in _FROM_OTHERS,
    )  # fmt: skip
    book.batches.set(made.batch_id, batch, position)


def _note(book: Book, event: Event, position: int, effective_us: int) -> None:
    """What a fact says beyond mass."""
    match event:
        case EnterpriseRegistered():
            known = book.enterprises.get(event.enterprise)
            moved_away = known is None or known.registered.division != event.division
            confirmed_by = None if known is None or moved_away else known.confirmed_by
            book.enterprises.set(event.enterprise, Enterprise(event, confirmed_by), position)
        case EnterpriseConfirmed(confirmed=confirmed):
            known = book.enterprises.get(confirmed)
            assert known is not None, confirmed
            book.enterprises.set(confirmed, replace(known, confirmed_by=event.enterprise), position)
        case SiteRegistered(site=site):
            book.sites.set(site.site_id, site, position)
        case FacilityRegistered(facility=facility):
            book.facilities.set(facility.facility_id, facility, position)
        case StorageRegistered(storage=storage):
            book.storages.set(storage.storage_id, storage, position)
        case ScaleRegistered(scale=scale):
            book.scales.set(scale.scale_id, scale, position)
        case VehicleRegistered(vehicle=vehicle):
            book.vehicles.set((event.enterprise, vehicle.plate), vehicle, position)
        case PermitGranted() | PermitAmended() | PermitRevoked():
            note_permit(book, event, position)
        case PlanFiled(plan=plan):
            book.plans.set((plan.site_id, plan.year), plan, position)
        case ApprovalGranted(approval=approval):
            book.approvals.set(approval.approval_no, approval, position)
        case MandateGiven(mandate=mandate):
            book.mandates.set((event.enterprise, mandate.mandate_id), mandate, position)
        case MandateEnded(mandate_id=mandate_id):
            book.mandates.drop((event.enterprise, mandate_id), position)
        case Assayed() | Packed() | Stored() | TakenOut() | StatusChanged():
            _remark(book, event, position, effective_us)
        case Submitted(manifest_id=manifest_id):
            book.manifests.set(manifest_id, Manifest((event,), (position,), effective_us), position)
        case Loaded() | Arrived() | Cancelled() | Decided():
            _advance(book, event, position, effective_us)
        case _:
            pass


def _remark(
    book: Book, event: Assayed | Packed | Stored | TakenOut | StatusChanged, position: int, effective_us: int
) -> None:
    batch = book.batch(event.batch_id)
    if not batch.left_g:
        return  # what is used up stays as it was
    match event:
        case Assayed():
            told = replace(batch, assayed=True)
        case Packed(packing=packing):
            told = replace(batch, packing=packing)
        case Stored(storage_id=storage_id):
            storage = book.storages.get(storage_id)
            assert storage is not None, storage_id
            told = replace(
                batch, place="storage", storage_id=storage_id, site_id=storage.site_id, placed_us=effective_us
            )
        case TakenOut():
            told = replace(batch, place="site", storage_id=None, placed_us=effective_us)
        case StatusChanged(status=status):
            told = replace(batch, status=status)
    book.batches.set(event.batch_id, told, position)


def _advance(book: Book, event: ManifestFact, position: int, effective_us: int) -> None:
    manifest = book.manifest(event.manifest_id)
    book.manifests.set(event.manifest_id, manifest.then(event, position, effective_us), position)
    match event:
        case Loaded():
            use_approval(book, manifest.submitted, event, position)
        case Decided():
            use_permits(book, manifest.submitted, event, position, effective_us)
        case _:
            pass
