"""Problems on the wire: problem+json in the caller's language; the only place where status codes stand."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from flows.errors import Conflict, Forbidden, Language, Malformed, Problem, Refusal, Unknown

STATUS: Final[dict[type[Problem], HTTPStatus]] = {
    Malformed: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unknown: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Refusal: HTTPStatus.CONFLICT,
    Conflict: HTTPStatus.CONFLICT,
}
PROBLEM_JSON: Final = "application/problem+json"


class Unsigned(Problem):
    """No key, or one that stands for nobody."""

    title = {"zh": "需要密钥", "en": "Key needed"}


def status_of(problem: Problem) -> HTTPStatus:
    """The status of a problem, by its nearest kind."""
    if isinstance(problem, Unsigned):
        return HTTPStatus.UNAUTHORIZED
    for kind in type(problem).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def language_of(request: Request) -> Language:
    """``?lang=`` first, then a cookie, then Accept-Language; Chinese unless English is asked for."""
    asked = request.query_params.get("lang") or request.cookies.get("lang")
    if asked in {"zh", "en"}:
        return "en" if asked == "en" else "zh"
    first = request.headers.get("accept-language", "zh").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


def problem_body(problem: Problem, language: Language) -> dict[str, object]:
    """RFC 9457 members, with the message key as `code` and the figures by name."""
    body: dict[str, object] = {
        "type": f"urn:huanliu:problem:{problem.key}",
        "title": problem.title[language],
        "status": int(status_of(problem)),
        "detail": problem.text(language),
        "code": problem.key,
        "figures": problem.figures,
    }
    if problem.where is not None:
        body["where"] = problem.where
    return body


def problem_response(request: Request, problem: Problem) -> Response:
    """The answer to a problem."""
    body = problem_body(problem, language_of(request))
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(problem, Unsigned) else {}
    return Response(orjson.dumps(body), int(status_of(problem)), headers, PROBLEM_JSON)


def shape_errors(faults: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """pydantic's faults as places and words: where in the input, what kind, what was read."""
    return [
        {
            "where": ".".join(str(step) for step in _steps(fault.get("loc"))),
            "code": fault.get("type"),
            "detail": fault.get("msg"),
        }
        for fault in faults
    ]


def _steps(location: object) -> tuple[object, ...]:
    return tuple(location) if isinstance(location, (tuple, list)) else (location,)


def shape_response(request: Request, fault: RequestValidationError) -> Response:
    """The answer to a body or query of the wrong shape, with every fault in it."""
    language = language_of(request)
    errors = shape_errors(fault.errors())
    problem = Malformed("request-shape", count=len(errors), first=str(errors[0]["where"]) if errors else "")
    body = problem_body(problem, language) | {"errors": errors}
    return Response(orjson.dumps(body, default=str), int(STATUS[Malformed]), media_type=PROBLEM_JSON)
