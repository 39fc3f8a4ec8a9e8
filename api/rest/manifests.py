"""Manifests as they stand, and their sheets."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.documents import manifest_sheet
from api.rest import shapes
from api.rest.answers import answer, manifest_json, page, page_link
from api.rest.asking import KnownPosition, KnownService, KnownSight, Limit, Place
from api.rest.shapes import PDF, refusals
from api.service import Service
from flows.access import Sight
from flows.errors import Malformed, Unknown
from flows.manifests import Manifest, State
from labels import sheet
from labels.payload import scanned

router = APIRouter(tags=["manifests"])


def find_manifest(text: str, sight: Sight, service: Service) -> Manifest:
    """The manifest that a scanned link, its id, its official number or its internal number means: the newest seen.

    Raises:
        Unknown: no such manifest, or none that the caller sees.
    """
    plain = "".join(text.upper().split())
    try:
        code = scanned(text)
    except Malformed:
        code = plain
    manifest = service.book.find_manifest(code)
    if manifest is not None and sight.sees_manifest(manifest):
        return manifest
    for each in service.book.all_manifests():
        if not {code, plain}.isdisjoint(_numbers(each)) and sight.sees_manifest(each):
            return each
    raise Unknown("manifest-unknown", manifest=code[:80])


def _numbers(manifest: Manifest) -> set[str]:
    submitted = manifest.submitted
    return {"".join(number.upper().split()) for number in (submitted.internal_no, submitted.official_no or "")} - {""}


@router.get(
    "/manifests",
    summary="转移联单（最新在前） · Manifests, newest first",
    responses=refusals(shapes.Manifests),
)
def list_manifests(
    request: Request,
    sight: KnownSight,
    service: KnownService,
    end: KnownPosition,
    state: Annotated[State | None, Query(description="状态")] = None,
    before: Annotated[Place | None, Query(description="此位置之前提交的")] = None,
    limit: Limit = 100,
) -> Response:
    """The manifests that the caller sees, newest first; `Link` names the next page."""
    rows: list[Manifest] = []
    for manifest in service.book.all_manifests():
        position = manifest.positions[0]
        if before is not None and position >= before:
            continue
        if state not in {None, manifest.state} or not sight.sees_manifest(manifest):
            continue
        if len(rows) >= limit and position != rows[-1].positions[0]:
            told = page([manifest_json(row, service) for row in rows])
            return answer(told, position=end, headers=page_link(request, before=rows[-1].positions[0]))
        rows.append(manifest)
    return answer(page([manifest_json(row, service) for row in rows]), position=end)


@router.get(
    "/manifests/{manifest_id}",
    summary="一份转移联单 · One manifest",
    responses=refusals(shapes.Manifest, "unknown"),
)
def get_manifest(manifest_id: str, sight: KnownSight, service: KnownService, end: KnownPosition) -> Response:
    """A manifest: its state, lines and the facts it is read from."""
    manifest = find_manifest(manifest_id, sight, service)
    return answer(manifest_json(manifest, service), position=end)


@router.get(
    "/manifests/{manifest_id}/sheet.pdf",
    summary="转移联单打印件（A4 PDF） · A manifest's sheet",
    response_class=Response,
    responses=refusals(None, "unknown", media=(PDF,)),
)
def get_sheet(request: Request, manifest_id: str, sight: KnownSight, service: KnownService) -> Response:
    """The printed sheet, as of the last entry."""
    manifest = find_manifest(manifest_id, sight, service)
    body = sheet.pdf(manifest_sheet(manifest, service, request.app.state.base_url))
    return Response(body, media_type=PDF)
