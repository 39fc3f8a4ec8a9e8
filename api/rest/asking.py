"""Who asks, and of which service: what every route needs before it answers."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from fastapi import Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from api.problems import Unsigned
from api.service import Service
from flows.access import Caller, Sight
from flows.codes import nearest
from flows.errors import Forbidden, Malformed, Unknown
from flows.indicators import TEN_METALS
from flows.materials import Catalogue
from flows.times import latest_us, parse_time
from graph.lineage import Horizon

SESSION_COOKIE: Final = "huanliu_session"
HOST_COOKIE: Final = f"__Host-{SESSION_COOKIE}"
"""On https: a browser takes it from this very host only, and sends it to no other."""
PAGE_MOST: Final = 1_000
"""Rows of one page: an answer that a phone can hold."""
COUNT_MOST: Final = 2**53
"""What every JSON reader still counts exactly; no ledger is longer."""
DAY_LEAST, DAY_MOST = date(1900, 1, 1), date(2199, 12, 31)
"""Of `flows.times.YEARS`, with a day to spare."""

Day: TypeAlias = Annotated[date, Field(ge=DAY_LEAST, le=DAY_MOST)]
Place: TypeAlias = Annotated[int, Field(ge=0, le=COUNT_MOST)]
"""A position in the ledger, or of a row."""


def check_filters(
    catalogue: Catalogue,
    materials: Iterable[str | None] = (),
    codes: Iterable[str | None] = (),
    metal: str | None = None,
) -> None:
    """A filter that nothing can pass is a slip of the pen, told with the nearest there is.

    Raises:
        Unknown: a material, a waste code or category, or a metal that the catalogue does not have.
    """
    for material in materials:
        if material is not None:
            catalogue.material(material)
    known = dict.fromkeys([*(waste.category for waste in catalogue.wastes.values()), *catalogue.wastes])
    for code in codes:
        if code is not None and code not in known:
            raise Unknown("waste-unknown", read=code, nearest=nearest(code, known) or "—")
    metals = sorted({each.metal for each in catalogue.materials.values() if each.metal} | set(TEN_METALS))
    if metal is not None and metal not in metals:
        near = nearest(metal, metals) or "—"
        raise Unknown("metal-unknown", read=metal, nearest=near, known=", ".join(metals))


class Asked(BaseModel):
    """What a query string asks; what else stands in it, such as the language, is others' to read."""

    model_config = ConfigDict(frozen=True)


def service_of(request: Request) -> Service:
    """The service that this application serves, pinned to what is known now for this one answer."""
    service: Service = request.app.state.service
    return service.known()


TheService: TypeAlias = Annotated[Service, Depends(service_of)]


@dataclass(frozen=True)
class Credentials:
    """With which key a request is signed, and whom that stands for."""

    key_id: str
    caller: Caller


def credentials(request: Request, service: Service) -> Credentials:
    """What a request is signed with: the key in its Authorization header, or the one whose session a page opened.

    Raises:
        Unsigned: no key, or one that stands for nobody.
        Forbidden: a session, and a page from elsewhere that lets it write.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        kept = service.keys.find_key(key)
        if kept is None:
            raise Unsigned("key-wrong")
        return Credentials(kept.key_id, kept.caller)
    token = request.cookies.get(HOST_COOKIE) or request.cookies.get(SESSION_COOKIE)
    kept = service.keys.find_session_key(token) if token else None
    if kept is None:
        raise Unsigned("key-missing")
    _check_from_here(request)
    return Credentials(kept.key_id, kept.caller)


def caller_of(request: Request, service: TheService) -> Caller:
    """Who asks: by key in the Authorization header, or by the session that a page opened. Raises as `credentials`."""
    return credentials(request, service).caller


def _check_from_here(request: Request) -> None:
    """A session speaks for pages of ours only: a browser sends it along whoever made it write to us."""
    if request.method in {"GET", "HEAD"}:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    ours = site == "same-origin" if site is not None else urlsplit(origin).netloc == request.headers.get("host")
    if not ours:
        raise Forbidden("form-from-elsewhere", origin=origin or "—")


TheCaller: TypeAlias = Annotated[Caller, Depends(caller_of)]


def sight_of(caller: TheCaller, service: TheService) -> Sight:
    """What the caller sees, as of the last entry."""
    return service.sight(caller)


TheSight: TypeAlias = Annotated[Sight, Depends(sight_of)]


def position_of(sight: TheSight, service: TheService) -> int:
    """The position that an answer knows at least: taken before anything is read."""
    _ = sight  # it caught up
    return service.recording.position


ThePosition: TypeAlias = Annotated[int, Depends(position_of)]


def known_by(text: str, service: Service) -> int:
    """The position that a text names: itself, or the last that was recorded by a day's end or an instant.

    Raises:
        Malformed: neither a position nor a time.
    """
    plain = text.strip()
    if plain.isascii() and plain.isdecimal() and len(plain) <= len(str(COUNT_MOST)):
        return min(int(plain), COUNT_MOST)
    try:
        until_us = latest_us(parse_time(plain))
    except Malformed:
        raise Malformed("as-of-unreadable", where="as_of", read=text[:80]) from None

    def recorded_us(position: int) -> int:
        return next(service.ledger.entries(after=position - 1, until=position)).record_time_us

    return bisect_right(range(1, service.ledger.head().position + 1), until_us, key=recorded_us)


def horizon_of(
    service: TheService,
    at: Annotated[str | None, Query(description="有效时间：截至此日或此刻已发生的；by effective time")] = None,
    as_of: Annotated[
        str | None,
        Query(description="台账位置，或登记时间：截至此条、此日或此刻已登记的；a ledger position or a record time"),
    ] = None,
) -> Horizon:
    """Which prefix of the ledger to read.

    Raises:
        Malformed: a time that cannot be read.
    """
    try:
        at_us = latest_us(parse_time(at)) if at else None
    except Malformed as problem:
        raise problem.at("at") from None
    return Horizon(as_of=known_by(as_of, service) if as_of else None, at_us=at_us)


TheHorizon: TypeAlias = Annotated[Horizon, Depends(horizon_of)]
EntryPosition: TypeAlias = Annotated[int, Path(ge=1, le=COUNT_MOST, description="台账位置")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=PAGE_MOST, description="每页行数")]
