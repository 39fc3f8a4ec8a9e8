"""`Idempotency-Key`: what a request changed is changed once, and a retry hears the first reply, byte for byte.

Source: draft-ietf-httpapi-idempotency-key-header-07. Why refusals are not kept, and what a crash leaves:
``docs/decisions``, "A retry is answered once".
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, Final

from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.problems import PROBLEM_JSON, STATUS, problem_response
from api.rest.asking import credentials, service_of
from api.service import Service
from flows.enterprises import Frozen
from flows.errors import Conflict, Malformed
from flows.ports import Clock, Desk
from flows.times import instant_us, moment_of

_LOG: Final = logging.getLogger(__name__)

KIND: Final = "reply"
HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
"""Not in the draft; the name that payment services made customary."""
KEPT: Final = timedelta(days=30)
"""As long as the findings of a statement: a phone that was without a network for a month states anew by hand."""
KEY_MOST: Final = 255
LEASE: Final = timedelta(seconds=10)
"""A request that was not heard of for so long died with its process; a retry then does its work."""
RENEWED_SECONDS: Final = 3.0
"""Thrice within a lease, so that a busy machine may miss two."""
RETRY_SECONDS: Final = 1
"""Most requests are done by then."""
TARGET_MOST: Final = 300
"""Characters of an address that a conflict quotes."""
CHECK: Final = "/check"
"""How addresses end that keep nothing: what they say may be another thing the next time, and should."""
REFUSED_FROM: Final = int(min(STATUS.values()))
"""Statuses from here on say that nothing was kept."""
CHANGING: Final = {"POST", "PUT", "PATCH", "DELETE"}

_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"', re.ASCII)
"""A string of RFC 9651, as the draft wants it."""
_BARE: Final = re.compile(r"[!#-+\--:<-\[\]-~]+", re.ASCII)
"""What most clients send: visible signs without quotes, commas, semicolons and backslashes."""
_BOUNDARY: Final = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_MICROSECOND: Final = timedelta(microseconds=1)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_PARAMETER: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MOST},
    "description": (
        f"重试标识：同一密钥、同一标识、同一请求，{KEPT.days} 天内原样得到第一次的回复，附 {REPLAYED}: true；"
        "未登记的（4xx、5xx）不保留，可用同一标识重试 · "
        f"one key for one request: within {KEPT.days} days a retry gets the first reply again, byte for byte, with "
        f"{REPLAYED}: true. What kept nothing (4xx, 5xx) is not held against the key."
    ),
}


class Once(APIRoute):
    """A route whose change is made once for each `Idempotency-Key`; without the header it is a route like any other."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        if _changes(path, more.get("methods") or ()):
            more["openapi_extra"] = {**(more.get("openapi_extra") or {}), "parameters": [_PARAMETER]}
            refused = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
            told = {"description": "编号冲突，或同一请求仍在办理 · one name for two, or under way", "content": refused}
            more["responses"] = {int(STATUS[Conflict]): told, **(more.get("responses") or {})}
        super().__init__(path, endpoint, **more)

    def get_route_handler(self) -> Handler:
        """The route's own handler, behind what is kept of earlier replies."""
        handler = super().get_route_handler()
        if not _changes(self.path, self.methods or ()):
            return handler

        async def once(request: Request) -> Response:
            told = request.headers.getlist(HEADER)
            return await _answered(request, handler, read_key(told)) if told else await handler(request)

        return once


class Asked(Frozen):
    """What a key stands for: the request, and when it was first heard."""

    method: str
    target: str
    digest: str
    """SHA-256 of the body, in hex."""
    first_us: int
    lease_us: int
    """Until when somebody is at work on it; 0 when it is answered."""
    status: int = 0
    """Of the kept reply; 0 while there is none."""
    headers: tuple[tuple[str, str], ...] = ()

    def differs(self, other: "Asked") -> tuple[str, str] | None:
        """What another request under the same key has otherwise, in both languages."""
        if (self.method, self.target) != (other.method, other.target):
            return "方法或地址", "the method or address"
        return ("正文", "the body") if self.digest != other.digest else None


@dataclass
class Claim:
    """One request's hold on its key, until its reply is kept or it is given up."""

    desk: Desk
    clock: Clock
    name: str
    asked: Asked
    version: int

    def hold(self) -> bool:
        """Hold the key for one more lease; False when another request has it."""
        lease_us = instant_us(self.clock()) + LEASE // _MICROSECOND
        return self._write(self.asked.model_copy(update={"lease_us": lease_us}))

    def keep(self, response: Response) -> None:
        """Keep the reply. Where that fails it is told all the same: a retry does the work again and comes to the same."""
        headers = tuple((name, value) for name, value in response.headers.items() if name != "content-length")
        reply = {"lease_us": 0, "status": response.status_code, "headers": headers}
        with _logged():
            _ = self._write(self.asked.model_copy(update=reply), bytes(response.body))

    def give_up(self) -> None:
        """Let go of the key: nothing was kept under it."""
        with _logged():
            _ = self._write(self.asked, expires_us=instant_us(self.clock()))

    def _write(self, asked: Asked, body: bytes = b"", expires_us: int | None = None) -> bool:
        written = self.desk.put(
            KIND,
            self.name,
            asked.model_dump_json().encode() + b"\n" + body,
            version=self.version,
            now_us=instant_us(self.clock()),
            expires_us=self.asked.first_us + KEPT // _MICROSECOND if expires_us is None else expires_us,
        )
        self.version += written
        return written


