"""Batches as they stand, found by id, by any code of theirs, or by what they are; and their labels."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal, TypeAlias

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from api.documents import batch_label
from api.readings import history
from api.rest import shapes
from api.rest.answers import answer, batch_json, entry_json, page, page_link, sees_entry
from api.rest.asking import PAGE_MOST, Asked, KnownPosition, KnownService, KnownSight, Place, check_filters
from api.rest.shapes import refusals
from api.service import Service
from flows.access import Sight
from flows.batches import Batch
from flows.batches import Place as Where
from flows.errors import Unknown
from labels import label
from labels.payload import scanned

LabelForm: TypeAlias = Literal["svg", "png", "pdf"]
MEDIA: Final[dict[LabelForm, str]] = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


class Wanted(Asked):
    """Which open batches are asked for; what is not given does not restrict."""

    holder: Annotated[str | None, Field(description="持有人信用代码")] = None
    material: Annotated[str | None, Field(description="物料编号")] = None
    waste_code: Annotated[str | None, Field(description="废物代码")] = None
    place: Annotated[Where | None, Field(description="所在：site storage road gate")] = None
    before: Annotated[Place | None, Field(description="此台账位置之前的")] = None
    limit: Annotated[int, Field(ge=1, le=PAGE_MOST, description="每页行数")] = 100

    def admits(self, batch: Batch, waste_code: str | None) -> bool:
        """Is this batch asked for?"""
        return (
            (self.before is None or batch.position < self.before)
            and self.holder in {None, batch.holder}
            and self.material in {None, batch.material}
            and self.place in {None, batch.place}
            and self.waste_code in {None, waste_code}
        )


def _whole(text: object) -> object:
    """A query holds text: a choice among numbers is read as one of them."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() else text


class Printing(Asked):
    """How a label is printed."""

    size_mm: Annotated[Literal[100, 150, 200], BeforeValidator(_whole), Field(description="边长，毫米")] = 100
    black_only: Annotated[bool, Field(description="仅黑色，用于预印底色的标签纸")] = False


router = APIRouter(tags=["batches"])


def find_scanned(text: str, sight: Sight, service: Service) -> Batch:
    """The batch that a scanned link, a digital identification code, a batch id or a site's own code means.

    Raises:
        Malformed: nothing that could be a code.
        Unknown: no such batch, or none that the caller sees.
    """
    code = scanned(text)
    batch_id = service.containers.find(code) or code
    batch = service.book.find_batch(batch_id)
    if batch is not None and sight.sees_batch(batch):
        return batch
    named = (service.book.find_batch(service.lineage.batch_ids[rank]) for rank in service.lineage.find(code))
    seen = next((each for each in named if each is not None and sight.sees_batch(each)), None)
    if seen is None:
        raise Unknown("batch-unknown", batch=code)
    return seen


def open_batches(sight: Sight, service: Service) -> Iterator[Batch]:
    """The open batches that the caller sees, newest first."""
    batches = sorted(service.book.batches.values(), key=lambda batch: (-batch.position, batch.batch_id))
    return (batch for batch in batches if batch.left_g and sight.knows_stock(batch))


@router.get(
    "/batches",
    summary="在账批次（最新在前） · Open batches, newest first",
    responses=refusals(shapes.Batches, "unknown"),
)
def list_batches(
    request: Request,
    sight: KnownSight,
    service: KnownService,
    position: KnownPosition,
    wanted: Annotated[Wanted, Query()],
) -> Response:
    """Open batches, newest first; `Link` names the next page. Batches of one fact stay on one page."""
    check_filters(service.catalogue, [wanted.material], [wanted.waste_code])
    rows: list[Batch] = []
    headers: dict[str, str] = {}
    for batch in open_batches(sight, service):
        if not wanted.admits(batch, service.catalogue.material(batch.material).waste_code):
            continue
        if len(rows) >= wanted.limit and batch.position != rows[-1].position:
            headers = page_link(request, before=rows[-1].position)
            break
        rows.append(batch)
    told = page([batch_json(row, service, sight) for row in rows])
    return answer(told, position=position, headers=headers)


@router.get(
    "/batches/{code}",
    summary="一个批次：按编号、数字识别码、扫码内容或台账编码 · One batch, by any code of its",
    responses=refusals(shapes.Batch, "unknown"),
)
def get_batch(code: str, sight: KnownSight, service: KnownService, position: KnownPosition) -> Response:
    """A batch, open or used up, with where it lies and what is left."""
    batch = find_scanned(code, sight, service)
    return answer(batch_json(batch, service, sight), position=position)


@router.get(
    "/batches/{code}/entries",
    summary="与批次有关的台账条目 · The entries that name a batch",
    responses=refusals(shapes.Entries, "unknown"),
)
def batch_entries(code: str, sight: KnownSight, service: KnownService, end: KnownPosition) -> Response:
    """The entries that name a batch, as far as the caller may see them."""
    batch = find_scanned(code, sight, service)
    rows: list[object] = []
    for position in history(batch.batch_id, service):
        entry = next(service.ledger.entries(after=position - 1, until=position))
        if sees_entry(entry, sight):
            rows.append(entry_json(entry, sight))
    return answer(page(rows), position=end)


@router.get(
    "/batches/{code}/label.{form}",
    summary="批次标签（HJ 1276）：SVG、PNG 或 PDF · A batch's label",
    response_class=Response,
    responses=refusals(None, "unknown", media=tuple(MEDIA.values())),
)
def get_label(  # one parameter for each thing that FastAPI hands in
    request: Request,
    code: str,
    form: LabelForm,
    sight: KnownSight,
    service: KnownService,
    printing: Annotated[Printing, Query()],
) -> Response:
    """The label of a batch; the same batch gives the same bytes."""
    batch = find_scanned(code, sight, service)
    printed = batch_label(batch, service, request.app.state.base_url)
    return Response(print_label(printed, form, printing), media_type=MEDIA[form])


def print_label(printed: label.BatchLabel, form: LabelForm, printing: Printing) -> bytes:
    """A label in the form that is asked for."""
    match form:
        case "svg":
            return label.svg(printed, printing.size_mm, black_only=printing.black_only)
        case "png":
            return label.png(printed, printing.size_mm, black_only=printing.black_only)
        case "pdf":
            return label.pdf(printed, printing.size_mm, black_only=printing.black_only)
