"""The book reads a fact: what it moved, where that leaves batches, manifests and permits; and what a correction undoes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from heapq import heappop, heappush
from typing import Any, Final, TypeAlias

from flows.balance import Draw, Make, movements, shelf
from flows.batches import Batch, Place
from flows.book import Book, Change, Enterprise, Replacement, Request, Rereading, Revision, Told
from flows.errors import Problem, Unknown
from flows.events import (
    ApprovalGranted,
    Arrived,
    Assayed,
    Cancelled,
    CorrectionAgreed,
    CorrectionDeclined,
    CorrectionRequested,
    Decided,
    EnterpriseConfirmed,
    EnterpriseRegistered,
    Event,
    FacilityRegistered,
    Loaded,
    MandateEnded,
    MandateGiven,
    Mending,
    Packed,
    PermitAmended,
    PermitGranted,
    PermitRevoked,
    PlanFiled,
    ScaleRegistered,
    SiteRegistered,
    Stated,
    StatusChanged,
    StorageRegistered,
    Stored,
    Submitted,
    TakenOut,
    Transformed,
    VehicleRegistered,
)
from flows.ids import EnterpriseId, Id, ManifestId
from flows.manifests import Manifest, ManifestFact
from flows.permits import note_permit, use_approval, use_permits
from flows.times import earliest_us
from flows.touches import Touch, touched

Judge: TypeAlias = Callable[[Event, Book, int], object]
"""Raises the `Problem` for which a fact is refused, on the book before it and at its record time."""

_FROM_OTHERS: Final = frozenset({"received", "collected"})
"""Origins of waste that somebody else made."""
_REMARKS: Final = (Assayed, Packed, Stored, TakenOut, StatusChanged)
_STEPS: Final = (Loaded, Arrived, Decided, Cancelled)
_KNOWN: Final[dict[str, Callable[[Any], object]]] = {
    "enterprises": lambda enterprise: enterprise is not None,
    "sites": lambda site: site and site.division,
    "storages": lambda storage: storage and storage.site_id,
}
"""What most facts ask of these registers, and no more."""


def read(book: Book, event: Event, position: int, record_time_us: int) -> Change:
    """Take in a fact that was admitted, and say what it did.

    A correction that comes into force reads anew what it touches; `Change.revision` says what differs.
    """
    book.keep_fact(position, Told(event, record_time_us))
    book.touch(position, touched(event, book))
    change = _taken_in(book, event, position, record_time_us)
    book.position = position
    return change


def _taken_in(book: Book, event: Event, position: int, record_time_us: int) -> Change:
    moved = movements(event, book)
    drawn = tuple(book.batch(draw.batch_id) for movement in moved for draw in movement.draws)
    manifest = book.manifest(event.manifest_id) if isinstance(event, _STEPS) else None
    batch = book.batch(event.batch_id) if isinstance(event, _REMARKS) else None
    effective_us = _effective_us(book, event, drawn)
    before = iter(drawn)
    for movement in moved:
        sources = [next(before) for _ in movement.draws]
        for draw in movement.draws:
            _draw(book, draw, position, effective_us)
        foreign = any(each.foreign for each in sources) and not _changes_substance(book, event)
        for made in movement.makes:
            _make(book, made, position, effective_us, shelf(event, drawn, book.catalogue), foreign=foreign)
    revision = _note(book, event, position, effective_us)
    return Change(event, position, effective_us, moved, drawn, manifest, batch, revision, record_time_us)


def _effective_us(book: Book, event: Event, drawn: tuple[Batch, ...]) -> int:
    """The latest of a fact's own time and the times of what it uses."""
    causes_us = [batch.made_us for batch in drawn]
    if isinstance(event, _STEPS):
        causes_us.append(book.manifest(event.manifest_id).effective_us)
    elif isinstance(event, Submitted):
        causes_us += [book.batch(line.batch_id).made_us for line in event.lines]
    elif isinstance(event, _REMARKS):
        batch = book.batch(event.batch_id)
        causes_us.append(batch.made_us)
        if isinstance(event, (Stored, TakenOut)):
            causes_us.append(batch.placed_us)
    return max([earliest_us(event.event_time), *causes_us])


