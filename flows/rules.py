"""What refuses and what is only found: physics and identity refuse always, law only what could still be stopped."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Final

from flows.balance import process_gap_g
from flows.batches import Batch
from flows.book import Book
from flows.errors import Conflict, Figure, Malformed, Refusal, Unknown
from flows.events import (
    ApprovalGranted,
    Arrived,
    Assayed,
    Cancelled,
    Collected,
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
    Portion,
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
from flows.ids import BatchId, EnterpriseId, Id, owner
from flows.manifests import STATES_ZH, Manifest, State
from flows.mass import tonnes
from flows.times import CLOCKS_APART_US, STOPPABLE_US, day_of, earliest_us, latest_us, moment_of, shown

QUOTA_REFUSED_PERCENT: Final = 120
"""More than 20 % over the annual scale needs a new permit (State Council Order 408, article 11)."""
QUOTA_FOUND_PERCENT: Final = 100


class NotYours(Malformed):
    """A new name outside the stating enterprise's namespace."""


class Overdrawn(Refusal):
    """More is asked of a batch than is left of it."""


class BeforeItsCause(Refusal):
    """A fact dated before what it uses."""


class InTheFuture(Refusal):
    """A fact dated after now."""


class Unbalanced(Refusal):
    """A gap beyond the tolerance of the process, without a reason."""


class OutOfTurn(Refusal):
    """A step that the manifest, or the batch, is not ready for."""


class AgainstTheLaw(Refusal):
    """A breach that can still be stopped."""


@dataclass(frozen=True, slots=True)
class Finding:
    """核查发现. What was admitted and does not add up: a message key with its figures."""

    key: str
    figures: dict[str, Figure]

    @classmethod
    def of(cls, key: str, **figures: Figure) -> "Finding":
        """A finding with its figures by name."""
        return cls(key, figures)


def admit(event: Event, book: Book, record_time_us: int) -> list[Finding]:
    """Judge a fact against the book: the first refusal is raised, findings are returned.

    Order of refusals: who states it and in whose namespace; what it names; whether it is its holder's; masses;
    order in time; then law, which refuses only a submission or loading told within a day.
    """
    _check_registered(event, book)
    _check_names(event)
    match event:
        case EnterpriseRegistered(division=division):
            _check_division(division, book)
        case EnterpriseConfirmed(confirmed=confirmed):
            _check_enterprise(confirmed, book)
        case SiteRegistered(site=site):
            _check_division(site.division, book)
        case FacilityRegistered(facility=place) | StorageRegistered(storage=place) | ScaleRegistered(scale=place):
            _check_site(place.site_id, event.enterprise, book)
        case VehicleRegistered() | MandateGiven():
            pass
        case MandateEnded(mandate_id=mandate_id):
            if book.mandates.get((event.enterprise, mandate_id)) is None:
                raise Unknown("mandate-unknown", mandate=mandate_id)
        case PermitGranted(permit=permit):
            _check_enterprise(permit.holder, book)
            if book.permits.get(permit.permit_no) is not None:
                raise Conflict("permit-number-used", permit=permit.permit_no)
            _check_period(permit.valid_from, permit.valid_to)
        case PermitAmended(permit=permit):
            _check_permit(permit.permit_no, book)
            _check_period(permit.valid_from, permit.valid_to)
        case PermitRevoked(permit_no=permit_no):
            _check_permit(permit_no, book)
        case PlanFiled(plan=plan):
            _check_site(plan.site_id, event.enterprise, book)
            for line in plan.lines:
                _ = book.catalogue.waste(line.waste)
        case ApprovalGranted(approval=approval):
            _check_enterprise(approval.consignor, book)
            if book.approvals.get(approval.approval_no) is not None:
                raise Conflict("approval-number-used", approval=approval.approval_no)
            _ = book.catalogue.waste(approval.waste_code)
            _check_period(approval.valid_from, approval.valid_to)
        case StockDeclared(product=product) | Generated(product=product) | Collected(product=product):
            _check_site(event.site_id, event.enterprise, book)
            _check_new([product], event.enterprise, book)
        case Tapped(product=product):
            _check_site(event.site_id, event.enterprise, book)
            _check_new([product], event.enterprise, book)
            _check_group(product, {"primary_metal"}, book)
        case Packed(batch_id=batch_id) | Assayed(batch_id=batch_id) | StatusChanged(batch_id=batch_id):
            _ = _held(batch_id, event.enterprise, book)
        case Stored(batch_id=batch_id, storage_id=storage_id):
            batch = _open(batch_id, event.enterprise, book)
            if batch.place == "road":
                raise OutOfTurn("batch-on-the-road", batch=batch_id)
            storage = book.storages.get(storage_id)
            if storage is None or owner(storage_id) != event.enterprise:
                raise Unknown("storage-unknown", storage=storage_id)
        case TakenOut(batch_id=batch_id):
            if _open(batch_id, event.enterprise, book).place != "storage":
                raise OutOfTurn("batch-not-in-storage", batch=batch_id)
        case StockTaken(site_id=site_id, material=material):
            _check_site(site_id, event.enterprise, book)
            _ = book.catalogue.material(material)
        case Transformed():
            _check_transformed(event, book)
        case Submitted():
            _check_submitted(event, book)
        case Loaded():
            _check_loaded(event, book)
        case Arrived():
            _check_arrived(event, book)
        case Decided():
            _check_decided(event, book)
        case Cancelled():
            manifest = _manifest(event.manifest_id, event.enterprise, book, role="consignor")
            _check_state(manifest, {State.SUBMITTED})
        case Disposed(portions=portions, method=method):
            _check_portions(portions, event.enterprise, book)
            _check_method(method, "disposal", book)
            _check_site(event.site_id, event.enterprise, book)
        case Delivered(portions=portions) | Left(portions=portions):
            _check_portions(portions, event.enterprise, book)
            _check_site(event.site_id, event.enterprise, book)
        case FigureDeclared():
            _check_division(event.division, book)
            _check_period(event.period_from, event.period_to)
            if (event.energy_kwh is None) == (event.mass_g is None):
                raise Malformed("figure-one-amount")
    findings = list(_check_times(event, book, record_time_us))
    stoppable = isinstance(event, (Submitted, Loaded)) and (
        record_time_us - latest_us(event.event_time) <= STOPPABLE_US
    )
    for breach in breaches(event, book):
        if stoppable:
            raise AgainstTheLaw(breach.key, **breach.figures)
        findings.append(breach)
    return findings


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
        ):
            pass
        case _:
            _check_enterprise(event.enterprise, book)


