"""What a figure means: definitions with their formula and source, and values that are never clipped or rounded."""

import tomllib
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, model_validator

from flows.enterprises import Frozen
from flows.errors import Language, Malformed, Unknown
from flows.mass import tonnes
from flows.times import earliest_us

INDICATORS_FILE: Final = Path(__file__).with_name("tables") / "indicators.toml"

View: TypeAlias = Literal["gross", "net", "cohort"]
"""gross: enterprises added up. net: internal transfers collapsed. cohort: what became of the period's generation."""
Waste: TypeAlias = Literal["general", "hazardous"]
Level: TypeAlias = Literal["enterprise", "prefecture", "province", "region"]
Step: TypeAlias = Literal["month", "quarter", "year"]
Unit: TypeAlias = Literal["1", "kg/t", "g"]
Verdict: TypeAlias = Literal["met", "missed"]

TEN_METALS: Final = ("al", "cu", "zn", "pb", "ni", "sn", "sb", "hg", "mg", "ti")
"""十种有色金属, the statistics' set: the association's sum runs over these and no others."""
PART_WORDS: Final = MappingProxyType(
    {
        "generated": ("产生量", "generated in the period"),
        "opening": ("期内登记的期初库存", "opening stock declared in the period"),
        "utilized": ("利用量", "utilized"),
        "utilized_prior": ("其中利用往年贮存量", "of which from before the period"),
        "disposed": ("处置量", "disposed of"),
        "disposed_prior": ("其中处置往年贮存量", "of which from before the period"),
        "stored": ("本期产生期末仍贮存量", "generated in the period and still there"),
        "stock": ("期末贮存量", "stock level at the end"),
        "in_transit": ("期末在途量", "on the road at the end"),
        "left": ("离开可见范围", "left visibility"),
        "lost": ("处理前损耗", "declared losses before use"),
        "gap": ("未说明与磅差（净额）", "unaccounted and scale differences, net"),
        "replaced": ("转为新产生废物", "became a new waste"),
        "secondary": ("再生金属供应量", "secondary metal supplied"),
        "secondary_left": ("离开可见范围的再生金属（不计入）", "secondary metal that left visibility, not counted"),
        "primary": ("原生金属产量", "primary metal"),
        "refined_output": ("精炼产量", "refined output"),
        "ten_metals_output": ("十种有色金属产量", "output of ten non-ferrous metals"),
        "tapped": ("出铝量", "liquid aluminium tapped"),
        "alloyed": ("直接合金化铝液量", "liquid aluminium charged to alloying"),
        "product": ("产品量", "product released by its maker"),
    }
)
DECLARED: Final = frozenset({"primary", "refined_output", "ten_metals_output"})
"""Parts that no batch carries: they are declared, for a division and a period."""


class Target(Frozen):
    """A share to reach, as a fraction of whole numbers, so that the verdict is exact."""

    parts: Annotated[int, Field(ge=1, strict=True)]
    of: Annotated[int, Field(ge=1, strict=True)]
    year: Annotated[int, Field(ge=2000, le=2100, strict=True)]
    source: str


