"""What refuses and what is only found: physics and identity refuse always, law only what could still be stopped."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from flows import law
from flows.balance import process_gap_g
from flows.book import Book
from flows.chronology import BeforeItsCause, InTheFuture, check_times, portions_of
from flows.codes import plate, uscc, waste_code
from flows.custody import OutOfTurn, Overdrawn, check_portions, check_unused, held, open_batch
from flows.enterprises import Permit, Site
from flows.errors import Conflict, Malformed, Refusal, Unknown
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
    Product,
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
from flows.ids import Id, owner
from flows.law import AgainstTheLaw, Finding, breaches
from flows.mass import tonnes
from flows.materials import WEIGHING
from flows.mending import check_answered, check_requested
from flows.references import (
    check_division,
    check_enterprise,
    check_method,
    check_period,
    check_site,
    check_storage,
)
from flows.rows import WHOLE_PPM
from flows.times import day_of, latest_us
from flows.transfers import (
    Unbalanced,
    check_arrived,
    check_cancelled,
    check_decided,
    check_loaded,
    check_submitted,
)

__all__ = [
    "AgainstTheLaw",
    "BeforeItsCause",
    "Finding",
    "InTheFuture",
    "NotYours",
    "OutOfTurn",
    "Overdrawn",
    "Unbalanced",
    "admit",
    "breaches",
]


WASTES: Final = frozenset({"residue", "scrap"})
"""The groups of the catalogue that arise as waste, or are collected; all else is made, tapped or bought."""


class NotYours(Malformed):
    """A new name outside the stating enterprise's namespace."""


def admit(event: Event, book: Book, record_time_us: int) -> list[Finding]:
    """Judge a fact against the book: the first refusal is raised, findings are returned.

    Order of refusals: who states it and in whose namespace; what it names; whether it is its holder's; masses;
    order in time; then law, which refuses only a submission or loading told within a day.
    """
    _check_registered(event, book)
    _check_names(event)
    match event:
        case EnterpriseRegistered(division=division):
            _ = uscc(event.enterprise)
            check_division(division, book)
        case EnterpriseConfirmed(confirmed=confirmed):
            check_enterprise(confirmed, book)
        case SiteRegistered(site=site):
            check_division(site.division, book)
            _check_place_kept(site, book)
        case FacilityRegistered(facility=place) | StorageRegistered(storage=place) | ScaleRegistered(scale=place):
            check_site(place.site_id, event.enterprise, book)
        case VehicleRegistered(vehicle=vehicle):
            _ = plate(vehicle.plate)
        case MandateGiven(mandate=mandate):
            _ = uscc(mandate.delegate)
            check_period(mandate.valid_from, mandate.valid_to)
        case MandateEnded(mandate_id=mandate_id):
            if book.mandates.get((event.enterprise, mandate_id)) is None:
                raise Unknown("mandate-unknown", mandate=mandate_id)
        case PermitGranted(permit=permit):
            check_enterprise(permit.holder, book)
            if book.find_permit(permit.permit_no) is not None:
                raise Conflict("permit-number-used", permit=permit.permit_no)
            check_period(permit.valid_from, permit.valid_to)
        case PermitAmended(permit=permit):
            _check_permit(permit.permit_no, book)
            _check_same_holder(permit, book)
            check_period(permit.valid_from, permit.valid_to)
        case PermitRevoked(permit_no=permit_no):
            _check_permit(permit_no, book)
        case PlanFiled(plan=plan):
            check_site(plan.site_id, event.enterprise, book)
            for line in plan.lines:
                _ = waste_code(line.waste)  # a code of the catalogue that our tables lack is a code all the same
        case ApprovalGranted(approval=approval):
            check_enterprise(approval.consignor, book)
            _ = uscc(approval.consignee)  # perhaps of another province, and never registered here
            if book.approvals.get(approval.approval_no) is not None:
                raise Conflict("approval-number-used", approval=approval.approval_no)
            check_method(approval.method, None, book)
            check_period(approval.valid_from, approval.valid_to)
        case StockDeclared(product=product):
            check_site(event.site_id, event.enterprise, book)
            _check_new([product], book)
        case Generated(product=product):
            check_site(event.site_id, event.enterprise, book)
            _check_new([product], book)
            _check_arises(product, book)
        case Collected(product=product):
            check_site(event.site_id, event.enterprise, book)
            _check_new([product], book)
            _check_collected(product, book)
        case Tapped(product=product):
            check_site(event.site_id, event.enterprise, book)
            _check_new([product], book)
            _check_primary(product, book)
        case Packed(batch_id=batch_id) | Assayed(batch_id=batch_id) | StatusChanged(batch_id=batch_id):
            _ = held(batch_id, event.enterprise, book)
        case Stored(batch_id=batch_id, storage_id=storage_id):
            batch = open_batch(batch_id, event.enterprise, book)
            if batch.place == "road":
                raise OutOfTurn("batch-on-the-road", batch=batch_id)
            check_storage(storage_id, event.enterprise, book)
        case TakenOut(batch_id=batch_id):
            if open_batch(batch_id, event.enterprise, book).place != "storage":
                raise OutOfTurn("batch-not-in-storage", batch=batch_id)
        case StockTaken(site_id=site_id, material=material):
            check_site(site_id, event.enterprise, book)
            _ = book.catalogue.material(material)
        case Transformed():
            _check_transformed(event, book)
        case Submitted():
            check_submitted(event, book)
        case Loaded():
            check_loaded(event, book)
        case Arrived():
            check_arrived(event, book)
        case Decided():
            check_decided(event, book)
        case Cancelled():
            check_cancelled(event, book)
        case Disposed(portions=portions, method=method):
            check_portions(portions, event.enterprise, book)
            check_method(method, "disposal", book)
            check_site(event.site_id, event.enterprise, book)
        case Delivered(portions=portions) | Left(portions=portions):
            check_portions(portions, event.enterprise, book)
            check_site(event.site_id, event.enterprise, book)
        case FigureDeclared():
            check_division(event.division, book)
            check_period(event.period_from, event.period_to)
            if (event.energy_kwh is None) == (event.mass_g is None):
                raise Malformed("figure-one-amount")
        case CorrectionRequested():
            check_requested(event, book, admit)
        case CorrectionAgreed() | CorrectionDeclined():
            check_answered(event, book, admit)
    rests = list(_rest_gaps(event, book))
    return [*rests, *check_times(event, book, record_time_us), *law.judge(event, book, record_time_us)]