def _check_enterprise(enterprise: EnterpriseId, book: Book) -> None:
    if book.enterprises.get(enterprise) is None:
        raise Unknown("enterprise-unknown", enterprise=enterprise)


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


def _check_division(division: str, book: Book) -> None:
    _ = book.catalogue.division(division)


def _check_site(site_id: Id, enterprise: EnterpriseId, book: Book) -> None:
    if owner(site_id) != enterprise or book.sites.get(site_id) is None:
        raise Unknown("site-unknown", site=site_id)


def _check_permit(permit_no: str, book: Book) -> None:
    if book.permits.get(permit_no) is None:
        raise Unknown("permit-unknown", permit=permit_no)


def _check_period(begin: date, end: date) -> None:
    if end < begin:
        raise Malformed("period-backwards", begin=begin.isoformat(), end=end.isoformat())


# batches --------------------------------------------------------------------------------------------------------


def _held(batch_id: BatchId, holder: EnterpriseId, book: Book) -> Batch:
    """The holder's batch; another's batch answers like none at all."""
    batch = book.find_batch(batch_id)
    if batch is None or batch.holder != holder:
        raise Unknown("batch-unknown", batch=batch_id)
    return batch


def _open(batch_id: BatchId, holder: EnterpriseId, book: Book) -> Batch:
    batch = _held(batch_id, holder, book)
    if batch.left_g == 0:
        raise Overdrawn("batch-used-up", batch=batch_id)
    return batch


def _check_new(products: Iterable[Product], enterprise: EnterpriseId, book: Book) -> None:
    products = list(products)
    for product in products:
        _ = book.catalogue.material(product.material)
    _check_unused((product.batch_id for product in products), book)


def _check_unused(names: Iterable[BatchId], book: Book) -> None:
    seen: set[BatchId] = set()
    for name in names:
        if name in seen or book.find_batch(name) is not None:
            raise Conflict("batch-id-used", batch=name)
        seen.add(name)


def _check_group(product: Product, groups: set[str], book: Book) -> None:
    material = book.catalogue.material(product.material)
    if material.group not in groups:
        raise Malformed("material-not-primary", material=material.name_zh)


