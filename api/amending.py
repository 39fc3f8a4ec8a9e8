"""A request for correction as callers make it: of which facts, for whom and under which name; checked, stated, answered."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from pydantic import ValidationError

from api.corrections import Change, EntryHistory, changes_of
from api.faults import faults_of
from api.service import Service
from flows import mending
from flows.access import Caller, Sight, check_may_state
from flows.book import Request
from flows.entries import Entry, canonical, event_json
from flows.errors import Malformed, Problem
from flows.events import (
    Amendment,
    CorrectionAgreed,
    CorrectionDeclined,
    CorrectionRequested,
    Event,
    Mending,
    Stated,
)
from flows.ids import EnterpriseId, EventId, ManifestId
from flows.reading import corrected_by, manifest_of, sides
from flows.recording import Statement
from flows.rules import admit
from flows.times import SHANGHAI

ASKS: Final = frozenset({"member", "administrator", "regulator", "auditor"})
"""Who states more than loadings, and so may have it corrected."""
ALONE: Final = "facts[0]"
NAME_LENGTH: Final = 12
"""Signs of a digest in a name of ours: two requests of one enterprise on one entry never meet."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry and what it is to be read as; `seen` is what its reader took it for, else it is what is read now."""

    history: EntryHistory
    becomes: Stated | None
    seen: Stated | None = None

    @property
    def position(self) -> int:
        """Where the entry stands in the ledger."""
        return self.history.entry.position

    @property
    def amendment(self) -> Amendment:
        """The same as part of a request."""
        stated, now = self.history.entry.event, self.history.now
        return Amendment.model_construct(
            stated_by=stated.enterprise,
            corrects=stated.event_id,
            was=self.seen if self.seen is not None else None if isinstance(now, Mending) else now,
            becomes=self.becomes,
        )


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a request would do: come into force at once, or wait for those on whose loads it bears."""

    event: CorrectionRequested
    changes: tuple[Change, ...]
    others: tuple[EnterpriseId, ...]
    manifest_ids: tuple[ManifestId, ...]


# for whom -----------------------------------------------------------------------------------------------------------


def requester_for(stated: Sequence[Event], sight: Sight, service: Service) -> EnterpriseId:
    """For whom a caller asks: the stater of all these facts, or the side of all their manifests, that is theirs."""
    concerned = [_concerned(each, service) for each in stated]
    shared = (each for each in concerned[0] if each in sight.own and all(each in others for others in concerned))
    return next(shared, sight.caller.organisation)


def may_ask(history: EntryHistory, sight: Sight, service: Service) -> bool:
    """Is it worth offering a caller to ask for a correction of this entry?"""
    stated = history.last
    if stated is None or sight.caller.role not in ASKS or service.as_of is not None:
        return False
    return requester_for([stated], sight, service) in _concerned(stated, service)


def _concerned(stated: Event, service: Service) -> tuple[EnterpriseId, ...]:
    """Who may have a fact corrected: its stater, and the sides of the manifest that it is a step of."""
    manifest_id = None if isinstance(stated, Mending) else manifest_of(stated)
    manifest = service.book.find_manifest(manifest_id) if manifest_id is not None else None
    return stated.enterprise, *(sides(manifest) if manifest is not None else ())


# what is asked and answered -----------------------------------------------------------------------------------------


def request_of(
    wanted: Sequence[Wanted],
    requester: EnterpriseId,
    reason: str,
    service: Service,
    *,
    event_id: EventId | None = None,
) -> CorrectionRequested:
    """The fact that asks for entries to be read otherwise, all of them or none.

    Without an `event_id` it gets one that stands for what is asked and how often it was asked before. A request of that
    name that asks the same is given back as it was stated, so that a retry is answered once.

    Raises:
        Malformed: no reason, or a name that cannot be one.
    """
    name = event_id or _name_of(wanted, requester, reason)
    event = CorrectionRequested.model_construct(
        kind="correction_requested",
        event_id=name,
        enterprise=requester,
        event_time=service.clock().astimezone(SHANGHAI),
        note=None,
        changes=tuple(each.amendment for each in wanted),
        reason=reason,
    )
    before = service.book.requests.get((requester, name))
    if before is not None and _asks(before.event) == _asks(event):
        return before.event
    return _valid(CorrectionRequested, event_json(event))


def _asks(event: CorrectionRequested) -> object:
    """What a request is for, whatever it found."""
    return event.reason, [(each.stated_by, each.corrects, each.becomes) for each in event.changes]


def _name_of(wanted: Sequence[Wanted], requester: EnterpriseId, reason: str) -> EventId:
    told = [
        (each.position, len(each.history.corrections), None if each.becomes is None else event_json(each.becomes))
        for each in wanted
    ]
    digest = hashlib.sha256(canonical([requester, reason, told])).hexdigest()
    return f"GZ-{wanted[0].position}-{digest[:NAME_LENGTH]}"


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


# checked and stated -------------------------------------------------------------------------------------------------


def check(caller: Caller, event: CorrectionRequested, service: Service) -> Outlook:
    """What a request would do, judged as if it were made now; nothing is kept.

    Raises:
        Problem: it would be refused, with the change that it is about; `Breaks` names the later facts that could not stand.
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
    book = service.recording.book
    shared = mending.check_requested(event, book, admit)
    others = sorted({each for both in shared.values() for each in both})
    changes = changes_of(event, corrected_by(event, book))
    return Outlook(event, changes, tuple(others), tuple(shared) if others else ())


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
    """A problem with its place in the request, not in the statement: what the caller sent holds this one fact."""
    if isinstance(answer, Problem) and answer.where is not None and answer.where.startswith(ALONE):
        answer.where = answer.where.removeprefix(ALONE).removeprefix(".") or None
    return answer
