"""One entry with all it ever said; corrections asked for, of one or several entries, checked, agreed to or declined."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Body, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.amending import Wanted, answer_of, answerer_of, check, request_of, requester_for, state
from api.corrections import Change, Correction, EntryHistory, Known, correction_of, find_request, requests
from api.problems import RECORDED
from api.rest import shapes
from api.rest.answers import answer, entry_json, page, page_link
from api.rest.asking import (
    COUNT_MOST,
    EntryPosition,
    KnownPosition,
    KnownService,
    KnownSight,
    Limit,
    Place,
    TheCaller,
    ThePosition,
    TheService,
    TheSight,
)
from api.rest.once import Once
from api.rest.shapes import Json, Shape, refusals
from api.service import Service
from flows.access import Sight
from flows.book import RequestState
from flows.enterprises import Frozen
from flows.entries import Entry, event_json
from flows.errors import Unknown
from flows.events import CHANGES_MAX, CorrectionRequested, Stated
from flows.ids import EnterpriseId, EventId

router = APIRouter(tags=["corrections"], route_class=Once)

Reason: TypeAlias = Annotated[str, Field(min_length=1, max_length=500, description="理由 · why")]
Name: TypeAlias = Annotated[
    EventId | None, Field(description="事实编号，不填则自动编号 · a name of the caller's own; left out, one is made")
]
Fact: TypeAlias = Annotated[Stated, Field(discriminator="kind")]


class Replacement(Frozen):
    """An entry and what it is to be read as; null withdraws it."""

    entry: Annotated[int, Field(ge=1, le=COUNT_MOST, description="台账第几条 · position of the entry")]
    becomes: Annotated[Fact | None, Field(description="更正后的内容；null 为撤销登记 · null withdraws the entry")]
    was: Annotated[
        Fact | None, Field(description="所见的现值，不填则取当前值 · what the caller saw; left out, what is read now")
    ] = None


class Asked(Frozen):
    """Entries of one matter that are to be read otherwise, all of them or none."""

    changes: Annotated[
        tuple[Replacement, ...],
        Field(min_length=1, max_length=CHANGES_MAX, description="一并更正的登记 · what is corrected together"),
    ]
    reason: Reason
    event_id: Name = None


class Agreement(Frozen):
    """Nothing but a name has to be said to agree."""

    event_id: Name = None


class Decline(Frozen):
    """Why not."""

    reason: Reason
    event_id: Name = None


class AlteredValue(Shape):
    """One value that reads otherwise: its place, what was, what is."""

    path: str
    was: Any
    becomes: Any


class Settled(Shape):
    """Which entry settled a request, whose, when, and why it was declined."""

    position: int
    enterprise: str
    record_time: str
    reason: str | None


class ChangeAnswer(Shape):
    """One entry of a request: what it read as (null: withdrawn before), what it is to read as (null: withdrawn)."""

    entry: int
    stated_by: str
    corrects: str
    kind: str
    was: Json | None
    becomes: Json | None
    altered: list[AlteredValue]


class CorrectionAnswer(Shape):
    """A request for correction as it stands; `hidden` more entries are between others, `answers` is what the caller may do."""

    requested_by: str
    request: str
    position: int
    record_time: str
    changes: list[ChangeAnswer]
    hidden: int
    manifest_ids: list[str]
    reason: str
    state: RequestState
    others: list[str]
    agreed: list[str]
    settled: Settled | None
    answers: list[Literal["agree", "decline", "take_back"]]


class EntryAnswer(shapes.Entry):
    """An entry as stated, how it is read (null: withdrawn), and every correction that was asked of it."""

    version: int
    reads: Json | None
    corrections: list[CorrectionAnswer]


class Corrections(Shape):
    """A page of requests."""

    rows: list[CorrectionAnswer]


class OutlookAnswer(Shape):
    """What a request would do: in force at once, or waiting for `others` to agree."""

    in_force: bool
    others: list[str]
    manifest_ids: list[str]
    event_id: str
    changes: list[ChangeAnswer]


class Requested(Shape):
    """A request that was recorded."""

    event_id: str
    digest: str
    correction: CorrectionAnswer


def changes_json(changes: Iterable[Change]) -> list[dict[str, object]]:
    """Entries that read otherwise, each with its values."""
    return [
        {
            "entry": each.position,
            "stated_by": each.amendment.stated_by,
            "corrects": each.amendment.corrects,
            "kind": each.fact.kind,
            "was": _plain(each.amendment.was),
            "becomes": _plain(each.amendment.becomes),
            "altered": [value._asdict() for value in each.altered],
        }
        for each in changes
    ]


def _plain(event: Stated | None) -> dict[str, object] | None:
    return None if event is None else event_json(event)


def correction_json(correction: Correction, sight: Sight) -> dict[str, object]:
    """A request as one caller may see it."""
    event, request, said = correction.event, correction.request, correction.answer
    settled: dict[str, object] | None = None
    if correction.answered is not None:
        settled = {
            "position": correction.answered.position,
            "enterprise": correction.answered.enterprise,
            "record_time": correction.answered.record_time.isoformat(),
            "reason": getattr(said, "reason", None),
        }
    return {
        "requested_by": event.enterprise,
        "request": event.event_id,
        "position": request.position,
        "record_time": correction.asked.record_time.isoformat(),
        "changes": changes_json(correction.changes),
        "hidden": correction.hidden,
        "manifest_ids": [manifest.manifest_id for manifest in correction.manifests(sight)],
        "reason": event.reason,
        "state": request.state,
        "others": correction.named(request.others, sight),
        "agreed": correction.named(request.agreed, sight),
        "settled": settled,
        "answers": list(correction.answers(sight)),
    }


def history_json(history: EntryHistory, sight: Sight) -> dict[str, object]:
    """An entry as stated, as read, and what was asked of it."""
    return entry_json(history.entry, sight) | {
        "version": history.version,
        "reads": None if history.now is None else event_json(history.now),
        "corrections": [correction_json(each, sight) for each in history.corrections],
    }


@router.get(
    "/entries/{position}",
    summary="一条台账条目及其全部更正 · One entry with its corrections",
    responses=refusals(EntryAnswer, "unknown"),
)
def get_entry(position: EntryPosition, sight: KnownSight, service: KnownService, end: KnownPosition) -> Response:
    """One entry with its digest, as stated and as it is read, and every correction: who asked, who agreed, when, why."""
    return answer(history_json(Known(sight, service).history(position), sight), position=end)


@router.post(
    "/corrections",
    status_code=RECORDED,
    summary="申请更正或撤销登记，可数条一并 · Request the correction of entries",
    responses=refusals(Requested, "unknown", "conflict", "full", status=RECORDED),
)
def post_correction(
    body: Annotated[Asked, Body()], caller: TheCaller, sight: TheSight, service: TheService
) -> Response:
    """Ask for entries to be read as others, or as never stated: in force at once, or when the other side agrees.

    All of them or none: what only stands together, as the weight of an arrival and of what was accepted, is asked for in
    one request. A retry with the same content is answered with the request of the first time.
    """
    event = _asked(body, sight, service)
    entry = state(caller, event, service)
    return _told(entry, event.enterprise, event.event_id, service, caller)


@router.post(
    "/corrections/check",
    summary="试算更正：立即生效、须谁同意，或哪些在后登记将不成立 · What a correction would do",
    responses=refusals(OutlookAnswer, "unknown", "conflict"),
)
def check_correction(
    body: Annotated[Asked, Body()], caller: TheCaller, sight: TheSight, service: TheService, end: ThePosition
) -> Response:
    """Judge a request and keep nothing: would it be in force at once, who would have to agree, what would break."""
    event = _asked(body, sight, service)
    seen = check(caller, event, service)
    told = {
        "in_force": not seen.others,
        "others": list(seen.others),
        "manifest_ids": list(seen.manifest_ids),
        "event_id": event.event_id,
        "changes": changes_json(seen.changes),
    }
    return answer(told, position=end)


def _asked(body: Asked, sight: Sight, service: Service) -> CorrectionRequested:
    known = Known(sight, service)
    wanted = [_wanted(number, each, known) for number, each in enumerate(body.changes)]
    requester = requester_for([each.history.entry.event for each in wanted], sight, service)
    return request_of(wanted, requester, body.reason, service, event_id=body.event_id)


def _wanted(number: int, asked: Replacement, known: Known) -> Wanted:
    try:
        return Wanted(known.history(asked.entry), asked.becomes, asked.was)
    except Unknown as problem:
        raise problem.at(f"changes[{number}].entry") from None


@router.get(
    "/corrections",
    summary="更正申请（最新在前） · Requests for correction, newest first",
    responses=refusals(Corrections),
)
def list_corrections(
    request: Request,
    sight: KnownSight,
    service: KnownService,
    end: KnownPosition,
    standing: Annotated[
        RequestState | None, Query(alias="state", description="待确认 open · 已生效 in_force · 未获同意 declined")
    ] = None,
    mine: Annotated[
        Literal["to_answer", "waiting"] | None, Query(description="待我答复 to_answer · 等待对方 waiting")
    ] = None,
    before: Annotated[Place | None, Query(description="此位置之前申请的")] = None,
    limit: Limit = 100,
) -> Response:
    """The requests that the caller sees, newest first; `Link` names the next page."""
    rows: list[object] = []
    last = 0
    for each in requests(sight, service):
        answers = each.answers(sight)
        wanted = {None: True, "to_answer": "agree" in answers, "waiting": "take_back" in answers}[mine]
        if not wanted or standing not in {None, each.request.state}:
            continue
        if before is not None and each.request.position >= before:
            continue
        if len(rows) == limit:
            return answer(page(rows), position=end, headers=page_link(request, before=last))
        last = each.request.position
        rows.append(correction_json(each, sight))
    return answer(page(rows), position=end)


Requester: TypeAlias = Annotated[EnterpriseId, Path(description="申请单位信用代码 · who asked")]
RequestName: TypeAlias = Annotated[EventId, Path(description="申请的事实编号 · the request's event_id")]


@router.post(
    "/corrections/{requester}/{name}/agree",
    status_code=RECORDED,
    summary="同意更正 · Agree to a correction",
    responses=refusals(Requested, "unknown", "conflict", "full", status=RECORDED),
)
def agree(
    requester: Requester,
    name: RequestName,
    caller: TheCaller,
    sight: TheSight,
    service: TheService,
    body: Annotated[Agreement | None, Body()] = None,
) -> Response:
    """Agree as the other side: from here on the facts are read as corrected."""
    return _answered(requester, name, caller, sight, service, body or Agreement(), None)


@router.post(
    "/corrections/{requester}/{name}/decline",
    status_code=RECORDED,
    summary="不同意更正，或撤回申请 · Decline a correction, or take the request back",
    responses=refusals(Requested, "unknown", "conflict", "full", status=RECORDED),
)
def decline(
    requester: Requester,
    name: RequestName,
    body: Annotated[Decline, Body()],
    caller: TheCaller,
    sight: TheSight,
    service: TheService,
) -> Response:
    """Decline as the other side, or take the request back as its requester."""
    return _answered(requester, name, caller, sight, service, body, body.reason)


def _answered(  # what a route hands in
    requester: EnterpriseId,
    name: EventId,
    caller: TheCaller,
    sight: Sight,
    service: Service,
    body: Agreement | Decline,
    reason: str | None,
) -> Response:
    request = find_request(requester, name, sight, service)
    event = answer_of(request, answerer_of(request, sight), service, reason=reason, event_id=body.event_id)
    entry = state(caller, event, service)
    return _told(entry, requester, name, service, caller)


def _told(entry: Entry, requester: EnterpriseId, name: EventId, service: Service, caller: TheCaller) -> Response:
    after = service.known()
    sight = after.sight(caller)
    request = after.book.requests.get((requester, name))
    if request is None:
        raise Unknown("correction-request-unknown", enterprise=requester, request=name)
    told = correction_json(correction_of(request, sight, after), sight)
    body = {"event_id": entry.event_id, "digest": entry.digest, "correction": told}
    return answer(body, position=entry.position, status=RECORDED)
