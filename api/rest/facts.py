"""Facts in, entries out."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.problems import language_of
from api.rest.answers import answer, entry_json, finding_json, page, page_link, sees_entry
from api.rest.asking import Limit, TheCaller, TheService, TheSight
from flows.enterprises import Frozen
from flows.errors import Unknown
from flows.events import Event

FACTS_MOST = 500
"""Facts of one statement: kept whole or not at all, so it holds the write lock for as long as it takes."""

router = APIRouter(tags=["facts"])


class Stated(Frozen):
    """Facts that are kept together or not at all."""

    facts: Annotated[tuple[Event, ...], Field(min_length=1, max_length=FACTS_MOST)]


@router.post("/facts", status_code=201, summary="登记事实（一条或多条，全部登记或全部不登记）")
def state_facts(
    request: Request,
    body: Annotated[Stated | Event, Body(description="一条事实，或 {facts: [...]}")],
    caller: TheCaller,
    service: TheService,
) -> Response:
    """Record one fact, or many that are kept together. A retry of the same facts gets the first answer again."""
    facts = body.facts if isinstance(body, Stated) else (body,)
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
    response = answer(told, position=statement.entries[-1].position)
    response.status_code = 201
    return response


@router.get("/entries", summary="台账条目（本单位陈述的；监管为辖区内的）")
def list_entries(
    request: Request,
    sight: TheSight,
    service: TheService,
    after: Annotated[int, Query(ge=0, description="从此位置之后读起")] = 0,
    limit: Limit = 100,
) -> Response:
    """Entries in the ledger's order, as far as the caller may see them; `Link` names the next page."""
    end = service.book.position
    rows: list[object] = []
    last = after
    for entry in service.ledger.entries(after=after, until=end):
        if len(rows) == limit:
            return answer(page(rows), position=end, headers={"Link": page_link(request, after=last)})
        last = entry.position
        if sees_entry(entry, sight):
            rows.append(entry_json(entry))
    return answer(page(rows), position=end)


@router.get("/entries/{position}", summary="一条台账条目")
def get_entry(position: int, sight: TheSight, service: TheService) -> Response:
    """One entry with its digest."""
    entry = next(service.ledger.entries(after=position - 1, until=position), None) if position > 0 else None
    if entry is None or not sees_entry(entry, sight):
        raise Unknown("entry-unknown", position=position)
    return answer(entry_json(entry), position=service.book.position)
