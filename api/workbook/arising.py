"""Rows that bring something into the ledger, or say something of it: registrations, stock, waste, scrap, assays, counts."""

from datetime import date, datetime
from typing import Literal, cast

from pydantic import ValidationError

from api.workbook.numbering import RECORD_LABEL
from api.workbook.rows import Row
from api.workbook.world import Handle, Unit, World, loose_packing, packing
from flows import codes
from flows.enterprises import Facility, Plan, PlanLine, Role, Scale, Site, StorageArea, Vehicle
from flows.errors import Malformed, Problem
from flows.events import (
    Assayed,
    Collected,
    EnterpriseRegistered,
    Event,
    FacilityRegistered,
    Generated,
    Grade,
    Packed,
    PlanFiled,
    Product,
    ScaleRegistered,
    SiteRegistered,
    StatusChanged,
    StockDeclared,
    StockTaken,
    StorageRegistered,
    Tapped,
    VehicleRegistered,
)
from flows.ids import derived

_NOT_CONTENT = {"event_id", "event_time", "note"}


def registered(unit: Unit, world: World) -> list[Event]:
    """A registration; one that says what the ledger has already is no new fact."""
    row = unit.first
    event_time = unit.agreed_time()
    match row.needed("type"):
        case "enterprise":
            event, known = _enterprise(row, world, event_time)
        case "site":
            event, known = _site(row, world, event_time)
        case "facility":
            event, known = _facility(row, world, event_time)
        case "storage":
            event, known = _storage(row, world, event_time)
        case "scale":
            event, known = _scale(row, world, event_time)
        case "vehicle":
            event, known = _vehicle(row, world, event_time)
        case _:
            event, known = _plan(unit, world, event_time)
    if known:
        return []
    content = event.model_copy(update={"event_id": "0", "note": unit.note()})
    return [content.model_copy(update={"event_id": derived("event", *unit.identity, content.model_dump_json())})]


def _enterprise(row: Row, world: World, event_time: date | datetime) -> tuple[Event, bool]:
    try:
        code = codes.uscc(row.needed("code"))
    except Problem as problem:
        raise row.wrong(problem, "code") from problem
    if code != world.enterprise:
        raise row.wrong(Malformed("workbook-other-enterprise", read=code, expected=world.enterprise), "code")
    told = row.values.get("roles")
    if not isinstance(told, tuple) or not told:
        raise row.wrong(Malformed("workbook-cell-required", column=row.sheet.zh_of("roles")), "roles")
    event = EnterpriseRegistered(
        event_id="0",
        enterprise=code,
        event_time=event_time,
        name=row.needed("name"),
        name_en=row.said("name_en"),
        division=row.needed("division"),
        roles=cast("tuple[Role, ...]", told),
        contact=row.said("contact"),
        phone=row.said("phone"),
    )
    known = world.book.enterprises.get(code)
    return event, known is not None and _content(known.registered) == _content(event)


def _content(event: EnterpriseRegistered) -> dict[str, object]:
    return event.model_dump(exclude=_NOT_CONTENT)


def _site(row: Row, world: World, event_time: date | datetime) -> tuple[Event, bool]:
    site = Site(
        site_id=world.sites[row.needed("code")],
        code=row.needed("code"),
        name=row.needed("name"),
        division=row.needed("division"),
        address=row.said("address"),
        contact=row.said("contact"),
        phone=row.said("phone"),
    )
    event = SiteRegistered(event_id="0", enterprise=world.enterprise, event_time=event_time, site=site)
    return event, world.book.sites.get(site.site_id) == site


def _facility(row: Row, world: World, event_time: date | datetime) -> tuple[Event, bool]:
    site = world.site_code(row)
    facility = Facility(
        facility_id=world.facilities[site, row.needed("code")],
        site_id=world.sites[site],
        code=row.needed("code"),
        name=row.needed("name"),
        purpose=cast("Literal['generate', 'utilize', 'dispose']", row.needed("purpose")),
    )
    event = FacilityRegistered(event_id="0", enterprise=world.enterprise, event_time=event_time, facility=facility)
    return event, world.book.facilities.get(facility.facility_id) == facility