def _check_portions(
    portions: Sequence[Portion], holder: EnterpriseId, book: Book, *, gate: bool = False
) -> dict[BatchId, int]:
    """Each batch is its holder's and holds what is asked; two portions of one batch are one demand on it."""
    asked: dict[BatchId, int] = {}
    for portion in portions:
        if portion.batch_id in asked and (portion.rest or any(p.rest for p in portions if p is not portion)):
            raise Malformed("rest-with-portion", batch=portion.batch_id)
        asked[portion.batch_id] = asked.get(portion.batch_id, 0) + portion.mass_g
    rests = {portion.batch_id for portion in portions if portion.rest}
    for batch_id, asked_g in asked.items():
        batch = _open(batch_id, holder, book)
        if batch.place == "road":
            raise OutOfTurn("batch-on-the-road", batch=batch_id)
        if batch.place == "gate" and not gate:
            raise OutOfTurn("batch-at-the-gate", batch=batch_id)
        if batch_id not in rests and asked_g > batch.left_g:
            raise Overdrawn("overdrawn", batch=batch_id, asked=tonnes(asked_g), left=tonnes(batch.left_g))
    return asked


def _check_method(method: str, side: str | None, book: Book) -> None:
    found = book.catalogue.method(method)
    if side is not None and found.side != side:
        raise Malformed("method-not-disposal", method=method, name=found.name_zh)


# making ---------------------------------------------------------------------------------------------------------


def _check_transformed(event: Transformed, book: Book) -> None:
    process = book.catalogue.process(event.process)
    _check_site(event.site_id, event.enterprise, book)
    if event.method is not None:
        _check_method(event.method, None, book)
    _check_portions(event.inputs, event.enterprise, book)
    _check_new(event.outputs, event.enterprise, book)
    for addition in event.additions:
        _ = book.catalogue.material(addition.material)
    if not process.changes_substance:
        _check_same_substance(event, book)
    _check_gap_explained(event, book.catalogue.tolerance_ppm(process.id, day_of(latest_us(event.event_time))))


def _check_same_substance(event: Transformed, book: Book) -> None:
    """Splitting, merging and repacking change no substance: one material in, the same out, nothing added or lost."""
    kinds = {book.batch(portion.batch_id).material for portion in event.inputs}
    kinds |= {product.material for product in event.outputs}
    if len(kinds) > 1 or event.additions:
        raise Malformed("process-changes-nothing", process=event.process, materials=", ".join(sorted(kinds)))


def _check_gap_explained(event: Transformed, tolerance_ppm: int) -> None:
    gap_g = process_gap_g(event)
    went_in_g = sum(portion.mass_g for portion in event.inputs) + sum(extra.mass_g for extra in event.additions)
    if abs(gap_g) * 1_000_000 > went_in_g * tolerance_ppm and not event.gap_reason:
        raise Unbalanced(
            "gap-unexplained",
            into=tonnes(went_in_g),
            out=tonnes(went_in_g - gap_g),
            gap=tonnes(gap_g),
            percent=f"{tolerance_ppm / 10_000:g}",
        )


# moving ---------------------------------------------------------------------------------------------------------


def _manifest(manifest_id: Id, enterprise: EnterpriseId, book: Book, *, role: str) -> Manifest:
    """The manifest, for a party that may take this step; to a stranger it does not exist."""
    manifest = book.find_manifest(manifest_id)
    if manifest is None or enterprise not in manifest.parties:
        raise Unknown("manifest-unknown", manifest=manifest_id)
    submitted = manifest.submitted
    may = {
        "consignor": {submitted.enterprise},
        "loader": {submitted.enterprise, *(leg.carrier for leg in submitted.legs if leg.carrier)},
        "consignee": {submitted.consignee},
    }[role]
    if enterprise not in may:
        raise OutOfTurn(f"manifest-not-{role}", manifest=manifest_id)
    return manifest


def _check_state(manifest: Manifest, states: set[State]) -> None:
    if manifest.state not in states:
        now = manifest.state
        needed = sorted(states)
        raise OutOfTurn(
            "manifest-state",
            manifest=manifest.manifest_id,
            state=STATES_ZH[now],
            state_en=now.value,
            needed="、".join(STATES_ZH[each] for each in needed),
            needed_en=", ".join(each.value for each in needed),
        )


def _check_lines(lines: Sequence[int], manifest: Manifest) -> None:
    """A step speaks of each line of the manifest, once."""
    expected = sorted(line.line for line in manifest.submitted.lines)
    if sorted(lines) != expected:
        told = ", ".join(map(str, sorted(lines)))
        raise Malformed("manifest-lines", told=told, expected=", ".join(map(str, expected)))


