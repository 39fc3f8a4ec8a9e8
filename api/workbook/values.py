"""One cell as a value: full-width digits, Excel's floats, dates in five spellings, names or codes of the catalogue."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final, TypeAlias

from api.workbook.layout import Column
from api.workbook.reading import Raw
from flows import codes
from flows.errors import Malformed, Problem
from flows.mass import grams
from flows.materials import Catalogue
from flows.times import SHANGHAI

Value: TypeAlias = str | int | bool | date | datetime | tuple[str, ...]

TEXT_MAX: Final = 500
CODE_MAX: Final = 64
NAME_MAX: Final = 120
COUNT_MAX: Final = 100_000
EXACT_DIGITS: Final = 15
"""Excel keeps fifteen digits of a number: more are noise of its arithmetic, and an id of eighteen is ruined."""
PPM_PER_PERCENT: Final = 10_000

_YES: Final = {"是": True, "否": False, "yes": True, "no": False, "y": True, "n": False}
_ESCAPED: Final = re.compile(r"'(?=[=+\-@])")
_QUOTED: Final = re.compile(r'="(.*)"', re.DOTALL)
_ROUNDED: Final = re.compile(r"\d(?:\.\d+)?[Ee]\+\d{1,2}")
"""What Excel leaves of a long code in a .csv."""
_EIGHT_DIGITS: Final = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_DATE: Final = re.compile(
    r"(?P<year>\d{4})\s*[-./年]\s*(?P<month>\d{1,2})\s*[-./月]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:[T\s]\s*(?P<hour>\d{1,2})\s*[:时]\s*(?P<minute>\d{1,2})(?:\s*[:分]\s*(?P<second>\d{1,2})(?:\.(?P<part>\d{1,6}))?)?\s*[分秒]?)?"
)


@dataclass
class Unread(Exception):
    """A cell that cannot be read: why, and what would do."""

    problem: Problem
    allowed: tuple[str, ...] = ()
    nearest: str | None = None


def plain(raw: Raw) -> str:
    """What stands in a cell, as a person would read it aloud."""
    match raw:
        case bool():
            return "是" if raw else "否"
        case float() | int():
            return f"{Decimal(f'{raw:.{EXACT_DIGITS}g}'):f}"
        case datetime() | date():
            return raw.isoformat(" ") if isinstance(raw, datetime) else raw.isoformat()
        case str():
            return _bare(unicodedata.normalize("NFKC", raw))
        case _:
            return str(raw)


def _original(raw: str) -> str:
    """Text as typed: names and notes keep their full-width signs."""
    return _bare(raw)


def _bare(text: str) -> str:
    """Text without what other programs put around it so that Excel leaves it alone: an apostrophe, `="007"`, a tab."""
    bare = text.strip()
    if bare.startswith('="') and (quoted := _QUOTED.fullmatch(bare)) is not None:
        return quoted[1].replace('""', '"').strip()
    return _ESCAPED.sub("", bare, count=1)


@dataclass(frozen=True)
class CellReader:
    """Reads cells by their columns; knows the catalogue's words."""

    catalogue: Catalogue

    @cached_property
    def materials(self) -> Mapping[str, str]:
        """Names and ids to ids."""
        return {
            plain(word): each.id
            for each in self.catalogue.materials.values()
            for word in (each.name_en, each.name_zh, each.id)
        }

    def find_material(self, text: str) -> str | None:
        """The id of a material's name, however wide its brackets are."""
        return self.materials.get(plain(text))

    @cached_property
    def processes(self) -> Mapping[str, str]:
        """Names and ids to ids."""
        return {
            plain(word): each.id
            for each in self.catalogue.processes.values()
            for word in (each.name_en, each.name_zh, each.id)
        }

    @cached_property
    def divisions(self) -> Mapping[str, str]:
        """Names to codes."""
        return {word: each.code for each in self.catalogue.divisions.values() for word in (each.name_en, each.name_zh)}

    def read(self, column: Column, raw: Raw, unit: str | None = None) -> Value:
        """The value of a cell that is not empty.

        Raises:
            Unread: with what is allowed, and the nearest valid word.
        """
        text = plain(raw)
        try:
            return self._read(column, raw, text, unit)
        except Problem as problem:
            nearest = problem.figures.get("nearest")
            allowed = tuple(self.catalogue.methods) if column.kind == "method" else ()
            raise Unread(
                problem, allowed, nearest if isinstance(nearest, str) and nearest != "—" else None
            ) from problem

    def _read(self, column: Column, raw: Raw, text: str, unit: str | None) -> Value:
        match column.kind:
            case "text" | "ignored":
                limit = NAME_MAX if column.key == "name" else TEXT_MAX
                said = _original(raw) if isinstance(raw, str) else text
                if len(said) > limit:
                    raise Malformed("workbook-text-long", length=len(said), limit=limit)
                return said
            case "code":
                return _code(raw, text)
            case "uscc":
                return codes.uscc(_code(raw, text))
            case "plate":
                return codes.plate(_code(raw, text))
            case "waste":
                return codes.waste_code(_code(raw, text))
            case "method":
                return self.catalogue.method(_code(raw, text).split(" ", maxsplit=1)[0]).code
            case "division":
                return self._division(text)
            case "mass":
                return _mass(text, column, unit)
            case "time":
                return moment(raw, text)
            case "day":
                read = moment(raw, text)
                return read.date() if isinstance(read, datetime) else read
            case "count":
                return _count(text)
            case "percent":
                return _ppm(text)
            case "yes":
                return _one_of(text.lower(), _YES, ("是", "否"))
            case "element":
                return _element(text)
            case "material":
                return _named(text, self.materials, "workbook-material-unknown")
            case "process":
                return _named(text, self.processes, "workbook-process-unknown")
            case "unit":
                words = column.words or {}
                return _one_of(text.lower(), {**words, "t": "t", "kg": "kg", "g": "g", "公斤": "kg"}, tuple(words))
            case "choice":
                words = column.words or {}
                return _one_of(text, {**{value: value for value in words.values()}, **words}, tuple(words))
            case "choices":
                words = column.words or {}
                told = [part for part in re.split(r"[、,;，；\s]+", text) if part]
                return tuple(str(_one_of(part, words, tuple(words))) for part in told)

    def _division(self, text: str) -> str:
        if text in self.divisions:
            return self.divisions[text]
        code = codes.division(text.split(" ", maxsplit=1)[0])
        _ = self.catalogue.division(code)
        return code


