"""What entries mean as nodes and relationships: what each did, and how that leaves what it touched."""

from collections.abc import Iterable, Iterator
from typing import Final

from flows.balance import Movement
from flows.book import Book, Change
from flows.events import (
    Assayed,
    CorrectionAgreed,
    CorrectionDeclined,
    CorrectionRequested,
    Decided,
    Delivered,
    Disposed,
    EnterpriseConfirmed,
    EnterpriseRegistered,
    Event,
    Loaded,
    Packed,
    PermitAmended,
    PermitGranted,
    PermitRevoked,
    SiteRegistered,
    StatusChanged,
    StorageRegistered,
    Stored,
    Submitted,
    TakenOut,
    Transformed,
)
from flows.fates import fate_class
from flows.times import day_of, latest_us
from graph.picture import Delta, Edge, Key, Node, Value
from graph.standing import standing_node

_REMARKS: Final = (Assayed, Packed, Stored, TakenOut, StatusChanged)


def project(changes: Iterable[Change], book: Book) -> Delta:
    """What entries make of the graph: the book stands as the last of them left it."""
    delta = Delta()
    for change in changes:
        _take_in(delta, change, book)
    for key in delta.nodes:
        if key.label != "Entry":
            delta.nodes[key] = standing_node(key, book)
    return delta


def _take_in(delta: Delta, change: Change, book: Book) -> None:
    entry = entry_node(change, book)
    delta.nodes[entry.key] = entry
    delta.fresh.add(entry.key)
    for key in _made(change):
        if key not in delta.nodes:
            delta.fresh.add(key)
        delta.nodes[key] = None
    for key in _touched(change):
        delta.nodes[key] = None
    delta.rewired |= set(_moved(change))
    if change.revision is not None:
        _take_in_again(delta, change, book)


def _take_in_again(delta: Delta, change: Change, book: Book) -> None:
    """What earlier entries do since a correction, and how that leaves all that they touched before or touch now."""
    assert change.revision is not None
    for position, reread in change.revision.entries.items():
        entry = entry_node(reread.now, book) if reread.now is not None else withdrawn_node(position, book)
        delta.nodes[entry.key] = entry
        delta.rewired.add(entry.key)
        for each in (reread.was, reread.now):
            if each is not None:
                keys = {*_made(each), *_touched(each), *_moved(each)}
                delta.nodes.update(dict.fromkeys(keys))
                delta.rewired |= keys


# which nodes a fact speaks of ---------------------------------------------------------------------------------------


def _made(change: Change) -> Iterator[Key]:
    """The nodes that nobody can have named before it."""
    for movement in change.movements:
        yield from (Key("Batch", made.batch_id) for made in movement.makes)
    if isinstance(change.event, Submitted):
        yield Key("Manifest", change.event.manifest_id)


def _touched(change: Change) -> Iterator[Key]:
    """The nodes that it may have left otherwise."""
    yield from (Key("Batch", batch.batch_id) for batch in change.draws)
    yield from _moved(change)
    if change.batch is not None:
        yield Key("Batch", change.batch.batch_id)


def _moved(change: Change) -> Iterator[Key]:
    """Those of them whose relationships may differ."""
    event = change.event
    if change.manifest is not None:
        yield Key("Manifest", change.manifest.manifest_id)
    match event:
        case EnterpriseRegistered(enterprise=enterprise) | EnterpriseConfirmed(confirmed=enterprise):
            yield Key("Enterprise", enterprise)
        case SiteRegistered(site=site):
            yield Key("Site", site.site_id)
        case StorageRegistered(storage=storage):
            yield Key("StorageArea", storage.storage_id)
        case PermitGranted() | PermitAmended():
            yield Key("Permit", event.permit.permit_no)
        case PermitRevoked(permit_no=permit_no):
            yield Key("Permit", permit_no)
        case Packed(batch_id=batch_id) | Stored(batch_id=batch_id) | TakenOut(batch_id=batch_id):
            yield Key("Batch", batch_id)
        case _:
            pass


# entries ------------------------------------------------------------------------------------------------------------


def entry_node(change: Change, book: Book) -> Node:
    """An entry as it is read: what it did, and what it speaks of."""
    event, position = change.event, change.position
    props: dict[str, Value] = {
        **_stated(event, position, change.record_time_us, book),
        "day": day_of(change.effective_us).isoformat(),
        "effective_us": change.effective_us,
        "event_day": day_of(latest_us(event.event_time)).isoformat(),
        "site_id": getattr(event, "site_id", None),
        "process": event.process if isinstance(event, Transformed) else None,
        "method": event.method if isinstance(event, (Transformed, Disposed)) else None,
        "use": event.use if isinstance(event, Delivered) else None,
        "withdrawn": False,
    }
    return Node(Key("Entry", position), props, tuple(_entry_edges(change, book)))


