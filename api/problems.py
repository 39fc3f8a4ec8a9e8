"""Problems on the wire: problem+json in the caller's language; the only place where status codes stand."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.faults import faults_of
from flows.errors import Conflict, Forbidden, Language, Malformed, Problem, Refusal, Unknown
from flows.events import Event
from flows.mending import Breaks
from graph.store_problems import StoreAway, StoreFull


class Unsigned(Problem):
    """No key, or one that stands for nobody."""

    title = {"zh": "需要密钥", "en": "Key needed"}


class TooLarge(Malformed):
    """More bytes than one request may have."""

    title = {"zh": "请求过大", "en": "Too large"}


class Unreadable(Malformed):
    """A body that cannot be taken apart at all."""

    title = {"zh": "请求无法读取", "en": "Unreadable"}


class NotOffered(Problem):
    """A method that an address does not know."""

    title = {"zh": "方法不支持", "en": "Method not offered"}


class Behind(Problem):
    """This process has not read what the caller saw elsewhere."""

    title = {"zh": "尚未读到最新台账", "en": "Behind"}


class Broken(Problem):
    """Our own fault: nothing was kept, and the log says why."""

    title = {"zh": "系统故障", "en": "Fault of ours"}


STATUS: Final[Mapping[type[Problem], HTTPStatus]] = {
    Malformed: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unreadable: HTTPStatus.BAD_REQUEST,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unsigned: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    Unknown: HTTPStatus.NOT_FOUND,
    NotOffered: HTTPStatus.METHOD_NOT_ALLOWED,
    Refusal: HTTPStatus.CONFLICT,
    Conflict: HTTPStatus.CONFLICT,
    StoreFull: HTTPStatus.INSUFFICIENT_STORAGE,
    StoreAway: HTTPStatus.SERVICE_UNAVAILABLE,
    Behind: HTTPStatus.SERVICE_UNAVAILABLE,
    Problem: HTTPStatus.INTERNAL_SERVER_ERROR,
}
NO_CONTENT: Final = int(HTTPStatus.NO_CONTENT)
RECORDED: Final = int(HTTPStatus.CREATED)
"""What was stated is kept."""
NOT_KEPT: Final = int(HTTPStatus.UNPROCESSABLE_ENTITY)
"""A workbook with errors: its report says which."""
OK: Final = int(HTTPStatus.OK)
SEE_OTHER: Final = int(HTTPStatus.SEE_OTHER)
"""A form was taken: what it led to is read at another address."""
TOO_OFTEN: Final = int(HTTPStatus.TOO_MANY_REQUESTS)
"""Keys were tried in a row: whoever guesses waits."""
NOT_READY: Final = int(HTTPStatus.SERVICE_UNAVAILABLE)
"""Ask another process, or ask again."""
UNCACHED: Final = {"Cache-Control": "no-store"}
PROBLEM_JSON: Final = "application/problem+json"


class TooLargeBody(HTTPException):
    """A body that grew past its limit while it was read."""

    def __init__(self, problem: TooLarge) -> None:
        super().__init__(int(STATUS[TooLarge]))
        self.problem = problem


def status_of(problem: Problem) -> HTTPStatus:
    """The status of a problem, by its nearest kind."""
    return next(STATUS[kind] for kind in type(problem).__mro__ if kind in STATUS)


def language_of(request: Request) -> Language:
    """``?lang=`` first, then a cookie, then Accept-Language; Chinese unless English is asked for."""
    asked = request.query_params.get("lang") or request.cookies.get("lang")
    if asked in {"zh", "en"}:
        return "en" if asked == "en" else "zh"
    return _preferred(request.headers.get("accept-language", ""))


def _preferred(accepted: str) -> Language:
    """The language that is liked best; of two liked alike, the one that stands first."""
    liked: list[tuple[float, int, Language]] = []
    for place, part in enumerate(accepted.lower().split(",")):
        name, _, weight = part.partition(";q=")
        if name.strip()[:2] in {"zh", "en"}:
            liked.append((_weight(weight), -place, "en" if name.strip().startswith("en") else "zh"))
    return max(liked)[2] if liked else "zh"


def _weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text or 1)))
    except ValueError:
        return 0.0


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
    if isinstance(problem, Breaks):
        body["later"] = [later_json(*each, language) for each in problem.later]
    return body


def later_json(position: int, event: Event, problem: Problem, language: Language) -> dict[str, object]:
    """A later entry that could not stand after a correction, and why."""
    return {
        "position": position,
        "kind": event.kind,
        "event_id": event.event_id,
        "enterprise": event.enterprise,
        "detail": problem.text(language),
        "code": problem.key,
        "figures": problem.figures,
    }


def problem_response(
    request: Request,
    problem: Problem,
    more: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a problem."""
    language = language_of(request)
    told = {"Content-Language": "zh-CN" if language == "zh" else "en", **(headers or {})}
    if isinstance(problem, Unsigned):
        told["WWW-Authenticate"] = "Bearer"
    body = problem_body(problem, language) | dict(more or {})
    return Response(orjson.dumps(body), int(status_of(problem)), told, PROBLEM_JSON)


def shape_response(request: Request, fault: RequestValidationError) -> Response:
    """The answer to a body or query of the wrong shape, with every fault in it."""
    errors = faults_of(fault.errors(), language_of(request))
    problem = Malformed(
        "request-shape", count=len(errors), first=next((each["where"] for each in errors if each["where"]), "body")
    )
    return problem_response(request, problem, {"errors": errors})


def http_response(request: Request, fault: HTTPException) -> Response:
    """The answer to what the framework itself refuses."""
    path = request.url.path[:80]
    if isinstance(fault, TooLargeBody):
        return problem_response(request, fault.problem)
    if fault.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(request, Unknown("page-unknown", path=path))
    if fault.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        problem = NotOffered("method-not-offered", method=request.method[:20], path=path)
        return problem_response(request, problem, headers=fault.headers)
    return problem_response(request, Unreadable("body-unreadable"))
