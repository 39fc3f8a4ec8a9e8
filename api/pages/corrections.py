"""An entry and its corrections on pages: what it said and says, and the requests that wait for an answer."""

from typing import Annotated, Final, Literal, TypeAlias

from fastapi import APIRouter, Form, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.amending import answer_of, answerer_of, may_ask, state
from api.corrections import Correction, Known, correction_in, correction_of, find_request, open_requests, requests
from api.pages.drawing import page
from api.pages.fact_words import FactWords
from api.pages.reading import PageRoute, Reader, TheReader
from api.problems import OK, SEE_OTHER, language_of, status_of
from api.rest.asking import COUNT_MOST
from flows.errors import Forbidden, Problem
from flows.ids import EnterpriseId, EventId
from flows.mending import Breaks

REQUESTS_SHOWN: Final = 200
REASON_MOST: Final = 500

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Position: TypeAlias = Annotated[int, Path(ge=1, le=COUNT_MOST)]


@router.get("/entries/{position}")
def entry_page(request: Request, position: Position, reader: TheReader) -> Response:
    """One entry: what it says, and what it said before."""
    history = Known(reader.sight, reader.service).history(position)
    return page(
        request,
        "entry.html",
        history=history,
        asked=correction_in(history.entry.event, reader.sight, reader.service),
        words=FactWords(reader, language_of(request)),
        may_ask=may_ask(history, reader.sight, reader.service),
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
    seen = correction_of(found, reader.sight, reader.service).changes
    return RedirectResponse(f"/entries/{seen[0].position}", SEE_OTHER)


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
