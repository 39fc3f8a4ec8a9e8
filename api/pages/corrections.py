"""An entry and its correction on pages: what it said and says, a form to tell it anew, and requests to answer."""

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from fastapi import APIRouter, Depends, Form, Path
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.corrections import (
    NAME_LENGTH,
    Correction,
    EntryHistory,
    Known,
    Outlook,
    answer_of,
    answerer_of,
    check,
    find_request,
    may_ask,
    open_requests,
    request_of,
    requester_for,
    requests,
    state,
)
from api.pages.drawing import page
from api.pages.fact_form import MARK, Filled, read_form, rows_of
from api.pages.fact_words import FactWords
from api.pages.reading import PageRoute, Reader, TheReader
from api.problems import NOT_KEPT, OK, SEE_OTHER, language_of, status_of
from api.rest.asking import COUNT_MOST
from flows.entries import canonical, event_json
from flows.errors import Forbidden, Problem
from flows.events import CorrectionRequested, Stated
from flows.ids import EnterpriseId, EventId
from flows.mending import Breaks

REQUESTS_SHOWN: Final = 200
REASON_MOST: Final = 500

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Position: TypeAlias = Annotated[int, Path(ge=1, le=COUNT_MOST)]


async def typed_of(request: Request) -> dict[str, str]:
    """All that a form sends, boxes that were ticked under one name put together."""
    typed: dict[str, str] = {}
    for name, value in (await request.form()).multi_items():
        if not isinstance(value, UploadFile):
            typed[name] = f"{typed[name]} {value}" if name in typed else value
    return typed


Typed: TypeAlias = Annotated[dict[str, str], Depends(typed_of)]


@dataclass(frozen=True)
class Draft:
    """A correction as somebody is writing it."""

    reason: str = ""
    withdraws: bool = False
    checked: str = ""
    """The digest of what was checked: only that is sent."""
    outlook: Outlook | None = None
    problem: Problem | None = None
    filled: Filled | None = None
    reason_missing: bool = False

    @property
    def later(self) -> Breaks | None:
        """The refusal that names later facts."""
        return self.problem if isinstance(self.problem, Breaks) else None


@router.get("/entries/{position}")
def entry_page(request: Request, position: Position, reader: TheReader) -> Response:
    """One entry: what it says, and what it said before."""
    history = Known(reader.sight, reader.service).history(position)
    return page(
        request,
        "entry.html",
        history=history,
        words=FactWords(reader, language_of(request)),
        may_ask=may_ask(history, reader.sight, reader.service),
    )


@router.get("/entries/{position}/correct")
def correct_page(request: Request, position: Position, reader: TheReader) -> Response:
    """The form that tells an entry anew."""
    history, stated = _to_correct(position, reader)
    return _form(request, reader, history, stated, Draft(), None)


@router.post("/entries/{position}/correct")
def correct_entry(request: Request, position: Position, reader: TheReader, typed: Typed) -> Response:
    """Judge what was typed, and keep it once it was seen what it does."""
    history, stated = _to_correct(position, reader)
    reason, withdraws = typed.get("reason", "").strip()[:REASON_MOST], typed.get("how") == "withdraw"
    filled = Filled() if withdraws else read_form(stated, typed, language_of(request))
    wrong = not withdraws and filled.fact is None
    if wrong or not reason:
        draft = Draft(reason, withdraws, filled=filled, reason_missing=not reason)
        return _form(request, reader, history, stated, draft, typed)
    requester = requester_for(history.entry.event, reader.sight, reader.service)

    def asked(name: str | None = None) -> CorrectionRequested:
        return request_of(history, requester, filled.fact, reason, reader.service, event_id=name)

    sent = asked(_name_checked(typed, position)) if typed.get("do") == "send" else None
    try:
        if sent is not None and typed.get("checked") == _digest(sent):
            _ = state(reader.caller, sent, reader.service)
            return RedirectResponse(f"/entries/{position}", SEE_OTHER)
        event = asked()
        draft = Draft(reason, withdraws, _digest(event), check(reader.caller, event, reader.service), filled=filled)
    except Problem as problem:
        draft = Draft(reason, withdraws, problem=problem, filled=filled)
    return _form(request, reader, history, stated, draft, typed)


