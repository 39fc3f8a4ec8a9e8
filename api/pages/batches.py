"""Batches on pages: what one is and where it lies, where it came from and where it went, its label and its code."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias, cast
from urllib.parse import quote

import numpy as np
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.documents import batch_label
from api.pages.drawing import page
from api.pages.pictures import Painter
from api.pages.reading import PageRoute, Reader, TheReader
from api.pages.words import Words
from api.problems import language_of
from api.readings import Seen, history
from api.rest.answers import sees_entry
from api.rest.asking import check_filters
from api.rest.batches import find_scanned, open_batches
from flows.batches import Batch
from flows.entries import Entry
from flows.errors import Malformed
from flows.times import shown
from graph.fate import fate, provenance
from graph.prefix import Prefix
from graph.tracing import trace
from labels import label, qr
from labels.payload import batch_url

ROWS: Final = 100
LABEL_SIZES: Final = (100, 150, 200)
LabelForm: TypeAlias = Literal["pdf", "png", "svg"]
PlaceName: TypeAlias = Literal["site", "storage", "road", "gate"]
MEDIA: Final = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class Spoken:
    """A fact about a batch, as the reader may see it."""

    entry: Entry

    @property
    def time(self) -> str:
        """When, as stated."""
        return shown(self.entry.event.event_time)

    @property
    def recorded(self) -> str:
        """When it was taken in."""
        return shown(self.entry.record_time)


@router.get("/batches")
def batches_page(
    request: Request,
    reader: TheReader,
    place: Annotated[PlaceName | Literal[""], Query()] = "",
    material: Annotated[str, Query(max_length=64)] = "",
    before: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    check_filters(reader.service.catalogue, [material or None])
    rows: list[Batch] = []
    more: int | None = None
    seen = list(open_batches(reader.sight, reader.service))
    materials = sorted({batch.material for batch in seen})
    for batch in seen:
        if before is not None and batch.position >= before:
            continue
        if place not in {"", batch.place} or material not in {"", batch.material}:
            continue
        if len(rows) >= ROWS and batch.position != rows[-1].position:
            more = rows[-1].position
            break
        rows.append(batch)
    chosen = {"place": place, "material": material}
    return page(request, "batches.html", rows=rows, materials=materials, chosen=chosen, more=more)


@router.get("/batches/{code}")
def batch_page(request: Request, code: str, reader: TheReader) -> Response:
    batch = find_scanned(code, reader.sight, reader.service)
    material = reader.service.catalogue.material(batch.material)
    return page(
        request,
        "batch.html",
        batch=batch,
        **_chain(request, batch, reader),
        stock=reader.sight.knows_stock(batch),
        material=material,
        waste=material.waste(reader.service.catalogue),
        digital_code=reader.service.containers.code_of(batch, reader.service.as_of),
        site=reader.service.book.sites.get(batch.site_id),
        storage=reader.service.book.storages.get(batch.storage_id) if batch.storage_id else None,
        manifest=reader.service.book.find_manifest(batch.manifest_id) if batch.manifest_id else None,
        spoken=list(_spoken(batch, reader)),
        sizes=LABEL_SIZES,
    )


def _chain(request: Request, batch: Batch, reader: Reader) -> dict[str, Any]:
    """Where a batch came from and where it went, one step each way, and its fate; nothing of it for a carrier."""
    if not reader.sight.follows(batch):
        return {"fate": None}
    lineage, seen = reader.service.lineage, Seen(reader.sight, reader.service)
    rank = lineage.rank(batch.batch_id)
    if not Prefix(lineage, reader.horizon).has(np.array([rank]))[0]:
        return {"fate": None}  # by the instant that is asked for it had not been made
    traced = trace(lineage, rank, "both", depth_max=1, horizon=reader.horizon)
    picture = Painter(seen, Words(language_of(request)), _page_of).picture(traced, "both", "batch", reader.horizon)
    spots = sorted(picture.spots.values(), key=lambda spot: -spot.content_g)
    return {
        "picture": picture,
        "before": [spot for spot in spots if spot.depth < 0],
        "after": [spot for spot in spots if spot.depth > 0],
        "fate": seen.fate(fate(lineage, rank, reader.horizon)),
        "origins": _grouped(seen.provenance(provenance(lineage, rank, reader.horizon))),
    }


@router.get("/batches/{code}/qr.svg")
def batch_qr(request: Request, code: str, reader: TheReader) -> Response:
    """The code on the batch's label."""
    batch = find_scanned(code, reader.sight, reader.service)
    told = reader.service.containers.code_of(batch, reader.service.as_of) or batch.batch_id
    return Response(qr.svg(batch_url(told, request.app.state.base_url)), media_type=MEDIA["svg"])


@router.get("/batches/{code}/label-{size_mm}.{form}")
def batch_label_file(request: Request, code: str, size_mm: int, form: LabelForm, reader: TheReader) -> Response:
    """The label at one of its sizes; the same batch gives the same bytes."""
    if size_mm not in LABEL_SIZES:
        raise Malformed("page-asked-wrongly", first="size_mm")
    batch = find_scanned(code, reader.sight, reader.service)
    printed = batch_label(batch, reader.service, request.app.state.base_url)
    match form:
        case "svg":
            body = label.svg(printed, size_mm)
        case "png":
            body = label.png(printed, size_mm)
        case "pdf":
            body = label.pdf(printed, size_mm)
    name = f"label-{batch.batch_id.partition('.')[2]}-{size_mm}.{form}"
    return Response(body, headers={"Content-Disposition": f'inline; filename="{name}"'}, media_type=MEDIA[form])


def _page_of(batch: Batch) -> str:
    return f"/batches/{quote(batch.batch_id)}"


def _grouped(told: dict[str, object]) -> list[dict[str, object]]:
    """Sources put together by what they are and whose, the largest first; what is not seen by prefecture."""
    found: dict[tuple[object, ...], dict[str, object]] = {}
    for source in cast("list[dict[str, object]]", told["sources"]):
        place = None if source["seen"] else source.get("prefecture")
        key = source["boundary"], source.get("holder"), source.get("material"), place
        row = found.setdefault(key, {**source, "share": 0.0, "mass_g": 0, "count": 0})
        row["share"] = cast("float", row["share"]) + cast("float", source["share"])
        row["mass_g"] = cast("int", row["mass_g"]) + cast("int", source["mass_g"])
        row["count"] = cast("int", row["count"]) + 1
    return sorted(found.values(), key=lambda row: -cast("float", row["share"]))


def _spoken(batch: Batch, reader: Reader) -> Iterator[Spoken]:
    """The facts about a batch that the reader may see, in the ledger's order."""
    for position in history(batch.batch_id, reader.service):
        entry = next(reader.service.ledger.entries(after=position - 1, until=position))
        if sees_entry(entry, reader.sight):
            yield Spoken(entry)
