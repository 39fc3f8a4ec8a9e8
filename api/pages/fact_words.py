"""What facts say, in the words of the form: what each value is called, and how it is shown."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Final, cast

from api.corrections import SAME, Altered, leaves
from api.pages.reading import Reader
from api.pages.words import LOCALE_FOLDER
from flows.entries import event_json
from flows.errors import Language, Problem
from flows.events import Event
from flows.mass import plain_tonnes
from flows.materials import Catalogue
from flows.times import SHANGHAI, parse_time, shown

WRAPPERS: Final = frozenset(
    ("product", "portion", "site", "facility", "storage", "scale", "vehicle", "permit", "plan", "approval", "mandate")
)
"""What only holds the values of its kind of fact, or of its row: nobody needs to hear of it."""
PPM_PER_PERCENT: Final = 10_000
ENTERPRISES: Final = frozenset({"confirmed", "holder", "consignor", "consignee", "delegate", "carrier"})
NOTHING: Final = "—"


@cache
def field_words() -> Mapping[str, Mapping[str, str]]:
    """What fields are called, by name or by ``owner.name``."""
    return tomllib.loads((LOCALE_FOLDER / "fields.toml").read_text("utf-8"))


@cache
def choice_words() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """What the choices of fields are called, Chinese and English."""
    return tomllib.loads((LOCALE_FOLDER / "choices.toml").read_text("utf-8"))


def field_name(path: str, language: Language) -> str:
    """What the value at a place is called: ``lines.0.portion.mass_g`` is 行 1 · 质量."""
    told: list[str] = []
    owner = ""
    *_, last = path.split(".")
    for step in path.split("."):
        if step.isdecimal():
            told[-1:] = [f"{told[-1] if told else ''} {int(step) + 1}".strip()]
        elif step == last or step not in WRAPPERS:
            words = field_words()
            named = words.get(f"{owner}.{step}") or words.get(step)
            told.append(named[language] if named else step)
        owner = owner if step.isdecimal() else step
    return " · ".join(told)


def choice_name(field: str, value: str, language: Language) -> str:
    """What a choice is called."""
    named = choice_words().get(field, {}).get(value)
    return value if named is None else named[0 if language == "zh" else 1]


def plain_percent(ppm: int) -> str:
    """Parts per million in percent, exactly."""
    return f"{(Decimal(ppm) / PPM_PER_PERCENT).normalize():f}"


def plain_time(text: str) -> str:
    """A time as the form shows it: Shanghai's, to the minute where it has no seconds."""
    told = parse_time(text)
    if not isinstance(told, datetime):
        return told.isoformat()
    local = told.astimezone(SHANGHAI)
    return f"{local:%Y-%m-%d %H:%M}" if not (local.second or local.microsecond) else local.isoformat()


@dataclass(frozen=True, slots=True)
class Said:
    """One value that was told otherwise, in words; None where there was none, or is none any more."""

    name: str
    was: str | None
    becomes: str | None


@dataclass(frozen=True)
class FactWords:
    """The words of one reader."""

    reader: Reader
    language: Language

    def said(self, altered: Altered) -> Said:
        """What was told otherwise."""
        was, becomes = (
            None if each is None else self.value(altered.path, each) for each in (altered.was, altered.becomes)
        )
        return Said(field_name(altered.path, self.language), was, becomes)

    def all_said(self, altered: list[Altered]) -> list[Said]:
        """All that was told otherwise, in order."""
        return [self.said(each) for each in altered]

    def time(self, moment: date | datetime) -> str:
        """A time in Shanghai's, or a day."""
        return shown(moment)

    def headline(self, problem: Problem) -> str:
        """What is wrong; later facts are listed below it."""
        return problem.text(self.language).partition("\n")[0]

    def whole(self, event: Event) -> list[tuple[str, str]]:
        """All that a fact says, value by value."""
        told = ((path, each) for path, each in leaves(event_json(event)) if path not in SAME)
        return [(field_name(path, self.language), self.value(path, each)) for path, each in told if each != ""]

    def value(self, path: str, value: object) -> str:
        """A value as people say it: tonnes, percent, names beside codes."""
        name = next(step for step in reversed(path.split(".")) if not step.isdecimal())
        if isinstance(value, bool):
            return choice_name("yes", "true" if value else "false", self.language)
        if isinstance(value, int):
            return self._number(name, value)
        text = str(value)
        if name in choice_words():
            return choice_name(name, text, self.language)
        if name in ENTERPRISES:
            return self.reader.name_of(text, self.language)
        if name == "event_time":
            return shown(cast("date", parse_time(text)))
        return self._named(name, text) or text or NOTHING

    def _number(self, name: str, value: int) -> str:
        if name.endswith("_g"):
            return f"{plain_tonnes(value)} t"
        return f"{plain_percent(value)} %" if name.endswith("ppm") else str(value)

    def _named(self, name: str, text: str) -> str | None:
        """A code of the catalogue with its name; a site by its own."""
        catalogue = self.reader.service.catalogue
        if name.endswith("site") or name == "site_id":
            site = self.reader.service.book.sites.get(text)
            return f"{site.name}（{site.code}）" if site is not None else None
        return catalogue_name(catalogue, name, text, self.language)


def catalogue_name(catalogue: Catalogue, field: str, text: str, language: Language) -> str | None:
    """What the catalogue calls a code that stands in a field; None where the field holds no such code."""
    try:
        match field:
            case "material":
                return catalogue.material(text).name(language)
            case "process":
                return catalogue.process(text).name(language)
            case "method":
                return f"{text} {catalogue.method(text).name(language)}"
            case "division" | "supplier_division" | "receiver_division":
                return f"{text} {catalogue.division(text).name(language)}"
            case _:
                return None
    except Problem:
        return None