def _name_checked(typed: dict[str, str], position: int) -> str | None:
    """The name that the check gave the request: a form that is sent twice asks once."""
    name = typed.get("event_id", "")
    return name if re.fullmatch(rf"GZ-{position}-[0-9a-f]{{{NAME_LENGTH}}}", name) else None


def _digest(event: CorrectionRequested) -> str:
    """What a check was made of: the same words, so that nobody sends what they have not seen."""
    told = event_json(event)
    return hashlib.sha256(canonical({name: told.get(name) for name in ("was", "becomes", "reason")})).hexdigest()


def _to_correct(position: int, reader: Reader) -> tuple[EntryHistory, Stated]:
    history = Known(reader.sight, reader.service).history(position)
    stated = history.last
    if stated is None or not may_ask(history, reader.sight, reader.service):
        raise Forbidden("correction-not-yours", position=position)
    return history, stated


def _form(  # one parameter for each thing that the form shows
    request: Request, reader: Reader, history: EntryHistory, stated: Stated, draft: Draft, typed: dict[str, str] | None
) -> Response:
    language = language_of(request)
    boxes = None if typed is None else {name: text for name, text in typed.items() if name.startswith(MARK)}
    rows = rows_of(stated, language, boxes or None, draft.filled)
    catalogue = reader.service.catalogue
    lists = {
        "material": {key: each.name(language) for key, each in catalogue.materials.items()},
        "process": {key: each.name(language) for key, each in catalogue.processes.items()},
        "method": {key: each.name(language) for key, each in catalogue.methods.items()},
    }
    asked = {box.listed for row in rows for box in row.boxes if box.listed}
    bad = typed is not None and draft.outlook is None
    return page(
        request,
        "correct.html",
        status=(int(status_of(draft.problem)) if draft.problem else NOT_KEPT) if bad else OK,
        history=history,
        stated=stated,
        rows=rows,
        draft=draft,
        lists={name: told for name, told in lists.items() if name in asked},
        words=FactWords(reader, language),
        reason_most=REASON_MOST,
    )


# requests to answer -----------------------------------------------------------------------------------------------


@router.get("/corrections")
def corrections_page(request: Request, reader: TheReader) -> Response:
    """The requests that the reader sees: those to answer first."""
    return _requests(request, reader, None)


@router.post("/corrections/answer")
def answer_request(  # one parameter for each thing that the form sends
    request: Request,
    reader: TheReader,
    requester: Annotated[EnterpriseId, Form()],
    name: Annotated[EventId, Form()],
    how: Annotated[Literal["agree", "decline"], Form()],
    reason: Annotated[str, Form(max_length=REASON_MOST)] = "",
) -> Response:
    """Agree to a request, decline it with a reason, or take it back."""
    found = find_request(requester, name, reader.sight, reader.service)
    try:
        by = answerer_of(found, reader.sight)
        if how == "decline" and not reason.strip():
            raise Forbidden("decline-needs-reason")
        event = answer_of(found, by, reader.service, reason=reason.strip() if how == "decline" else None)
        _ = state(reader.caller, event, reader.service)
    except Problem as problem:
        return _requests(request, reader, problem)
    return RedirectResponse(f"/entries/{found.corrects}", SEE_OTHER)


def _requests(request: Request, reader: Reader, problem: Problem | None) -> Response:
    waiting = open_requests(reader.sight, reader.service)
    settled = [each for each in requests(reader.sight, reader.service) if not each.request.open]
    return page(
        request,
        "corrections.html",
        status=int(status_of(problem)) if problem else OK,
        waiting=waiting,
        settled=settled[:REQUESTS_SHOWN],
        words=FactWords(reader, language_of(request)),
        problem=problem,
        later=problem if isinstance(problem, Breaks) else None,
    )


def to_answer(reader: Reader) -> list[Correction]:
    """The requests that wait for the reader's answer."""
    found = open_requests(reader.sight, reader.service)
    return [each for each in found if "agree" in each.answers(reader.sight)]
