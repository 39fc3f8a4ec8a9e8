"""The position that a caller saw last: told with each answer, sent back with each question, and waited for."""

import asyncio
from typing import Any, Final

import anyio
from anyio import to_thread
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.pages.reading import is_secure, problem_page
from api.problems import UNCACHED, Behind, problem_response
from api.rest.answers import POSITION
from api.rest.asking import COUNT_MOST
from api.rest.once import REPLAYED
from api.service import Service
from flows.errors import Malformed, Problem

COOKIE: Final = "huanliu_position"
COOKIE_S: Final = 60
"""How long a browser sends it back: processes are apart by seconds, and a restored ledger may be shorter for good."""
WAIT_S: Final = 2.0
"""How long an answer waits for what its caller saw: others' entries are read four times a second."""
LOOK_S: Final = 0.02
"""Between two looks at how far the reading is; a look costs nothing."""
RETRY_S: Final = 1
DIGITS_MOST: Final = 16
"""Of the longest position; what is longer is no position."""
SEEN_BY_NOBODY: Final = ("/static/", "/livez", "/readyz", "/metrics")
"""What reads nothing of the ledger for a caller."""
_READING: Final = {"GET", "HEAD"}


class Positions:
    """Read your writes, on whichever process the next question falls.

    Every answer to a signed caller names the position that it knows at least: in a header, and for a browser in a cookie
    besides. Whoever sends it back is answered by a process that has read so far, or is told that it is behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for what the caller saw, answer, and say what the answer knows."""
        if scope["type"] != "http" or scope["path"].startswith(SEEN_BY_NOBODY):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        service: Service = request.app.state.service
        try:
            seen = seen_by(request)
        except Malformed as problem:
            await problem_response(request, problem)(scope, receive, send)
            return
        if not await read_up_to(seen, service, WAIT_S):
            await _behind(request, seen)(scope, receive, send)
            return
        before = service.recording.position

        async def told(message: Message) -> None:
            known = scope.get("state", {})
            if message["type"] == "http.response.start" and known.get("signed"):
                then = known.get("as_of", before)
                _tell(request, MutableHeaders(scope=message), then, service.recording.position)
            await send(message)

        await self._app(scope, receive, told)


def seen_by(request: Request) -> int:
    """The highest position that a caller says to have seen; 0: none is told. A cookie that makes no sense is none.

    Raises:
        Malformed: a header that is no position.
    """
    told = request.headers.get(POSITION)
    if told is not None and not _is_position(told.strip()):
        raise Malformed("position-malformed", read=told[:DIGITS_MOST], most=COUNT_MOST)
    kept = request.cookies.get(COOKIE, "")
    return max(int(told or 0), int(kept) if _is_position(kept) else 0)


def _is_position(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= DIGITS_MOST and int(text) <= COUNT_MOST


async def read_up_to(position: int, service: Service, seconds: float) -> bool:
    """Wait until this process has read the ledger so far; False when it has not in that time.

    Nobody's thread waits, and the ledger is asked once: what the tail brings in is looked at. So a position that was made
    up costs its caller the time, and nobody else anything.
    """
    recording = service.recording
    if recording.position >= position:
        return True
    with anyio.move_on_after(seconds):
        try:
            await to_thread.run_sync(recording.catch_up, abandon_on_cancel=True)
        except Problem:  # whoever answers runs into it again, and tells it
            return True
        while recording.position < position:  # noqa: ASYNC110 - it is moved by threads, which know no events of ours
            await asyncio.sleep(LOOK_S)
    return recording.position >= position


def _behind(request: Request, seen: int) -> Response:
    """This process has not read what the caller saw. A browser forgets it: it would ask in vain where a ledger is shorter."""
    problem = Behind("process-behind", seen=seen, waited=WAIT_S, retry=RETRY_S)
    if request.url.path.startswith("/api/"):
        return problem_response(request, problem, headers={"Retry-After": str(RETRY_S), **UNCACHED})
    response = problem_page(request, problem)
    response.headers["Retry-After"] = str(RETRY_S)
    response.delete_cookie(COOKIE, path="/", secure=is_secure(request), httponly=True, samesite="lax")
    return response


def _tell(request: Request, headers: MutableHeaders, before: int, now: int) -> None:
    """What a reading knows at least is what had been read before it, or just what was known as of a position that it
    asked for; what a writing left is there when it answers.

    A reply that is told again names what it named the first time.
    """
    if request.method in _READING or REPLAYED in headers:
        headers.setdefault(POSITION, str(before))
    else:
        headers[POSITION] = str(max(now, int(headers.get(POSITION, "0"))))
    if "authorization" not in request.headers and request.cookies.get(COOKIE) != str(now):
        secure = "; Secure" if is_secure(request) else ""
        headers.append("set-cookie", f"{COOKIE}={now}; Max-Age={COOKIE_S}; Path=/; HttpOnly; SameSite=Lax{secure}")


PARAMETER: Final[dict[str, Any]] = {
    "name": POSITION,
    "in": "header",
    "required": False,
    "schema": {"type": "integer", "minimum": 0, "maximum": COUNT_MOST},
    "description": (
        "您见过的最高台账位置：应答的进程至少已读到这里，否则等待片刻后答复 503 与 Retry-After · "
        "the highest position that you were told: whichever process answers has read so far, waits for it a little, or "
        "answers 503 with Retry-After"
    ),
}
HEADER: Final[dict[str, Any]] = {
    "schema": {"type": "integer", "minimum": 0},
    "description": "应答至少已知的台账位置 · the ledger position that this answer knows at least",
}


def describe(told: dict[str, Any]) -> None:
    """Say it in the description of the interface, of every route."""
    for methods in told["paths"].values():
        for method in methods.values():
            method.setdefault("parameters", []).append(PARAMETER)
            for status, answer in method["responses"].items():
                if status.startswith("2"):
                    answer.setdefault("headers", {})[POSITION] = HEADER


def install(app: FastAPI) -> None:
    """Put it around an application."""
    app.add_middleware(Positions)
