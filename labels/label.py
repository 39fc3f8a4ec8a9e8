"""The label of a batch: hazardous waste after HJ 1276-2022, and a plain one for other waste, scrap and products."""

from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from flows.errors import Malformed
from flows.mass import GRAMS_PER_TONNE, tonnes
from labels import press, qr

Kind: TypeAlias = Literal["hazardous", "general", "material", "product"]

HAZARD_WORDS: Final = {"C": "腐蚀性", "T": "毒性", "I": "易燃性", "R": "反应性", "In": "感染性"}
"""The hazard properties and their codes. Source: 国家危险废物名录, column 危险特性."""


class Size(NamedTuple):
    """What HJ 1276-2022 asks of a label of one size."""

    height_mm: float
    """No character is lower than this."""
    module_mm: float
    """The module of its code: what the text leaves room for."""


SIZES: Final = {100: Size(3, 0.7), 150: Size(5, 0.85), 200: Size(6, 1.2)}
"""Side in millimetres: for containers up to 50 L, up to 450 L, and above. Source: HJ 1276-2022."""

GLYPH_HEIGHT: Final = 0.876
"""The height of 国 in Noto Sans CJK, by its em: a text size is no height of letters."""

_STEPS: Final = (1.3, 1.12, 1.0)
"""Text sizes that are tried, over the least that the standard allows: the largest that fits is taken."""

_CODE_SHARE: Final = 0.36
"""The part of a label's side that its code may take, so that the names beside it keep their room."""

_FEW_MARKS: Final = 2
_SHORT: Final = 12
_DIGITAL_CODE_LENGTH: Final = 37
_MM_PER_POINT: Final = 25.4 / 72


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLabel:
    """What stands on one container. Texts may be empty: a hazardous label then keeps the line, to be filled by hand."""

    kind: Kind
    name: str
    """废物名称, or the name of the material or product."""
    category: str = ""
    """废物类别: HW48 有色金属采选和冶炼废物."""
    code: str = ""
    """废物代码: 321-002-48; SW01 …; a product's own."""
    edition: str = ""
    """The edition of the catalogue that the code is from: 2025年版."""
    form: str = ""
    """废物形态: 固态, 半固态, 液态 …"""
    hazards: tuple[str, ...] = ()
    """危险特性, of C, T, I, R, In."""
    main_components: str = ""
    harmful_components: str = ""
    precautions: str = ""
    digital_code: str = ""
    """数字识别码, 37 characters for hazardous waste."""
    batch_id: str = ""
    enterprise: str = ""
    """产生/收集单位."""
    contact: str = ""
    """联系人和联系方式."""
    produced_on: date | None = None
    mass_g: int | None = None
    remark: str = ""
    version: str = ""
    """Which version this is, and the ledger entry at which it came to be."""
    url: str
    """What the code says: `payload.batch_url`."""


def svg(label: BatchLabel, size_mm: int, *, black_only: bool = False, font: Path | None = None) -> bytes:
    """The label as SVG to scale, its characters as outlines. Raises as `pdf` does."""
    return _printed(label, size_mm, form="svg", black_only=black_only, font=font)


def png(
    label: BatchLabel, size_mm: int, *, dpi: int = 300, black_only: bool = False, font: Path | None = None
) -> bytes:
    """The label as a picture of `dpi` pixels an inch. Raises as `pdf` does."""
    return _printed(label, size_mm, form="png", dpi=dpi, black_only=black_only, font=font)


def pdf(label: BatchLabel, size_mm: int, *, black_only: bool = False, font: Path | None = None) -> bytes:
    """The label as one page PDF/A. `black_only` leaves out the orange, for thermal printers with orange stock.

    Raises:
        Malformed: no such size, an unknown hazard, a character that cannot be printed, a link too long for a code
            that scans, or more text than fits at the least height of letters; nothing is ever cut.
    """
    return _printed(label, size_mm, form="pdf", black_only=black_only, font=font)


def _printed(
    label: BatchLabel, size_mm: int, *, form: press.Format, black_only: bool, dpi: int = 144, font: Path | None
) -> bytes:
    if size_mm not in SIZES:
        raise Malformed("print-size-unknown", where="size_mm", size_mm=size_mm)
    values = _values(_clean(label, font), size_mm, black_only=black_only)
    try:
        return press.set_type("label.typ", values, form=form, dpi=dpi, font=font)[0]
    except press.Overfull as over:
        size, height_mm = f"{size_mm} × {size_mm} mm", SIZES[size_mm].height_mm
        raise Malformed("print-too-full", size=size, height_mm=height_mm, field=over.field) from None


def _clean(label: BatchLabel, font: Path | None) -> BatchLabel:
    """The label with every text as it will be printed."""
    known = press.fonts(font).characters
    texts = {field.name: getattr(label, field.name) for field in fields(label) if field.type is str}
    return replace(label, **{name: press.clean(text, where=name, known=known) for name, text in texts.items()})


class _Cell(NamedTuple):
    name: str
    text: str


class _Names(NamedTuple):
    """What the lines are called, by kind of label."""

    title: str
    name: str
    category: str
    code: str
    form: str
    digital_code: str
    enterprise: str
    produced_on: str
    mass: str


