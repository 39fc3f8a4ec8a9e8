"""An enterprise's facts in the workbook that it imports: what it exports, it may import again and nothing changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Final, TypeAlias

from api.workbook.names import Identity, Names
from api.workbook.registers import registration_rows
from api.workbook.remarks import labels_of, read_remarks
from api.workbook.sheets import BY_KEY
from api.workbook.template import write_book
from api.workbook.transfers import received, sent
from api.workbook.values import Value
from api.workbook.wording import Words, code_of, material_words, named, packed, portion_words
from api.workbook.yearly import yearly_rows
from flows.book import Book
from flows.entries import Entry
from flows.events import (
    Assayed,
    Collected,
    Delivered,
    Disposed,
    Event,
    Generated,
    Left,
    Packed,
    Product,
    StatusChanged,
    StockDeclared,
    StockTaken,
    Stored,
    TakenOut,
    Tapped,
    Transformed,
)
from flows.ids import EnterpriseId
from flows.times import day_of, earliest_us

Values: TypeAlias = dict[str, Value]

_COUNTS: Final = {"container_count"}
_BY_FORM: Final = frozenset({"g3", "g6", "g7"})
_OWN_WORDS: Final = ("trade", "name", "waste")
"""What the enterprise calls a waste, where it is not what the catalogue does."""


def export_workbook(
    entries: Iterable[Entry],
    book: Book,
    enterprise: EnterpriseId,
    period: tuple[date | None, date | None] = (None, None),
) -> bytes:
    """The template, filled with the enterprise's own facts of a period (Shanghai days, both included).

    `book` must have read these entries. What the sheets have no row for is counted on the sheet of notes.
    """
    names = Names.read(entries, enterprise, book)
    rows: dict[str, list[Values]] = {key: [] for key in BY_KEY}
    rows["unit"] = list(registration_rows(names))
    left_out = list(names.unnamed)
    for identity, facts in sorted(
        names.records.items(), key=lambda each: (earliest_us(each[1][0].event_time), each[0])
    ):
        if not _within(facts[-1], period):
            continue
        told = list(record_rows(identity, facts, names))
        if not told:
            left_out += facts
        rows[identity[0]] += told
    rows |= yearly_rows(book, enterprise, period)
    return write_book(rows, book.catalogue, _remarks(left_out, period))


def _within(event: Event, period: tuple[date | None, date | None]) -> bool:
    day = day_of(earliest_us(event.event_time))
    begin, end = period
    return (begin is None or day >= begin) and (end is None or day <= end)


def _remarks(left_out: Iterable[Event], period: tuple[date | None, date | None]) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    begin, end = (each.isoformat() if each else "…" for each in period)
    if period != (None, None):
        told.append((f"期间：{begin} 至 {end}。", f"Period: {begin} to {end}."))
    kinds = [event.kind for event in left_out]
    for kind in sorted(set(kinds)):
        count = kinds.count(kind)
        told.append(
            (
                f"未列入：{kind} {count} 条（本工作簿没有对应的行）。",
                f"Not listed: {count} {kind}, for which there is no row.",
            )
        )
    return told


def record_rows(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Values]:
    """The rows of one record; none where a manifest was not loaded yet, or an arrival not decided."""
    told, note = read_remarks(next((fact.note for fact in facts if fact.note), None), labels_of(BY_KEY[identity[0]]))
    first = _remarked(identity[0], told, note)
    own = {key: first[key] for key in _OWN_WORDS if key in first}
    for number, said in enumerate(_ROWS[identity[0]](identity, facts, names)):
        instead = {"name": said["trade"]} if "trade" in own and "name" not in own else {}  # the material stands there
        values = {**said, **instead, **own, **_form_before(identity, facts[-1], said, names)}
        first = first if number == 0 else {}
        yield {**first, **{key: value for key, value in values.items() if value not in (None, "")}}


def _form_before(identity: Identity, event: Event, said: Words, names: Names) -> Words:
    """The tables of general waste name a batch by the form that it came from: table 5, once it was stored."""
    if identity[0] not in _BY_FORM:
        return {}
    by_container = names.with_code(identity[1], str(said["batch"]))
    shelf = names.shelves.get(by_container.get(str(said.get("container") or ""), ""))
    if shelf is None or shelf[1:] in names.unclear:
        return {}
    stored = next(fact for fact in names.records[shelf] if isinstance(fact, Stored))
    return {"batch": shelf[2]} if earliest_us(stored.event_time) <= earliest_us(event.event_time) else {}


def _remarked(sheet: str, told: Mapping[str, str], note: str) -> Values:
    keys = {column.zh: column.key for column in BY_KEY[sheet].columns}
    first: Values = {keys[label]: int(text) if keys[label] in _COUNTS else text for label, text in told.items()}
    return {**first, "note": note} if note else first


def _arisen(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    event = facts[0]
    assert isinstance(event, StockDeclared | Generated | Collected | Tapped)
    product: Product = event.product
    _, site, code, _ = identity
    values: Words = {"code": code, "time": event.event_time, "mass": product.mass_g, "site": site}
    values |= packed(product.packing)
    match event:
        case StockDeclared(since=since):
            values |= {"since": since} | material_words(product.material, names)
        case Generated(facility_id=facility_id):
            values |= {"facility": code_of(facility_id, "facility", names)} | material_words(product.material, names)
        case Collected():
            values |= {"type": event.scrap, "material": product.material, "supplier": event.supplier}
            values |= {"division": event.supplier_division}
        case Tapped(facility_id=facility_id):
            values |= {"type": "tapped", "material": product.material}
            values |= {"facility": code_of(facility_id, "facility", names)}
    yield values


def _lying(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    event = facts[-1]
    assert isinstance(event, Stored | TakenOut)
    batch = names.book.batch(event.batch_id)
    _, site, code, container = identity
    split = facts[0]
    source = split.inputs[0].batch_id if isinstance(split, Transformed) else event.batch_id
    _, source_code, source_container = named(source, names)
    if len(set(names.with_code(site, source_code).values())) > 1:
        container = container or source_container
    yield {
        "code": code,
        "time": event.event_time,
        **material_words(batch.material, names),
        **(packed(split.outputs[0].packing) if isinstance(split, Transformed) else {}),
        "container": container,
        "mass": batch.mass_g,
        "storage": code_of(event.storage_id, "storage", names) if isinstance(event, Stored) else None,
        "batch": source_code,
        "site": site,
    }


def _shelved(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    """A row of table 5: what was stored and, where it was taken out again, how much and under what code."""
    at = next(number for number, fact in enumerate(facts) if isinstance(fact, Stored))
    (stored,) = _lying(identity, facts[: at + 1], names)
    out = facts[-1]
    if isinstance(out, TakenOut):
        batch = names.book.batch(out.batch_id)
        parted = isinstance(facts[-2], Transformed)
        code = batch.code if parted else out.code
        stored |= {"out_time": out.event_time, "out": batch.mass_g, "out_code": code}
    yield stored


def _run(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    event = facts[0]
    assert isinstance(event, Transformed)
    _, site, record = identity
    every: Words = {
        "record": record,
        "time": event.event_time,
        "process": event.process,
        "site": site,
    }
    once: Words = {
        "method": event.method,
        "facility": code_of(event.facility_id, "facility", names),
        "reason": event.gap_reason,
    }
    for number, portion in enumerate(event.inputs):
        material = names.book.batch(portion.batch_id).material
        yield {
            **every,
            **(once if number == 0 else {}),
            "kind": "input",
            "material": material,
            **portion_words(portion, names),
        }
    for addition in event.additions:
        yield {**every, "kind": "addition", "material": addition.material, "mass": addition.mass_g}
    for product in event.outputs:
        _, code, container = named(product.batch_id, names)
        made = {**packed(product.packing), "container": container}
        yield {**every, "kind": "output", "batch": code, "material": product.material, "mass": product.mass_g, **made}
    for loss in event.losses:
        yield {**every, "kind": "loss", "loss": loss.kind, "mass": loss.mass_g}


def _used_here(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    event = facts[0]
    assert isinstance(event, Disposed | Delivered)
    _, site, record = identity
    method = event.method if isinstance(event, Disposed) else None
    form = BY_KEY[identity[0]]
    told, _ = read_remarks(event.note, labels_of(form))
    if method is None:
        method = told.get(form.zh_of("method"))
    for portion in event.portions:
        yield {
            "record": record,
            "time": event.event_time,
            **material_words(names.book.batch(portion.batch_id).material, names),
            "facility": code_of(event.facility_id, "facility", names) if isinstance(event, Disposed) else None,
            "method": method,
            "site": site,
            "reason": event.gap_reason,
            **portion_words(portion, names),
        }


def _gone(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    event = facts[0]
    assert isinstance(event, Delivered | Left)
    _, site, record = identity
    for portion in event.portions:
        values: Words = {
            "record": record,
            "time": event.event_time,
            "receiver": event.receiver,
            "division": event.receiver_division,
            "site": site,
            "reason": event.gap_reason,
            **portion_words(portion, names),
        }
        if isinstance(event, Left):
            yield {**values, "type": "left", "abroad": event.abroad or None, "export_notice": event.export_notice_no}
        else:
            yield {**values, "type": "delivered", "use": event.use}


def _assayed(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    event = facts[0]
    assert isinstance(event, Assayed)
    _, site, record = identity
    _, code, container = named(event.batch_id, names)
    every: Words = {
        "record": record,
        "time": event.event_time,
        "batch": code,
        "container": container,
        "moisture": event.moisture_ppm,
        "moisture_uncertainty": event.moisture_uncertainty_ppm,
        "laboratory": event.laboratory,
        "site": site,
    }
    if not event.grades:
        yield every
    for grade in event.grades:
        yield {
            **every, "element": grade.element, "grade": grade.ppm, "uncertainty": grade.uncertainty_ppm,
            "method": grade.method,
        }  # fmt: skip


def _other(identity: Identity, facts: tuple[Event, ...], names: Names) -> Iterator[Words]:
    event = facts[0]
    assert isinstance(event, StockTaken | StatusChanged | Packed)
    _, site, record = identity
    values: Words = {"record": record, "type": event.kind, "time": event.event_time, "site": site}
    match event:
        case StockTaken():
            yield {**values, "material": event.material, "mass": event.counted_g}
        case StatusChanged():
            _, code, container = named(event.batch_id, names)
            yield {**values, "batch": code, "container": container, "status": event.status, "basis": event.basis}
        case Packed():
            yield {**values, "batch": named(event.batch_id, names)[1], **packed(event.packing)}


_ROWS: Final[Mapping[str, Callable[[Identity, tuple[Event, ...], Names], Iterator[Words]]]] = {
    "stock": _arisen, "b1": _arisen, "g4": _arisen, "arising": _arisen, "b2": _lying, "b3": _lying, "g5": _shelved, "run": _run,
    "b4": _used_here, "g6": _used_here, "g7": _used_here, "g3": sent,
    "b5": sent, "receipt": received, "leaving": _gone, "assay": _assayed, "other": _other,
}  # fmt: skip
