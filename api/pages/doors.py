"""The doors: signing in and out, what a printed code opens, and the one search box."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, Final
from urllib.parse import quote, unquote

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.keys import SESSION_LASTS
from api.pages.drawing import page
from api.pages.reading import (
    HOST_COOKIE,
    PageRoute,
    TheReader,
    find_reader,
    is_secure,
    session_token,
)
from api.pages.seeking import seek
from api.problems import SEE_OTHER, TOO_OFTEN, Unsigned, status_of
from api.rest.asking import SESSION_COOKIE, TheService
from api.rest.batches import find_scanned
from flows.times import SECOND_US, instant_us

TRIES: Final = 10
"""Wrong keys from one address before it waits: a slip of the hand, not a search."""
WAIT_US: Final = 60 * SECOND_US
ADDRESSES_KEPT: Final = 10_000

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass
class Tries:
    """Wrong keys by address: the last window only, and no more addresses than fit."""

    kept: OrderedDict[str, tuple[int, int]] = field(default_factory=OrderedDict[str, tuple[int, int]])
    lock: Lock = field(default_factory=Lock)

    def waits_s(self, address: str, now_us: int) -> int:
        """Seconds until the address may try again; 0: now."""
        with self.lock:
            count, since_us = self.kept.get(address, (0, now_us))
        if count < TRIES or now_us - since_us >= WAIT_US:
            return 0
        return 1 + (WAIT_US - (now_us - since_us)) // SECOND_US

    def failed(self, address: str, now_us: int) -> None:
        """One more wrong key."""
        with self.lock:
            count, since_us = self.kept.pop(address, (0, now_us))
            self.kept[address] = (1, now_us) if now_us - since_us >= WAIT_US else (count + 1, since_us)
            while len(self.kept) > ADDRESSES_KEPT:
                self.kept.popitem(last=False)


def _tries(request: Request) -> Tries:
    if not hasattr(request.app.state, "tries"):
        request.app.state.tries = Tries()
    tries: Tries = request.app.state.tries
    return tries


def own_path(text: str) -> str:
    """A path on this host to go back to; anything else is the start."""
    plain = unquote(text)
    inside = plain.startswith("/") and not plain.startswith(("//", "/\\")) and plain.isprintable()
    return text if inside and "\\" not in plain else "/"


@router.get("/login")
def login_page(
    request: Request, service: TheService, next: Annotated[str, Query(max_length=2000)] = "/"
) -> Response:  # the usual word in an address
    if find_reader(request, service) is not None:
        return RedirectResponse(own_path(next), SEE_OTHER)
    return page(request, "login.html", next=own_path(next), problem=None)


@router.post("/login")
def sign_in(
    request: Request,
    service: TheService,
    key: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",  # the usual word in an address
) -> Response:
    """Open a session for a key that is typed once."""
    address = request.client.host if request.client else ""
    now_us = instant_us(service.clock())
    tries = _tries(request)
    if wait_s := tries.waits_s(address, now_us):
        headers = {"Retry-After": str(wait_s)}
        return page(request, "login.html", status=TOO_OFTEN, headers=headers, next=own_path(next), problem="too-often")
    token = service.keys.open_session(key)
    if token is None:
        tries.failed(address, now_us)
        return page(
            request, "login.html", status=status_of(Unsigned("key-wrong")), next=own_path(next), problem="key-wrong"
        )
    response = RedirectResponse(own_path(next), SEE_OTHER)
    secure = is_secure(request)
    response.set_cookie(
        HOST_COOKIE if secure else SESSION_COOKIE,
        token,
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.post("/logout")
def sign_out(request: Request, service: TheService) -> Response:
    """Close the session, here and on the desk."""
    token = session_token(request)
    if token:
        service.keys.close_session(token)
    response = RedirectResponse("/login", SEE_OTHER)
    secure = is_secure(request)
    name = HOST_COOKIE if secure else SESSION_COOKIE
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
    return response


@router.get("/q/{code}")
@router.get("/Q/{code}")
def open_batch_code(code: str, reader: TheReader) -> Response:
    """What a batch's label opens."""
    batch = find_scanned(code, reader.sight, reader.service)
    return RedirectResponse(f"/batches/{quote(batch.batch_id)}", SEE_OTHER)


@router.get("/m/{code}")
@router.get("/M/{code}")
def open_manifest_code(code: str, reader: TheReader) -> Response:
    """What a manifest's sheet opens."""
    manifest = reader.sight.manifest(code.upper())
    return RedirectResponse(f"/manifests/{quote(manifest.manifest_id)}", SEE_OTHER)


@router.get("/search")
def search(request: Request, reader: TheReader, q: Annotated[str, Query(max_length=400)] = "") -> Response:
    """One box for batches, manifests, plates and enterprises; one hit opens at once."""
    hits = seek(q, reader)
    if len(hits) == 1:
        return RedirectResponse(hits[0].url, SEE_OTHER)
    return page(request, "search.html", hits=hits, asked=q)
