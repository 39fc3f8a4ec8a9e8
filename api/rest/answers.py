"""What readings look like on the wire: plain values, masses in grams, times with their zone."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.service import Service
from flows.access import Sight
from flows.batches import Batch
from flows.entries import Entry, event_json
from flows.errors import Language, messages
from flows.manifests import Manifest
from flows.rules import Finding
from flows.times import moment_of

JSON: Final = "application/json"
POSITION: Final = "Huanliu-Position"


def answer(
    body: object, *, position: int | None = None, headers: Mapping[str, str] | None = None, status: int | None = None
) -> Response:
    """JSON, with the ledger position that it knows at least. What one caller may see no cache keeps for another."""
    told = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie", **(headers or {})}
    if position is not None:
        told[POSITION] = str(position)
    response = Response(orjson.dumps(body), headers=told, media_type=JSON)
    if status is not None:
        response.status_code = status
    return response


def page_link(request: Request, **changes: object) -> dict[str, str]:
    """The `Link` header of the next page of this very question: a path on this host, whatever host was asked."""
    query = request.url.include_query_params(**changes).query
    return {"Link": f'<{quote(request.url.path)}?{query}>; rel="next"'}


def entry_json(entry: Entry, sight: Sight) -> dict[str, object]:
    """An entry: its place in the ledger and its fact. Whose key it came in with is its stater's to know."""
    return {
        "position": entry.position,
        "record_time": entry.record_time.isoformat(),
        "recorded_by": entry.recorded_by if sight.holds(entry.enterprise) else None,
        "digest": entry.digest,
        "event": event_json(sight.reads(entry.event)),
    }


def finding_json(finding: Finding, language: Language) -> dict[str, object]:
    """A finding with its words."""
    text = messages()[finding.key][language].format(**finding.figures)
    return {"code": finding.key, "detail": text, "figures": finding.figures}


def batch_json(batch: Batch, service: Service, sight: Sight) -> dict[str, object]:
    """A batch as it stands, for a caller who sees it; what is left of it, and where, for those who may know."""
    stock = sight.knows_stock(batch)
    material = service.catalogue.material(batch.material)
    waste = material.waste(service.catalogue)
    site = service.book.sites.get(batch.site_id)
    return {
        "batch_id": batch.batch_id,
        "code": batch.code,
        "digital_code": service.containers.code_of(batch, service.as_of),
        "material": batch.material,
        "name_zh": material.name_zh,
        "name_en": material.name_en,
        "waste_code": waste.code if waste else None,
        "waste_edition": waste.edition if waste else None,
        "item_pending": bool(waste and waste.is_class),
        "legal_status": batch.status,
        "holder": batch.holder,
        "site_id": batch.site_id,
        "division": site.division if site else None,
        "origin": batch.origin,
        "place": (batch.place if batch.left_g else "used_up") if stock else None,
        "storage_id": batch.storage_id if stock else None,
        "manifest_id": batch.manifest_id,
        "mass_g": batch.mass_g,
        "left_g": batch.left_g if stock else None,
        "made": moment_of(batch.made_us).isoformat(),
        "position": batch.position,
    }


def manifest_json(manifest: Manifest, service: Service) -> dict[str, object]:
    """A manifest as it stands: its state and lines, and the facts it is read from."""
    submitted = manifest.submitted
    lines: list[dict[str, object]] = []
    for planned in submitted.lines:
        loaded, decided = manifest.loaded_line(planned.line), manifest.decided_line(planned.line)
        arrived_g = manifest.arrived_g(planned.line)
        material = service.catalogue.material(service.book.batch(planned.batch_id).material)
        loaded_g = loaded.portion.mass_g if loaded else None
        lines.append(
            {
                "line": planned.line,
                "batch_id": planned.batch_id,
                "material": material.id,
                "name_zh": material.name_zh,
                "waste_code": material.waste_code,
                "submitted_g": planned.mass_g,
                "load_id": loaded.load_id if loaded else None,
                "loaded_g": loaded_g,
                "arrived_g": arrived_g,
                "difference_g": None if loaded_g is None or arrived_g is None else arrived_g - loaded_g,
                "accepted": decided.accepted.model_dump() if decided and decided.accepted else None,
                "rejected": decided.rejected.model_dump() if decided and decided.rejected else None,
                "reason": decided.reason if decided else None,
            }
        )
    return {
        "manifest_id": manifest.manifest_id,
        "internal_no": submitted.internal_no,
        "official_no": submitted.official_no,
        "state": manifest.state.value,
        "consignor": submitted.enterprise,
        "consignee": submitted.consignee,
        "method": submitted.method,
        "legs": [leg.model_dump(exclude_none=True) for leg in submitted.legs],
        "lines": lines,
        "facts": [
            {"position": position, "kind": fact.kind, "event_time": event_json(fact)["event_time"]}
            for fact, position in zip(manifest.history, manifest.positions, strict=True)
        ],
    }


def sees_entry(entry: Entry, sight: Sight) -> bool:
    """May the caller read this entry?"""
    return sight.sees_entry(entry.event)


def page(rows: Sequence[object], total: int | None = None) -> dict[str, object]:
    """Rows of one page."""
    body: dict[str, object] = {"rows": list(rows)}
    if total is not None:
        body["total"] = total
    return body