def _changes_substance(book: Book, event: Event) -> bool:
    return isinstance(event, Transformed) and book.catalogue.process(event.process).changes_substance


def _draw(book: Book, draw: Draw, position: int, effective_us: int) -> None:
    batch = book.batch(draw.batch_id)
    left_g = batch.left_g - draw.mass_g
    assert left_g >= 0, f"{draw.batch_id} overdrawn"
    drawn = replace(batch, left_g=left_g, used_us=max(batch.used_us, effective_us))
    book.batches.set(draw.batch_id, drawn, position)


def _make(book: Book, made: Make, position: int, effective_us: int, area: Id | None, *, foreign: bool) -> None:
    place: dict[str, Place] = {"load": "road", "rejected": "gate"}
    batch = Batch(
        made.batch_id, made.material, made.holder, made.site_id, made.mass_g, made.mass_g, made.origin,
        effective_us, effective_us, position, made.status or book.catalogue.material(made.material).legal_status,
        made.code, made.packing, made.manifest_id, "storage" if area else place.get(made.origin, "site"), area,
        foreign=foreign or made.origin in _FROM_OTHERS,
    )  # fmt: skip
    book.batches.set(made.batch_id, batch, position)


def _note(book: Book, event: Event, position: int, effective_us: int) -> Revision | None:
    """What a fact says beyond mass."""
    match event:
        case EnterpriseRegistered():
            known = book.enterprises.get(event.enterprise)
            moved_away = known is None or known.registered.division != event.division
            confirmed_by = None if known is None or moved_away else known.confirmed_by
            book.enterprises.set(event.enterprise, Enterprise(event, confirmed_by), position)
        case EnterpriseConfirmed(confirmed=confirmed):
            known = book.enterprises.get(confirmed)
            assert known is not None, confirmed
            book.enterprises.set(confirmed, replace(known, confirmed_by=event.enterprise), position)
        case SiteRegistered(site=site):
            book.sites.set(site.site_id, site, position)
        case FacilityRegistered(facility=facility):
            book.facilities.set(facility.facility_id, facility, position)
        case StorageRegistered(storage=storage):
            book.storages.set(storage.storage_id, storage, position)
        case ScaleRegistered(scale=scale):
            book.scales.set(scale.scale_id, scale, position)
        case VehicleRegistered(vehicle=vehicle):
            book.vehicles.set((event.enterprise, vehicle.plate), vehicle, position)
        case PermitGranted() | PermitAmended() | PermitRevoked():
            note_permit(book, event, position)
        case PlanFiled(plan=plan):
            book.plans.set((plan.site_id, plan.year), plan, position)
        case ApprovalGranted(approval=approval):
            book.approvals.set(approval.approval_no, approval, position)
        case MandateGiven(mandate=mandate):
            book.mandates.set((event.enterprise, mandate.mandate_id), mandate, position)
        case MandateEnded(mandate_id=mandate_id):
            book.mandates.drop((event.enterprise, mandate_id), position)
        case Assayed() | Packed() | Stored() | TakenOut() | StatusChanged():
            _remark(book, event, position, effective_us)
        case Submitted(manifest_id=manifest_id):
            book.manifests.set(manifest_id, Manifest((event,), (position,), effective_us), position)
        case Loaded() | Arrived() | Cancelled() | Decided():
            _advance(book, event, position, effective_us)
        case CorrectionRequested():
            return _request(book, event, position)
        case CorrectionAgreed() | CorrectionDeclined():
            return _answer(book, event, position)
        case _:
            pass
    return None