def _check_submitted(event: Submitted, book: Book) -> None:
    if book.find_manifest(event.manifest_id) is not None:
        raise Conflict("manifest-id-used", manifest=event.manifest_id)
    _check_site(event.consignor_site, event.enterprise, book)
    _check_enterprise(event.consignee, book)
    _check_site(event.consignee_site, event.consignee, book)
    if event.consignee == event.enterprise:
        raise Malformed("manifest-to-self")
    for leg in event.legs:
        if leg.carrier is not None:
            _check_enterprise(leg.carrier, book)
    _check_method(event.method, None, book)
    numbers = [line.line for line in event.lines]
    if len(set(numbers)) != len(numbers):
        raise Malformed("manifest-line-twice", told=", ".join(map(str, numbers)))
    portions = [Portion(batch_id=line.batch_id, mass_g=line.mass_g) for line in event.lines]
    _check_portions(portions, event.enterprise, book, gate=True)


def _check_loaded(event: Loaded, book: Book) -> None:
    manifest = _manifest(event.manifest_id, event.enterprise, book, role="loader")
    _check_state(manifest, {State.SUBMITTED})
    _check_lines([line.line for line in event.lines], manifest)
    for line in event.lines:
        planned = manifest.planned_line(line.line)
        if planned is None or planned.batch_id != line.portion.batch_id:
            raise Malformed("manifest-other-batch", line=line.line, batch=line.portion.batch_id)
    _check_portions([line.portion for line in event.lines], manifest.submitted.enterprise, book, gate=True)
    _check_unused((line.load_id for line in event.lines), book)


def _check_arrived(event: Arrived, book: Book) -> None:
    manifest = _manifest(event.manifest_id, event.enterprise, book, role="consignee")
    _check_state(manifest, {State.LOADED})
    _check_lines([line.line for line in event.lines], manifest)


def _check_decided(event: Decided, book: Book) -> None:
    manifest = _manifest(event.manifest_id, event.enterprise, book, role="consignee")
    _check_state(manifest, {State.ARRIVED})
    _check_lines([line.line for line in event.lines], manifest)
    for line in event.lines:
        loaded = manifest.loaded_line(line.line)
        if loaded is None or loaded.load_id != line.load_id:
            raise Malformed("manifest-other-load", line=line.line, batch=line.load_id)
        arrived_g = manifest.arrived_g(line.line) or 0
        parts_g = sum(part.mass_g for part in (line.accepted, line.rejected) if part is not None)
        if parts_g != arrived_g:
            raise Unbalanced("decided-not-arrived", line=line.line, parts=tonnes(parts_g), arrived=tonnes(arrived_g))
        if line.rejected is not None and not line.reason:
            raise Malformed("rejected-without-reason", line=line.line)
        if line.method is not None:
            _check_method(line.method, None, book)
    parts = chain.from_iterable((line.accepted, line.rejected) for line in event.lines)
    _check_unused((part.batch_id for part in parts if part is not None), book)


# time -----------------------------------------------------------------------------------------------------------


def _check_times(event: Event, book: Book, record_time_us: int) -> Iterator[Finding]:
    """Not before its causes, not after now; within the clocks' tolerance it is only found."""
    begins_us, ends_us = earliest_us(event.event_time), latest_us(event.event_time)
    told = shown(event.event_time)
    ahead_us = begins_us - record_time_us
    if ahead_us > CLOCKS_APART_US:
        raise InTheFuture("time-in-future", told=told, now=shown(moment_of(record_time_us)))
    if ahead_us > 0:
        yield Finding.of("clock-ahead", told=told, now=shown(moment_of(record_time_us)))
    cause, cause_us = max(_causes(event, book), key=lambda pair: pair[1], default=("", ends_us))
    late_us = cause_us - ends_us
    if late_us > CLOCKS_APART_US:
        raise BeforeItsCause("time-before-cause", told=told, cause=cause, cause_time=shown(moment_of(cause_us)))
    if late_us > 0:
        yield Finding.of("clock-behind", told=told, cause=cause, cause_time=shown(moment_of(cause_us)))
    for portion in _portions(event):
        used_us = book.batch(portion.batch_id).used_us
        if portion.rest and used_us > ends_us:
            raise BeforeItsCause("rest-before-use", told=told, batch=portion.batch_id, used=shown(moment_of(used_us)))


def _portions(event: Event) -> Sequence[Portion]:
    match event:
        case Transformed(inputs=portions) | Disposed(portions=portions) | Delivered(portions=portions):
            return portions
        case Left(portions=portions):
            return portions
        case Loaded(lines=lines):
            return [line.portion for line in lines]
        case _:
            return ()


