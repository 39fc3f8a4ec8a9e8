"""A fact as a form: one box for each of its values, read back into the very fact, with each fault beside its box."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeGuard, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError

from api.corrections import SAME
from api.faults import faults_of
from api.pages.fact_words import WRAPPERS, choice_name, field_name, plain_percent, plain_time
from flows.entries import event_json
from flows.errors import Language, Malformed
from flows.events import EVENT, KINDS, Stated
from flows.mass import grams, plain_tonnes
from flows.times import parse_time

Manner: TypeAlias = Literal["text", "mass", "percent", "whole", "yes", "choice", "several", "time", "day"]

MARK: Final = "f."
"""How the names of a fact's boxes begin, among what else a form sends."""
SPARE_ROWS: Final = 1
"""Empty rows below the last one: who needs more saves twice, and nothing runs in the browser."""
LONG: Final = frozenset({"note", "reason", "gap_reason", "basis", "source", "address"})
_PLACE: Final = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Box:
    """One value: where it stands in the fact, what it is called, what is written in it, what is wrong with it."""

    path: str
    label: str
    manner: Manner
    text: str
    choices: tuple[tuple[str, str], ...] = ()
    listed: str = ""
    """The catalogue's list that its codes are from."""
    needed: bool = False
    long: bool = False
    fault: str = ""

    @property
    def name(self) -> str:
        """Its name in the form."""
        return f"{MARK}{self.path}"

    @property
    def id(self) -> str:
        """Its id on the page."""
        return self.path.replace(".", "-")

    @property
    def chosen(self) -> frozenset[str]:
        """Of several choices those that are ticked."""
        return frozenset(self.text.split())


@dataclass(frozen=True, slots=True)
class Row:
    """Boxes that belong together: the fact's own, or one row of a list; a spare row waits to be filled in."""

    heading: str
    boxes: tuple[Box, ...]
    spare: bool = False


@dataclass
class Filled:
    """What a form says: the fact, or what is wrong with it by the path of the box."""

    fact: Stated | None = None
    faults: dict[str, str] = field(default_factory=dict[str, str])
    rest: list[str] = field(default_factory=list[str])
    """Faults that belong to no box."""


# laying out -------------------------------------------------------------------------------------------------------


def rows_of(
    fact: Stated, language: Language, typed: Mapping[str, str] | None = None, wrong: Filled | None = None
) -> list[Row]:
    """The form of a fact, with what somebody typed in place of its own values, and what is wrong with that."""
    return list(_Layout(language, typed, wrong or Filled()).rows(type(fact), event_json(fact)))


