"""The first page: figures with their definitions, what waits for the reader, and what came in last."""

from itertools import islice
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.pages.drawing import page
from api.pages.manifests import waits_for
from api.pages.reading import PageRoute, TheReader
from api.rest.batches import open_batches

NEWEST: Final = 12

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
def start_page(request: Request, reader: TheReader) -> Response:
    manifests = reader.service.lineage.manifests()
    waiting = [each for each in manifests if waits_for(each, reader)]
    open_ones = [each for each in manifests if not each.closed and reader.sight.sees_manifest(each)]
    newest = list(islice(open_batches(reader.sight, reader.service), NEWEST))
    return page(request, "start.html", waiting=waiting, open=open_ones[:NEWEST], newest=newest, figures=[])
