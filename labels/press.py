"""The press: values and a template in, PDF, SVG or PNG out. The only module that knows typst and the font."""

import json
import re
import struct
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

import noto_cjk_sans_otc
import typst

from flows.errors import Malformed, Problem

Template: TypeAlias = Literal["label.typ", "sheet.typ"]
Format: TypeAlias = Literal["pdf", "svg", "png"]

FONT_FAMILY: Final = "Noto Sans CJK SC"
TEMPLATES_FOLDER: Final = Path(__file__).with_name("templates")

SUPPLEMENT: Final = frozenset(
    "ĄąĆćČčĎďĐđĘęĞğĢģĪīİıĶķĻļĽľŁłŃńŅņŇňŐőŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽžȘșȚț"
    "⁰ⁱ⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₕₖₗₘₙₚₛₜ⅓⅔⅛∙⋅∼≃≅☐☑☒✔✖"
)
"""What the Chinese font lacks and chemistry, tick boxes and foreign names need: DejaVu Sans Mono, inside typst, has it."""

_LONG_WORD: Final = re.compile(
    r"[^\s\u200b\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]{4,}"
)
"""Lines break between ideographs, kana and hangul, and at spaces; four of anything else in a row may hang together."""

_UNSEEN: Final = frozenset("\ufe0e\ufe0f")
"""Variation selectors that only choose between a black and a coloured sign; paper has the black one."""


class Overfull(Exception):
    """The text does not fit; `field` is the fullest."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Fonts:
    """The opened font, and every character that can be printed with it."""

    path: Path
    faces: typst.Fonts
    characters: frozenset[int]


@cache
def fonts(path: Path | None = None) -> Fonts:
    """The font from its wheel, or the file at `path`. Call it at start-up: what is missing is better heard of then.

    Raises:
        Problem: there is no file, or it does not hold Noto Sans CJK SC.
    """
    file = path or Path(str(noto_cjk_sans_otc.FONT_PATH))
    if not file.is_file():
        raise Problem("font-missing", path=str(file), family=FONT_FAMILY)
    faces = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[file.parent])
    index = next((f.index for f in faces.fonts() if f.family == FONT_FAMILY and f.path == str(file)), None)
    if index is None:
        raise Problem("font-unusable", path=str(file), family=FONT_FAMILY)
    return Fonts(file, faces, _characters(file.read_bytes(), index) | {ord(sign) for sign in SUPPLEMENT})


def clean(text: str, *, where: str, known: frozenset[int]) -> str:
    """The text as it will be printed: one space for any white space, unseen format signs left out.

    Raises:
        Malformed: a character that the font lacks, which would print as an empty box.
    """
    seen = "".join(
        sign for sign in " ".join(text.split()) if sign not in _UNSEEN and unicodedata.category(sign) != "Cf"
    )
    for sign in seen:
        if ord(sign) not in known:
            raise Malformed("print-character-missing", where=where, sign=_named(sign), text=seen[:40])
    return seen


def value(text: str) -> dict[str, object]:
    """A text for a template, with the runs in which no line breaks, where they might run out of a narrow cell."""
    return {"text": text, "words": list(dict.fromkeys(_LONG_WORD.findall(text)))}


def set_type(
    template: Template, values: Mapping[str, object], *, form: Format, dpi: int = 144, font: Path | None = None
) -> list[bytes]:
    """The finished document; for `svg` and `png` a document for each page.

    The same values give the same bytes. `values` go in as JSON and are data: markup in them prints as it stands.

    Raises:
        Overfull: the template found that the text does not fit.
    """
    try:
        made = _compiler(template, font).compile(
            format=form,
            ppi=dpi,
            sys_inputs={"values": json.dumps(values, ensure_ascii=False)},
            pdf_standards=["a-2b"] if form == "pdf" else [],
            timestamp=0,
        )
    except typst.TypstError as error:
        raise _problem(error) from None
    assert made is not None
    return made if isinstance(made, list) else [made]


_OVERFULL: Final = "overfull: "  # the templates panic with this word, and the name of the fullest field
_threads: Final = threading.local()


def _compiler(template: Template, font: Path | None) -> typst.Compiler:
    """One compiler for each thread, template and font: a compiler is not shared between threads, the font is."""
    kept = cast("dict[tuple[Template, Path | None], typst.Compiler]", _threads.__dict__)
    if (template, font) not in kept:
        file = TEMPLATES_FOLDER / template
        kept[template, font] = typst.Compiler(file, root=TEMPLATES_FOLDER, font_paths=fonts(font).faces)
    return kept[template, font]


def _problem(error: typst.TypstError) -> Exception:
    _, found, field = error.message.partition(_OVERFULL)
    if not found:
        return AssertionError(error.diagnostic)
    return Overfull(field.strip('"'))


def _named(sign: str) -> str:
    return f"{sign} (U+{ord(sign):04X})" if sign.isprintable() else f"U+{ord(sign):04X}"


def _characters(file: bytes, face: int) -> frozenset[int]:
    """The characters of one face of an OpenType file, from its table `cmap`, format 12.

    Source: OpenType 1.9, chapters `otff` (collections, table directory) and `cmap`.
    """
    start = _numbers(">I", file, 12 + 4 * face)[0] if file.startswith(b"ttcf") else 0
    (count,) = _numbers(">H", file, start + 4)
    tables = dict(_table(file, start + 12 + 16 * i) for i in range(count))
    cmap = tables[b"cmap"]
    (count,) = _numbers(">H", file, cmap + 2)
    for i in range(count):
        platform, encoding, offset = _numbers(">HHI", file, cmap + 4 + 8 * i)
        if (platform, encoding) == (3, 10):  # Windows, full Unicode: always format 12
            return frozenset(_ranges(file, cmap + offset))
    raise AssertionError(f"{FONT_FAMILY} without a full character table")


def _table(file: bytes, at: int) -> tuple[bytes, int]:
    return file[at : at + 4], _numbers(">I", file, at + 8)[0]


def _ranges(file: bytes, at: int) -> Iterable[int]:
    (count,) = _numbers(">I", file, at + 12)
    for i in range(count):
        first, last, _ = _numbers(">III", file, at + 16 + 12 * i)
        yield from range(first, last + 1)


def _numbers(layout: str, file: bytes, at: int) -> Sequence[int]:
    return struct.unpack_from(layout, file, at)
