"""Rows of transfers: B.5 submits and loads, or lets go of what leaves the platform; a receipt arrives and decides."""

import re
from collections.abc import Sequence
from typing import Final

from api.workbook.numbering import MANIFEST_LABEL, Inbound, load_code, outgoing_codes, write_outgoing
from api.workbook.rows import Row
from api.workbook.world import Awaits, Handle, Unit, World
from flows import codes
from flows.enterprises import Site
from flows.errors import Malformed, Problem
from flows.events import (
    Arrived,
    ArrivedLine,
    Decided,
    DecidedLine,
    Event,
    Left,
    Leg,
    Loaded,
    LoadedLine,
    ManifestLine,
    Part,
    Submitted,
)
from flows.ids import EnterpriseId, owner

_OFFICIAL_LENGTH = 14
_TRANSPORT: Final = {"g3": ("carrier", "plate", "driver")}
"""Official columns of a sheet that a manifest has fields for, and what leaves without one has not."""
_RECEIVERS = ("receiver", "exempt_receiver", "foreign_receiver")


def sent(unit: Unit, world: World) -> list[Event]:
    """A manifest submitted and loaded; without a receiver on the platform, what has left it."""
    handles = [world.batch(row, unit.site) for row in unit.rows]
    for row, handle in zip(unit.rows, handles, strict=True):
        world.check_material(row, handle)
    consignee = unit.agreed_text("consignee")
    if consignee is None:
        return [_left(unit, handles, world)]
    return _manifest(unit, handles, consignee, world)


def _left(unit: Unit, handles: Sequence[Handle], world: World) -> Left:
    named = {key: unit.agreed_text(key) for key in _RECEIVERS}
    receiver = next((name for name in named.values() if name), None)
    if receiver is None:
        problem = Malformed("workbook-receiver-needed")
        raise unit.first.wrong(problem, "consignee")
    pairs = sorted(
        zip(unit.rows, handles, strict=True),
        key=lambda pair: (pair[0].needed("batch"), pair[0].said("container"), pair[0].mass_g()),
    )
    portions = [world.portion(row, handle) for row, handle in pairs]
    method = unit.agreed_text("method") or ""
    codes_told = write_outgoing(_numbered_codes([(line, row) for line, (row, _) in enumerate(pairs, 1)]))
    return Left(
        event_id=unit.event_id(),
        enterprise=world.enterprise,
        event_time=unit.agreed_time(),
        note=unit.note(
            (unit.sheet.zh_of("code"), codes_told),
            (MANIFEST_LABEL, unit.agreed_text("manifest") or ""),
            (unit.sheet.zh_of("method"), method),
            extra=_TRANSPORT.get(unit.sheet.key, ()),
        ),
        site_id=world.sites[unit.site],
        portions=tuple(portions),
        receiver=receiver,
        receiver_division=unit.agreed_text("division"),
        abroad=named["foreign_receiver"] is not None,
        export_notice_no=unit.agreed_text("export_notice") or "",
        gap_reason=unit.agreed_text("reason"),
    )


def _numbered_codes(rows: Sequence[tuple[int, Row]]) -> list[tuple[int, str]]:
    return [(line, row.needed("code")) for line, row in rows]


def _manifest(unit: Unit, handles: Sequence[Handle], consignee: EnterpriseId, world: World) -> list[Event]:
    first, site = unit.first, unit.site
    number = unit.identity[-1]
    official = number if re.fullmatch(rf"\d{{{_OFFICIAL_LENGTH}}}", number) else None
    lines = lines_of(unit)
    manifest_id = world.new_id("manifest", site, number)
    method = unit.agreed_text("method")
    if method is None:
        raise first.wrong(Malformed("workbook-cell-required", column=unit.sheet.zh_of("method")), "method")
    legs = _legs(unit, world)
    consignee_site = _partner_site(unit, consignee, world)
    loaded_at = unit.agreed_time()
    submitted_at = unit.agreed("submitted") or loaded_at
    planned: list[ManifestLine] = []
    loaded: list[LoadedLine] = []
    for line, row, handle in sorted(
        ((line, row, handle) for line, row, handle in zip(lines, unit.rows, handles, strict=True)),
        key=lambda each: each[0],
    ):
        portion = world.portion(row, handle)
        asked_g = row.number_of("planned") or min(portion.mass_g, handle.mass_g)
        load_id = world.new_id("load", site, number, str(line))
        unit.makes.append(((site, load_code(number, line), ""), Handle(load_id, handle.material, portion.mass_g)))
        planned.append(ManifestLine(line=line, batch_id=handle.batch_id, mass_g=asked_g))
        loaded.append(
            LoadedLine(
                line=line,
                portion=portion,
                load_id=load_id,
                scale_id=world.scale(row, site),
            )
        )
    told = write_outgoing(sorted(_numbered_codes(list(zip(lines, unit.rows, strict=True)))))
    try:
        submitted = Submitted.model_validate(
            {
                "event_id": unit.event_id("submitted"),
                "enterprise": world.enterprise,
                "event_time": submitted_at,
                "note": unit.note((unit.sheet.zh_of("code"), told)),
                "manifest_id": manifest_id,
                "internal_no": unit.agreed_text("internal_no") or number,
                "official_no": official,
                "consignor_site": world.sites[site],
                "consignee": consignee,
                "consignee_site": consignee_site.site_id,
                "lines": planned,
                "legs": legs,
                "method": method,
                "shipper": unit.agreed_text("shipper") or "consignor",
                "approval_no": unit.agreed_text("approval"),
            }
        )
    except ValueError as fault:
        raise first.wrong(Malformed("workbook-manifest-unreadable", record=number), "manifest") from fault
    return [
        submitted,
        Loaded(
            event_id=unit.event_id("loaded"), enterprise=world.enterprise, event_time=loaded_at,
            manifest_id=manifest_id, plate=legs[0].plate, lines=tuple(loaded),
            gap_reason=unit.agreed_text("reason"),
        ),
    ]  # fmt: skip


