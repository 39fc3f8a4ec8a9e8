"""The sheet of a manifest: A4, as the national form has its three parts, with what the ledger says to the day of print."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final, NamedTuple

from flows.errors import Malformed
from flows.mass import plain_tonnes
from labels import press, qr

BEIJING: Final = timezone(timedelta(hours=8))
"""All times on the sheet are China's, and the sheet says so."""

FIELD_CHARACTERS: Final = 120
"""The longest text of a field: a part whose fields are all as long still stands on one page."""

LINE_CHARACTERS: Final = 300
"""The longest text of a line's cell: what is longer belongs into an annex, not into a form."""

_CODE_MM: Final = 32
"""The code's side where its modules may be larger than they must."""

_CODE_MM_MOST: Final = 60
"""A code beyond this leaves the heading no room."""

_KILOGRAM_PLACES: Final = 3
_MINUS: Final = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignor:
    """第一部分: what the consignor states of itself."""

    name: str
    emergency_phone: str = ""
    address: str = ""
    handler: str = ""
    phone: str = ""
    handed_over_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """第二部分: one carrier's way, in order."""

    name: str
    permit_no: str = ""
    address: str = ""
    phone: str = ""
    driver: str = ""
    driver_phone: str = ""
    means: str = ""
    plate: str = ""
    origin: str = ""
    departed_at: datetime | None = None
    via: str = ""
    destination: str = ""
    arrived_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignee:
    """第三部分: what the consignee states of itself."""

    name: str
    permit_no: str = ""
    address: str = ""
    handler: str = ""
    phone: str = ""
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteLine:
    """One kind of waste: what was loaded, and what became of it. A mass not yet stated is `None`."""

    name: str
    code: str = ""
    hazards: tuple[str, ...] = ()
    form: str = ""
    harmful_components: str = ""
    packing: str = ""
    packages: int | None = None
    loaded_g: int | None = None
    arrived_g: int | None = None
    accepted_g: int | None = None
    rejected_g: int | None = None
    discrepancy: str = ""
    """是否存在重大差异: 无, 数量, 包装, 形态, 性质, 其他."""
    opinion: str = ""
    """接受意见: 接受, 部分接受, 拒收."""
    method: str = ""
    """拟利用处置方式 and its code: R4 …"""
    reason: str = ""

    @property
    def difference_g(self) -> int | None:
        """磅差: what arrived less what was loaded, where both were weighed."""
        return None if self.loaded_g is None or self.arrived_g is None else self.arrived_g - self.loaded_g


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSheet:
    """A manifest as it stood at one position of the ledger."""

    hazardous: bool
    official_no: str | None
    """The 14 digits of the state system; never ours."""
    internal_no: str
    revision: int
    state: str
    consignor: Consignor
    legs: tuple[Leg, ...]
    consignee: Consignee
    lines: tuple[WasteLine, ...]
    approval_no: str = ""
    """The decision that allows a transfer across provinces."""
    version: str = ""
    """Which version this is, and the ledger entry at which it came to be."""
    position: int
    digest: str
    as_of: datetime
    url: str


def pdf(sheet: ManifestSheet, *, font: Path | None = None) -> bytes:
    """The sheet as PDF/A, over as many pages as its lines need.

    Raises:
        Malformed: a text too long for its cell, a character that cannot be printed, or a link too long for a code.
    """
    return press.set_type("sheet.typ", _values(sheet, font), form="pdf", font=font)[0]


def png(sheet: ManifestSheet, *, dpi: int = 144, font: Path | None = None) -> list[bytes]:
    """The pages as pictures, to look at. Raises as `pdf` does."""
    return press.set_type("sheet.typ", _values(sheet, font), form="png", dpi=dpi, font=font)


class _Field(NamedTuple):
    name: str
    english: str
    text: str
    wide: bool = False
    """Takes the whole width."""


class _Column(NamedTuple):
    name: str
    english: str
    width_mm: float
    texts: Sequence[str]
    numbers: bool = False
    total: str = ""


