"""Corrections as callers meet them: what a request would do, who has to answer it, and what a fact said over time."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar, cast

from pydantic import ValidationError

from api.faults import faults_of
from api.service import Service
from flows import mending
from flows.access import Caller, Sight, check_may_state
from flows.book import Request
from flows.entries import Entry, canonical, event_json
from flows.errors import Malformed, Problem, Unknown
from flows.events import CorrectionAgreed, CorrectionDeclined, CorrectionRequested, Event, Mending, Stated
from flows.ids import EnterpriseId, EventId, ManifestId
from flows.reading import manifest_of, sides
from flows.recording import Statement
from flows.rules import admit
from flows.times import SHANGHAI

SAME: Final = frozenset({"kind", "event_id", "enterprise"})
"""What a correction leaves as it is: which fact it is, and whose."""
ASKS: Final = frozenset({"member", "administrator", "regulator", "auditor"})
"""Who states more than loadings, and so may have it corrected."""
ALONE: Final = "facts[0]"
NAME_LENGTH: Final = 12
"""Signs of a digest in a name of ours: two requests of one enterprise on one entry never meet."""


class Altered(NamedTuple):
    """One value of a fact that reads otherwise: where it stands (``lines.0.portion.mass_g``), what was and what is."""

    path: str
    was: object
    becomes: object


@dataclass(frozen=True, slots=True)
class Correction:
    """更正. A request as it stands, with the entry that asked for it and the one that answered it, if there is one."""

    request: Request
    asked: Entry
    answered: Entry | None

    @property
    def event(self) -> CorrectionRequested:
        """What was asked for."""
        return self.request.event

    @property
    def fact(self) -> Stated:
        """The fact that it is about, in either of its forms."""
        fact = self.event.becomes or self.event.was
        assert fact is not None, "one of both is always given"
        return fact

    @property
    def altered(self) -> list[Altered]:
        """What reads otherwise, value by value; nothing where the whole fact is withdrawn or stated again."""
        return altered(self.event.was, self.event.becomes) if self.event.was and self.event.becomes else []

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
        return self.now or (self.in_force[-1].event.was if self.in_force else self.entry.event)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a request would do: come into force at once, or wait for those on whose loads it bears."""

    event: CorrectionRequested
    others: tuple[EnterpriseId, ...]
    manifest_ids: tuple[ManifestId, ...]

    @property
    def altered(self) -> list[Altered]:
        """What would read otherwise."""
        return altered(self.event.was, self.event.becomes) if self.event.was and self.event.becomes else []


class Known:
    """The corrections that one caller sees, found by the entry that they are about."""

    def __init__(self, sight: Sight, service: Service) -> None:
        self._sight = sight
        self._service = service
        self._of: dict[int, list[Request]] = defaultdict(list)
        for request in service.book.requests.every():
            self._of[request.corrects].append(request)

    def history(self, position: int) -> EntryHistory:
        """An entry with what was asked of it.

        Raises:
            Unknown: no such entry, or none that the caller sees.
        """
        entry = _find_entry(position, self._service)
        asked = sorted(self._of.get(position, ()), key=lambda each: each.position)
        seen = [correction_of(each, self._service) for each in asked if self._sight.sees_entry(each.event)]
        if entry is None or not (seen or sees(entry, self._sight, self._service)):
            raise Unknown("entry-unknown", position=position)
        return EntryHistory(entry, self._service.book.fact(position).event, tuple(seen))

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


def correction_of(request: Request, service: Service) -> Correction:
    """A request with its entries."""
    asked = _find_entry(request.position, service)
    assert asked is not None, request.position
    settled = request.settled if request.settled != request.position else None
    return Correction(request, asked, _find_entry(settled, service) if settled is not None else None)


def requests(sight: Sight, service: Service) -> list[Correction]:
    """The requests that the caller sees, the latest first."""
    seen = [each for each in service.book.requests.every() if sight.sees_entry(each.event)]
    return [correction_of(each, service) for each in sorted(seen, key=lambda each: -each.position)]


def open_requests(sight: Sight, service: Service) -> list[Correction]:
    """Those that wait for an answer, the latest first: the caller's to answer before others."""
    seen = [each for each in service.book.requests.values() if sight.sees_entry(each.event)]
    found = [correction_of(each, service) for each in sorted(seen, key=lambda each: -each.position)]
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


def requester_for(stated: Event, sight: Sight, service: Service) -> EnterpriseId:
    """For whom a caller asks: the stater, or the side of the manifest, that is theirs; else for itself."""
    if stated.enterprise in sight.own:
        return stated.enterprise
    manifest_id = None if isinstance(stated, Mending) else manifest_of(stated)
    manifest = service.book.find_manifest(manifest_id) if manifest_id is not None else None
    parties = sides(manifest) if manifest is not None else ()
    return next((each for each in parties if each in sight.own), sight.caller.organisation)


def may_ask(history: EntryHistory, sight: Sight, service: Service) -> bool:
    """Is it worth offering a caller to ask for a correction of this entry?"""
    stated = history.last
    if stated is None or sight.caller.role not in ASKS or service.as_of is not None:
        return False
    return requester_for(stated, sight, service) in _concerned(stated, service)


