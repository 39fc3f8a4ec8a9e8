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
from flows.times import CLOCKS_APART_US, earliest_us, instant_us, latest_us, moment_of, parse_time, shown
from graph.lineage import Horizon

SESSION_COOKIE: Final = "huanliu_session"
HOST_COOKIE: Final = f"__Host-{SESSION_COOKIE}"
"""On https: a browser takes it from this very host only, and sends it to no other."""
PAGE_MOST: Final = 1_000
"""Rows of one page: an answer that a phone can hold."""
COUNT_MOST: Final = 2**53
"""What every JSON reader still counts exactly; no ledger is longer."""
READ_MOST: Final = 80
"""Characters of a time or a position: more than any needs, and as many as a problem quotes."""
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
    """The service that this application serves: pinned, for an answer, to what is known now; who writes catches up then."""
    service: Service = request.app.state.service
    return service.known() if request.method in {"GET", "HEAD"} else service


TheService: TypeAlias = Annotated[Service, Depends(service_of)]


@dataclass(frozen=True)
class Credentials:
    """With which key a request is signed, and whom that stands for."""

    key_id: str
    caller: Caller


def credentials(request: Request, service: Service) -> Credentials:
    """What a request is signed with: the key in its Authorization header, or the one whose session a page opened.

    `request.state.signed` says from then on that the answer may name a position.

    Raises:
        Unsigned: no key, or one that stands for nobody.
        Forbidden: a session, and a page from elsewhere that lets it write.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        kept = service.keys.find_key(key)
        if kept is None:
            raise Unsigned("key-wrong")
        request.state.signed = True
        return Credentials(kept.key_id, kept.caller)
    token = request.cookies.get(HOST_COOKIE) or request.cookies.get(SESSION_COOKIE)
    kept = service.keys.find_session_key(token) if token else None
    if kept is None:
        raise Unsigned("key-missing")
    _check_from_here(request)
    request.state.signed = True
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


def known_by(text: str, service: Service, where: str = "as_of") -> int:
    """The position that a text names: itself, or the last that was recorded by a day's end or an instant.

    Raises:
        Malformed: neither a position nor a time, beyond the ledger's end, before its first entry, or still to come.
    """
    plain, end = text.strip(), service.recording.catch_up()
    if not end:
        raise Malformed("as-of-ledger-empty", where=where, read=text[:READ_MOST])

    def recorded_us(position: int) -> int:
        return next(service.ledger.entries(after=position - 1, until=position)).record_time_us

    if plain.isascii() and plain.isdecimal():
        position = int(plain) if len(plain) <= len(str(COUNT_MOST)) else COUNT_MOST
        if position > end:
            raise Malformed("as-of-beyond-end", where=where, read=text[:READ_MOST], end=end)
    else:
        try:
            moment = parse_time(plain)
        except Malformed:
            raise Malformed("as-of-unreadable", where=where, read=text[:READ_MOST]) from None
        now = service.clock()
        if earliest_us(moment) > instant_us(now) + CLOCKS_APART_US:
            raise Malformed("as-of-to-come", where=where, read=text[:READ_MOST], now=shown(now))
        position = bisect_right(range(1, end + 1), latest_us(moment), key=recorded_us)
    if not position:
        first = shown(moment_of(recorded_us(1)))
        raise Malformed("as-of-before-first", where=where, read=text[:READ_MOST], first=first)
    return position


def as_of_of(
    request: Request,
    service: TheService,
    as_of: Annotated[
        str | None,
        Query(
            max_length=READ_MOST,
            description="台账位置，或登记时间：截至此条、此日或此刻已登记的；a ledger position or a record time",
        ),
    ] = None,
) -> int | None:
    """Whose knowledge is asked for: that of a position, which `request.state` keeps, or now's. Raises as `known_by`."""
    if not as_of or not as_of.strip():
        return None
    position = known_by(as_of, service)
    request.state.as_of = position
    return position


TheAsOf: TypeAlias = Annotated[int | None, Depends(as_of_of)]


def known_of(service: TheService, as_of: TheAsOf) -> Service:
    """The service pinned to what was known when the caller says, or is known now."""
    return service if as_of is None else service.known(as_of)


KnownService: TypeAlias = Annotated[Service, Depends(known_of)]


def known_sight_of(caller: TheCaller, service: KnownService) -> Sight:
    """What the caller, with its rights of today, sees of what was known."""
    return service.sight(caller)


KnownSight: TypeAlias = Annotated[Sight, Depends(known_sight_of)]


def known_position_of(sight: KnownSight, service: KnownService) -> int:
    """The position that an answer knows at least, or just that whose knowledge was asked for."""
    _ = sight  # it caught up
    return service.recording.position if service.as_of is None else service.as_of


KnownPosition: TypeAlias = Annotated[int, Depends(known_position_of)]


def horizon_of(
    as_of: TheAsOf,
    at: Annotated[
        str | None,
        Query(max_length=READ_MOST, description="有效时间：截至此日或此刻已发生的；by effective time"),
    ] = None,
) -> Horizon:
    """Which facts to read: those known, and of these what had happened.

    Raises:
        Malformed: a time that cannot be read.
    """
    return Horizon(as_of=as_of, at_us=happened_by(at) if at and at.strip() else None)


def happened_by(text: str, where: str = "at") -> int:
    """The instant that a text names, or a day's end, in microseconds.

    Raises:
        Malformed: no time.
    """
    try:
        return latest_us(parse_time(text))
    except Malformed as problem:
        raise problem.at(where) from None


TheHorizon: TypeAlias = Annotated[Horizon, Depends(horizon_of)]
EntryPosition: TypeAlias = Annotated[int, Path(ge=1, le=COUNT_MOST, description="台账位置")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=PAGE_MOST, description="每页行数")]