def lines_of(unit: Unit) -> list[int]:
    """The line of each row: as told, else by batch code and container, so that a sorted file says the same."""
    every = unit.every  # a row that is cancelled keeps its number: the others are called by theirs
    told = [row.number_of("line") for row in every]
    given = {line for line in told if line is not None}
    if len(given) < len([line for line in told if line is not None]):
        raise unit.first.wrong(Malformed("workbook-line-twice", record=unit.identity[-1]), "line")
    free = iter(line for line in range(1, 2 * len(told) + 1) if line not in given)
    order = sorted(range(len(told)), key=lambda i: (every[i].said("batch"), every[i].said("container"), i))
    numbered = {i: told[i] or next(free) for i in order}
    return [numbered[i] for i in range(len(unit.rows) or len(told))]


def _legs(unit: Unit, world: World) -> list[Leg]:
    told = {
        key: _parts(unit.agreed_text(key)) for key in ("carrier", "plate", "carrier_code", "driver", "start", "end")
    }
    count = max(1, *(len(parts) for parts in told.values()))
    legs: list[Leg] = []
    for i in range(count):
        of = {key: parts[i] if i < len(parts) else "" for key, parts in told.items()}
        carrier = _carrier(unit, of["carrier_code"], world)
        try:
            plate = codes.plate(of["plate"]) if of["plate"] else None
        except Problem as problem:
            raise unit.first.wrong(problem, "plate") from problem
        legs.append(
            Leg(
                carrier=carrier, carrier_name="" if carrier else of["carrier"], plate=plate, driver=of["driver"],
                start=of["start"], end=of["end"],
            )
        )  # fmt: skip
    return legs


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in re.split("[；;]", text)] if text else []


def _carrier(unit: Unit, code: str, world: World) -> EnterpriseId | None:
    if not code:
        return None
    try:
        carrier = codes.uscc(code)
    except Problem as problem:
        raise unit.first.wrong(problem, "carrier_code") from problem
    if carrier != world.enterprise and world.book.enterprises.get(carrier) is None:
        raise Awaits.of("workbook-awaits-enterprise", enterprise=carrier)
    return carrier


def _partner_site(unit: Unit, consignee: EnterpriseId, world: World) -> Site:
    """The site that the receiver is known by: the one named, else the first that it registered."""
    book = world.book
    sites = [site for site in book.sites.values() if owner(site.site_id) == consignee]
    if book.enterprises.get(consignee) is None or not sites:
        raise Awaits.of("workbook-awaits-enterprise", enterprise=consignee)
    told = unit.agreed_text("consignee_site")
    if told is None:
        return sites[0]
    found = next((site for site in sites if site.code == told), None)
    if found is None:
        shown = [site.code for site in sites]
        near = codes.nearest(told, shown)
        problem = Malformed("workbook-site-unknown", read=told, nearest=near or "—")
        raise unit.first.wrong(problem, "consignee_site", shown, near)
    return found


# receipts -----------------------------------------------------------------------------------------------------------


def received(unit: Unit, world: World) -> list[Event]:
    """What arrived on a manifest, and what was decided on each line."""
    inbound = inbound_of(unit, world)
    submitted, loaded = inbound.submitted, inbound.loaded
    assert loaded is not None, "a receipt waits for its load"
    unit.identity = ("receipt", submitted.manifest_id)
    rows = _rows_by_line(unit, inbound, world)
    site_id = submitted.consignee_site
    site = world.names.site_code(site_id)
    if unit.site and unit.site != site:
        raise unit.first.wrong(Malformed("workbook-other-site", expected=site), "site", (site,), site)
    arrived: list[ArrivedLine] = []
    decided: list[DecidedLine] = []
    for line in sorted(rows):
        row = rows[line]
        load = next(each for each in loaded.lines if each.line == line)
        arrived.append(ArrivedLine(line=line, mass_g=row.mass_g(), scale_id=world.scale(row, site)))
        decided.append(_decided(unit, row, load, (site, submitted.manifest_id), world))
    return [
        Arrived(
            event_id=unit.event_id("arrived"), enterprise=world.enterprise, event_time=unit.agreed_time(),
            note=unit.note(), manifest_id=submitted.manifest_id, lines=tuple(arrived),
        ),
        Decided(
            event_id=unit.event_id("decided"), enterprise=world.enterprise,
            event_time=unit.agreed_time("decided") if unit.agreed("decided") else unit.agreed_time(),
            manifest_id=submitted.manifest_id, lines=tuple(decided),
        ),
    ]  # fmt: skip