def _storage(row: Row, world: World, event_time: date | datetime) -> tuple[Event, bool]:
    site = world.site_code(row)
    storage = StorageArea(
        storage_id=world.storages[site, row.needed("code")],
        site_id=world.sites[site],
        code=row.needed("code"),
        name=row.needed("name"),
        type=cast("Literal['warehouse', 'yard', 'tank', 'point']", row.text("storage_type") or "warehouse"),
        capacity_g=row.number_of("capacity"),
    )
    event = StorageRegistered(event_id="0", enterprise=world.enterprise, event_time=event_time, storage=storage)
    return event, world.book.storages.get(storage.storage_id) == storage


def _scale(row: Row, world: World, event_time: date | datetime) -> tuple[Event, bool]:
    site = world.site_code(row)
    on, until = row.when("calibrated_on"), row.when("calibrated_until")
    scale = Scale(
        scale_id=world.scales[site, row.needed("code")],
        site_id=world.sites[site],
        code=row.needed("code"),
        accuracy_class=cast("Literal['I', 'II', 'III', 'IIII']", row.text("accuracy") or "III"),
        interval_g=row.mass_g("interval"),
        uncertainty_g=row.mass_g("uncertainty"),
        calibrated_on=on,
        calibrated_until=until,
    )
    event = ScaleRegistered(event_id="0", enterprise=world.enterprise, event_time=event_time, scale=scale)
    return event, world.book.scales.get(scale.scale_id) == scale


def _vehicle(row: Row, world: World, event_time: date | datetime) -> tuple[Event, bool]:
    try:
        plate = codes.plate(row.needed("code"))
    except Problem as problem:
        raise row.wrong(problem, "code") from problem
    vehicle = Vehicle.model_validate(
        {
            "plate": plate,
            "emission_stage": row.text("emission_stage"),
            "permit_no": row.said("permit_no"),
            "dangerous_goods": row.yes("dangerous_goods"),
        }
    )
    event = VehicleRegistered(event_id="0", enterprise=world.enterprise, event_time=event_time, vehicle=vehicle)
    return event, world.book.vehicles.get((world.enterprise, plate)) == vehicle


def _plan(unit: Unit, world: World, event_time: date | datetime) -> tuple[Event, bool]:
    row = unit.first
    site = world.site_code(row)
    year = row.needed("code")
    lines = [
        PlanLine(waste=each.needed("waste"), generated_g=each.mass_g("generated"), moved_g=each.number_of("moved") or 0)
        for each in unit.rows
    ]
    try:
        plan = Plan(
            plan_id=world.new_id("plan", site, year),
            site_id=world.sites[site],
            year=int(year) if year.isdecimal() else 0,
            lines=tuple(sorted(lines, key=lambda line: line.waste)),
        )
    except ValidationError as fault:
        raise row.wrong(Malformed("workbook-year-unreadable", read=year), "code") from fault
    event = PlanFiled(event_id="0", enterprise=world.enterprise, event_time=event_time, plan=plan)
    known = world.book.plans.get((plan.site_id, plan.year))
    same = known is not None and sorted(known.lines, key=lambda line: line.waste) == list(plan.lines)
    return event, same


def product(row: Row, world: World, site: str, material: str, code: str) -> Product:
    """A new batch of a row, which later rows may speak of."""
    container = row.said("container")
    return Product(
        batch_id=world.new_id("batch", site, code, container),
        material=material,
        mass_g=row.mass_g(),
        code=code,
        packing=packing(row),
    )


def made(unit: Unit, site: str, new: Product) -> Product:
    """The same, told to the unit that makes it."""
    name = (site, new.code or "", new.packing.code if new.packing else "")
    unit.makes.append((name, Handle(new.batch_id, new.material, new.mass_g)))
    return new


def arisen(unit: Unit, world: World) -> list[Event]:
    """Opening stock, or waste that arose: a row is a batch."""
    row, site = unit.first, unit.site
    material, extra = world.material(row)
    new = made(unit, site, product(row, world, site, material.id, row.needed("code")))
    note = unit.note(extra=(*extra, *loose_packing(row)))
    event_id = unit.event_id()
    if row.sheet.key == "stock":
        since = row.moment("since")
        return [
            StockDeclared(
                event_id=event_id, enterprise=world.enterprise, event_time=row.when(), note=note,
                site_id=world.sites[site], product=new, since=since,
            )
        ]  # fmt: skip
    return [
        Generated(
            event_id=event_id, enterprise=world.enterprise, event_time=row.when(), note=note,
            site_id=world.sites[site], facility_id=world.facility(row, site), product=new,
        )
    ]  # fmt: skip


