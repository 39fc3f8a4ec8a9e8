"""The history of a batch or a manifest: who stated what and when, what was and what is; what was withdrawn stays seen."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.amending import may_ask
from api.corrections import EntryHistory, Known
from api.pages.drawing import page
from api.pages.fact_words import FactWords
from api.pages.reading import PageRoute, Reader, TheReader
from api.problems import language_of
from api.rest.batches import find_scanned
from api.rest.manifests import find_manifest
from flows.errors import Unknown

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class PastPrint:
    """A document as it was printed until an entry; `until` None: as it is printed now."""

    until: int | None
    url: str


@router.get("/batches/{code}/history")
def batch_history(request: Request, code: str, reader: TheReader) -> Response:
    """All entries about a batch."""
    try:
        batch = find_scanned(code, reader.sight, reader.service)
    except Unknown:
        return _page(request, reader, "batch", _withdrawn(code, reader, "batch-unknown"), code, "", f"/batches/{code}")
    url = f"/api/v1/batches/{batch.batch_id}/label.pdf"
    name = batch.code or batch.batch_id.partition(".")[2]
    return _page(request, reader, "batch", _told(batch.batch_id, reader), name, url, f"/batches/{batch.batch_id}")


@router.get("/manifests/{manifest_id}/history")
def manifest_history(request: Request, manifest_id: str, reader: TheReader) -> Response:
    """All entries about a manifest."""
    try:
        manifest = find_manifest(manifest_id, reader.sight, reader.service)
    except Unknown:
        histories = _withdrawn(manifest_id, reader, "manifest-unknown")
        return _page(request, reader, "manifest", histories, manifest_id, "", f"/manifests/{manifest_id}")
    own = manifest.manifest_id
    url = f"/api/v1/manifests/{own}/sheet.pdf"
    name = manifest.submitted.number
    return _page(request, reader, "manifest", _told(own, reader), name, url, f"/manifests/{own}")


def _told(name: str, reader: Reader) -> list[EntryHistory]:
    return list(Known(reader.sight, reader.service).histories(reader.service.book.history(name)))


def _withdrawn(name: str, reader: Reader, key: str) -> list[EntryHistory]:
    """What is left of what was withdrawn altogether, for those who saw it.

    Raises:
        Unknown: it stands and is not the reader's to see, or there never was such a one.
    """
    book = reader.service.book
    stands = book.find_batch(name) is not None or book.find_manifest(name) is not None
    found = [] if stands else _told(name, reader)
    if not found:
        if key == "batch-unknown":
            raise Unknown("batch-unknown", batch=name)
        raise Unknown("manifest-unknown", manifest=name[:80])
    return found


def _page(  # one parameter for each thing that the page shows
    request: Request, reader: Reader, what: str, histories: list[EntryHistory], name: str, document: str, back: str
) -> Response:
    settled = sorted({each.request.settled or 0 for told in histories for each in told.in_force})
    prints = [PastPrint(each, f"{document}?as_of={each - 1}") for each in settled] if document else []
    if document:
        prints.append(PastPrint(None, document))
    return page(
        request,
        "history.html",
        what=what,
        name=name,
        histories=histories,
        prints=prints,
        back=back,
        askable={each.entry.position for each in histories if may_ask(each, reader.sight, reader.service)},
        words=FactWords(reader, language_of(request)),
    )