def _code(raw: Raw, text: str) -> str:
    """A number in a column of codes is an error, not a cast: beyond fifteen digits it is ruined already."""
    if not isinstance(raw, str) or _ROUNDED.fullmatch(text):
        raise Malformed("workbook-number-for-code", read=text)
    if len(text) > CODE_MAX:
        raise Malformed("workbook-text-long", length=len(text), limit=CODE_MAX)
    return text


def _mass(text: str, column: Column, unit: str | None) -> int:
    if column.zero and re.fullmatch(r"0+(\.0+)?", text):
        return 0
    return grams(text, unit=unit if unit and column.unit == "t" else column.unit)


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not 1 <= int(text) <= COUNT_MAX:
        raise Malformed("workbook-count-unreadable", read=text, limit=COUNT_MAX)
    return int(text)


def _ppm(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%?", text, re.ASCII)
    exact = Decimal(match[1]) * PPM_PER_PERCENT if match else Decimal(-1)
    if not 0 <= exact <= 100 * PPM_PER_PERCENT or exact != exact.to_integral_value():
        raise Malformed("workbook-percent-unreadable", read=text)
    return int(exact)


def _element(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{1,2}", text):
        raise Malformed("workbook-element-unreadable", read=text)
    return text.capitalize()


def _one_of(text: str, words: Mapping[str, Value], shown: tuple[str, ...]) -> Value:
    if text in words:
        return words[text]
    near = codes.nearest(text, words)
    raise Unread(Malformed("workbook-word-unknown", read=text, allowed="、".join(shown)), shown, near)


def _named(text: str, words: Mapping[str, str], key: str) -> str:
    if text in words:
        return words[text]
    near = codes.nearest(text, words)
    raise Unread(Malformed(key, read=text, nearest=near or "—"), nearest=near)


def moment(raw: Raw, text: str) -> date | datetime:
    """A day, or an instant in Shanghai time: an Excel date, 2026-03-09, 2026.3.9, 2026/3/9 10:30, 2026年3月9日, 20260309."""
    if (digits := _EIGHT_DIGITS.fullmatch(text)) is not None:
        raw = text = "-".join(digits.groups())
    match raw:
        case datetime() if raw.time() == time():  # what Excel keeps for a day
            return raw.date()
        case datetime():
            return raw.replace(tzinfo=SHANGHAI)
        case date():
            return raw
        case str():
            pass
        case _:
            raise Malformed("workbook-time-unreadable", read=text)
    match = _DATE.fullmatch(text)
    if match is None:
        raise Malformed("workbook-time-unreadable", read=text)
    try:
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        if match["hour"] is None:
            return day
        second, part = int(match["second"] or 0), (match["part"] or "").ljust(6, "0")
        begun = datetime(
            day.year, day.month, day.day, int(match["hour"]), int(match["minute"]), second, tzinfo=SHANGHAI
        )
        return begun + timedelta(microseconds=int(part))
    except ValueError:
        raise Malformed("workbook-time-unreadable", read=text) from None