def gained(unit: Unit, world: World) -> list[Event]:
    """Scrap that was collected, or primary metal that was tapped."""
    row, site = unit.first, unit.site
    new = made(unit, site, product(row, world, site, row.needed("material"), row.needed("code")))
    note = unit.note(extra=loose_packing(row))
    kind = row.needed("type")
    if kind == "tapped":
        return [
            Tapped(
                event_id=unit.event_id(), enterprise=world.enterprise, event_time=row.when(), note=note,
                site_id=world.sites[site], facility_id=world.facility(row, site), product=new,
            )
        ]  # fmt: skip
    return [
        Collected(
            event_id=unit.event_id(), enterprise=world.enterprise, event_time=row.when(), note=note,
            site_id=world.sites[site], scrap=cast("Literal['old', 'new']", kind), product=new,
            supplier=row.said("supplier"), supplier_division=row.text("division"),
        )
    ]  # fmt: skip


def assayed(unit: Unit, world: World) -> list[Event]:
    """One assay: a row an element."""
    handles = {world.batch(row, unit.site).batch_id for row in unit.rows}
    if len(handles) > 1:
        problem = Malformed("workbook-rows-disagree", column=unit.sheet.zh_of("batch"), record=unit.identity[-1])
        raise unit.first.wrong(problem, "batch")
    grades: list[Grade] = []
    for row in unit.rows:
        element, ppm = row.text("element"), row.number_of("grade")
        if element is None and ppm is None:
            continue
        uncertainty = row.number_of("uncertainty")
        if ppm is None:
            raise row.wrong(Malformed("workbook-cell-required", column=row.sheet.zh_of("grade")), "grade")
        grades.append(
            Grade(element=row.needed("element"), ppm=ppm, uncertainty_ppm=uncertainty, method=row.said("method"))
        )
    moisture, moisture_uncertainty = unit.agreed("moisture"), unit.agreed("moisture_uncertainty")
    assert moisture is None or isinstance(moisture, int)
    assert moisture_uncertainty is None or isinstance(moisture_uncertainty, int)
    return [
        Assayed(
            event_id=unit.event_id(), enterprise=world.enterprise, event_time=unit.agreed_time(), note=unit.note(),
            batch_id=handles.pop(), assay_no=unit.identity[-1], moisture_ppm=moisture,
            moisture_uncertainty_ppm=moisture_uncertainty,
            grades=tuple(sorted(grades, key=lambda grade: grade.element)),
            laboratory=unit.agreed_text("laboratory") or "",
        )
    ]  # fmt: skip


def otherwise(unit: Unit, world: World) -> list[Event]:
    """A stock count, a change of status, a packing."""
    row, site = unit.first, unit.site
    if len(unit.rows) > 1:
        raise unit.rows[1].wrong(Malformed("workbook-record-twice", record=unit.identity[-1]), "record")
    record = (RECORD_LABEL, unit.identity[-1])
    match row.needed("type"):
        case "stock_taken":
            return [
                StockTaken(
                    event_id=unit.event_id(), enterprise=world.enterprise, event_time=row.when(),
                    note=unit.note(record), site_id=world.sites[site], material=row.needed("material"),
                    counted_g=row.mass_g(),
                )
            ]  # fmt: skip
        case "status_changed":
            return [
                StatusChanged.model_validate(
                    {
                        "event_id": unit.event_id(), "enterprise": world.enterprise, "event_time": row.when(),
                        "note": unit.note(record), "batch_id": world.batch(row, site).batch_id,
                        "status": row.needed("status"), "basis": row.needed("basis"),
                    }
                )
            ]  # fmt: skip
        case _:
            packed = packing(row)
            if packed is None:
                raise row.wrong(Malformed("workbook-cell-required", column=row.sheet.zh_of("container")), "container")
            return [
                Packed(
                    event_id=unit.event_id(), enterprise=world.enterprise, event_time=row.when(),
                    note=unit.note(record), batch_id=world.batch(row, site).batch_id, packing=packed,
                )
            ]  # fmt: skip