def _causes(event: Event, book: Book) -> Iterator[tuple[str, int]]:
    """What a fact uses, by name and effective time."""
    used = [portion.batch_id for portion in _portions(event)]
    match event:
        case Packed() | Stored() | TakenOut() | Assayed() | StatusChanged():
            used.append(event.batch_id)
        case Submitted(lines=lines):
            used += [line.batch_id for line in lines]
        case Loaded() | Arrived() | Decided() | Cancelled():
            yield event.manifest_id, book.manifest(event.manifest_id).effective_us
        case _:
            pass
    for batch_id in used:
        yield batch_id, book.batch(batch_id).made_us


# law ------------------------------------------------------------------------------------------------------------


def breaches(event: Event, book: Book) -> Iterator[Finding]:
    """What the law does not allow in a fact, before the book has read it."""
    match event:
        case Submitted():
            yield from _transfer_breaches(event, event, book, {line.batch_id: line.mass_g for line in event.lines})
        case Loaded(lines=lines, manifest_id=manifest_id):
            submitted = book.manifest(manifest_id).submitted
            asked = {line.portion.batch_id: line.portion.mass_g for line in lines}
            yield from _transfer_breaches(event, submitted, book, asked)
        case _:
            pass


def _transfer_breaches(
    event: Submitted | Loaded, submitted: Submitted, book: Book, asked: dict[BatchId, int]
) -> Iterator[Finding]:
    """Order 23: a permit that covers code and method, its annual scale, the plan, a cross-province approval."""
    day = day_of(latest_us(event.event_time))
    for batch_id, asked_g in asked.items():
        batch = book.batch(batch_id)
        code = book.catalogue.material(batch.material).waste_code
        if code is None or batch.status != "hazardous_waste":
            continue
        yield from _permit_breaches(submitted, code, asked_g, day, book)
        yield from _plan_breaches(submitted, code, day, book)
        yield from _approval_breaches(submitted, code, asked_g, day, book)


def _permit_breaches(submitted: Submitted, code: str, asked_g: int, day: date, book: Book) -> Iterator[Finding]:
    method = book.catalogue.method(submitted.method)
    if method.side == "utilization" and book.catalogue.exemptions_for(code, "utilization"):
        return
    found = book.find_permit_line(submitted.consignee, code, submitted.method, day.year)
    if found is None:
        yield Finding.of(
            "permit-not-covering",
            consignee=submitted.consignee,
            code=code,
            method=submitted.method,
            day=day.isoformat(),
        )
        return
    permit, line = found
    if not permit.valid_from <= day <= permit.valid_to:
        yield Finding.of(
            "permit-not-valid",
            permit=permit.permit_no,
            begin=permit.valid_from.isoformat(),
            end=permit.valid_to.isoformat(),
            day=day.isoformat(),
        )
    used_g = book.permit_used_g.get((permit.permit_no, line.waste, line.mode, day.year)) or 0
    if (used_g + asked_g) * 100 > line.annual_g * QUOTA_REFUSED_PERCENT:
        yield Finding.of(
            "permit-scale-exceeded",
            permit=permit.permit_no,
            waste=line.waste,
            annual=tonnes(line.annual_g),
            used=tonnes(used_g),
            asked=tonnes(asked_g),
        )


def _plan_breaches(submitted: Submitted, code: str, day: date, book: Book) -> Iterator[Finding]:
    plan = book.plans.get((submitted.consignor_site, day.year))
    if plan is None or all(line.waste != code for line in plan.lines):
        yield Finding.of("plan-without-code", code=code, year=day.year)


def _approval_breaches(submitted: Submitted, code: str, asked_g: int, day: date, book: Book) -> Iterator[Finding]:
    consignor_site = book.sites.get(submitted.consignor_site)
    consignee_site = book.sites.get(submitted.consignee_site)
    assert consignor_site is not None, submitted.consignor_site
    assert consignee_site is not None, submitted.consignee_site
    if consignor_site.division[:2] == consignee_site.division[:2]:
        return
    approval = book.approvals.get(submitted.approval_no) if submitted.approval_no else None
    if (
        approval is None
        or (approval.consignor, approval.consignee) != (submitted.enterprise, submitted.consignee)
        or approval.waste_code != code
        or not approval.valid_from <= day <= approval.valid_to
    ):
        yield Finding.of("approval-missing", code=code, day=day.isoformat())
        return
    left_g = approval.mass_g - (book.approval_used_g.get(approval.approval_no) or 0)
    if asked_g > left_g:
        yield Finding.of("approval-exceeded", approval=approval.approval_no, asked=tonnes(asked_g), left=tonnes(left_g))