def _remark(
    book: Book, event: Assayed | Packed | Stored | TakenOut | StatusChanged, position: int, effective_us: int
) -> None:
    batch = book.batch(event.batch_id)
    if not batch.left_g:
        return  # what is used up stays as it was
    match event:
        case Assayed():
            told = replace(batch, assayed=True)
        case Packed(packing=packing):
            told = replace(batch, packing=packing)
        case Stored(storage_id=storage_id):
            storage = book.storages.get(storage_id)
            assert storage is not None, storage_id
            told = replace(
                batch, place="storage", storage_id=storage_id, site_id=storage.site_id, placed_us=effective_us
            )
        case TakenOut():
            told = replace(batch, place="site", storage_id=None, placed_us=effective_us)
        case StatusChanged(status=status):
            told = replace(batch, status=status)
    book.batches.set(event.batch_id, told, position)


def _advance(book: Book, event: ManifestFact, position: int, effective_us: int) -> None:
    manifest = book.manifest(event.manifest_id)
    book.manifests.set(event.manifest_id, manifest.then(event, position, effective_us), position)
    match event:
        case Loaded():
            use_approval(book, manifest.submitted, event, position)
        case Decided():
            use_permits(book, manifest.submitted, event, position, effective_us)
        case _:
            pass


# mending ----------------------------------------------------------------------------------------------------------


def sides(manifest: Manifest) -> tuple[EnterpriseId, EnterpriseId]:
    """Who has to agree on a load: who sent it, and who was to receive it."""
    return manifest.submitted.enterprise, manifest.submitted.consignee


def manifest_of(event: Stated | None) -> ManifestId | None:
    """The manifest that a fact is a step of."""
    return event.manifest_id if isinstance(event, (Submitted, *_STEPS)) else None


def shared_manifests(event: CorrectionRequested, revision: Revision, book: Book) -> dict[ManifestId, set[EnterpriseId]]:
    """The loaded manifests that a correction is about, or whose load it changes, and who else has to agree on each.

    A load is both sides' matter from the loading on. So is what the load was made of: who corrects the code of a batch
    corrects what the other side received.
    """
    steps = [manifest_of(stated) for stated in (event.was, event.becomes)]
    for reread in revision.entries.values():
        changed = reread.now or reread.was
        assert changed is not None
        if isinstance(changed.event, (Loaded, Decided)) and _made(reread.was) != _made(reread.now):
            steps.append(changed.event.manifest_id)
    shared: dict[ManifestId, set[EnterpriseId]] = {}
    for manifest_id in dict.fromkeys(steps):
        manifest = book.find_manifest(manifest_id) if manifest_id is not None else None
        if manifest is not None and manifest.loaded is not None:
            shared[manifest.manifest_id] = set(sides(manifest)) - {event.enterprise}
    return shared


def _made(change: Change | None) -> list[Make]:
    return [made for movement in change.movements for made in movement.makes] if change is not None else []


def _request(book: Book, event: CorrectionRequested, position: int) -> Revision | None:
    corrects = book.find_fact(event.stated_by, event.corrects)
    assert corrects is not None, event.corrects
    return _settle(book, Request(event, position, corrects), position)


def _answer(book: Book, event: CorrectionAgreed | CorrectionDeclined, position: int) -> Revision | None:
    key = event.requested_by, event.request
    request = book.requests.get(key)
    assert request is not None, key
    for manifest_id in request.manifest_ids:
        book.disputed.drop(manifest_id, position)
    if isinstance(event, CorrectionDeclined):
        book.requests.set(key, replace(request, state="declined", settled=position), position)
        return None
    return _settle(book, replace(request, agreed=(*request.agreed, event.enterprise)), position)


def _settle(book: Book, request: Request, position: int) -> Revision | None:
    """Bring a correction into force, or have it wait for those who have not agreed to it."""
    event, draft = request.event, book.overlay()
    revision = revise(draft, request.corrects, event.becomes, position)
    shared = shared_manifests(event, revision, book)
    others = sorted({each for sides_of_it in shared.values() for each in sides_of_it} - set(request.agreed))
    key = event.enterprise, event.event_id
    if not others:
        draft.fold()
        done = replace(request, manifest_ids=tuple(shared), others=(), state="in_force", settled=position)
        book.requests.set(key, done, position)
        return revision
    book.requests.set(key, replace(request, manifest_ids=tuple(shared), others=tuple(others)), position)
    for manifest_id in shared:
        book.disputed.set(manifest_id, key, position)
    return None


