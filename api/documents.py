"""Labels and manifest sheets filled from the book: what a document says is read at one position of the ledger."""

from datetime import date, datetime
from typing import Final

from api.service import Service
from api.versions import label_version, sheet_version
from flows.batches import Batch
from flows.errors import Language
from flows.events import Arrived, Decided, Loaded
from flows.ids import EnterpriseId
from flows.manifests import STATES_ZH, Manifest, State
from flows.materials import Material, WasteCode
from flows.times import SHANGHAI, day_of, moment_of
from labels.label import BatchLabel, Kind
from labels.payload import batch_url, manifest_url
from labels.sheet import Consignee, Consignor, Leg, ManifestSheet, WasteLine

UNASSIGNED_ZH: Final = "项目待定"
_KINDS: Final[dict[str, Kind]] = {
    "hazardous_waste": "hazardous",
    "general_waste": "general",
    "recycled_raw_material": "material",
    "product": "product",
}


def batch_label(batch: Batch, service: Service, base_url: str) -> BatchLabel:
    """The label of a batch as it stands."""
    catalogue = service.catalogue
    material = catalogue.material(batch.material)
    waste = material.waste(catalogue)
    digital = service.containers.code_of(batch, service.as_of) or ""
    holder = service.book.enterprises.get(batch.holder)
    site = service.book.sites.get(batch.site_id)
    contact = (site.contact, site.phone) if site and site.contact else ("", "")
    if holder is not None and not any(contact):
        contact = (holder.registered.contact, holder.registered.phone)
    return BatchLabel(
        kind=_KINDS[batch.status],
        name=material.name_zh,
        category=f"{waste.category}" if waste else "",
        code=_code(waste),
        edition=waste.edition if waste else "",
        form=material.form,
        hazards=tuple(sorted(waste.hazard_set)) if waste else (),
        main_components=material.components,
        harmful_components=material.harmful,
        precautions=material.precautions,
        digital_code=digital if batch.status == "hazardous_waste" else "",
        batch_id="" if digital else batch.batch_id,  # the digital code leads to it, and room is scarce
        enterprise=holder.registered.name if holder else batch.holder,
        contact=" ".join(part for part in contact if part),
        produced_on=day_of(batch.made_us),
        mass_g=batch.mass_g,
        remark=batch.code or "",
        version=label_version(batch, service).text,
        url=batch_url(digital or batch.batch_id, base_url),
    )


def _code(waste: WasteCode | None) -> str:
    if waste is None:
        return ""
    return f"{waste.code}（{UNASSIGNED_ZH}）" if waste.is_class else waste.code


def manifest_sheet(manifest: Manifest, service: Service, base_url: str) -> ManifestSheet:
    """The sheet of a manifest as of the last entry that is known where the service is pinned."""
    submitted = manifest.submitted
    head = service.head
    loaded, arrived, decided = manifest.loaded, manifest.arrived, manifest.decided
    lines = tuple(_line(manifest, line.line, service) for line in submitted.lines)
    return ManifestSheet(
        hazardous=any(
            _material(manifest, line.line, service).legal_status == "hazardous_waste" for line in submitted.lines
        ),
        official_no=submitted.official_no,
        internal_no=submitted.internal_no,
        revision=len(manifest.history),
        state=STATES_ZH[manifest.state],
        consignor=_consignor(manifest, service, loaded),
        legs=_legs(manifest, service, loaded, arrived),
        consignee=_consignee(manifest, service, decided or arrived),
        lines=lines,
        approval_no=submitted.approval_no or "",
        version=sheet_version(manifest, service).text,
        position=head.position,
        digest=head.digest,
        as_of=moment_of(head.record_time_us),
        url=manifest_url(manifest.manifest_id, base_url),
    )


def _name(enterprise: EnterpriseId, service: Service) -> str:
    known = service.book.enterprises.get(enterprise)
    return known.registered.name if known else enterprise