# who and in whose name ------------------------------------------------------------------------------------------


def _check_registered(event: Event, book: Book) -> None:
    match event:
        case (
            EnterpriseRegistered()
            | EnterpriseConfirmed()
            | PermitGranted()
            | PermitAmended()
            | PermitRevoked()
            | ApprovalGranted()
            | FigureDeclared()
            | CorrectionRequested()
            | CorrectionAgreed()
            | CorrectionDeclined()
        ):
            pass  # a regulator states these too, or the checks below ask for more
        case _:
            check_enterprise(event.enterprise, book)


def _check_names(event: Event) -> None:
    for name in _new_names(event):
        if owner(name) != event.enterprise:
            raise NotYours("id-not-yours", name=name, enterprise=event.enterprise)


def _new_names(event: Event) -> Iterator[Id]:
    """The names that a fact brings into use."""
    match event:
        case SiteRegistered(site=site):
            yield site.site_id
        case FacilityRegistered(facility=facility):
            yield facility.facility_id
        case StorageRegistered(storage=storage):
            yield storage.storage_id
        case ScaleRegistered(scale=scale):
            yield scale.scale_id
        case MandateGiven(mandate=mandate):
            yield mandate.mandate_id
        case PlanFiled(plan=plan):
            yield plan.plan_id
        case StockDeclared(product=product) | Generated(product=product) | Collected(product=product):
            yield product.batch_id
        case Tapped(product=product):
            yield product.batch_id
        case Transformed(outputs=outputs):
            yield from (product.batch_id for product in outputs)
        case Submitted(manifest_id=manifest_id):
            yield manifest_id
        case Loaded(lines=lines):
            yield from (line.load_id for line in lines)
        case Decided(lines=lines):
            parts = chain.from_iterable((line.accepted, line.rejected) for line in lines)
            yield from (part.batch_id for part in parts if part is not None)
        case _:
            pass


def _check_permit(permit_no: str, book: Book) -> None:
    if book.find_permit(permit_no) is None:
        raise Unknown("permit-unknown", permit=permit_no)