def inbound_of(unit: Unit, world: World) -> Inbound:
    """The manifest that a receipt is of, which must be loaded; else the receipt waits."""
    number, consignor = unit.first.needed("manifest"), unit.agreed_text("consignor")
    of = [
        each
        for each in world.names.inbound.values()
        if consignor in (None, each.submitted.enterprise) and _called(each, number, consignor, world)
    ]
    if len(of) > 1:
        open_ones = [each for each in of if ("receipt", each.submitted.manifest_id) not in world.names.records]
        of = open_ones if len(open_ones) == 1 else of
    if len(of) > 1:
        shown = tuple(sorted({each.submitted.enterprise for each in of}))
        raise unit.first.wrong(Malformed("workbook-manifest-unclear", read=number), "consignor", shown)
    if not of or of[0].loaded is None:
        known = {each for inbound in world.names.inbound.values() for each in inbound.numbers}
        raise Awaits.of("workbook-awaits-load", number=number, nearest=codes.nearest(number, known) or "—")
    return of[0]


def _called(inbound: Inbound, number: str, consignor: EnterpriseId | None, world: World) -> bool:
    """By a number of the manifest; or by a batch code of its consignor, where the row names the consignor."""
    if number in inbound.numbers:
        return True
    return consignor is not None and number in {
        code for line in inbound.submitted.lines for code in _codes_of(line.batch_id, world)
    }


def _codes_of(batch_id: str, world: World) -> set[str]:
    batch = world.book.find_batch(batch_id)
    return {batch.code} if batch is not None and batch.code else set()


def _rows_by_line(unit: Unit, inbound: Inbound, world: World) -> dict[int, Row]:
    lines = {line.line: line for line in inbound.submitted.lines}
    found: dict[int, Row] = {}
    for row in unit.rows:
        line = row.number_of("line")
        if line is None:
            fitting = [each for each in lines if _fits(row, each, inbound, world)]
            if len(fitting) != 1:
                shown = tuple(str(each) for each in lines)
                raise row.wrong(Malformed("workbook-line-unclear", lines="、".join(shown)), "line", shown)
            line = fitting[0]
        if line not in lines:
            shown = tuple(str(each) for each in lines)
            raise row.wrong(Malformed("workbook-line-unclear", lines="、".join(shown)), "line", shown)
        if line in found:
            raise row.wrong(Malformed("workbook-line-twice", record=unit.first.needed("manifest")), "line")
        found[line] = row
    return found


def _fits(row: Row, line: int, inbound: Inbound, world: World) -> bool:
    submitted = inbound.submitted
    if len(submitted.lines) == 1:
        return True
    told = row.text("load")
    if told is None:
        return False
    planned = next(each for each in submitted.lines if each.line == line)
    outgoing = [code for at, code in outgoing_codes(inbound.submitted).items() if at == line]
    return told in {*outgoing, *_codes_of(planned.batch_id, world)}


def _decided(unit: Unit, row: Row, load: LoadedLine, at: tuple[str, str], world: World) -> DecidedLine:
    site, manifest_id = at
    arrived_g, refused_g = row.mass_g(), row.number_of("refused") or 0
    told_g = row.number_of("accepted")
    accepted_g = arrived_g - refused_g if told_g is None else told_g
    if accepted_g < 0 or accepted_g + refused_g != arrived_g:
        raise row.wrong(Malformed("workbook-parts-differ"), "accepted")
    if refused_g and not row.text("reason"):
        raise row.wrong(Malformed("workbook-cell-required", column=row.sheet.zh_of("reason")), "reason")
    accepted = rejected = None
    if accepted_g:
        code = received_code(row)
        accepted = Part(batch_id=world.new_id("batch", site, code, ""), mass_g=accepted_g, code=code)
        material = world.book.batch(load.load_id).material
        unit.makes.append(((site, code, ""), Handle(accepted.batch_id, material, accepted_g)))
    if refused_g:
        rejected_id = world.new_id("refused", manifest_id, str(load.line))
        rejected = Part(batch_id=rejected_id, mass_g=refused_g, code=row.text("rejected_code"))
    return DecidedLine(
        line=load.line, load_id=load.load_id, accepted=accepted, rejected=rejected, reason=row.said("reason"),
        method=row.text("method"),
    )  # fmt: skip


def received_code(row: Row) -> str:
    """The code that a received batch goes by: the consignee's own, else the manifest's number and line."""
    line = row.number_of("line")
    return row.text("code") or (row.needed("manifest") if line is None else f"{row.needed('manifest')}-{line}")