def withdrawn_node(position: int, book: Book) -> Node:
    """An entry that is read as never stated: it keeps its name, and that it was corrected."""
    told = book.told(position)
    assert told.event is not None, position
    absent = dict.fromkeys(("day", "effective_us", "event_day", "site_id", "process", "method", "use"))
    return Node(
        Key("Entry", position),
        {**_stated(told.event, position, told.record_time_us, book), **absent, "withdrawn": True},
    )


def _stated(event: Event, position: int, record_time_us: int, book: Book) -> dict[str, Value]:
    """What stays as it was stated, and which entry had it read otherwise last."""
    corrections = book.replaced.past(position).positions
    return {
        "kind": event.kind,
        "event_id": event.event_id,
        "enterprise": event.enterprise,
        "record_time_us": record_time_us,
        "corrected_by": corrections[-1] if corrections else None,
    }


def _entry_edges(change: Change, book: Book) -> Iterator[Edge]:
    for line, movement in zip(_lines(change.event), change.movements, strict=False):
        yield from _movement_edges(change.position, line, movement, book)
    if isinstance(change.event, _REMARKS):
        yield Edge("ABOUT", change.position, change.event.batch_id)
    if change.manifest is not None or isinstance(change.event, Submitted):
        manifest_id = change.manifest.manifest_id if change.manifest is not None else _manifest_id(change.event)
        yield Edge("STEP", change.position, manifest_id)
    yield from _correction_edges(change, book)


def _manifest_id(event: Event) -> str:
    assert isinstance(event, Submitted)
    return event.manifest_id


def _lines(event: Event) -> Iterator[int]:
    """The manifest's line of each movement; a fact that is no step of one has a single movement."""
    if isinstance(event, (Loaded, Decided)):
        return iter([line.line for line in event.lines])
    return iter([1])


def _movement_edges(position: int, line: int, movement: Movement, book: Book) -> Iterator[Edge]:
    """All that went in and came out, to the gram: inputs and sources are outputs and ends."""
    for draw in movement.draws:
        yield Edge("INPUT", draw.batch_id, position, {"line": line, "mass_g": draw.mass_g, "weighed_g": draw.weighed_g})
    for source in movement.sources:
        yield Edge("SOURCE", source.boundary.value, position, _flow(line, source.mass_g, source.detail))
    for made in movement.makes:
        status = made.status or book.catalogue.material(made.material).legal_status
        told: dict[str, Value] = {"line": line, "mass_g": made.mass_g, "origin": made.origin, "status": status}
        yield Edge("OUTPUT", position, made.batch_id, told)
    for end in movement.ends:
        fate = fate_class(end, book.catalogue).value
        yield Edge("END", position, end.boundary.value, {**_flow(line, end.mass_g, end.detail), "fate": fate})
    yield from _gap_edges(position, line, movement)
    for drawn in dict.fromkeys(draw.batch_id for draw in movement.draws):
        for made in movement.makes:
            yield Edge("BECAME", drawn, made.batch_id, {"position": position})


def _gap_edges(position: int, line: int, movement: Movement) -> Iterator[Edge]:
    """What a batch weighed otherwise than the book had it: missing it ends, found it comes in."""
    gap = movement.gap.value
    for draw in movement.draws:
        gap_g = draw.mass_g - draw.weighed_g
        if gap_g > 0:
            yield Edge("END", position, gap, {**_flow(line, gap_g, ""), "fate": gap})
        elif gap_g < 0:
            yield Edge("SOURCE", gap, position, _flow(line, -gap_g, ""))


def _flow(line: int, mass_g: int, detail: str) -> dict[str, Value]:
    return {"line": line, "mass_g": mass_g, "detail": detail}


def _correction_edges(change: Change, book: Book) -> Iterator[Edge]:
    """Which entry a request is about, and which one is read otherwise since this entry."""
    match change.event:
        case CorrectionRequested() as event:
            key = event.enterprise, event.event_id
        case CorrectionAgreed() | CorrectionDeclined() as event:
            key = event.requested_by, event.request
        case _:
            return
    request = book.requests.get(key)
    assert request is not None, key
    if change.revision is not None:
        told: dict[str, Value] = {
            "request": request.position, "requested_by": request.event.enterprise, "reason": request.event.reason,
            "withdraws": request.event.becomes is None,
        }  # fmt: skip
        yield Edge("CORRECTS", change.position, request.corrects, told)
