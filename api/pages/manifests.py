"""Manifests on pages: what each line weighed at either end, what was decided, and what waits for the reader."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.documents import manifest_sheet
from api.pages.drawing import mass_places, page
from api.pages.reading import PageRoute, Reader, TheReader
from api.rest.manifests import find_manifest
from flows.batches import Batch
from flows.events import DecidedLine, ManifestLine
from flows.manifests import Manifest, ManifestFact, State
from flows.materials import Material
from flows.times import shown
from labels import sheet

ROWS: Final = 100
"""Rows of a page: what a person scrolls through before filtering."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class Line:
    """A line of a manifest at every step."""

    planned: ManifestLine
    batch: Batch
    material: Material
    loaded_g: int | None
    arrived_g: int | None
    decided: DecidedLine | None

    @property
    def difference_g(self) -> int | None:
        """The consignee's scale less the consignor's."""
        return None if self.loaded_g is None or self.arrived_g is None else self.arrived_g - self.loaded_g

    @property
    def accepted_g(self) -> int | None:
        """What was taken; nothing is told before the decision."""
        return None if self.decided is None else self.decided.accepted.mass_g if self.decided.accepted else 0

    @property
    def rejected_g(self) -> int | None:
        """What was not."""
        return None if self.decided is None else self.decided.rejected.mass_g if self.decided.rejected else 0


@dataclass(frozen=True)
class Step:
    """One fact in a manifest's life."""

    fact: ManifestFact
    position: int

    @property
    def time(self) -> str:
        """When, as stated."""
        return shown(self.fact.event_time)


def waits_for(manifest: Manifest, reader: Reader) -> bool:
    """Is the next step the reader's: loading for the consignor, weighing and deciding for the consignee?"""
    match manifest.state:
        case State.SUBMITTED:
            return manifest.submitted.enterprise in reader.sight.own
        case State.LOADED | State.ARRIVED:
            return manifest.submitted.consignee in reader.sight.own
        case _:
            return False


@router.get("/manifests")
def manifests_page(
    request: Request,
    reader: TheReader,
    state: Annotated[State | None, Query()] = None,
    before: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    rows: list[Manifest] = []
    more: int | None = None
    for manifest in reader.service.book.all_manifests():
        position = manifest.positions[0]
        if (before is not None and position >= before) or state not in {None, manifest.state}:
            continue
        if not reader.sight.sees_manifest(manifest):
            continue
        if len(rows) >= ROWS:
            more = rows[-1].positions[0]
            break
        rows.append(manifest)
    waiting = [each for each in rows if waits_for(each, reader)]
    return page(request, "manifests.html", rows=rows, waiting=waiting, state=state, states=list(State), more=more)


@router.get("/manifests/{manifest_id}")
def manifest_page(request: Request, manifest_id: str, reader: TheReader) -> Response:
    manifest = find_manifest(manifest_id, reader.sight, reader.service)
    lines = [_line(manifest, planned, reader) for planned in manifest.submitted.lines]
    steps = [Step(fact, at) for fact, at in zip(manifest.history, manifest.positions, strict=True)]
    columns = [
        value
        for each in lines
        for value in (each.planned.mass_g, each.loaded_g, each.arrived_g, each.accepted_g, each.rejected_g)
    ]
    return page(
        request,
        "manifest.html",
        manifest=manifest,
        submitted=manifest.submitted,
        lines=lines,
        steps=steps,
        places=mass_places(columns),
        method=reader.service.catalogue.methods.get(manifest.submitted.method),
        mine=waits_for(manifest, reader),
    )


@router.get("/manifests/{manifest_id}/sheet.pdf")
def manifest_sheet_file(request: Request, manifest_id: str, reader: TheReader) -> Response:
    """The printed sheet, as of the last entry."""
    manifest = find_manifest(manifest_id, reader.sight, reader.service)
    body = sheet.pdf(manifest_sheet(manifest, reader.service, request.app.state.base_url))
    name = f"manifest-{manifest.manifest_id.partition('.')[2]}.pdf"
    return Response(body, headers={"Content-Disposition": f'inline; filename="{name}"'}, media_type="application/pdf")


def _line(manifest: Manifest, planned: ManifestLine, reader: Reader) -> Line:
    batch = reader.service.book.batch(planned.batch_id)
    loaded = manifest.loaded_line(planned.line)
    return Line(
        planned,
        batch,
        reader.service.catalogue.material(batch.material),
        loaded.portion.mass_g if loaded else None,
        manifest.arrived_g(planned.line),
        manifest.decided_line(planned.line),
    )
