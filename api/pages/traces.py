"""The trace page: the address is its whole state, and the picture is also a file of its own."""

from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from api.pages.drawing import draw, page
from api.pages.pictures import BOXES_MOST, LEVELS, ROWS_MOST, Level, Painter, Picture
from api.pages.reading import PageRoute, Reader, TheReader
from api.pages.words import Words
from api.problems import language_of
from api.readings import Seen
from api.rest.asking import TheHorizon, check_filters
from api.rest.batches import find_scanned
from flows.batches import Batch
from flows.enterprises import Frozen
from flows.errors import Language
from flows.events import LegalStatus
from flows.times import shown
from graph.lineage import Horizon
from graph.tracing import ALL, Direction, Filter, Trace, trace

DEPTHS: Final = (1, 2, 3, 4, 5)
STATUSES: Final[tuple[LegalStatus, ...]] = ("hazardous_waste", "general_waste", "recycled_raw_material", "product")
Blank: TypeAlias = Literal[""]

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class View(Frozen):
    """What the page shows: all of it stands in the address."""

    direction: Direction = "both"
    depth: Literal["1", "2", "3", "4", "5", "all"] = "2"
    level: Level | Blank = ""
    material: str = ""
    status: LegalStatus | Blank = ""

    @property
    def depth_max(self) -> int | None:
        """Movements from the root, or no end."""
        return None if self.depth == "all" else int(self.depth)

    def filter(self) -> Filter:
        """What is shown of what is found."""
        return Filter(
            materials=frozenset({self.material}) if self.material else None,
            statuses=frozenset[LegalStatus]({self.status}) if self.status else None,
        )

    def address(self, at: str = "", **changes: str) -> str:
        """The same view as a query, with some of it changed; what is as usual is left out."""
        told = self.model_dump() | {"at": at} | changes
        usual = View().model_dump() | {"at": ""}
        return urlencode({key: value for key, value in told.items() if value != usual.get(key)})


def view_of(
    direction: Annotated[Direction, Query()] = "both",
    depth: Annotated[Literal["1", "2", "3", "4", "5", "all"], Query()] = "2",
    level: Annotated[Level | Blank, Query()] = "",
    material: Annotated[str, Query(max_length=64)] = "",
    status: Annotated[LegalStatus | Blank, Query()] = "",
) -> View:
    """The view that an address asks for."""
    return View(direction=direction, depth=depth, level=level, material=material, status=status)


TheView: TypeAlias = Annotated[View, Depends(view_of)]


@router.get("/batches/{code}/trace")
def trace_page(request: Request, code: str, reader: TheReader, view: TheView, horizon: TheHorizon) -> Response:
    batch = find_scanned(code, reader.sight, reader.service)
    traced = _traced(batch, reader, view, horizon)
    at = request.query_params.get("at", "")
    picture = _picture(traced, reader, view, horizon, at, language_of(request))
    used = _materials(batch, reader, horizon) if reader.sight.region else []
    return page(
        request,
        "trace.html",
        batch=batch,
        material=reader.service.catalogue.material(batch.material),
        picture=picture,
        view=view,
        at=at,
        many=len(traced.nodes),
        asked_level=view.level,
        levels=LEVELS,
        depths=DEPTHS,
        statuses=STATUSES,
        materials=used,
        rows_most=ROWS_MOST,
        picture_url=f"/batches/{quote(batch.batch_id)}/trace.svg?{view.address(at, level=picture.level)}",
        deeper=f"?{view.address(at, depth=_deeper(view.depth))}",
    )


@router.get("/batches/{code}/trace.svg")
def trace_picture(request: Request, code: str, reader: TheReader, view: TheView, horizon: TheHorizon) -> Response:
    """The picture as a file that stands alone: title, filters, time and ledger position are drawn in."""
    batch = find_scanned(code, reader.sight, reader.service)
    language = language_of(request)
    traced = _traced(batch, reader, view, horizon)
    at = request.query_params.get("at", "")
    picture = _picture(traced, reader, view, horizon, at, language)
    head = reader.service.head
    body = draw(
        "trace.svg",
        language,
        picture=picture,
        batch=batch,
        material=reader.service.catalogue.material(batch.material),
        view=view,
        at=at,
        position=head.position,
        digest=head.digest,
        drawn=shown(reader.service.clock()),
        deeper=None,
    )
    name = f"trace-{batch.batch_id.partition('.')[2]}.svg"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(body, headers=headers, media_type="image/svg+xml")


def _traced(batch: Batch, reader: Reader, view: View, horizon: Horizon) -> Trace:
    lineage = reader.service.lineage
    rank = lineage.rank(batch.batch_id)
    reader.sight.check_follows(batch)
    if view.filter() != ALL:
        reader.sight.check_may_filter()
        check_filters(reader.service.catalogue, [view.material or None])
    return trace(lineage, rank, view.direction, depth_max=view.depth_max, horizon=horizon, only=view.filter())


def _picture(traced: Trace, reader: Reader, view: View, horizon: Horizon, at: str, language: Language) -> Picture:
    level = view.level or ("batch" if len(traced.nodes) <= BOXES_MOST else "material")

    def url(batch: Batch) -> str:
        asked = view.address(at)
        return f"/batches/{quote(batch.batch_id)}/trace" + (f"?{asked}" if asked else "")

    painter = Painter(Seen(reader.sight, reader.service), Words(language), url)
    return painter.picture(traced, view.direction, level, horizon)


def _materials(batch: Batch, reader: Reader, horizon: Horizon) -> list[str]:
    """The materials to filter by: of all that the whole trace meets."""
    lineage = reader.service.lineage
    whole = trace(lineage, lineage.rank(batch.batch_id), "both", horizon=horizon)
    numbers: list[int] = whole.nodes.material.tolist()
    return sorted({lineage.materials.names[each] for each in numbers})


def _deeper(depth: str) -> str:
    return str(int(depth) + 1) if depth.isdigit() and int(depth) < DEPTHS[-1] else "all"