class Definition(Frozen):
    """What one figure means. `numerator` and `denominator` are sums of named parts (`PART_WORDS`)."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    version: Annotated[int, Field(ge=1, strict=True)]
    name_zh: str
    name_en: str
    formula_zh: str
    formula_en: str
    unit: Unit
    basis: Literal["weighed"] = "weighed"
    view: View = "gross"
    waste: Waste | None = None
    metal: str | None = None
    recognized: Literal["filed", "charged", "released"] = "filed"
    recognition_zh: str
    recognition_en: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    target: Target | None = None
    beside: str | None = None
    """Another definition whose figure is always shown with this one."""
    source: str
    note_zh: str = ""
    note_en: str = ""

    @model_validator(mode="after")
    def _known_parts(self) -> "Definition":
        strange = [part for part in (*self.numerator, *self.denominator) if part not in PART_WORDS]
        if strange or not self.numerator or (self.unit == "g") != (not self.denominator):
            raise ValueError(f"{self.id}: parts {strange or 'missing'}")
        return self

    def name(self, language: Language = "zh") -> str:
        """Its name in a language."""
        return self.name_zh if language == "zh" else self.name_en

    def formula(self, language: Language = "zh") -> str:
        """Its formula in a language."""
        return self.formula_zh if language == "zh" else self.formula_en

    def recognition(self, language: Language = "zh") -> str:
        """The event that makes mass count."""
        return self.recognition_zh if language == "zh" else self.recognition_en

    def note(self, language: Language = "zh") -> str:
        """What to know before quoting it; empty when nothing."""
        return self.note_zh if language == "zh" else self.note_en


@cache
def definitions() -> Mapping[str, Definition]:
    """All definitions by id, in the order of the table."""
    rows = tomllib.loads(INDICATORS_FILE.read_text("utf-8"))
    found = {key: Definition.model_validate({"id": key, **row}) for key, row in rows.items()}
    strange = [each.beside for each in found.values() if each.beside is not None and each.beside not in found]
    assert not strange, strange
    return MappingProxyType(found)


def definition(id: str) -> Definition:
    """A definition, or `Unknown`."""
    found = definitions().get(id)
    if found is None:
        raise Unknown("indicator-unknown", read=id, known="、".join(definitions()), known_en=", ".join(definitions()))
    return found


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Whole Shanghai days, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise Malformed("period-backwards", begin=self.first.isoformat(), end=self.last.isoformat())

    @property
    def begin_us(self) -> int:
        """The first instant."""
        return earliest_us(self.first)

    @property
    def end_us(self) -> int:
        """The first instant after it."""
        return earliest_us(self.last + timedelta(days=1))

    @classmethod
    def year(cls, year: int) -> "Period":
        """A calendar year."""
        return cls(date(year, 1, 1), date(year, 12, 31))

    @classmethod
    def quarter(cls, year: int, quarter: int) -> "Period":
        """A quarter, 1 to 4."""
        return cls(date(year, 3 * quarter - 2, 1), _month_end(year, 3 * quarter))

    @classmethod
    def month(cls, year: int, month: int) -> "Period":
        """A calendar month."""
        return cls(date(year, month, 1), _month_end(year, month))

    def split(self, step: Step) -> Iterator["Period"]:
        """The calendar months, quarters or years that it touches, cut to its own ends."""
        months = {"month": 1, "quarter": 3, "year": 12}[step]
        begin = self.first
        while begin <= self.last:
            end = _month_end(begin.year, (begin.month - 1) // months * months + months)
            yield Period(begin, min(end, self.last))
            begin = end + timedelta(days=1)


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


@dataclass(frozen=True, slots=True)
class Boundary:
    """Whose mass is meant: one enterprise, a prefecture (5101), a province (51) or all, and what of it.

    `code` is an eight-digit waste code or a category such as HW48; `material` and `metal` are the catalogue's.
    """

    level: Level = "region"
    key: str = ""
    code: str | None = None
    material: str | None = None
    metal: str | None = None
    within: str = ""
    """A division prefix that it must lie in besides: an enterprise's sites of one prefecture."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What stands behind a figure: counts of the period and boundary, known at the horizon."""

    batches: int
    assayed: int
    open_manifests: int
    late_manifests: int
    months: int
    months_with_data: int


