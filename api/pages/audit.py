"""The page that shows the ledger's end, to be kept, and proves to authorities that the ledger only grew since."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.pages.drawing import page
from api.pages.reading import PageRoute, TheReader
from api.problems import language_of
from api.rest.answers import finding_json
from api.rest.audit import DIGEST_MOST, PROVERS
from flows.audit import growth_faults
from flows.errors import Problem
from flows.times import moment_of

SINCE_MOST: Final = 15
"""Digits of a position: no ledger has more, and every store and reader still counts them."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/audit")
def audit_page(
    request: Request,
    reader: TheReader,
    since: Annotated[str, Query(max_length=SINCE_MOST)] = "",
    digest: Annotated[str, Query(max_length=DIGEST_MOST)] = "",
) -> Response:
    ledger, proves = reader.service.ledger, reader.sight.caller.role in PROVERS
    language, faults, problem = language_of(request), None, None
    plain = since.strip()
    if proves and plain.isascii() and plain.isdecimal() and digest:
        try:
            faults = [str(finding_json(each, language)["detail"]) for each in growth_faults(ledger, int(plain), digest)]
        except Problem as fault:
            problem = fault.text(language)
    head = ledger.head()
    return page(
        request,
        "audit.html",
        head=head,
        recorded=moment_of(head.record_time_us).strftime("%Y-%m-%d %H:%M:%S") if head.position else "—",
        proves=proves,
        since=since,
        digest=digest,
        faults=faults,
        problem=problem,
    )
