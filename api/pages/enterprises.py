"""Enterprises on pages: what one is and may take, with whom it deals, what lies there, and its own figures."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Final, get_args

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.pages.drawing import page
from api.pages.reading import PageRoute, Reader, TheReader
from api.pages.start import figures_of, whole_year, years
from api.rest.readings import today_of
from flows.book import Enterprise
from flows.enterprises import Permit, Role
from flows.errors import Malformed, Unknown
from flows.ids import EnterpriseId
from flows.indicators import PART_WORDS

SOON: Final = timedelta(days=90)
"""A renewal is applied for 30 working days before a permit ends: time to get ready."""
ROLES: Final[tuple[str, ...]] = get_args(Role)

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass
class Stock:
    """What an enterprise holds of a material."""

    material: str
    mass_g: int = 0
    road_g: int = 0
    batches: int = 0


@dataclass
class Partner:
    """Another party to manifests: what was accepted from it, and what it accepted."""

    enterprise: EnterpriseId
    gave_g: int = 0
    took_g: int = 0
    carried: int = 0
    manifests: int = 0


@dataclass(frozen=True)
class PermitLeft:
    """A permit, and how it stands today."""

    permit: Permit
    standing: str
    used_g: dict[str, int] = field(default_factory=dict[str, int])
    """Accepted this year by line."""


@router.get("/enterprises")
def enterprises_page(request: Request, reader: TheReader, role: Annotated[str, Query(max_length=20)] = "") -> Response:
    if role and role not in ROLES:
        raise Malformed("page-asked-wrongly", first="role")
    seen = [
        (uscc, known)
        for uscc, known in sorted(_all(reader), key=lambda pair: (pair[1].registered.division, pair[0]))
        if reader.sees_enterprise(uscc) and (not role or role in known.registered.roles)
    ]
    today = _today(reader)
    permits = {uscc: reader.service.book.permits_of(uscc) for uscc, _ in seen}
    worst = {uscc: _worst([_standing(permit, own, today) for permit in own]) for uscc, own in permits.items()}
    return page(request, "enterprises.html", rows=seen, worst=worst, roles=ROLES, role=role)


@router.get("/enterprises/{uscc}")
def enterprise_page(
    request: Request, uscc: str, reader: TheReader, year: Annotated[int | None, Query(ge=2000, le=2100)] = None
) -> Response:
    uscc = uscc.upper()
    known = reader.service.book.enterprises.get(uscc)
    if known is None or not reader.sees_enterprise(uscc):
        raise Unknown("enterprise-unknown", enterprise=uscc)
    held = reader.sight.holds(uscc)
    all_years = years(reader)
    chosen = year or whole_year(reader, all_years)
    book = reader.service.book
    return page(
        request,
        "enterprise.html",
        uscc=uscc,
        registered=known.registered,
        confirmed_by=known.confirmed_by,
        held=held,
        sites=[site for site in book.sites.values() if site.site_id.startswith(f"{uscc}.")] if held else [],
        permits=[_permit(permit, reader) for permit in book.permits_of(uscc)],
        partners=_partners(uscc, reader) if held else [],
        stock=_stock(uscc, reader) if held else [],
        figures=figures_of(reader, chosen, uscc) if held else [],
        year=chosen,
        years=all_years,
        part_words=PART_WORDS,
    )


def _all(reader: Reader) -> list[tuple[EnterpriseId, Enterprise]]:
    return list(reader.service.book.enterprises.items())


def _today(reader: Reader) -> date:
    return today_of(reader.service)


def _standing(permit: Permit, own: Sequence[Permit], today: date) -> str:
    """Where a permit stands among its holder's; one whose every line goes on under another in force was renewed."""
    if today > permit.valid_to:
        lines = [line for each in own if each.valid_from <= today <= each.valid_to for line in each.lines]
        goes_on = (any(new.mode == old.mode and new.covers(old.waste) for new in lines) for old in permit.lines)
        return "renewed" if all(goes_on) else "expired"
    if today < permit.valid_from:
        return "not_yet"
    return "expiring" if permit.valid_to - today <= SOON else "valid"


def _worst(standings: list[str]) -> str:
    """What to look at first; empty without a permit."""
    return next((each for each in ("expired", "expiring", "not_yet", "valid", "renewed") if each in standings), "")


def _permit(permit: Permit, reader: Reader) -> PermitLeft:
    today = _today(reader)
    book = reader.service.book
    told = {f"{line.waste} {line.mode}": book.used_g(permit, line, today.year) for line in permit.lines}
    standing = _standing(permit, reader.service.book.permits_of(permit.holder), today)
    return PermitLeft(permit, standing, told if reader.sight.holds(permit.holder) else {})


def _partners(uscc: EnterpriseId, reader: Reader) -> list[Partner]:
    """Direct ones, the heaviest trade first."""
    found: dict[EnterpriseId, Partner] = {}
    for manifest in reader.service.book.all_manifests():
        if uscc not in manifest.parties or not reader.sight.sees_manifest(manifest):
            continue
        submitted, decided = manifest.submitted, manifest.decided
        lines = decided.lines if decided else ()
        accepted_g = sum(line.accepted.mass_g for line in lines if line.accepted)
        for other in manifest.parties - {uscc}:
            partner = found.setdefault(other, Partner(other))
            partner.manifests += 1
            if {other, uscc} == {submitted.enterprise, submitted.consignee}:
                partner.gave_g += accepted_g if other == submitted.enterprise else 0
                partner.took_g += accepted_g if other == submitted.consignee else 0
            else:
                partner.carried += 1
    return sorted(found.values(), key=lambda each: (-each.gave_g - each.took_g, each.enterprise))


def _stock(uscc: EnterpriseId, reader: Reader) -> list[Stock]:
    found: defaultdict[str, Stock] = defaultdict(lambda: Stock(""))
    for batch in reader.service.book.batches.values():
        if batch.holder != uscc or not batch.left_g:
            continue
        row = found[batch.material]
        row.material = batch.material
        row.batches += 1
        if batch.place == "road":
            row.road_g += batch.left_g
        else:
            row.mass_g += batch.left_g
    return sorted(found.values(), key=lambda row: (-row.mass_g - row.road_g, row.material))