class Broken(Problem):
    """Later facts that could not stand any more: `because` holds the reason of each by its position."""

    title = {"zh": "不予登记", "en": "Refused"}

    def __init__(self, because: dict[int, Problem]) -> None:
        super().__init__("correction-breaks", count=len(because))
        self.because = because


def revise(book: Book, corrects: int, becomes: Stated | None, until: int, judge: Judge | None = None) -> Revision:
    """Read a fact as another, and again each later one that rests on what thereby changes, in order.

    An entry is read again when something it touches stands otherwise than before. Where it leaves behind what it left
    behind before, the change ends; so a small correction costs what it touches, whatever the ledger's length.

    Raises:
        Broken: with `judge`, later facts would not be admitted any more.
        Problem: with `judge`, the replacement itself would not.
    """
    draft = book.overlay()
    draft.replaced.set(corrects, Replacement(becomes), until)
    entries: dict[int, Rereading] = {}
    broken: dict[int, Problem] = {}
    waiting, planned = [corrects], {corrects}
    while waiting:
        position = heappop(waiting)
        was, now = book.fact(position), draft.fact(position)
        if isinstance(was.event, Mending):
            continue  # what was corrected when is a matter of the ledger's order, and stays
        before, after = book.before(position), draft.before(position)
        touches = set[Touch]()
        done = undone = None
        if was.event is not None:
            touches |= touched(was.event, before)
            undone = _taken_in(before, was.event, position, was.record_time_us)
        if now.event is not None:
            touches |= touched(now.event, after)
            try:
                if judge is not None:
                    judge(now.event, after, now.record_time_us)
                done = _taken_in(after, now.event, position, now.record_time_us)
            except Problem as problem:
                if position == corrects:
                    raise
                broken[position] = problem
                continue
            except AssertionError:
                if not broken:
                    raise
                continue  # it rests on one that could not stand, and is named with it
        draft.touch(position, touches)
        if done != undone:
            entries[position] = Rereading(undone, done)
        for later in _rewrite(draft, before, after, position, until):
            if later not in planned:
                planned.add(later)
                heappush(waiting, later)
    if broken:
        raise Broken(broken)
    draft.fold()
    return Revision(corrects, entries, partial(read_again, book.known_at(until)))


def read_again(book: Book, position: int) -> Change:
    """What the entry at a position does, as the facts are read in this book; nothing is kept.

    Raises:
        Unknown: it was withdrawn.
    """
    told = book.fact(position)
    if told.event is None:
        raise Unknown("entry-withdrawn", position=position)
    return _taken_in(book.before(position), told.event, position, told.record_time_us)


def _rewrite(draft: Book, before: Book, after: Book, position: int, until: int) -> Iterator[int]:
    """Put what an entry now leaves behind in place of what it left; whoever rests on a difference comes next."""
    for (name, old), (_, new) in zip(before.registers(), after.registers(), strict=True):
        for key in dict.fromkeys([*old.own(), *new.own()]):
            was, now = old.own_written(key), new.own_written(key)
            if was == now:
                continue
            layer = getattr(draft, name)
            layer.rewrite(key, position, now, until=until)
            last = min(layer.next_written(key, position) or until, until - 1)
            yield from draft.touches(_touch_of(name, key), position, last)
            known = _KNOWN.get(name)
            if known is not None and known(old.get(key)) != known(new.get(key)):
                yield from draft.touches(Touch(f"known_{name}", key), position, last)


def _touch_of(register: str, key: Any) -> Touch:
    """Under which name a register's key is touched: what was used up is a matter of whose permit, or which approval."""
    match register:
        case "permit_used_g":
            return Touch("permits", key[0])
        case "approval_used_g":
            return Touch("approvals", key)
        case _:
            return Touch(register, key)
