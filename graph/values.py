"""Typed values as plain JSON and back, by what their annotations say: nothing that was kept can name a class or a call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, TypeAdapter

Json: TypeAlias = Any
"""What orjson writes and reads."""


class Told:
    """The models of a record that is being written: each once, also when it stands in several versions."""

    def __init__(self) -> None:
        self.models: list[Json] = []
        self._number_of: dict[int, int] = {}
        self._held: list[BaseModel] = []  # an id is an object's own for as long as it lives

    def number(self, model: BaseModel) -> int:
        """The place of a model among the record's."""
        number = self._number_of.get(id(model))
        if number is None:
            number = self._number_of[id(model)] = len(self.models)
            self._held.append(model)
            self.models.append(model.model_dump(mode="json", exclude_none=True))
        return number


@dataclass(slots=True)
class Heard:
    """The models of a record that is being read; each is made when it is first asked for."""

    models: list[Json]
    made: dict[int, BaseModel] = field(default_factory=dict[int, BaseModel])


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type are written and read. `plain`: they are JSON as they stand."""

    encode: Callable[[Any, Told], Json]
    decode: Callable[[Json, Heard], Any]
    plain: bool = False


def _same(value: Any, _: object) -> Any:
    return value


PLAIN: Final = Codec(_same, _same, plain=True)
_PLAIN_TYPES: Final = frozenset({str, int, bool, float, NoneType})
_KNOWN: Final[dict[str, Codec]] = {}


def codec_of(kind: Any) -> Codec:
    """The codec of an annotation.

    Raises:
        TypeError: a type that nothing kept may hold.
    """
    name = repr(kind)
    if name not in _KNOWN:
        _KNOWN[name] = _made(kind)
    return _KNOWN[name]


def _made(kind: Any) -> Codec:
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _model(kind) if _is_model(inside[0]) else codec_of(inside[0])
    if kind in _PLAIN_TYPES or origin is Literal:
        return PLAIN
    if kind is object:
        return Codec(_plain_name, lambda raw, _: name_of(raw))
    if origin in {Union, UnionType}:
        return _union(kind)
    if origin is tuple:
        return several(codec_of(inside[0]), tuple) if inside[1:] == (...,) else row([*map(codec_of, inside)], tuple)
    if origin is list:
        return several(codec_of(inside[0]), list)
    if origin is dict:
        return _pairs(row([*map(codec_of, inside)], tuple))
    return _of_class(kind)


def _of_class(kind: type[Any]) -> Codec:
    if issubclass(kind, BaseModel):
        return _model(kind)
    if is_dataclass(kind):
        return record(kind)
    if issubclass(kind, tuple):
        return _named_tuple(kind)
    if issubclass(kind, Enum):
        return Codec(lambda value, _: value.value, lambda raw, _: kind(raw))
    if issubclass(kind, date):  # a datetime is one too
        moment: type[date] = datetime if issubclass(kind, datetime) else date
        return Codec(lambda value, _: value.isoformat(), lambda raw, _: moment.fromisoformat(raw))
    raise TypeError(kind)


def _named_tuple(kind: Any) -> Codec:
    hints = get_type_hints(kind, include_extras=True)
    return row([*map(codec_of, hints.values())], lambda values: kind(*values))


def record(kind: type, leaving: frozenset[str] = frozenset()) -> Codec:
    """A dataclass as the list of its fields; those that are left out stand at their defaults."""
    hints = get_type_hints(kind, include_extras=True)
    names = [each.name for each in fields(kind) if each.name not in leaving]
    inside = [codec_of(hints[name]) for name in names]
    if not leaving:
        make: Callable[[list[Any]], Any] = lambda values: kind(*values)  # noqa: E731 - one of two ways to make it
    else:
        make = lambda values: kind(**dict(zip(names, values, strict=True)))  # noqa: E731 - the other
    read = row(inside, make)
    odd = [
        (place, name, each.encode)
        for place, (name, each) in enumerate(zip(names, inside, strict=True))
        if not each.plain
    ]

    def encode(value: Any, told: Told) -> Json:
        raw = [getattr(value, name) for name in names]
        for place, name, of_field in odd:
            raw[place] = of_field(getattr(value, name), told)
        return raw

    return Codec(encode, read.decode)


def row(inside: list[Codec], make: Callable[[list[Any]], Any]) -> Codec:
    """Values of different types side by side."""
    odd = [(place, each) for place, each in enumerate(inside) if not each.plain]

    def encode(values: Any, told: Told) -> Json:
        raw = list(values)
        for place, each in odd:
            raw[place] = each.encode(raw[place], told)
        return raw

    def decode(raw: Json, heard: Heard) -> Any:
        if odd:
            raw = list(raw)  # rows that differ little share what they hold
        for place, each in odd:
            raw[place] = each.decode(raw[place], heard)
        return make(raw)

    return Codec(encode, decode)


def several(each: Codec, make: Callable[[Any], Any] = list) -> Codec:
    """Values of one type, any number of them."""
    if each.plain:
        return Codec(lambda values, _: list(values), lambda raw, _: make(raw))
    return Codec(
        lambda values, told: [each.encode(value, told) for value in values],
        lambda raw, heard: make([each.decode(value, heard) for value in raw]),
    )


def optional(each: Codec) -> Codec:
    """A value, or None."""
    if each.plain:
        return PLAIN
    return Codec(
        lambda value, told: None if value is None else each.encode(value, told),
        lambda raw, heard: None if raw is None else each.decode(raw, heard),
    )


def _pairs(pair: Codec) -> Codec:
    """A dict as the list of its items, in their order."""
    return Codec(
        lambda values, told: [pair.encode(item, told) for item in values.items()],
        lambda raw, heard: dict([pair.decode(item, heard) for item in raw]),
    )


def _union(kind: Any) -> Codec:
    inside = [each for each in get_args(kind) if each is not NoneType]
    some = Union[tuple(inside)]  # noqa: UP007 - the types are known when it runs
    codec = _model(some) if all(map(_is_model, inside)) else codec_of(inside[0])
    if len(inside) > 1 and not _is_model(inside[0]) and not all(codec_of(each).plain for each in inside):
        raise TypeError(kind)
    return optional(codec) if len(inside) < len(get_args(kind)) else codec


def _is_model(kind: Any) -> bool:
    if get_origin(kind) in {Union, UnionType}:
        return all(map(_is_model, get_args(kind)))
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _model(kind: Any) -> Codec:
    """A model by its number among the record's; it is validated again like what comes from the ledger."""
    adapter: TypeAdapter[BaseModel] = TypeAdapter(_told_apart(kind))

    def decode(raw: int, heard: Heard) -> BaseModel:
        model = heard.made.get(raw)
        if model is None:
            model = heard.made[raw] = adapter.validate_python(heard.models[raw])
        return model

    return Codec(lambda value, told: told.number(value), decode)


