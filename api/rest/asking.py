"""Who asks, and of which service: what every route needs before it answers."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Query
from starlette.requests import Request

from api.problems import Unsigned
from api.service import Service
from flows.access import Caller, Sight
from flows.errors import Malformed
from flows.times import latest_us, parse_time
from graph.lineage import Horizon

SESSION_COOKIE = "huanliu_session"
PAGE_MOST = 1_000
"""Rows of one page: an answer that a phone can hold."""


def service_of(request: Request) -> Service:
    """The service that this application serves."""
    service: Service = request.app.state.service
    return service


TheService: TypeAlias = Annotated[Service, Depends(service_of)]


def caller_of(request: Request, service: TheService) -> Caller:
    """Who asks: by key in the Authorization header, or by the session that a page opened.

    Raises:
        Unsigned: no key, or one that stands for nobody.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        caller = service.keys.find(key)
        if caller is None:
            raise Unsigned("key-wrong")
        return caller
    token = request.cookies.get(SESSION_COOKIE)
    caller = service.keys.find_session(token) if token else None
    if caller is None:
        raise Unsigned("key-missing")
    return caller


TheCaller: TypeAlias = Annotated[Caller, Depends(caller_of)]


def sight_of(caller: TheCaller, service: TheService) -> Sight:
    """What the caller sees, as of the last entry."""
    return service.sight(caller)


TheSight: TypeAlias = Annotated[Sight, Depends(sight_of)]


def horizon_of(
    at: Annotated[str | None, Query(description="有效时间：截至此日或此刻已发生的；by effective time")] = None,
    as_of: Annotated[int | None, Query(ge=0, description="台账位置：截至此条已登记的；a ledger position")] = None,
) -> Horizon:
    """Which prefix of the ledger to read.

    Raises:
        Malformed: a time that cannot be read.
    """
    try:
        at_us = latest_us(parse_time(at)) if at else None
    except Malformed as problem:
        raise problem.at("at") from None
    return Horizon(as_of=as_of, at_us=at_us)


TheHorizon: TypeAlias = Annotated[Horizon, Depends(horizon_of)]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=PAGE_MOST, description="每页行数")]
