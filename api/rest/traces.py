"""Traces: where a batch went and came from, in rows by page, in columns, or as a graph for other programs."""

from typing import Annotated, Final, Literal, TypeAlias

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.readings import Seen
from api.rest import shapes
from api.rest.answers import JSON, POSITION, answer, page_link
from api.rest.asking import (
    COUNT_MOST,
    PAGE_MOST,
    Asked,
    KnownPosition,
    KnownService,
    KnownSight,
    Place,
    TheHorizon,
    check_filters,
)
from api.rest.batches import find_scanned
from api.rest.shapes import refusals
from api.trails import Table, Trail, rows
from flows.events import LegalStatus
from flows.times import EventTime, earliest_us, latest_us
from graph import network
from graph.tracing import Direction, Filter, trace

GRAPHML: Final = "application/graphml+xml"
Form: TypeAlias = Literal["rows", "columns", "graphml", "node-link"]

router = APIRouter(tags=["traces"])


class Tracing(Asked):
    """How far, and what of it is shown; a filter hides, and changes no share."""

    direction: Annotated[Direction, Field(description="down 去向；up 溯源；both")] = "down"
    depth: Annotated[int | None, Field(ge=0, le=COUNT_MOST, description="层数，不填为全部")] = None
    material: Annotated[frozenset[str] | None, Field(description="只显示这些物料")] = None
    status: Annotated[frozenset[LegalStatus] | None, Field(description="只显示这些属性")] = None
    waste_code: Annotated[frozenset[str] | None, Field(description="只显示这些废物代码")] = None
    enterprise: Annotated[frozenset[str] | None, Field(description="只显示这些单位")] = None
    division: Annotated[str, Field(pattern=r"^\d{0,6}$", description="只显示此行政区划前缀")] = ""
    first: Annotated[EventTime | None, Field(description="自此时起产生")] = None
    last: Annotated[EventTime | None, Field(description="至此时止产生")] = None

    def filter(self) -> Filter:
        """The filter that these choices make."""
        return Filter(
            self.material,
            self.status,
            self.waste_code,
            self.enterprise,
            self.division,
            earliest_us(self.first) if self.first else None,
            latest_us(self.last) + 1 if self.last else None,
        )


class Wanted(Tracing):
    """A trace, and the form of its answer."""

    form: Annotated[Form, Field(description="rows 分页的行；columns 整列；graphml、node-link 供其他程序")] = "rows"
    after: Annotated[Place, Field(description="从第几行之后")] = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_MOST, description="每页行数")] = 200


@router.get(
    "/batches/{code}/trace",
    summary="追踪去向或溯源 · Trace a batch down, up, or both",
    responses=refusals(shapes.Trace, "unknown"),
)
def get_trace(
    request: Request,
    code: str,
    sight: KnownSight,
    service: KnownService,
    horizon: TheHorizon,
    position: KnownPosition,
    wanted: Annotated[Wanted, Query()],
) -> Response:
    """Every batch once, with the root's share in it. Rows are paged by `Link`; columns and graphs are whole."""
    batch = find_scanned(code, sight, service)
    sight.check_follows(batch)
    only = wanted.filter()
    if only != Filter():
        sight.check_may_filter()
        check_filters(service.catalogue, wanted.material or (), wanted.waste_code or ())
    if wanted.form in {"graphml", "node-link"}:
        sight.check_may_graph()
    root = service.lineage.rank(batch.batch_id)
    traced = trace(service.lineage, root, wanted.direction, depth_max=wanted.depth, horizon=horizon, only=only)
    match wanted.form:
        case "graphml":
            body = network.graphml(network.to_networkx(service.lineage, traced, horizon))
            return Response(body, headers={POSITION: str(position)}, media_type=GRAPHML)
        case "node-link":
            body = network.node_link(network.to_networkx(service.lineage, traced, horizon))
            return Response(body, headers={POSITION: str(position)}, media_type=JSON)
        case "columns":
            told = Trail(traced, Seen(sight, service)).columns()
            return answer({"root": batch.batch_id, "form": "columns"} | told, position=position)
        case "rows":
            told = Trail(traced, Seen(sight, service)).columns()
            return _page(request, batch.batch_id, told, wanted, position)


def _page(request: Request, root: str, told: dict[str, Table], wanted: Wanted, position: int) -> Response:
    """The same stretch of each table; `Link` as long as one of them goes on."""
    totals = {name: len(next(iter(table.values()))) for name, table in told.items()}
    end = wanted.after + wanted.limit
    headers = page_link(request, after=end) if end < max(totals.values()) else None
    tables = {name: rows(table, wanted.after, end) for name, table in told.items()}
    return answer({"root": root, "form": "rows", "totals": totals} | tables, position=position, headers=headers)


class Span(Asked):
    """Days of acceptance, both ends included."""

    first: Annotated[EventTime | None, Field(description="自")] = None
    last: Annotated[EventTime | None, Field(description="至")] = None


@router.get(
    "/network",
    summary="单位网络：谁供给谁、同码回环、枢纽（监管） · Who supplies whom",
    responses=refusals(shapes.Network),
)
def get_network(
    sight: KnownSight,
    service: KnownService,
    horizon: TheHorizon,
    position: KnownPosition,
    span: Annotated[Span, Query()],
) -> Response:
    """Who supplied whom by material, rounds of one code, groups and choke points; a regulator's or auditor's."""
    sight.check_may_graph()
    told = [
        each
        for each in network.supplies(
            service.lineage,
            horizon,
            from_us=earliest_us(span.first) if span.first else None,
            to_us=latest_us(span.last) + 1 if span.last else None,
        )
        if sight.holds(each.giver) or sight.holds(each.taker)
    ]
    body = {
        "supplies": [
            {"giver": each.giver, "taker": each.taker, "material": each.material, "mass_g": each.mass_g,
             "lines": each.lines}
            for each in told
        ],
        "cycles": [
            {"code": each.code, "enterprises": each.enterprises, "least_g": each.least_g}
            for each in network.cycles(service.lineage, told)
        ],
        "communities": network.communities(told),
        "choke_points": [
            {"enterprise": each.enterprise, "betweenness": each.betweenness, "cuts": each.cuts}
            for each in network.choke_points(told)
        ],
    }  # fmt: skip
    return answer(body, position=position)