def _concerned(stated: Stated, service: Service) -> set[EnterpriseId]:
    manifest_id = manifest_of(stated)
    manifest = service.book.find_manifest(manifest_id) if manifest_id is not None else None
    return {stated.enterprise, *(sides(manifest) if manifest is not None else ())}


def request_of(
    history: EntryHistory,
    requester: EnterpriseId,
    becomes: Stated | None,
    reason: str,
    service: Service,
    *,
    was: Stated | None = None,
    event_id: EventId | None = None,
) -> CorrectionRequested:
    """The fact that asks for a correction of an entry; `was` is what is read now, unless it is given.

    Without an `event_id` it gets one that stands for what is asked and how often it was asked before. A request of that
    name that asks the same is given back as it was stated, so that a retry is answered once.

    Raises:
        Malformed: no reason, or a name that cannot be one.
    """
    stated, now = history.entry.event, history.now
    name = event_id or _name_of(history, requester, becomes, reason)
    event = CorrectionRequested.model_construct(
        kind="correction_requested",
        event_id=name,
        enterprise=requester,
        event_time=service.clock().astimezone(SHANGHAI),
        note=None,
        stated_by=stated.enterprise,
        corrects=stated.event_id,
        was=was if was is not None else None if isinstance(now, Mending) else now,
        becomes=becomes,
        reason=reason,
    )
    before = service.book.requests.get((requester, name))
    if before is not None and _asks_the_same(before.event, event):
        return before.event
    return _valid(CorrectionRequested, event_json(event))


Said = TypeVar("Said", CorrectionRequested, CorrectionAgreed, CorrectionDeclined)


def _valid(kind: type[Said], told: Mapping[str, object]) -> Said:
    try:
        return kind.model_validate(told)
    except ValidationError as fault:
        zh, en = (
            "; ".join(f"{each['where']}: {each['detail']}" for each in faults_of(fault.errors(), language))
            for language in ("zh", "en")
        )
        raise Malformed("correction-request-wrong", faults=zh, faults_en=en) from None


def _asks_the_same(one: CorrectionRequested, other: CorrectionRequested) -> bool:
    return (one.stated_by, one.corrects, one.becomes, one.reason) == (
        other.stated_by, other.corrects, other.becomes, other.reason,
    )  # fmt: skip


def _name_of(history: EntryHistory, requester: EnterpriseId, becomes: Stated | None, reason: str) -> EventId:
    told = [len(history.corrections), requester, None if becomes is None else event_json(becomes), reason]
    return f"GZ-{history.entry.position}-{hashlib.sha256(canonical(told)).hexdigest()[:NAME_LENGTH]}"


def answer_of(
    request: Request, by: EnterpriseId, service: Service, *, reason: str | None, event_id: EventId | None = None
) -> CorrectionAgreed | CorrectionDeclined:
    """The fact that answers a request: agreement, or with a reason the refusal of it.

    An answer of that name that says the same is given back as it was stated.
    """
    name = event_id or f"DF-{request.position}-{'ty' if reason is None else 'bty'}"
    key = {"event_id": name, "enterprise": by, "event_time": service.clock().astimezone(SHANGHAI)}
    asked = {"requested_by": request.event.enterprise, "request": request.event.event_id}
    event: CorrectionAgreed | CorrectionDeclined
    if reason is None:
        event = _valid(CorrectionAgreed, key | asked)
    else:
        event = _valid(CorrectionDeclined, key | asked | {"reason": reason})
    position = service.book.find_fact(by, name)
    before = service.book.told(position).event if position is not None else None
    if before is not None and before.model_copy(update={"event_time": event.event_time}) == event:
        return cast("CorrectionAgreed | CorrectionDeclined", before)
    return event


def answerer_of(request: Request, sight: Sight) -> EnterpriseId:
    """For whom a caller answers: the other side or the requester, whichever is theirs; else for itself."""
    return next(
        (each for each in (*request.others, *request.agreed, request.event.enterprise) if each in sight.own),
        sight.caller.organisation,
    )


def check(caller: Caller, event: CorrectionRequested, service: Service) -> Outlook:
    """What a request would do, judged as if it were made now; nothing is kept.

    Raises:
        Problem: it would be refused; `Breaks` names the later facts that could not stand.
    """
    service.recording.catch_up()
    check_may_state(caller, event, service.recording.book, service.clock().astimezone(SHANGHAI).date())
    return outlook(event, service)


def outlook(event: CorrectionRequested, service: Service) -> Outlook:
    """As `check`, for whoever may speak for all."""
    statement = Statement([event], event.enterprise)
    service.recording.check([statement])
    if statement.answer is not None:
        raise _placed(statement.answer)
    shared = mending.outlook(event, service.recording.book, admit)
    others = sorted({each for both in shared.values() for each in both})
    return Outlook(event, tuple(others), tuple(shared) if others else ())


def state(caller: Caller, event: Mending, service: Service) -> Entry:
    """Record a request or an answer for a caller; a retry gets the entry of the first time.

    Raises:
        Problem: it is refused; `Breaks` names the later facts that could not stand.
    """
    try:
        return service.state(caller, [event]).entries[0]
    except Problem as problem:
        raise _placed(problem) from None


def _placed(answer: BaseException) -> BaseException:
    """A problem without the place that it had in the statement: what the caller sent holds this one fact."""
    if isinstance(answer, Problem) and answer.where == ALONE:
        answer.where = None
    return answer


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
