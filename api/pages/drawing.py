"""How a page is drawn: templates, words, masses and times in one place; every page knows who reads it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.pages.statics import static_url
from api.pages.when import When
from api.pages.words import Words
from api.problems import OK, language_of
from flows.errors import Language
from flows.mass import plain_tonnes
from flows.times import moment_of, shown

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGE_COOKIE: Final = "lang"
YEAR_S: Final = 365 * 86_400
GRAM_PLACES: Final = 6
"""A gram is a millionth of a tonne."""
WHOLE_PERCENT: Final = 100
GRAMS_PER_KILOGRAM: Final = 1000
NOTHING: Final = "—"


def mass_places(masses_g: Iterable[int | None]) -> int:
    """The decimals that a column of tonnes needs so that all of it is exact."""
    texts = [plain_tonnes(mass_g) for mass_g in masses_g if mass_g is not None]
    return max([len(text.partition(".")[2]) for text in texts] + [0])


def plain_mass(mass_g: int | None, places: int = 0) -> str:
    """Tonnes, exactly, with at least so many decimals; a dash for what is not known."""
    if mass_g is None:
        return NOTHING
    text = plain_tonnes(mass_g)
    whole, _, rest = text.partition(".")
    rest = rest.ljust(min(places, GRAM_PLACES), "0")
    return f"{whole}.{rest}" if rest else whole


def mass(mass_g: int | None, places: int = 0) -> Markup:
    """A mass with its unit, kept on one line."""
    if mass_g is None:
        return Markup('<span class="none">—</span>')
    return Markup('<span class="mass">{}<span class="unit"> t</span></span>').format(plain_mass(mass_g, places))


def difference(mass_g: int | None, places: int = 0) -> Markup:
    """A signed mass: a plus sign or a true minus."""
    if mass_g is None:
        return mass(None)
    sign = "+" if mass_g > 0 else "\u2212" if mass_g < 0 else "±"
    text = f"{sign}{plain_mass(abs(mass_g), places)}"
    return Markup('<span class="mass">{}<span class="unit"> t</span></span>').format(text)


def percent(part: float | None, whole: float = 1.0, places: int = 1) -> str:
    """A share in percent; what is there but too small to show says so."""
    if part is None or not whole:
        return NOTHING
    share = Decimal(part) * WHOLE_PERCENT / Decimal(whole)
    least = Decimal(1).scaleb(-places)
    if 0 < share < least:
        return f"< {least} %"
    if WHOLE_PERCENT - least < share < WHOLE_PERCENT:
        return f"> {WHOLE_PERCENT - least} %"
    return f"{share:.{places}f} %"


def rough_mass(mass_g: float) -> str:
    """A computed mass in tonnes to the kilogram, as finer would say more than mixing knows; less than one says so."""
    if 0 < mass_g < GRAMS_PER_KILOGRAM:
        return "< 0.001"
    return f"{Decimal(round(mass_g / GRAMS_PER_KILOGRAM)).scaleb(-3):.3f}"


def short(text: str, most: float) -> str:
    """The beginning of a name where room is scarce; Latin letters are half as wide."""
    room = 0.0
    for place, letter in enumerate(text):
        room += 0.6 if letter.isascii() else 1.0
        if room > most:
            return text[:place].rstrip() + "…"
    return text


def moment(us: int) -> str:
    """An instant in Shanghai's time; a day alone when it is the day's beginning."""
    told = moment_of(us)
    return shown(told) if told.hour or told.minute or told.second else told.date().isoformat()


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own: dict[str, Any] = {
        "mass": mass,
        "plain_mass": plain_mass,
        "difference": difference,
        "percent": percent,
        "moment": moment,
        "rough_mass": rough_mass,
        "short": short,
        "places": mass_places,
    }
    cast("dict[str, Any]", made.filters).update(own)
    cast("dict[str, Any]", made.globals)["static"] = static_url
    return made


ENVIRONMENT: Final = _environment()


def draw(template: str, language: Language, **values: object) -> str:
    """A template filled in."""
    t = Words(language)
    return ENVIRONMENT.get_template(template).render(t=t, lang=language, **values)


def page(
    request: Request, template: str, *, status: int = OK, headers: Mapping[str, str] | None = None, **values: object
) -> Response:
    """A whole page in the reader's language; a language asked for in the address is remembered."""
    language = language_of(request)
    other: Language = "zh" if language == "en" else "en"
    when: When | None = getattr(request.state, "when", None)
    switch = request.url.include_query_params(lang=other)
    values = {
        "reader": getattr(request.state, "reader", None),
        "when": when,
        "here": request.url.path,
        "switch_url": f"{switch.path}?{switch.query}",
        **values,
    }
    drawn = draw(template, language, **values)
    response = HTMLResponse(drawn if when is None else when.keep(drawn), status, headers)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Language"] = "zh-CN" if language == "zh" else "en"
    if request.query_params.get("lang") == language:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, samesite="lax", httponly=True)
    return response
