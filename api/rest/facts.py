"""Facts in, entries out."""

from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Body, Query
from pydantic import Discriminator, Field, Tag
from starlette.requests import Request
from starlette.responses import Response

from api.problems import RECORDED, language_of
from api.rest import shapes
from api.rest.answers import answer, entry_json, finding_json, page, page_link, sees_entry
from api.rest.asking import (
    KnownPosition,
    KnownService,
    KnownSight,
    Limit,
    Place,
    TheCaller,
    TheService,
)
from api.rest.once import Once
from api.rest.shapes import refusals
from flows.enterprises import Frozen
from flows.entries import event_json
from flows.events import Event, Mending

FACTS_MOST: Final = 500
"""Facts of one statement: kept whole or not at all, so it holds the write lock for as long as it takes."""

router = APIRouter(tags=["facts"], route_class=Once)


class Stated(Frozen):
    """Facts that are kept together or not at all."""

    facts: Annotated[tuple[Event, ...], Field(min_length=1, max_length=FACTS_MOST)]


def _form(body: object) -> str:
    """Which of the two forms a body means, so that its faults are told of that form only."""
    return "facts" if isinstance(body, Stated) or (isinstance(body, dict) and "facts" in body) else "fact"


Statement = Annotated[Annotated[Stated, Tag("facts")] | Annotated[Event, Tag("fact")], Discriminator(_form)]


@router.post(
    "/facts",
    status_code=RECORDED,
    summary="登记事实（一条或多条，全部登记或全部不登记） · Record facts",
    responses=refusals(shapes.Recorded, "conflict", "full", status=RECORDED),
)
def state_facts(
    request: Request,
    body: Annotated[Statement, Body(description="一条事实，或 {facts: [...]} · one fact, or many kept together")],
    caller: TheCaller,
    service: TheService,
) -> Response:
    """Record one fact, or many that are kept together. A retry of the same facts gets the first answer again."""
    facts = body.facts if isinstance(body, Stated) else (cast("Any", body),)
    statement = service.state(caller, facts)
    language = language_of(request)
    told = {
        "entries": [
            {
                "position": entry.position,
                "event_id": entry.event_id,
                "record_time": entry.record_time.isoformat(),
                "digest": entry.digest,
            }
            for entry in statement.entries
        ],
        "findings": [finding_json(finding, language) for finding in statement.findings],
    }
    return answer(told, position=statement.entries[-1].position, status=RECORDED)


@router.get(
    "/entries",
    summary="台账条目（本单位陈述的和与本单位有关的；监管为辖区内的） · Entries in the ledger's order",
    responses=refusals(shapes.Entries),
)
def list_entries(
    request: Request,
    sight: KnownSight,
    service: KnownService,
    end: KnownPosition,
    after: Annotated[Place, Query(description="从此位置之后读起 · read on from this position")] = 0,
    limit: Limit = 100,
    *,
    effective: Annotated[
        bool, Query(description="更正后的事实；默认为登记时所述 · as read, corrections included")
    ] = False,
) -> Response:
    """Entries in the ledger's order, as far as the caller may see them; `Link` names the next page.

    `effective` gives each fact as it is read, or was at `as_of`; withdrawn facts and corrections are left out.
    """
    rows: list[object] = []
    last = after
    for entry in service.ledger.entries(after=after, until=end):
        if not sees_entry(entry, sight):
            continue
        told = service.book.fact(entry.position).event if effective else entry.event
        if told is None or (effective and isinstance(told, Mending)):
            continue
        if len(rows) == limit:
            return answer(page(rows), position=end, headers=page_link(request, after=last))
        last = entry.position
        rows.append(entry_json(entry, sight) | ({"event": event_json(told)} if effective else {}))
    return answer(page(rows), position=end)