def _values(sheet: ManifestSheet, font: Path | None) -> dict[str, object]:
    known = press.fonts(font).characters

    def cell(text: str, name: str, most: int) -> dict[str, object]:
        if len(text) > most:
            raise Malformed("print-cell-too-full", where=name, field=name, length=len(text), most=most)
        return press.value(press.clean(text, where=name, known=known))

    def part(fields: Iterable[_Field]) -> list[dict[str, object]]:
        return [{**field._asdict(), "text": cell(field.text, field.name, FIELD_CHARACTERS)} for field in fields]

    def table(columns: Iterable[_Column]) -> list[dict[str, object]]:
        return [
            {**column._asdict(), "texts": [cell(text, column.name, LINE_CHARACTERS) for text in column.texts]}
            for column in columns
        ]

    return {
        "title": "危险废物转移联单" if sheet.hazardous else "固体废物转移单",
        "english": "Hazardous Waste Transfer Manifest" if sheet.hazardous else "Solid Waste Transfer Sheet",
        "official": sheet.official_no is not None,
        "number": cell(sheet.official_no or sheet.internal_no, "编号", FIELD_CHARACTERS)["text"],
        "head": part(_head(sheet)),
        "consignor": part(_consignor(sheet.consignor)),
        "legs": [part(_leg(leg)) for leg in sheet.legs],
        "consignee": part(_consignee(sheet.consignee)),
        "loaded": table(_loaded(sheet.lines)),
        "arrived": table(_arrived(sheet.lines)),
        "reasons": [cell(line.reason, "差异或拒收原因", LINE_CHARACTERS) for line in sheet.lines],
        "version": cell(sheet.version, "版本", FIELD_CHARACTERS)["text"],
        "position": sheet.position,
        "digest": cell(sheet.digest, "摘要", FIELD_CHARACTERS)["text"],
        "as_of": _time(sheet.as_of),
        "qr": _code(sheet.url),
    }


def _head(sheet: ManifestSheet) -> list[_Field]:
    return [
        _Field("联单编号", "Official no.", sheet.official_no or "未分配"),
        _Field("内部编号", "Internal no.", sheet.internal_no),
        _Field("版次", "Revision", str(sheet.revision)),
        _Field("状态", "State", sheet.state),
        *([_Field("跨省转移批准文号", "Approval", sheet.approval_no, wide=True)] if sheet.approval_no else []),
    ]


def _consignor(party: Consignor) -> list[_Field]:
    return [
        _Field("单位名称", "Name", party.name),
        _Field("应急联系电话", "Emergency phone", party.emergency_phone),
        _Field("单位地址", "Address", party.address, wide=True),
        _Field("经办人", "Handled by", party.handler),
        _Field("联系电话", "Phone", party.phone),
        _Field("交付时间", "Handed over", _time(party.handed_over_at), wide=True),
    ]


def _leg(leg: Leg) -> list[_Field]:
    return [
        _Field("单位名称", "Name", leg.name),
        _Field("经营许可证号", "Permit no.", leg.permit_no),
        _Field("单位地址", "Address", leg.address),
        _Field("联系电话", "Phone", leg.phone),
        _Field("驾驶员", "Driver", leg.driver),
        _Field("联系电话", "Driver phone", leg.driver_phone),
        _Field("运输工具", "Means of transport", leg.means),
        _Field("牌号", "Plate", leg.plate),
        _Field("运输起点", "From", leg.origin),
        _Field("实际起运时间", "Departed", _time(leg.departed_at)),
        _Field("经由地", "Via", leg.via, wide=True),
        _Field("运输终点", "To", leg.destination),
        _Field("实际到达时间", "Arrived", _time(leg.arrived_at)),
    ]


def _consignee(party: Consignee) -> list[_Field]:
    return [
        _Field("单位名称", "Name", party.name),
        _Field("经营许可证编号", "Permit no.", party.permit_no),
        _Field("单位地址", "Address", party.address, wide=True),
        _Field("经办人", "Handled by", party.handler),
        _Field("联系电话", "Phone", party.phone),
        _Field("接受时间", "Received", _time(party.received_at), wide=True),
    ]


