"""Our own style sheet and scripts: read once, named by what they hold, kept by browsers for ever."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.problems import STATUS
from flows.errors import Unknown

FOLDER: Final = Path(__file__).parent.parent / "static"
MEDIA: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOR_EVER: Final = "public, max-age=31536000, immutable"


@cache
def files() -> dict[str, bytes]:
    """All static files by name."""
    return {file.name: file.read_bytes() for file in sorted(FOLDER.iterdir()) if file.suffix in MEDIA}


@cache
def digest() -> str:
    """What the files are together: a changed file changes every address, so modules find each other."""
    whole = hashlib.sha256()
    for name, body in files().items():
        whole.update(f"{name}\0{len(body)}\0".encode() + body)
    return whole.hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of a static file."""
    assert name in files(), name
    return f"/static/{digest()}/{name}"


def _serve(request: Request) -> Response:
    body = files().get(request.path_params["name"])
    if body is None or request.path_params["digest"] != digest():
        return PlainTextResponse("Not found", int(STATUS[Unknown]))
    media = MEDIA[Path(request.path_params["name"]).suffix]
    return Response(body, headers={"Cache-Control": FOR_EVER}, media_type=media)


def mount_static(app: FastAPI) -> None:
    """Serve the static files."""
    app.add_route("/static/{digest}/{name}", _serve, include_in_schema=False)
