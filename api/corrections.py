"""Corrections as callers meet them: which facts a request is about, who has to answer it, what a fact said over time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

from api.service import Service
from flows.access import Sight
from flows.book import Request
from flows.entries import Entry, event_json
from flows.errors import Unknown
from flows.events import (
    Amendment,
    CorrectionAgreed,
    CorrectionDeclined,
    CorrectionRequested,
    Event,
    Mending,
    Stated,
)
from flows.ids import EnterpriseId, EventId
from flows.manifests import Manifest

SAME: Final = frozenset({"kind", "event_id", "enterprise"})
"""What a correction leaves as it is: which fact it is, and whose."""


class Altered(NamedTuple):
    """One value of a fact that reads otherwise: where it stands (``lines.0.portion.mass_g``), what was and what is."""

    path: str
    was: object
    becomes: object


@dataclass(frozen=True, slots=True)
class Change:
    """One fact of a request: its position in the ledger, what it read as and what it is to read as."""

    position: int
    amendment: Amendment

    @property
    def fact(self) -> Stated:
        """The fact in its newer form, or in its last."""
        return self.amendment.fact

    @property
    def withdraws(self) -> bool:
        """Is it to be read as never stated?"""
        return self.amendment.becomes is None

    @property
    def restates(self) -> bool:
        """Was it withdrawn, and is it stated anew?"""
        return self.amendment.was is None

    @property
    def altered(self) -> list[Altered]:
        """What reads otherwise, value by value; nothing where the whole fact is withdrawn or stated again."""
        was, becomes = self.amendment.was, self.amendment.becomes
        return altered(was, becomes) if was and becomes else []


def changes_of(event: CorrectionRequested, corrects: Sequence[int]) -> tuple[Change, ...]:
    """The facts that a request is about, in its order."""
    return tuple(Change(*each) for each in zip(corrects, event.changes, strict=True))


@dataclass(frozen=True, slots=True)
class Correction:
    """更正. A request as it stands, with the entry that asked for it and the one that answered it, if there is one."""

    request: Request
    asked: Entry
    answered: Entry | None
    changes: tuple[Change, ...]
    """The facts that it is about, as far as the caller sees them."""

    @property
    def event(self) -> CorrectionRequested:
        """What was asked for."""
        return self.request.event

    @property
    def hidden(self) -> int:
        """How many more facts it is about: steps of manifests with others."""
        return len(self.event.changes) - len(self.changes)

    def named(self, enterprises: Iterable[EnterpriseId], sight: Sight) -> list[EnterpriseId]:
        """Of those who have to agree the ones that the caller may know: all of them where it asked, else itself."""
        whole = sight.region or self.event.enterprise in sight.own
        return [each for each in enterprises if whole or each in sight.own or not self._apart]

    @property
    def _apart(self) -> bool:
        """Have several others to agree, who need not know of each other?"""
        return len({*self.request.others, *self.request.agreed}) > 1

    def manifests(self, sight: Sight) -> list[Manifest]:
        """The manifests that it is about, as far as the caller sees them."""
        book = sight.book
        found = map(book.find_manifest, self.request.manifest_ids)
        return [manifest for manifest in found if manifest is not None and sight.sees_manifest(manifest)]

    def change_of(self, position: int) -> Change | None:
        """What it makes of one entry."""
        return next((each for each in self.changes if each.position == position), None)

    @property
    def answer(self) -> CorrectionAgreed | CorrectionDeclined | None:
        """What the other side said, or the requester who took it back."""
        return None if self.answered is None else cast("CorrectionAgreed | CorrectionDeclined", self.answered.event)

    @property
    def taken_back(self) -> bool:
        """Did its requester decline it?"""
        return self.answered is not None and self.answered.enterprise == self.event.enterprise

    def answers(self, sight: Sight) -> tuple[str, ...]:
        """How the caller may answer it now: ``agree``, ``decline``, ``take_back``; nothing where it is not theirs."""
        if not self.request.open or sight.region:
            return ()
        if not sight.own.isdisjoint(self.request.others):
            return "agree", "decline"
        return ("take_back",) if self.event.enterprise in sight.own else ()


@dataclass(frozen=True, slots=True)
class EntryHistory:
    """An entry as stated, as it is read, and all that was asked of it, the earliest first."""

    entry: Entry
    now: Event | None
    corrections: tuple[Correction, ...]

    @property
    def in_force(self) -> list[Correction]:
        """The corrections that count, in the order in which they came into force."""
        found = [each for each in self.corrections if each.request.state == "in_force"]
        return sorted(found, key=lambda each: each.request.settled or 0)

    @property
    def version(self) -> int:
        """How often the entry has been told anew, counted from one."""
        return 1 + len(self.in_force)

    @property
    def last(self) -> Stated | None:
        """What it reads as, or read as before it was withdrawn; None for what mends others."""
        if isinstance(self.entry.event, Mending) or isinstance(self.now, Mending):
            return None
        return self.now or self._withdrawn() or self.entry.event

    def _withdrawn(self) -> Stated | None:
        change = self.in_force[-1].change_of(self.entry.position) if self.in_force else None
        return change.amendment.was if change is not None else None


class Known:
    """The corrections that one caller sees, found by the entry that they are about."""

    def __init__(self, sight: Sight, service: Service) -> None:
        self._sight = sight
        self._service = service
        self._of: dict[int, list[Request]] = defaultdict(list)
        for request in service.book.requests.every():
            for position in request.corrects:
                self._of[position].append(request)

    def history(self, position: int) -> EntryHistory:
        """An entry with what was asked of it.

        Raises:
            Unknown: no such entry, or none that the caller sees.
        """
        entry = _find_entry(position, self._service)
        asked = sorted(self._of.get(position, ()), key=lambda each: each.position)
        told = (correction_of(each, self._sight, self._service) for each in asked if self._sight.sees_entry(each.event))
        seen = [each for each in told if each.change_of(position) is not None]
        if entry is None or not (seen or sees(entry, self._sight, self._service)):
            raise Unknown("entry-unknown", position=position)
        now = self._service.book.fact(position).event
        return EntryHistory(entry, None if now is None else self._sight.reads(now), tuple(seen))

    def histories(self, positions: list[int]) -> Iterator[EntryHistory]:
        """Of these entries those that the caller sees; requests and answers stand with what they are about."""
        for position in positions:
            entry = _find_entry(position, self._service)
            if entry is not None and not isinstance(entry.event, Mending) and sees(entry, self._sight, self._service):
                yield self.history(position)


def sees(entry: Entry, sight: Sight, service: Service) -> bool:
    """May the caller read this entry, as it was stated or as it is read?"""
    now = service.book.fact(entry.position).event
    return sight.sees_entry(entry.event) or (now is not None and now != entry.event and sight.sees_entry(now))


def _find_entry(position: int, service: Service) -> Entry | None:
    if position > service.book.position:
        return None
    return next(service.ledger.entries(after=position - 1, until=position), None)


def correction_of(request: Request, sight: Sight, service: Service) -> Correction:
    """A request with its entries, and of its changes those that the caller sees."""
    asked = _find_entry(request.position, service)
    assert asked is not None, request.position
    settled = request.settled if request.settled != request.position else None
    answered = _find_entry(settled, service) if settled is not None else None
    seen = sight.changes(request.event) if sight.sees_entry(request.event) else ()
    changes = (each for each in changes_of(request.event, request.corrects) if each.amendment in seen)
    return Correction(request, asked, answered, tuple(changes))


def correction_in(event: Event, sight: Sight, service: Service) -> Correction | None:
    """The request that an entry asks for or answers; None for any other fact."""
    match event:
        case CorrectionRequested(enterprise=requester, event_id=name):
            request = service.book.requests.get((requester, name))
        case (
            CorrectionAgreed(requested_by=requester, request=name)
            | CorrectionDeclined(requested_by=requester, request=name)
        ):
            request = service.book.requests.get((requester, name))
        case _:
            request = None
    return None if request is None else correction_of(request, sight, service)


def requests(sight: Sight, service: Service) -> list[Correction]:
    """The requests that the caller sees, the latest first."""
    seen = [each for each in service.book.requests.every() if sight.sees_entry(each.event)]
    return [correction_of(each, sight, service) for each in sorted(seen, key=lambda each: -each.position)]


def open_requests(sight: Sight, service: Service) -> list[Correction]:
    """Those that wait for an answer, the latest first: the caller's to answer before others."""
    seen = [each for each in service.book.requests.values() if sight.sees_entry(each.event)]
    found = [correction_of(each, sight, service) for each in sorted(seen, key=lambda each: -each.position)]
    return sorted(found, key=lambda each: "agree" not in each.answers(sight))


def find_request(requester: EnterpriseId, name: EventId, sight: Sight, service: Service) -> Request:
    """A request by its requester and name.

    Raises:
        Unknown: no such request, or none that the caller sees.
    """
    request = service.book.requests.get((requester, name))
    if request is None or not sight.sees_entry(request.event):
        raise Unknown("correction-request-unknown", enterprise=requester[:80], request=name[:80])
    return request


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """The single values of a fact's JSON with their places: ``lines.0.portion.mass_g``."""
    if isinstance(value, Mapping):
        for key, each in cast("Mapping[str, object]", value).items():
            yield from leaves(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, each in enumerate(cast("list[object]", value)):
            yield from leaves(each, f"{path}.{place}")
    else:
        yield path, value


def altered(was: Event, becomes: Event) -> list[Altered]:
    """What two forms of one fact say otherwise, value by value, in the order of the first."""
    first, second = (dict(leaves(event_json(each))) for each in (was, becomes))
    paths = [path for path in dict.fromkeys([*first, *second]) if path not in SAME]
    told = (Altered(path, first.get(path), second.get(path)) for path in paths)
    return [each for each in told if each.was != each.becomes]
