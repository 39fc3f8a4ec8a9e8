"""What a fact touches: every name that judging it and reading it asks the book about, so that a correction finds it.

Of enterprises, sites and storage areas most facts ask little: that they are there, in which division, on which site.
Those touch the register that begins with ``known_``; who writes a register touches it under its own name.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from flows.events import (
    ApprovalGranted,
    Arrived,
    Assayed,
    Cancelled,
    Collected,
    CorrectionAgreed,
    CorrectionDeclined,
    CorrectionRequested,
    Decided,
    Delivered,
    Disposed,
    EnterpriseConfirmed,
    EnterpriseRegistered,
    Event,
    FacilityRegistered,
    FigureDeclared,
    Generated,
    Left,
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
    StockDeclared,
    StockTaken,
    StorageRegistered,
    Stored,
    Submitted,
    TakenOut,
    Tapped,
    Transformed,
    VehicleRegistered,
)
from flows.ids import EnterpriseId, ManifestId
from flows.manifests import Manifest
from flows.times import day_of, latest_us


class Touch(NamedTuple):
    """One name in one register of the book."""

    register: str
    name: object


class KeptTouches(Protocol):
    """What entries touched, as a book that was kept knows it."""

    def find(self, touch: Touch) -> Sequence[int]:
        """The positions of the entries that touch a name, in order."""
        ...


class Manifests(Protocol):
    """Who knows what was stated of a manifest before."""

    def find_manifest(self, manifest_id: ManifestId) -> Manifest | None:
        """The manifest as it stands, open or closed."""
        ...

    def find_permit_holder(self, permit_no: str) -> EnterpriseId | None:
        """Whose permit it is."""
        ...


def touched(event: Event, known: Manifests) -> set[Touch]:
    """The names that a fact rests on or changes, as the book stands before it."""
    return {Touch("known_enterprises", event.enterprise), *_named(event, known)}


def _named(event: Event, known: Manifests) -> Iterator[Touch]:
    match event:
        case FigureDeclared():
            pass
        case EnterpriseRegistered(enterprise=enterprise) | EnterpriseConfirmed(confirmed=enterprise):
            yield Touch("enterprises", enterprise)
        case SiteRegistered(site=site):
            yield Touch("sites", site.site_id)
        case FacilityRegistered(facility=facility):
            yield Touch("facilities", facility.facility_id)
            yield Touch("known_sites", facility.site_id)
        case StorageRegistered(storage=storage):
            yield Touch("storages", storage.storage_id)
            yield Touch("known_sites", storage.site_id)
        case ScaleRegistered(scale=scale):
            yield Touch("scales", scale.scale_id)
            yield Touch("known_sites", scale.site_id)
        case VehicleRegistered(vehicle=vehicle):
            yield Touch("vehicles", (event.enterprise, vehicle.plate))
        case PermitGranted(permit=permit) | PermitAmended(permit=permit):
            yield Touch("permit_holders", permit.permit_no)
            yield Touch("permits", permit.holder)
            yield Touch("known_enterprises", permit.holder)
        case PermitRevoked(permit_no=permit_no):
            yield Touch("permit_holders", permit_no)
            if holder := known.find_permit_holder(permit_no):
                yield Touch("permits", holder)
        case PlanFiled(plan=plan):
            yield Touch("plans", (plan.site_id, plan.year))
            yield Touch("known_sites", plan.site_id)
        case ApprovalGranted(approval=approval):
            yield Touch("approvals", approval.approval_no)
            yield Touch("known_enterprises", approval.consignor)
        case MandateGiven(mandate=mandate):
            yield Touch("mandates", (event.enterprise, mandate.mandate_id))
        case MandateEnded(mandate_id=mandate_id):
            yield Touch("mandates", (event.enterprise, mandate_id))
        case StockDeclared(product=product) | Generated(product=product) | Collected(product=product):
            yield Touch("known_sites", event.site_id)
            yield Touch("batches", product.batch_id)
        case Tapped(product=product):
            yield Touch("known_sites", event.site_id)
            yield Touch("batches", product.batch_id)
        case Packed() | Assayed() | StatusChanged() | TakenOut():
            yield Touch("batches", event.batch_id)
        case Stored(storage_id=storage_id):
            yield Touch("batches", event.batch_id)
            yield Touch("known_storages", storage_id)
        case StockTaken(site_id=site_id):
            yield Touch("known_sites", site_id)
        case Transformed(inputs=portions, outputs=outputs):
            yield Touch("known_sites", event.site_id)
            yield from (Touch("batches", portion.batch_id) for portion in portions)
            yield from (Touch("batches", product.batch_id) for product in outputs)
            yield Touch("permits", event.enterprise)
        case Disposed(portions=portions) | Delivered(portions=portions) | Left(portions=portions):
            yield Touch("known_sites", event.site_id)
            yield from (Touch("batches", portion.batch_id) for portion in portions)
            yield Touch("permits", event.enterprise)
        case Submitted():
            yield from _of_submitted(event, event)
        case Loaded() | Arrived() | Decided() | Cancelled():
            yield from _of_step(event, known)
        case CorrectionRequested():
            yield Touch("requests", (event.enterprise, event.event_id))
        case CorrectionAgreed() | CorrectionDeclined():
            yield Touch("requests", (event.requested_by, event.request))


def _of_submitted(submitted: Submitted, step: Submitted | Loaded) -> Iterator[Touch]:
    """What a transfer rests on: its parties and sites, the plan of the step's year, permits and approval."""
    yield Touch("manifests", submitted.manifest_id)
    yield Touch("known_enterprises", submitted.consignee)
    yield from (Touch("known_enterprises", leg.carrier) for leg in submitted.legs if leg.carrier is not None)
    yield Touch("known_sites", submitted.consignor_site)
    yield Touch("known_sites", submitted.consignee_site)
    yield Touch("permits", submitted.consignee)
    yield Touch("plans", (submitted.consignor_site, day_of(latest_us(step.event_time)).year))
    if submitted.approval_no:
        yield Touch("approvals", submitted.approval_no)
    yield from (Touch("batches", line.batch_id) for line in submitted.lines)


def _of_step(event: Loaded | Arrived | Decided | Cancelled, known: Manifests) -> Iterator[Touch]:
    yield Touch("manifests", event.manifest_id)
    manifest = known.find_manifest(event.manifest_id)
    match event:
        case Loaded(lines=lines):
            yield from (Touch("batches", line.load_id) for line in lines)
            yield from (Touch("batches", line.portion.batch_id) for line in lines)
            if manifest is not None:
                yield from _of_submitted(manifest.submitted, event)
        case Decided(lines=lines):
            yield from (Touch("batches", line.load_id) for line in lines)
            parts = [part for line in lines for part in (line.accepted, line.rejected) if part is not None]
            yield from (Touch("batches", part.batch_id) for part in parts)
            if manifest is not None:
                yield Touch("permits", manifest.submitted.consignee)
        case Arrived():
            loaded = manifest.loaded if manifest is not None else None
            if loaded is not None:
                yield from (Touch("batches", line.load_id) for line in loaded.lines)
        case Cancelled():
            pass
