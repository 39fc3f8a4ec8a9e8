"""The web application: REST and pages over one service, with a strict content policy."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import metrics, pages, positions
from api.finishing import finishing
from api.problems import (
    NOT_READY,
    STATUS,
    UNCACHED,
    Behind,
    Broken,
    TooLarge,
    TooLargeBody,
    http_response,
    language_of,
    problem_response,
    shape_response,
)
from api.rest import audit, batches, corrections, differences, facts, imports, manifests, readings, traces
from api.rest.shapes import ProblemAnswer
from api.service import Service
from api.tailing import tailed
from flows.errors import Problem, Unknown

BODY_MOST: Final = 32 * 1024 * 1024
"""Bytes of one request: a workbook of a year of a large plant is a few megabytes."""
DIGITS_MOST: Final = 18
"""A Content-Length of more digits is no length."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ABOUT: Final = """
Facts in, readings out. 事实登记，读数取出。

- Sign in with `Authorization: Bearer KEY`. Masses are whole grams, times carry their zone.
- Problems are `application/problem+json` (RFC 9457), in Chinese or English by `Accept-Language` or `?lang=`.
- Lists come by page; the `Link` header names the next one. `Huanliu-Position` is the ledger position that an answer
  knows at least: it tells how many entries there are, and nothing of whose. Several processes may serve: send the highest
  position that you were told back in the same header, and whichever answers knows what you saw and what you wrote; one
  that is behind waits up to two seconds and then answers 503 with `Retry-After`. Browsers do so by a cookie.
- What a caller may not see answers like what does not exist.
- Readings take `as_of` (a position, a day or an instant of record: what was known) and, where it matters, `at` (what had happened
  by then). Asked again later with the same `as_of`, the answer is the same to the byte. `/differences` compares two of them.
- Send an `Idempotency-Key` with whatever changes something: a retry of the same request gets the first reply again for 30
  days. What was refused is not held against the key. Facts are safe without it: their `event_id` is used once.
"""


def create_app(service: Service, port: int | None = None, worker: int = 1) -> FastAPI:
    """An application that serves one service at `port`, and closes it when it ends; `worker` is which of several it is."""
    service.recording.hear = metrics.hear

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        with finishing(service), tailed(service, lambda: metrics.stands(service, worker)):
            yield
        service.close()

    app = FastAPI(
        title="环流 huanliu",
        version="1",
        summary="有色金属固体废物物质流追溯 · material flow and solid-waste traceability",
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.openapi = lambda: described(app)
    app.state.service = service
    app.state.worker = worker
    app.state.base_url = service.settings.base_url(port)
    for part in (corrections, facts, batches, traces, readings, manifests, imports, audit, differences):
        app.include_router(part.router, prefix="/api/v1")
    app.include_router(pages.router)
    pages.mount_static(app)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_shape)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_fault)
    positions.install(app)
    app.add_middleware(Guard)
    app.add_api_route("/livez", _alive, include_in_schema=False)
    app.add_api_route("/readyz", _ready, include_in_schema=False)
    app.add_api_route("/metrics", metrics.answer, include_in_schema=False)
    return app


def described(app: FastAPI) -> dict[str, Any]:
    """The interface in OpenAPI, with the shape of every problem."""
    if app.openapi_schema is None:
        told = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
        )
        shape = ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
        own: dict[str, Any] = told["components"]["schemas"]
        own |= shape.pop("$defs") | {"ProblemAnswer": shape}
        positions.describe(told)
        app.openapi_schema = told
    return app.openapi_schema


class Guard:
    """No body beyond the limit, whether its length was told or not; and the content policy on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > BODY_MOST:
                raise TooLargeBody(_too_large())
            return message

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        if _length(request) > BODY_MOST:
            await problem_response(request, _too_large())(scope, receive, headed)
        else:
            await self._app(scope, counted, headed)


def _length(request: Request) -> int:
    told = request.headers.get("content-length", "")
    return int(told[:DIGITS_MOST]) if told.isascii() and told.isdecimal() else 0


def _too_large() -> TooLarge:
    return TooLarge("body-too-large", most=f"{BODY_MOST >> 20} MiB")


async def _on_problem(request: Request, fault: Exception) -> Response:
    return problem_response(request, cast("Problem", fault))


async def _on_shape(request: Request, fault: Exception) -> Response:
    return shape_response(request, cast("RequestValidationError", fault))


async def _on_http(request: Request, fault: Exception) -> Response:
    refused = cast("HTTPException", fault)
    if refused.status_code == int(STATUS[Unknown]) and not request.url.path.startswith("/api/"):
        return pages.missing_page(request)
    return http_response(request, refused)


async def _on_fault(request: Request, _: Exception) -> Response:
    return problem_response(request, Broken("fault-of-ours"))


def _alive() -> Response:
    return JSONResponse({"alive": True})


async def _ready(request: Request) -> Response:
    """Whether this process may be asked: its readings are whole, and at the ledger's end as it was when this began."""
    service: Service = request.app.state.service
    try:
        head = await run_in_threadpool(service.ledger.head)
        await run_in_threadpool(service.recording.check_whole)
        if await positions.read_up_to(head.position, service, positions.WAIT_S):
            return JSONResponse({"ready": True})
        problem: Problem = Behind("not-ready-behind", waited=positions.WAIT_S)
    except Problem as found:
        problem = found
    told = {"ready": False, "code": problem.key, "detail": problem.text(language_of(request))}
    return JSONResponse(told, NOT_READY, UNCACHED)