@dataclass
class _Layout:
    language: Language
    typed: Mapping[str, str] | None
    wrong: Filled

    def rows(self, model: type[BaseModel], value: Mapping[str, Any]) -> Iterator[Row]:
        boxes: list[Box] = []
        lists: list[Row] = []
        self._lay(model, value, "", boxes, lists, [])
        yield Row("", tuple(sorted(boxes, key=lambda box: box.long)))
        yield from lists

    def _lay(  # one parameter for each thing that a level adds to
        self,
        model: type[BaseModel],
        value: Mapping[str, Any] | None,
        path: str,
        boxes: list[Box],
        lists: list[Row],
        within: list[str],
    ) -> None:
        for name, info in model.model_fields.items():
            place = f"{path}{name}"
            if place in SAME or (name == "kind" and model.__name__ != "Loss"):
                continue
            told = None if value is None else value.get(name)
            core = _core(info.annotation)
            if isinstance(core, _Rows):
                self._list(core, cast("list[Any]", told or []), place, lists)
            elif _is_model(core):
                more = within if name in WRAPPERS else [*within, name]
                self._lay(core, told, f"{place}.", boxes, lists, more)
            else:
                boxes.append(self._box(name, place, core, told, needed=info.is_required() and value is not None))

    def _list(self, core: "_Rows", told: list[Any], place: str, lists: list[Row]) -> None:
        count = len(told)
        if self.typed is not None:
            count = max([count - 1, *_places(self.typed, place)]) + 1 - SPARE_ROWS
        for number in range(count + SPARE_ROWS):
            boxes: list[Box] = []
            value = told[number] if number < len(told) else None
            self._lay(core.model, value, f"{place}.{number}.", boxes, lists, [])
            lists.append(Row(field_name(f"{place}.{number}", self.language), tuple(boxes), spare=number >= count))

    def _box(self, name: str, place: str, core: object, told: object, *, needed: bool) -> Box:
        manner = _manner(name, core)
        text = _text(manner, told)
        if self.typed is not None:
            text = self.typed.get(f"{MARK}{place}", "")
        label = field_name(_within_row(place), self.language)
        listed = name if name in {"material", "process", "method"} and "grades" not in place else ""
        return Box(
            place, label, manner, text, self._choices(name, manner, core), listed, needed, name in LONG,
            self.wrong.faults.get(place, ""),
        )  # fmt: skip

    def _choices(self, name: str, manner: Manner, core: object) -> tuple[tuple[str, str], ...]:
        if manner == "yes":
            return tuple((each, choice_name("yes", each, self.language)) for each in ("true", "false"))
        if manner not in {"choice", "several"}:
            return ()
        options = core.options if isinstance(core, _Several) else get_args(core)
        return tuple((str(each), choice_name(name, str(each), self.language)) for each in options)


def _within_row(place: str) -> str:
    """A box in a row is called as in any row: the row's heading says which."""
    steps = place.split(".")
    last = max((number for number, step in enumerate(steps) if step.isdecimal()), default=-1)
    if last < 0:
        return place
    inner = steps[last + 1 :]
    owner = steps[last - 1]
    return (
        f"{owner}.{inner[0]}" if owner in {"grades", "losses"} and inner[0] in {"method", "kind"} else ".".join(inner)
    )


def _places(typed: Mapping[str, str], place: str) -> list[int]:
    start = f"{MARK}{place}."
    found = {name.removeprefix(start).partition(".")[0] for name in typed if name.startswith(start)}
    return sorted(int(each) for each in found if each.isdecimal())


# what a value is --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    model: type[BaseModel]


@dataclass(frozen=True)
class _Several:
    options: tuple[Any, ...]


def _core(annotation: Any) -> object:
    """What a field holds, without its limits and whether it may be left out."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _core(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        parts = [each for each in get_args(annotation) if each is not NoneType]
        return datetime if set(parts) == {date, datetime} else _core(parts[0])
    if origin is tuple:
        inner = _core(get_args(annotation)[0])
        return _Several(get_args(inner)) if get_origin(inner) is Literal else _Rows(cast("type[BaseModel]", inner))
    return annotation


def _is_model(core: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(core, type) and issubclass(core, BaseModel)


def _manner(name: str, core: object) -> Manner:
    if isinstance(core, _Several):
        return "several"
    if get_origin(core) is Literal:
        return "choice"
    by_type: dict[object, Manner] = {bool: "yes", date: "day", datetime: "time", int: "whole"}
    manner = by_type.get(core, "text")
    if manner == "whole" and name.endswith("_g"):
        return "mass"
    return "percent" if manner == "whole" and name.endswith("ppm") else manner


def _text(manner: Manner, value: object) -> str:
    """A value as its box shows it."""
    if value is None:
        return ""
    match manner:
        case "mass":
            return plain_tonnes(cast("int", value))
        case "percent":
            return plain_percent(cast("int", value))
        case "yes":
            return "true" if value else "false"
        case "several":
            return " ".join(cast("list[str]", value))
        case "time":
            return plain_time(str(value))
        case _:
            return str(value)


# reading back -----------------------------------------------------------------------------------------------------


def read_form(fact: Stated, typed: Mapping[str, str], language: Language) -> Filled:
    """The fact that a form says, in place of the one that it was laid out from.

    What nobody touched stays as it was, to the letter: a time keeps its seconds, whatever its box shows.
    """
    filled = Filled()
    kept: dict[str, list[int]] = {}
    old = event_json(fact)
    told = _read_object(type(fact), typed, "", old, filled.faults, language, kept) or {}
    told |= {name: old[name] for name in SAME}
    if filled.faults:
        return filled
    try:
        read = EVENT.validate_python(told)
    except ValidationError as wrong:
        boxes = {box.path for row in rows_of(fact, language, typed) for box in row.boxes}
        for fault in faults_of(wrong.errors(), language):
            path = _as_typed(_PLACE.sub(r".\1", fault["where"]), kept)
            if path in boxes:
                filled.faults.setdefault(path, fault["detail"])
            else:
                filled.rest.append(f"{field_name(path, language)}：{fault['detail']}" if path else fault["detail"])
        return filled
    assert read.kind in KINDS
    filled.fact = cast("Stated", read)
    return filled


def _as_typed(path: str, kept: Mapping[str, list[int]]) -> str:
    """Empty rows are left out of a fact: a fault's place among those that were typed."""
    for place, numbers in kept.items():
        if path.startswith(f"{place}."):
            number, dot, inner = path.removeprefix(f"{place}.").partition(".")
            if number.isdecimal() and int(number) < len(numbers):
                return f"{place}.{numbers[int(number)]}{dot}{inner}"
    return path