def _consignor(manifest: Manifest, service: Service, loaded: Loaded | None) -> Consignor:
    submitted = manifest.submitted
    known = service.book.enterprises.get(submitted.enterprise)
    site = service.book.sites.get(submitted.consignor_site)
    return Consignor(
        name=_name(submitted.enterprise, service),
        emergency_phone=known.registered.phone if known else "",
        address=site.address if site else "",
        handler=(site.contact if site else "") or (known.registered.contact if known else ""),
        phone=(site.phone if site else "") or (known.registered.phone if known else ""),
        handed_over_at=_time(loaded),
    )


def _consignee(manifest: Manifest, service: Service, received: Decided | Arrived | None) -> Consignee:
    submitted = manifest.submitted
    known = service.book.enterprises.get(submitted.consignee)
    site = service.book.sites.get(submitted.consignee_site)
    permits = service.book.permits_of(submitted.consignee)
    return Consignee(
        name=_name(submitted.consignee, service),
        permit_no=permits[0].permit_no if permits else "",
        address=site.address if site else "",
        handler=(site.contact if site else "") or (known.registered.contact if known else ""),
        phone=(site.phone if site else "") or (known.registered.phone if known else ""),
        received_at=_time(received),
    )


def _legs(manifest: Manifest, service: Service, loaded: Loaded | None, arrived: Arrived | None) -> tuple[Leg, ...]:
    legs: list[Leg] = []
    planned = manifest.submitted.legs
    for number, leg in enumerate(planned):
        carrier = service.book.enterprises.get(leg.carrier) if leg.carrier else None
        plate = (loaded.plate if loaded and number == 0 else None) or leg.plate or ""
        vehicle = service.book.vehicles.get((leg.carrier, plate)) if leg.carrier and plate else None
        legs.append(
            Leg(
                name=carrier.registered.name if carrier else leg.carrier_name,
                permit_no=vehicle.permit_no if vehicle else "",
                phone=carrier.registered.phone if carrier else "",
                driver=leg.driver,
                means="公路",
                plate=plate,
                origin=leg.start,
                departed_at=_time(loaded) if number == 0 else None,
                destination=leg.end,
                arrived_at=_time(arrived) if number == len(planned) - 1 else None,
            )
        )
    return tuple(legs)


def _material(manifest: Manifest, line: int, service: Service) -> Material:
    planned = manifest.planned_line(line)
    assert planned is not None, line
    return service.catalogue.material(service.book.batch(planned.batch_id).material)


def _line(manifest: Manifest, line: int, service: Service) -> WasteLine:
    material = _material(manifest, line, service)
    waste = material.waste(service.catalogue)
    planned = manifest.planned_line(line)
    assert planned is not None, line
    packing = service.book.batch(planned.batch_id).packing
    loaded, decided = manifest.loaded_line(line), manifest.decided_line(line)
    accepted_g = decided.accepted.mass_g if decided and decided.accepted else 0 if decided else None
    rejected_g = decided.rejected.mass_g if decided and decided.rejected else 0 if decided else None
    method = (decided.method if decided else None) or manifest.submitted.method
    return WasteLine(
        name=material.name_zh,
        code=_code(waste),
        hazards=tuple(sorted(waste.hazard_set)) if waste else (),
        form=material.form,
        harmful_components=material.harmful,
        packing=packing.type if packing else "",
        packages=packing.count if packing else None,
        loaded_g=loaded.portion.mass_g if loaded else None,
        arrived_g=manifest.arrived_g(line),
        accepted_g=accepted_g,
        rejected_g=rejected_g,
        opinion=_opinion(accepted_g, rejected_g),
        method=f"{method} {service.catalogue.method(method).name_zh}",
        reason=decided.reason if decided else "",
    )


def _opinion(accepted_g: int | None, rejected_g: int | None) -> str:
    if accepted_g is None:
        return ""
    if not rejected_g:
        return "接受"
    return "部分接受" if accepted_g else "拒收"


def _time(fact: Loaded | Arrived | Decided | None) -> datetime | None:
    if fact is None:
        return None
    told = fact.event_time
    if isinstance(told, datetime):
        return told.astimezone(SHANGHAI)
    return datetime.combine(date(told.year, told.month, told.day), datetime.min.time(), SHANGHAI)


def state_name(state: State, language: Language) -> str:
    """A manifest's state in words."""
    return STATES_ZH[state] if language == "zh" else state.value.replace("_", " ")
