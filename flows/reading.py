"""The book reads a fact; and a correction has it read facts as others, with all that rests on them, in their places."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from heapq import heappop, heappush
from typing import Any, Final, TypeAlias

from flows.balance import Make
from flows.book import Book, Change, Replacement, Request, Rereading, Revision, Told
from flows.effects import STEPS, take_in
from flows.errors import Problem, Unknown
from flows.events import (
    CorrectionAgreed,
    CorrectionDeclined,
    CorrectionRequested,
    Decided,
    Event,
    Loaded,
    Mending,
    Stated,
    Submitted,
)
from flows.ids import EnterpriseId, ManifestId
from flows.manifests import Manifest
from flows.touches import Touch, touched

Judge: TypeAlias = Callable[[Event, Book, int], object]
"""Raises the `Problem` for which a fact is refused, on the book before it and at its record time."""

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
    change = take_in(book, event, position, record_time_us)
    match event:
        case CorrectionRequested():
            change = replace(change, revision=_request(book, event, position))
        case CorrectionAgreed() | CorrectionDeclined():
            change = replace(change, revision=_answer(book, event, position))
        case _:
            pass
    book.position = position
    return change


def sides(manifest: Manifest) -> tuple[EnterpriseId, EnterpriseId]:
    """Who has to agree on a load: who sent it, and who was to receive it."""
    return manifest.submitted.enterprise, manifest.submitted.consignee


def manifest_of(event: Stated | None) -> ManifestId | None:
    """The manifest that a fact is a step of."""
    return event.manifest_id if isinstance(event, (Submitted, *STEPS)) else None


def shared_manifests(event: CorrectionRequested, revision: Revision, book: Book) -> dict[ManifestId, set[EnterpriseId]]:
    """The loaded manifests that a correction is about, or whose load it changes, and who else has to agree on each.

    A load is both sides' matter from the loading on. So is what the load was made of: who corrects the code of a batch
    corrects what the other side received.
    """
    steps = [manifest_of(stated) for change in event.changes for stated in change.forms]
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


def corrected_by(event: CorrectionRequested, book: Book) -> tuple[int, ...]:
    """The positions of the facts that a request is about, in the order of its changes; each is known to be there."""
    found = [book.find_fact(change.stated_by, change.corrects) for change in event.changes]
    positions = tuple(each for each in found if each is not None)
    assert len(positions) == len(found), event.event_id
    return positions


def replacements(event: CorrectionRequested, corrects: tuple[int, ...]) -> dict[int, Stated | None]:
    """What each of these positions is to be read as; None: as never stated."""
    return {position: change.becomes for position, change in zip(corrects, event.changes, strict=True)}


def _request(book: Book, event: CorrectionRequested, position: int) -> Revision | None:
    return _settle(book, Request(event, position, corrected_by(event, book)), position)


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
    revision = revise(draft, replacements(event, request.corrects), position)
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


@dataclass
class Misfit(Exception):
    """A replacement that is not admitted where it is to stand, and why."""

    position: int
    problem: Problem


class Broken(Problem):
    """Later facts that could not stand any more: `because` holds the reason of each by its position."""

    title = {"zh": "不予登记", "en": "Refused"}

    def __init__(self, because: dict[int, Problem]) -> None:
        super().__init__("correction-breaks", count=len(because))
        self.because = because


def revise(book: Book, becoming: Mapping[int, Stated | None], until: int, judge: Judge | None = None) -> Revision:
    """Read facts as others, and again each later one that rests on what thereby changes, all in one pass, in order.

    An entry is read again when something it touches stands otherwise than before. Where it leaves behind what it left
    behind before, the change ends; so a small correction costs what it touches, whatever the ledger's length.

    Raises:
        Misfit: with `judge`, a replacement would not be admitted itself, on what the changes before it leave.
        Broken: with `judge`, later facts would not be admitted any more.
    """
    draft = book.overlay()
    for position, becomes in becoming.items():
        draft.replaced.set(position, Replacement(becomes), until)
    entries: dict[int, Rereading] = {}
    broken: dict[int, Problem] = {}
    waiting, planned = sorted(becoming), set(becoming)
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
            undone = take_in(before, was.event, position, was.record_time_us)
        if now.event is not None:
            touches |= touched(now.event, after)
            try:
                if judge is not None:
                    judge(now.event, after, now.record_time_us)
                done = take_in(after, now.event, position, now.record_time_us)
            except Problem as problem:
                if position in becoming:
                    raise Misfit(position, problem) from None
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
    return Revision(tuple(becoming), entries, partial(read_again, book.known_at(until)))


def read_again(book: Book, position: int) -> Change:
    """What the entry at a position does, as the facts are read in this book; nothing is kept.

    Raises:
        Unknown: it was withdrawn.
    """
    told = book.fact(position)
    if told.event is None:
        raise Unknown("entry-withdrawn", position=position)
    return take_in(book.before(position), told.event, position, told.record_time_us)


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
