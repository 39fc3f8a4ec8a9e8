"""Who reads a page, and what a page answers when something is wrong: a sign-in, or the problem in words."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.pages.drawing import page
from api.pages.when import When
from api.problems import SEE_OTHER, Unsigned, language_of, status_of
from api.rest.asking import SESSION_COOKIE, KnownService, TheHorizon, service_of
from api.service import Service
from flows.access import Caller, Sight
from flows.errors import Forbidden, Language, Malformed, Problem, Unknown
from flows.ids import EnterpriseId, ManifestId
from flows.materials import Catalogue
from graph.lineage import EVERYTHING, Horizon

HOST_COOKIE: Final = f"__Host-{SESSION_COOKIE}"
"""On https: a browser takes it from this very host only, and sends it to no other."""
SAME_SITES: Final = {"same-origin", "none"}
DIVISION_DIGITS: Final = 6
NONE_NEAR: Final = "—"
"""What a problem says when no valid word is near what was read."""


class Elsewhere(Forbidden):
    """A form that was sent from a page of another origin."""


@dataclass(frozen=True)
class Reader:
    """Who reads: what they see, and how the page names them."""

    sight: Sight
    service: Service
    horizon: Horizon = EVERYTHING
    """What of the readings is asked for: as known when, and what had happened by then."""

    @property
    def caller(self) -> Caller:
        """The key's organisation and role."""
        return self.sight.caller

    def own_name(self, language: Language) -> str:
        """The organisation's name; an authority that is no enterprise goes by its division."""
        division = self.caller.division.ljust(DIVISION_DIGITS, "0") if self.caller.division else ""
        if division and self.service.book.enterprises.get(self.caller.organisation) is None:
            return self.division(division, language)
        return self.name_of(self.caller.organisation, language)

    @cached_property
    def partners(self) -> frozenset[EnterpriseId]:
        """Whom the reader's enterprises met on a manifest."""
        own = self.sight.own
        manifests = self.service.book.all_manifests()
        return frozenset(party for each in manifests if not own.isdisjoint(each.parties) for party in each.parties)

    def sees_manifest(self, manifest_id: ManifestId) -> bool:
        """One that the reader is a party to, or has in charge."""
        manifest = self.service.book.find_manifest(manifest_id)
        return manifest is not None and self.sight.sees_manifest(manifest)

    def sees_enterprise(self, enterprise: EnterpriseId) -> bool:
        """Its own, a direct partner, or one in its charge."""
        return self.sight.sees_enterprise(enterprise, self.partners)

    def name_of(self, enterprise: EnterpriseId, language: Language = "zh") -> str:
        """An enterprise's name, or its code where nobody registered it."""
        known = self.service.book.enterprises.get(enterprise)
        if known is None:
            return enterprise
        return (known.registered.name_en if language == "en" else "") or known.registered.name

    def division(self, code: str, language: Language) -> str:
        """The name of the smallest division of ours that a code lies in."""
        return division_name(code, self.service.catalogue, language)


def division_name(code: str, catalogue: Catalogue, language: Language) -> str:
    """The name of the smallest division of ours that a code lies in; the code where there is none."""
    try:
        return catalogue.division(code).name(language)
    except Problem:
        return code


def is_secure(request: Request) -> bool:
    """Whether browsers reach us by https, also through a proxy that ends it."""
    return request.url.scheme == "https" or str(request.app.state.base_url).lower().startswith("https://")


def session_token(request: Request) -> str | None:
    """The session cookie under the name that fits the scheme."""
    return request.cookies.get(HOST_COOKIE if is_secure(request) else SESSION_COOKIE)


def find_reader(request: Request, service: Service, horizon: Horizon = EVERYTHING) -> Reader | None:
    """Who reads, by the session or by a key in the Authorization header."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    token = session_token(request)
    caller = service.keys.find_session(token) if token else None
    if caller is None and scheme.lower() == "bearer" and key:
        caller = service.keys.find(key)
    if caller is None:
        return None
    reader = Reader(service.sight(caller), service, horizon)
    request.state.reader = reader
    request.state.signed = True
    return reader


def reader_of(request: Request, service: KnownService, horizon: TheHorizon) -> Reader:
    """Who reads, and the state of knowledge that they ask for.

    Raises:
        Unsigned: nobody signed in; the page sends them to the door and back.
    """
    reader = find_reader(request, service, horizon)
    if reader is None:
        raise Unsigned("key-missing")
    request.state.when = When.of(request, service, horizon)
    return reader


TheReader: TypeAlias = Annotated[Reader, Depends(reader_of)]


def check_origin(request: Request) -> None:
    """A form must come from a page of ours: browsers say where from, and nobody can make them lie.

    Raises:
        Elsewhere: another origin, or a sender that does not say.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    if site is not None:
        if site not in SAME_SITES:
            raise Elsewhere("form-from-elsewhere", origin=origin or site)
        return
    hosts = {request.headers.get("host", ""), urlsplit(str(request.app.state.base_url)).netloc}
    if urlsplit(origin).netloc.lower() not in {host.lower() for host in hosts if host}:
        raise Elsewhere("form-from-elsewhere", origin=origin or "—")


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as a page: what is wrong, with its figures and the next step."""
    language = language_of(request)
    if getattr(request.state, "reader", None) is None and not isinstance(problem, Unsigned):
        find_reader(request, service_of(request))
    return page(
        request,
        "problem.html",
        status=int(status_of(problem)),
        heading=problem.title[language],
        detail=problem.text(language),
        code=problem.key,
        near=_near(request, problem),
    )


def _near(request: Request, problem: Problem) -> tuple[str, str] | None:
    """The nearest valid word, and the same address asked with it; none when the address does not hold what was read."""
    read, near = problem.figures.get("read"), problem.figures.get("nearest")
    known = isinstance(near, str) and near != NONE_NEAR
    asked = next((name for name, told in request.query_params.items() if told == read), None)
    if request.method != "GET" or not known or asked is None:
        return None
    mended = request.url.include_query_params(**{asked: near})
    return str(near), f"{mended.path}?{mended.query}"


def missing_page(request: Request) -> Response:
    """An address that leads nowhere."""
    return problem_page(request, Unknown("page-unknown", path=request.url.path[:80]))


class PageRoute(APIRoute):
    """A route whose problems are pages, and whose forms come from our own."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its problems told as pages."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                if request.method not in {"GET", "HEAD"}:
                    check_origin(request)
                return await handle(request)
            except Unsigned as problem:
                if request.method != "GET":
                    return problem_page(request, problem)
                back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/login?next={quote(back)}", SEE_OTHER)
            except Problem as problem:
                return problem_page(request, problem)
            except RequestValidationError as fault:
                first = ".".join(str(step) for step in fault.errors()[0]["loc"])
                return problem_page(request, Malformed("page-asked-wrongly", first=first))

        return handled