def _check_same_holder(permit: Permit, book: Book) -> None:
    known = book.find_permit(permit.permit_no)
    if known is not None and known.holder != permit.holder:
        raise Refusal("permit-other-holder", permit=permit.permit_no)


# making ---------------------------------------------------------------------------------------------------------


def _check_new(products: Sequence[Product], book: Book) -> None:
    for product in products:
        _ = book.catalogue.material(product.material)
    check_unused((product.batch_id for product in products), book)


def _check_arises(product: Product, book: Book) -> None:
    material = book.catalogue.material(product.material)
    if material.group not in WASTES:
        raise Malformed("material-does-not-arise", material=material.name_zh)


def _check_collected(product: Product, book: Book) -> None:
    material = book.catalogue.material(product.material)
    if material.group not in WASTES:
        raise Malformed("material-not-collected", material=material.name_zh)


def _check_primary(product: Product, book: Book) -> None:
    material = book.catalogue.material(product.material)
    if material.group != "primary_metal":
        raise Malformed("material-not-primary", material=material.name_zh)


def _check_place_kept(site: Site, book: Book) -> None:
    """A site does not move out of a regulator's sight."""
    known = book.sites.get(site.site_id)
    if known is not None and known.division != site.division:
        raise Refusal("site-division-fixed", site=site.site_id, old=known.division, new=site.division)


def _check_transformed(event: Transformed, book: Book) -> None:
    process = book.catalogue.process(event.process)
    check_site(event.site_id, event.enterprise, book)
    if event.method is not None:
        check_method(event.method, None, book)
    check_portions(event.inputs, event.enterprise, book)
    _check_new(event.outputs, book)
    for addition in event.additions:
        _ = book.catalogue.material(addition.material)
    if not process.changes_substance:
        _check_same_substance(event, book)
    _check_gap_explained(event, book)


def _check_same_substance(event: Transformed, book: Book) -> None:
    """Splitting, merging and repacking change no substance: one material in, the same out, nothing added or lost."""
    kinds = {book.batch(portion.batch_id).material for portion in event.inputs}
    kinds |= {product.material for product in event.outputs}
    if len(kinds) > 1 or event.additions:
        raise Malformed("process-changes-nothing", process=event.process, materials=", ".join(sorted(kinds)))


def _check_gap_explained(event: Transformed, book: Book) -> None:
    """The gap of the process is within its tolerance or has a reason."""
    if event.gap_reason:
        return
    tolerance_ppm = book.catalogue.tolerance_ppm(event.process, day_of(latest_us(event.event_time)))
    gap_g = process_gap_g(event)
    went_in_g = sum(portion.mass_g for portion in event.inputs) + sum(extra.mass_g for extra in event.additions)
    if abs(gap_g) * WHOLE_PPM > went_in_g * tolerance_ppm:
        raise Unbalanced(
            "gap-unexplained",
            into=tonnes(went_in_g),
            out=tonnes(went_in_g - gap_g),
            gap=tonnes(gap_g),
            percent=_percent(tolerance_ppm),
        )


def _rest_gaps(event: Event, book: Book) -> Iterator[Finding]:
    """A rest far off the book needs a reason, and is found with it; only its holder hears what the book has."""
    process, reason = WEIGHING, None
    match event:
        case Transformed():
            process, reason = event.process, event.gap_reason
        case Loaded() | Disposed() | Delivered() | Left():
            reason = event.gap_reason
        case _:
            return
    tolerance_ppm = book.catalogue.tolerance_ppm(process, day_of(latest_us(event.event_time)))
    for portion in portions_of(event):
        batch = book.batch(portion.batch_id)
        gap_g = abs(batch.left_g - portion.mass_g)
        if not portion.rest or gap_g * WHOLE_PPM <= batch.left_g * tolerance_ppm:
            continue
        figures = {
            "batch": portion.batch_id, "weighed": tonnes(portion.mass_g), "percent": _percent(tolerance_ppm),
        }  # fmt: skip
        own = batch.holder == event.enterprise
        if own:
            figures["book"] = tonnes(batch.left_g)
        if not reason:
            raise Unbalanced("rest-gap-unexplained" if own else "rest-gap-unexplained-of-another", **figures)
        yield Finding.of("rest-gap-found" if own else "rest-gap-found-of-another", **figures, reason=reason)


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:g}"