def _loaded(lines: Sequence[WasteLine]) -> list[_Column]:
    packages = [line.packages for line in lines]
    return [
        _Column("序号", "No.", 8, [str(i) for i in range(1, len(lines) + 1)], numbers=True),
        _Column("废物名称", "Waste", 0, [line.name for line in lines]),
        _Column("废物代码", "Code", 20, [line.code for line in lines]),
        _Column("危险特性", "Hazards", 15, ["、".join(line.hazards) for line in lines]),
        _Column("形态", "Form", 13, [line.form for line in lines]),
        _Column("有害成分名称", "Harmful components", 30, [line.harmful_components for line in lines]),
        _Column("包装方式", "Packing", 17, [line.packing for line in lines]),
        _Column("包装数量", "Packages", 15, [_count(count) for count in packages], True, _count(_sum(packages))),
        _masses("移出量（吨）", "Loaded (t)", 21, [line.loaded_g for line in lines]),
    ]


def _arrived(lines: Sequence[WasteLine]) -> list[_Column]:
    return [
        _Column("序号", "No.", 8, [str(i) for i in range(1, len(lines) + 1)], numbers=True),
        _Column("废物名称", "Waste", 0, [line.name for line in lines]),
        _Column("废物代码", "Code", 18, [line.code for line in lines]),
        _Column("重大差异", "Discrepancy", 15, [line.discrepancy for line in lines]),
        _Column("接受意见", "Opinion", 15, [line.opinion for line in lines]),
        _Column("处置方式", "Method", 14, [line.method for line in lines]),
        _masses("到达量", "Arrived (t)", 16, [line.arrived_g for line in lines]),
        _masses("接受量", "Accepted (t)", 16, [line.accepted_g for line in lines]),
        _masses("拒收量", "Rejected (t)", 16, [line.rejected_g for line in lines]),
        _masses("磅差", "Difference (t)", 17, [line.difference_g for line in lines]),
    ]


def _masses(name: str, english: str, width_mm: float, column: Sequence[int | None]) -> _Column:
    """Exact tonnes under one another by their points, to the kilogram or as fine as the finest of them."""
    total = _sum(column)
    stated = [mass for mass in (*column, total) if mass is not None]
    places = max((_places(mass) for mass in stated), default=_KILOGRAM_PLACES)
    texts = [_tonnes(mass, places) for mass in column]
    return _Column(name, english, width_mm, texts, numbers=True, total=_tonnes(total, places))


def _sum(column: Sequence[int | None]) -> int | None:
    """The total, where every line has its figure: a total of some would pass for one of all."""
    figures = [figure for figure in column if figure is not None]
    return sum(figures) if figures and len(figures) == len(column) else None


def _places(mass_g: int) -> int:
    return max(_KILOGRAM_PLACES, len(plain_tonnes(mass_g).partition(".")[2]))


def _tonnes(mass_g: int | None, places: int) -> str:
    """Exact tonnes with a true minus sign; an empty cell for what nobody has stated."""
    if mass_g is None:
        return ""
    whole, _, rest = plain_tonnes(mass_g).partition(".")
    return f"{whole}.{rest:0<{places}}".replace("-", _MINUS)


def _count(count: int | None) -> str:
    return "" if count is None else str(count)


def _time(moment: datetime | None) -> str:
    if moment is None:
        return ""
    assert moment.tzinfo is not None, "a time without its zone"
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def _code(url: str) -> dict[str, object]:
    """At level Q where it stays small; a signed link is long, and an undamaged sheet of paper forgives level M or L."""
    levels: tuple[tuple[qr.Level, float], ...] = (("Q", 38), ("M", 45), ("L", _CODE_MM_MOST))
    for level, most_mm in levels:
        squares = qr.matrix(url, level=level)
        side = qr.side_modules(squares)
        if side * qr.MODULE_MM <= most_mm:
            module_mm = max(qr.MODULE_MM, round(_CODE_MM / side, 3))
            return {"side": side, "module": module_mm, "runs": list(qr.runs(squares))}
    raise Malformed("print-link-too-long", where="url", length=len(url))
