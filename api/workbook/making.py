"""Rows that turn batches into others, or end them: runs, own use and disposal, leaving."""

from typing import Final, cast

from api.workbook.arising import made
from api.workbook.numbering import RECORD_LABEL
from api.workbook.rows import Row
from api.workbook.sheets import BY_KEY
from api.workbook.world import Unit, World, packing
from flows.errors import Malformed
from flows.events import (
    Addition,
    Delivered,
    Disposed,
    Event,
    Left,
    Loss,
    LossKind,
    Portion,
    Product,
    Transformed,
    Use,
)
from flows.law import Finding
from flows.mass import tonnes
from flows.materials import Ending

USE_OF_ENDING: Final[dict[Ending, Use]] = {
    "product": "product",
    "material_use": "building_material",
    "energy_use": "energy",
}
"""As what a batch counts that was used on site by a method, and no run tells what came of it."""


_SIDES: Final = {"g6": "utilization", "g7": "disposal"}
"""What tables 6 and 7 of general waste are for."""


def run(unit: Unit, world: World) -> list[Event]:
    """One run: portions and additions in, batches and losses out."""
    site, first = unit.site, unit.first
    process = unit.agreed_text("process")
    if process is None:
        raise first.wrong(Malformed("workbook-cell-required", column=unit.sheet.zh_of("process")), "process")
    of = {
        kind: [row for row in unit.rows if row.needed("kind") == kind]
        for kind in ("input", "addition", "output", "loss")
    }
    if not of["input"]:
        raise first.wrong(Malformed("workbook-run-without-input", record=unit.identity[-1]), "kind")
    inputs = [world.portion(row, world.batch(row, site)) for row in of["input"]]
    facilities = [row for row in unit.rows if row.text("facility")]
    _ = unit.agreed("facility")
    event = Transformed(
        event_id=unit.event_id(),
        enterprise=world.enterprise,
        event_time=unit.agreed_time(),
        note=unit.note((RECORD_LABEL, unit.identity[-1])),
        site_id=world.sites[site],
        facility_id=world.facility(facilities[0], site) if facilities else None,
        process=process,
        method=unit.agreed_text("method"),
        inputs=tuple(sorted(inputs, key=lambda portion: (portion.batch_id, portion.mass_g))),
        additions=tuple(sorted(map(_addition, of["addition"]), key=lambda each: (each.material, each.mass_g))),
        outputs=tuple(sorted((_output(unit, row, world) for row in of["output"]), key=lambda each: each.batch_id)),
        losses=tuple(sorted(map(_loss, of["loss"]), key=lambda each: (each.kind, each.mass_g))),
        gap_reason=unit.agreed_text("reason"),
    )
    known = unit.identity in world.names.records or event.event_id in world.names.events
    if world.book.catalogue.process(process).changes_substance and not known:  # else the ledger has counted it
        for portion in event.inputs:
            world.take(portion)
    return [event]


def _addition(row: Row) -> Addition:
    return Addition(material=row.needed("material"), mass_g=row.mass_g())


def _loss(row: Row) -> Loss:
    return Loss(kind=cast("LossKind", row.needed("loss")), mass_g=row.mass_g())


def _output(unit: Unit, row: Row, world: World) -> Product:
    code, container = row.needed("batch"), row.said("container")
    new = Product(
        batch_id=world.new_id("batch", unit.site, code, container),
        material=row.needed("material"),
        mass_g=row.mass_g(),
        code=code,
        packing=packing(row),
    )
    return made(unit, unit.site, new)


def _portions(unit: Unit, world: World) -> tuple[Portion, ...]:
    taken: list[Portion] = []
    for row in unit.rows:
        handle = world.batch(row, unit.site)
        if unit.sheet.has("waste"):
            world.check_material(row, handle)
        taken.append(world.portion(row, handle))
    return tuple(sorted(taken, key=lambda portion: (portion.batch_id, portion.mass_g)))


def used_here(unit: Unit, world: World) -> list[Event]:
    """Own disposal; or own use, which a run of production tells better where there is one."""
    method = unit.agreed_text("method")
    assert method is not None, "a required column"
    portions = _portions(unit, world)
    facility = next((world.facility(row, unit.site) for row in unit.rows if row.text("facility")), None)
    record = (unit.sheet.zh_of("record"), unit.identity[-1])
    found = world.book.catalogue.method(method)
    if found.side != _SIDES.get(unit.sheet.key, found.side):
        named = BY_KEY["g7" if unit.sheet.key == "g6" else "g6"].zh
        raise unit.first.wrong(Malformed("general-method-elsewhere", method=method, sheet=named), "method")
    if found.side == "disposal":
        return [
            Disposed(
                event_id=unit.event_id(), enterprise=world.enterprise, event_time=unit.agreed_time(),
                note=unit.note(record), site_id=world.sites[unit.site], facility_id=facility, portions=portions,
                method=method, gap_reason=unit.agreed_text("reason"),
            )
        ]  # fmt: skip
    if any(portion.batch_id in world.taken for portion in portions):
        _compare_with_runs(unit, portions, world)
        return []
    unit.find(Finding.of("workbook-used-without-run", record=unit.identity[-1], method=method))
    return [
        Delivered(
            event_id=unit.event_id(), enterprise=world.enterprise, event_time=unit.agreed_time(),
            note=unit.note(record, (unit.sheet.zh_of("method"), method), extra=["facility"]),
            site_id=world.sites[unit.site], portions=portions, use=USE_OF_ENDING[found.ending],
            gap_reason=unit.agreed_text("reason"),
        )
    ]  # fmt: skip


def _compare_with_runs(unit: Unit, portions: tuple[Portion, ...], world: World) -> None:
    """The run counts; the row of B.4 must tell the same mass, of one charge or of all."""
    for portion in portions:
        charged = world.taken.get(portion.batch_id, [])
        if portion.mass_g not in (*charged, sum(charged)):
            told = Malformed("workbook-run-differs", told=tonnes(portion.mass_g), charged=tonnes(sum(charged)))
            row = next((row for row in unit.rows if row.number_of("mass") == portion.mass_g), unit.first)
            raise row.wrong(told, "mass")


def leaving(unit: Unit, world: World) -> list[Event]:
    """Products that leave, or what goes to a receiver outside the platform."""
    row, site = unit.first, unit.site
    portions = _portions(unit, world)
    event_time, note = unit.agreed_time(), unit.note((RECORD_LABEL, unit.identity[-1]))
    receiver, division = unit.agreed_text("receiver"), unit.agreed_text("division")
    if (unit.agreed_text("type") or "delivered") == "left":
        if receiver is None:
            raise row.wrong(Malformed("workbook-cell-required", column=unit.sheet.zh_of("receiver")), "receiver")
        return [
            Left(
                event_id=unit.event_id(), enterprise=world.enterprise, event_time=event_time, note=note,
                site_id=world.sites[site], portions=portions, receiver=receiver, receiver_division=division,
                abroad=unit.agreed("abroad") is True, export_notice_no=unit.agreed_text("export_notice") or "",
                gap_reason=unit.agreed_text("reason"),
            )
        ]  # fmt: skip
    use = unit.agreed_text("use")
    if use is None:
        raise row.wrong(Malformed("workbook-cell-required", column=unit.sheet.zh_of("use")), "use")
    return [
        Delivered(
            event_id=unit.event_id(), enterprise=world.enterprise, event_time=event_time, note=note,
            site_id=world.sites[site], portions=portions, use=cast("Use", use), receiver=receiver or "",
            receiver_division=division, gap_reason=unit.agreed_text("reason"),
        )
    ]  # fmt: skip