@dataclass(frozen=True, slots=True)
class Value:
    """A figure with everything that it rests on. `numerator_g` and `denominator_g` are exact grams.

    It is null with a `reason` where nothing can be said; `note` says what to know of one that is there.
    """

    definition: Definition
    period: Period
    boundary: Boundary
    as_of: int | None
    at_us: int | None
    numerator_g: int | None
    denominator_g: int | None
    parts: Mapping[str, int]
    completeness: Completeness | None = None
    reason: str | None = None
    note: str | None = None

    @property
    def exact(self) -> Fraction | None:
        """Numerator over denominator, exactly; in grams for a mass."""
        if self.reason is not None or self.numerator_g is None:
            return None
        return Fraction(self.numerator_g, 1) if self.denominator_g is None else self._over(self.denominator_g)

    def _over(self, denominator_g: int) -> Fraction:
        assert self.numerator_g is not None
        scale = 1000 if self.definition.unit == "kg/t" else 1
        return Fraction(self.numerator_g * scale, denominator_g)

    @property
    def ratio(self) -> float | None:
        """The figure as a float, in its unit: for charts, never for a verdict."""
        return None if self.exact is None else float(self.exact)

    @property
    def ratio_text(self) -> str | None:
        """The figure as an exact fraction in lowest terms, such as ``"6/25"``."""
        return None if self.exact is None else f"{self.exact.numerator}/{self.exact.denominator}"

    @property
    def verdict(self) -> Verdict | None:
        """Is the target of the definition met? Judged on whole numbers: 23.996 % is not 24 %."""
        target = self.definition.target
        if target is None or self.exact is None:
            return None
        return "met" if self.exact >= Fraction(target.parts, target.of) else "missed"

    def shown(self, digits: int = 2) -> str | None:
        """For people: a percentage cut, not rounded, so that it never says more than is there; else in its unit, a mass in tonnes."""
        if self.exact is None:
            return None
        if self.definition.unit == "g":
            return tonnes(int(self.exact))
        scaled = self.exact * (100 if self.definition.unit == "1" else 1)
        cut = int(scaled * 10**digits)  # towards zero
        whole, rest = divmod(abs(cut), 10**digits)
        text = f"{'-' if cut < 0 else ''}{whole}" + (f".{rest:0{digits}d}" if digits else "")
        return f"{text} %" if self.definition.unit == "1" else f"{text} {self.definition.unit}"


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: period, boundary, and the horizon as position and instant."""

    period: Period
    boundary: Boundary = field(default_factory=Boundary)
    as_of: int | None = None
    at_us: int | None = None


def value_of(
    definition: Definition,
    parts: Mapping[str, int],
    question: Question,
    completeness: Completeness | None = None,
    reason: str | None = None,
    note: str | None = None,
) -> Value:
    """A definition applied to named masses. A part that is not there, or a zero denominator, is a reason."""
    q = question
    reason = reason or _missing(definition, parts)
    numerator_g = _sum(definition.numerator, parts)
    denominator_g = _sum(definition.denominator, parts) if definition.denominator else None
    if reason is None and denominator_g == 0:
        reason = "zero-denominator"
    if reason is None and definition.unit == "1" and denominator_g and numerator_g is not None:
        note = "rate-over-one" if numerator_g > denominator_g else "rate-negative" if numerator_g < 0 else note
    return Value(
        definition, q.period, q.boundary, q.as_of, q.at_us, numerator_g, denominator_g,
        MappingProxyType(dict(parts)), completeness, reason, note,
    )  # fmt: skip


def _missing(definition: Definition, parts: Mapping[str, int]) -> str | None:
    absent = [part for part in (*definition.numerator, *definition.denominator) if part not in parts]
    if not absent:
        return None
    return "figure-not-declared" if DECLARED & set(absent) else "no-data"


def _sum(names: tuple[str, ...], parts: Mapping[str, int]) -> int | None:
    return sum(parts[name] for name in names) if all(name in parts for name in names) else None


def ratio_to_share(ratio: Fraction) -> Fraction:
    """A ratio of secondary to primary as a share of both: 0.24 is 0.1935."""
    return ratio / (1 + ratio)


def prior_bounds(parts: Mapping[str, int], dumped_g: int = 0) -> tuple[Fraction, Fraction] | None:
    """The least and the greatest utilization rate when nobody says what part came from earlier years.

    G = (U - Up) + S + (D - Dp) + X gives only Up + Dp, so Up lies between 0 and U + D + S + X - G, and below U.
    """
    used, disposed, stored = parts["utilized"], parts["disposed"], parts["stored"]
    generated = parts["generated"]
    prior = used + disposed + stored + dumped_g - generated
    if generated <= 0 or prior < 0:
        return None
    return Fraction(used, generated + min(prior, used)), Fraction(used, generated + max(0, prior - disposed))