def _told_apart(kind: Any) -> Any:
    """A union of facts by their kinds: otherwise each would be tried as every one of them."""
    inside = get_args(kind)
    if get_origin(kind) in {Union, UnionType} and all("kind" in each.model_fields for each in inside):
        return Annotated[kind, Field(discriminator="kind")]
    return kind


def _plain_name(name: Any, _: object) -> Json:
    return list(cast("tuple[object, ...]", name)) if isinstance(name, tuple) else name


def name_of(raw: Json) -> Any:
    """A name in a register: a text, a number, or several of them."""
    return tuple(cast("list[object]", raw)) if isinstance(raw, list) else raw


# rows that differ little ------------------------------------------------------------------------------------------


def thinned(rows: list[Json]) -> list[Json]:
    """Each row that is as long as the one before it, as what differs: ``{"=": [place, value, …]}``."""
    return [_difference(before, own) for before, own in zip([None, *rows], rows, strict=False)]


def thickened(rows: list[Json]) -> list[Json]:
    """The rows again."""
    whole: list[Json] = []
    for each in rows:
        if isinstance(each, dict):
            values: list[Json] = cast("Mapping[str, list[Json]]", each)["="]
            own = list(whole[-1])
            for place in range(0, len(values), 2):
                own[values[place]] = values[place + 1]
            whole.append(own)
        else:
            whole.append(each)
    return whole


def _difference(before: Json, own: Json) -> Json:
    if not (isinstance(before, list) and isinstance(own, list)):
        return own
    ours, theirs = cast("list[Json]", own), cast("list[Json]", before)
    if len(ours) != len(theirs) or not ours:
        return ours
    return {"=": [part for place, value in enumerate(ours) if value != theirs[place] for part in (place, value)]}
