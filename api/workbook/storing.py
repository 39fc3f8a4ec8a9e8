"""Rows of storage: into it, out of it, and the parts that are split off on the way."""

from datetime import date, datetime

from api.workbook.arising import made
from api.workbook.rows import Row
from api.workbook.world import Handle, Unit, World, loose_packing, packing
from flows.errors import Malformed
from flows.events import Event, Portion, Product, Stored, TakenOut, Transformed
from flows.mass import tonnes


def lying(unit: Unit, world: World) -> list[Event]:
    """Into storage, or out of it. Less than all of the batch is split off first, under the code of the row."""
    row = unit.first
    handle = world.batch(row, unit.site)
    world.check_material(row, handle)
    facts, handle = _parted(unit, handle, row.mass_g(), ("code", "mass", "split"), row.when(), world)
    note = unit.note(extra=loose_packing(row))
    if unit.sheet.key == "b2":
        return [*facts, _stored(unit, handle, note, world)]
    return [*facts, _taken_out(unit, handle, row.when(), row.needed("code"), note, world)]


def shelved(unit: Unit, world: World) -> list[Event]:
    """Table 5 of general waste: into storage and, where the row says so, all or part of it out again."""
    row = unit.first
    handle = world.batch(row, unit.site)
    world.check_material(row, handle)
    facts, handle = _parted(unit, handle, row.mass_g(), ("code", "mass", "split"), row.when(), world)
    facts.append(_stored(unit, handle, unit.note(extra=loose_packing(row)), world))
    out_g = row.number_of("out")
    if row.moment("out_time") is None and out_g is None:
        return facts
    when = row.when("out_time")
    if out_g is None or out_g == handle.mass_g:
        out, code = handle, row.text("out_code")
        if code is not None:
            unit.makes.append(((unit.site, code, row.said("container")), handle))
    else:
        parted, out = _parted(unit, handle, out_g, ("out_code", "out", "part"), when, world)
        facts, code = [*facts, *parted], row.text("out_code")
    return [*facts, _taken_out(unit, out, when, code, None, world, "out")]


def _parted(
    unit: Unit, handle: Handle, mass_g: int, told: tuple[str, str, str], when: date | datetime, world: World
) -> tuple[list[Event], Handle]:
    """The batch itself under one more name, or a part split off under a new one.

    `told` names the columns of the code and of the mass, and the step that the fact of the split is called by.
    """
    row, site = unit.first, unit.site
    column, mass_column, step = told
    if mass_g > handle.mass_g:
        problem = Malformed("workbook-more-than-batch", asked=tonnes(mass_g), whole=tonnes(handle.mass_g))
        raise row.wrong(problem, mass_column)
    code, container = row.text(column), row.said("container")
    if mass_g == handle.mass_g:
        unit.makes.append(((site, row.needed(column), container), handle))
        return [], handle
    if code is None or code in (row.needed("batch"), row.said("code") if column != "code" else ""):
        raise row.wrong(Malformed("workbook-part-needs-code", whole=tonnes(handle.mass_g)), column)
    new = Product(
        batch_id=world.new_id("batch", site, code, container), material=handle.material, mass_g=mass_g, code=code,
        packing=packing(row),
    )  # fmt: skip
    split = Transformed(
        event_id=unit.event_id(step), enterprise=world.enterprise, event_time=when, site_id=world.sites[site],
        process="split", inputs=(Portion(batch_id=handle.batch_id, mass_g=mass_g),), outputs=(made(unit, site, new),),
    )  # fmt: skip
    return [split], Handle(new.batch_id, new.material, new.mass_g)


def _stored(unit: Unit, handle: Handle, note: str | None, world: World) -> Stored:
    row: Row = unit.first
    return Stored(
        event_id=unit.event_id(), enterprise=world.enterprise, event_time=row.when(), note=note,
        batch_id=handle.batch_id, storage_id=world.storage(row, unit.site), code=row.needed("code"),
    )  # fmt: skip


def _taken_out(
    unit: Unit,
    handle: Handle,
    when: date | datetime,
    code: str | None,
    note: str | None,
    world: World,
    step: str = "",
) -> TakenOut:
    return TakenOut(
        event_id=unit.event_id(step), enterprise=world.enterprise, event_time=when, note=note,
        batch_id=handle.batch_id, code=code,
    )  # fmt: skip