@contextmanager
def _logged() -> Generator[None]:
    try:
        yield
    except Exception:  # noqa: BLE001 - what stands in the ledger is true, whether a reply could be kept or not
        _LOG.exception("a reply was not kept")


def read_key(told: Sequence[str]) -> str:
    """The key of a header: a quoted string as the draft has it, or bare as most clients send it.

    Raises:
        Malformed: two keys, none, a longer one than 255 signs, or signs that are not visible ASCII.
    """
    match = _QUOTED.fullmatch(told[0].strip())
    key = re.sub(r"\\(.)", r"\1", match[1]) if match else told[0].strip()
    if len(told) > 1 or not 0 < len(key) <= KEY_MOST or not (match or _BARE.fullmatch(key)):
        raise Malformed("idempotency-key-malformed", most=KEY_MOST)
    return key


def read_kept(document: bytes) -> tuple[Asked, bytes]:
    """A kept document: what was asked, and the body of its reply.

    Raises:
        ValueError: it is none of ours.
    """
    head, _, body = document.partition(b"\n")
    try:
        return Asked.model_validate_json(head), body
    except ValidationError as fault:
        raise ValueError(str(fault)) from fault


def _changes(path: str, methods: Sequence[str] | set[str]) -> bool:
    return bool(CHANGING & {method.upper() for method in methods}) and not path.endswith(CHECK)


async def _answered(request: Request, handler: Handler, key: str) -> Response:
    service = service_of(request)
    body = await request.body()
    taken = await run_in_threadpool(_take, request, service, key, body)
    if isinstance(taken, Response):
        return taken
    try:
        async with _held(taken):
            response = await handler(request)
    except BaseException:
        await run_in_threadpool(taken.give_up)
        raise
    if response.status_code < REFUSED_FROM:
        await run_in_threadpool(taken.keep, response)
    else:
        await run_in_threadpool(taken.give_up)
    return response


def _take(request: Request, service: Service, key: str, body: bytes) -> Claim | Response:
    """Hold the key for this request, or answer it: with the kept reply, or with what stands against it."""
    holder = credentials(request, service)
    name = hashlib.sha256(f"{holder.caller.organisation}\x1f{holder.key_id}\x1f{key}".encode()).hexdigest()
    now_us = instant_us(service.clock())
    asked = Asked(
        method=request.method,
        target=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        digest=digest_of_body(body, request.headers.get("content-type", "")),
        first_us=now_us,
        lease_us=now_us + LEASE // _MICROSECOND,
    )
    while True:
        document = service.desk.get(KIND, name, now_us=now_us)
        claim = Claim(service.desk, service.clock, name, asked, document.version if document else 0)
        if document is not None:
            first, reply = read_kept(document.body)
            _check_same(first, asked, key)
            if first.status:
                return Response(reply, first.status, {**dict(first.headers), REPLAYED: "true"})
            if first.lease_us > now_us:
                return _under_way(request, key, first, now_us)
            claim.asked = first  # whoever was at work on it died: the same request goes on where it stopped
        if claim.hold():
            return claim


def _check_same(first: Asked, asked: Asked, key: str) -> None:
    if differs := first.differs(asked):
        raise Conflict(
            "idempotency-key-used",
            key=key,
            first=moment_of(first.first_us).isoformat(timespec="seconds"),
            asked=f"{first.method} {first.target[:TARGET_MOST]}",
            differs=differs[0],
            differs_en=differs[1],
            days=KEPT.days,
        )


def _under_way(request: Request, key: str, first: Asked, now_us: int) -> Response:
    since_s = ceil((now_us - first.first_us) * _MICROSECOND / timedelta(seconds=1))
    problem = Conflict("idempotency-key-under-way", key=key, since=since_s, retry=RETRY_SECONDS)
    return problem_response(request, problem, headers={"Retry-After": str(RETRY_SECONDS)})


@asynccontextmanager
async def _held(claim: Claim) -> AsyncGenerator[None]:
    """Renew the hold while the work lasts."""

    async def renewed() -> None:
        while True:
            await asyncio.sleep(RENEWED_SECONDS)
            with _logged():
                await run_in_threadpool(claim.hold)

    task = asyncio.create_task(renewed())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def digest_of_body(body: bytes, content_type: str) -> str:
    """SHA-256 of a body; of a form with files, whatever boundary the client drew for this attempt."""
    boundary = _BOUNDARY.search(content_type) if content_type.lower().startswith("multipart/") else None
    if boundary is not None:
        body = body.replace(b"--" + boundary[1].strip().encode("latin-1"), b"--")
    return hashlib.sha256(body).hexdigest()