_WASTE: Final = ("废物名称", "废物类别", "废物代码", "废物形态")
_NAMES: Final = {
    "hazardous": _Names("危险废物", *_WASTE, "数字识别码", "产生/收集单位", "产生日期", "废物重量"),
    "general": _Names("一般工业固体废物", *_WASTE, "识别码", "产生单位", "产生日期", "废物重量"),
    "material": _Names("再生原料", "物料名称", "物料类别", "物料代码", "形态", "识别码", "供应单位", "日期", "重量"),
    "product": _Names("产品", "产品名称", "产品类别", "产品代码", "形态", "识别码", "生产单位", "生产日期", "重量"),
}

_NOT_TO_SHORTEN: Final = frozenset(("数字识别码", "识别码", "批次号", "版本"))

_Row: TypeAlias = list[_Cell]


def _rows(label: BatchLabel) -> tuple[list[_Row], list[_Row], list[_Row]]:
    """The rows beside the hazards, across the label, and beside the code: in the order of the standard's sample."""
    names = _NAMES[label.kind]
    edition = _whole(f"（{label.edition}）") if label.edition and label.code else ""
    upper = [
        [_Cell(names.name, label.name)],
        [_Cell(names.category, label.category)],
        [_Cell(names.code, label.code + edition), _Cell(names.form, label.form)],
        [_Cell("主要成分", label.main_components)],
        [_Cell("有害成分", label.harmful_components)],
    ]
    wide = [
        [_Cell("注意事项", label.precautions)],
        [_Cell(names.digital_code, _parted(label.digital_code))],
        [_Cell("批次号", label.batch_id)],
        [_Cell("版本", label.version)],
    ]
    lower = [
        [_Cell(names.enterprise, label.enterprise)],
        [_Cell("联系人和联系方式", label.contact)],
        [_Cell(names.produced_on, str(label.produced_on or "")), _Cell(names.mass, _mass(label.mass_g))],
        [_Cell("备注", label.remark)],
    ]
    if label.kind == "hazardous":  # the standard's lines stay, to be filled by hand; ours goes when it says nothing
        ours = len(wide) - 2
        return upper, wide[:ours] + _told(wide[ours:]), lower
    return _told(upper), _told(wide), _told(lower)


def _whole(text: str) -> str:
    """A short text in which no line breaks."""
    return "\u2060".join(text) if len(text) <= _SHORT else text


def _parted(digital_code: str) -> str:
    """The digital code with places to break a line between its parts: enterprise, waste code, day, number."""
    if len(digital_code) != _DIGITAL_CODE_LENGTH:
        return digital_code
    return "\u200b".join((digital_code[:18], digital_code[18:26], digital_code[26:34], digital_code[34:]))


def _told(rows: list[_Row]) -> list[_Row]:
    return [told for row in rows if (told := [cell for cell in row if cell.text])]


def _values(label: BatchLabel, size_mm: int, *, black_only: bool) -> dict[str, object]:
    rows = _rows(label)
    upper, wide, lower = ([[_shown(cell) for cell in row] for row in part] for part in rows)
    told = [cell for part in rows for row in part for cell in row if cell.name not in _NOT_TO_SHORTEN]
    hazards = _hazards(label)
    least_pt = SIZES[size_mm].height_mm / GLYPH_HEIGHT / _MM_PER_POINT
    return {
        "size": size_mm,
        "orange": label.kind == "hazardous" and not black_only,
        "title": _NAMES[label.kind].title,
        "points": [round(least_pt * step, 3) for step in _STEPS],
        "hazards": hazards,
        "abreast": _abreast(hazards),
        "upper": upper,
        "wide": wide,
        "lower": lower,
        "longest": max(told, key=lambda cell: len(cell.text)).name,
        "qr": _code(label.url, size_mm),
    }


def _shown(cell: _Cell) -> dict[str, object]:
    return {"name": cell.name, "value": press.value(cell.text)}


def _hazards(label: BatchLabel) -> list[dict[str, str]] | None:
    """The marks of hazardous waste, each once; `None` on labels that have no room for them."""
    if label.kind != "hazardous":
        return None
    for code in label.hazards:
        if code not in HAZARD_WORDS:
            raise Malformed("label-hazard-unknown", where="hazards", read=code[:20])
    return [{"code": code, "word": HAZARD_WORDS[code]} for code in dict.fromkeys(label.hazards)]


def _abreast(hazards: list[dict[str, str]] | None) -> list[int]:
    """How many marks stand side by side, the best first; 0 puts small ones before their words."""
    if hazards is None:
        return [0]
    return [1, 0] if len(hazards) <= _FEW_MARKS else [2, 1, 0]


def _mass(mass_g: int | None) -> str:
    """As the scale says it: tonnes from a tonne on, kilograms below, exactly."""
    if mass_g is None:
        return ""
    return tonnes(mass_g) if mass_g >= GRAMS_PER_TONNE else tonnes(mass_g * 1000).replace(" t", " kg")


def _code(url: str, size_mm: int) -> dict[str, object]:
    squares = qr.matrix(url)
    side = qr.side_modules(squares)
    module_mm = SIZES[size_mm].module_mm
    if side * module_mm > size_mm * _CODE_SHARE:
        raise Malformed("print-link-too-long", where="url", length=len(url))
    return {"side": side, "module": module_mm, "runs": list(qr.runs(squares))}
