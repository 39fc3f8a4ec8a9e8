"""The web application: REST and pages over one service, with a strict content policy."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api import pages
from api.problems import problem_response, shape_response
from api.rest import batches, facts, imports, manifests, readings, traces
from api.service import Service
from flows.errors import Malformed, Problem, Unknown

BODY_MOST: Final = 32 * 1024 * 1024
"""Bytes of one request: a workbook of a year of a large plant is a few megabytes."""
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


def create_app(service: Service, port: int | None = None) -> FastAPI:
    """An application that serves one service at `port`, and closes it when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        service.close()

    app = FastAPI(
        title="环流 huanliu",
        version="1",
        summary="有色金属固体废物物质流追溯 · material flow and solid-waste traceability",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.state.base_url = service.settings.base_url(port)
    for part in (facts, batches, traces, readings, manifests, imports):
        app.include_router(part.router, prefix="/api/v1")
    app.include_router(pages.router)
    pages.mount_static(app)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_shape)
    app.add_exception_handler(HTTPStatus.NOT_FOUND, _on_missing)
    app.middleware("http")(_guarded)
    app.add_api_route("/livez", _alive, include_in_schema=False)
    app.add_api_route("/readyz", _ready, include_in_schema=False)
    return app


async def _on_problem(request: Request, fault: Exception) -> Response:
    return problem_response(request, cast("Problem", fault))


async def _on_missing(request: Request, _: Exception) -> Response:
    if request.url.path.startswith("/api/"):
        return problem_response(request, Unknown("page-unknown", path=request.url.path[:80]))
    return pages.missing_page(request)


async def _on_shape(request: Request, fault: Exception) -> Response:
    return shape_response(request, cast("RequestValidationError", fault))


async def _guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    size = int(request.headers.get("content-length") or 0)
    if size > BODY_MOST:
        problem = Malformed("body-too-large", size=f"{size >> 20} MiB", most=f"{BODY_MOST >> 20} MiB")
        response = problem_response(request, problem)
    else:
        response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _alive() -> Response:
    return JSONResponse({"alive": True})


def _ready(request: Request) -> Response:
    service: Service = request.app.state.service
    position = service.recording.catch_up()
    return JSONResponse({"ready": True, "position": position})