def _read_object(
    model: type[BaseModel],
    typed: Mapping[str, str],
    path: str,
    old: Mapping[str, Any] | None,
    faults: dict[str, str],
    language: Language,
    kept: dict[str, list[int]],
) -> dict[str, Any] | None:
    """What the boxes below a place say; None when all of them are empty."""
    told: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        place = f"{path}{name}"
        if place in SAME or (name == "kind" and model.__name__ != "Loss"):
            continue
        before = None if old is None else old.get(name)
        core = _core(info.annotation)
        if isinstance(core, _Rows):
            rows: list[Any] = []
            kept[place] = []
            for number in _places(typed, place):
                was = before[number] if before is not None and number < len(before) else None
                row = _read_object(core.model, typed, f"{place}.{number}.", was, faults, language, kept)
                if row is not None:
                    rows.append(row)
                    kept[place].append(number)
            value: Any = rows or None
        elif _is_model(core):
            value = _read_object(core, typed, f"{place}.", before, faults, language, kept)
        else:
            value = _read_box(
                _manner(name, core), typed.get(f"{MARK}{place}", "").strip(), before, place, faults, language
            )
        if value is not None:
            told[name] = value
    return told or None


def _read_box(
    manner: Manner, text: str, before: object, place: str, faults: dict[str, str], language: Language
) -> object | None:
    if text == _text(manner, before):
        return before
    if not text:
        return None
    try:
        match manner:
            case "mass":
                return 0 if text == "0" else grams(text, unit="t")
            case "percent":
                return _ppm(text)
            case "whole":
                return int(text) if text.isascii() and text.isdecimal() else text
            case "yes":
                return text == "true"
            case "several":
                return text.split()
            case "time":
                return _zoned(text)
            case _:
                return text
    except Malformed as problem:
        faults[place] = problem.text(language)
        return None


def _ppm(text: str) -> int:
    """Percent as people write them, in parts per million."""
    try:
        exact = Decimal(text.removesuffix("%").strip()) * 10_000
    except InvalidOperation:
        raise Malformed("percent-unreadable", read=text[:40]) from None
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise Malformed("percent-unreadable", read=text[:40])
    return int(exact)


def _zoned(text: str) -> str:
    """A time of a form is Shanghai's, unless it says another zone."""
    try:
        parse_time(text)
    except Malformed as problem:
        if problem.key != "time-without-zone":
            raise
        return f"{text}+08:00"
    return text
