"""The catalogue: which wastes, materials, processes and methods there are, read from tables that anybody can replace.

A row is a kind; no kind is a class. A waste kind is a row bound to its process of origin: the same everyday name from
two processes is two rows with two codes. An installation lays a folder over ours, file by file.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NoReturn, TypeAlias, TypeVar, get_args

from flows import codes
from flows.errors import Language, Malformed, Problem, Unknown

Group: TypeAlias = Literal[
    "residue", "scrap", "primary_metal", "secondary_metal", "alloy", "product", "intermediate", "additive"
]
LegalStatus: TypeAlias = Literal["hazardous_waste", "general_waste", "recycled_raw_material", "product"]
Side: TypeAlias = Literal["utilization", "disposal"]
Ending: TypeAlias = Literal["product", "material_use", "energy_use", "landfilled", "incinerated", "other_disposal"]
"""The fates that a method leads to; readings add stock, transit, loss and what nobody accounts for."""
Step: TypeAlias = Literal["utilization", "disposal", "transport"]
Hazard: TypeAlias = Literal["T", "C", "I", "R", "In"]
"""Toxic, corrosive, ignitable, reactive, infectious."""

TABLES_FOLDER = Path(__file__).with_name("tables")
OLD_LAW: Final = {"zh": "《固体废物污染环境防治法》（2020）", "en": "Solid Waste Law (2020)"}
LAW: Final = {"zh": "《生态环境法典》", "en": "Ecological Environment Code"}
ANY_WASTE: Final = "*"  # an exemption for every hazardous waste that no other item names

_HAZARDS: Final = re.compile(r"(?:(?:T|C|I|R|In)(?:[,/](?:T|C|I|R|In))*)?")
_METALS: Final = ("ag", "al", "cu", "fe", "li", "mg", "mixed", "ni", "pb", "re", "si", "sn", "ti", "v", "zn")


@dataclass(frozen=True, slots=True)
class WasteCode:
    """An official waste code, as one edition of its catalogue words it."""

    code: str
    category: str
    name_zh: str
    name_en: str
    hazards: str
    """As printed: after a comma the hazards that it may have besides, with "/" one or more of them."""
    edition: str
    checked: bool
    """Compared with the official text. What is not is shown with that remark."""
    source: str

    @property
    def hazardous(self) -> bool:
        return self.category.startswith("HW")

    @property
    def is_class(self) -> bool:
        """SW01: the class is known, the item is still to be settled."""
        return self.code == self.category

    @property
    def hazard_set(self) -> frozenset[str]:
        return frozenset(re.findall(r"In|[TCIR]", self.hazards))

    def name(self, language: Language = "zh") -> str:
        return self.name_zh if language == "zh" else self.name_en


@dataclass(frozen=True, slots=True)
class Material:
    """A kind of material. A residue is bound to the process that it arises from."""

    id: str
    name_zh: str
    name_en: str
    group: Group
    metal: str | None
    waste_code: str | None
    legal_status: LegalStatus
    process: str
    process_en: str
    form: str
    components: str
    harmful: str
    precautions: str
    """For the label, in Chinese like the label."""
    moisture_ppm: int | None
    """Assumed until a batch is assayed; None: nobody measured, taken as weighed."""
    standard: str | None
    source: str

    def name(self, language: Language = "zh") -> str:
        return self.name_zh if language == "zh" else self.name_en

    def waste(self, catalogue: "Catalogue") -> WasteCode | None:
        """The waste code that the material is recorded under, or None when it is no waste."""
        return catalogue.wastes[self.waste_code] if self.waste_code else None


@dataclass(frozen=True, slots=True)
class Process:
    """A kind of process that turns portions into batches; some change no substance and so lose no gram."""

    id: str
    name_zh: str
    name_en: str
    changes_substance: bool
    method: str | None
    """The method code that a statement of this process usually has."""

    def name(self, language: Language = "zh") -> str:
        return self.name_zh if language == "zh" else self.name_en


@dataclass(frozen=True, slots=True)
class Tolerance:
    """From a day on, the share of a process's whole input (additions too) that may be missing without a reason."""

    process: str
    since: date
    ppm: int
    reason_zh: str
    reason_en: str
    source: str


@dataclass(frozen=True, slots=True)
class Method:
    """A way of use or disposal by its code. Source: HJ 1033-2019, appendix F."""

    code: str
    name_zh: str
    name_en: str
    side: Side
    ending: Ending
    note: str
    """What is doubtful about it, in Chinese; empty when nothing is."""

    def name(self, language: Language = "zh") -> str:
        return self.name_zh if language == "zh" else self.name_en


@dataclass(frozen=True, slots=True)
class Division:
    """A province or prefecture. Source: GB/T 2260."""

    code: str
    name_zh: str
    name_en: str

    def name(self, language: Language = "zh") -> str:
        return self.name_zh if language == "zh" else self.name_en


@dataclass(frozen=True, slots=True)
class Standard:
    """A product or raw-material standard that a legal status may rest on."""

    code: str
    name_zh: str
    name_en: str
    since: date | None
    checked: bool
    """The edition was seen in a source; otherwise look it up before you rest a status on it."""
    source: str


@dataclass(frozen=True, slots=True)
class Exemption:
    """One step of one waste that the exemption list frees, under a condition; its other steps stay as they are."""

    id: str
    item: int
    code: str
    """An eight-digit code, a category such as HW34, or `ANY_WASTE`."""
    step: Step
    condition_zh: str
    condition_en: str
    edition: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a duty stands in the law, before and after a day."""

    id: str
    name_zh: str
    name_en: str
    old_article: str
    article: str
    since: date

    def text(self, on: date, language: Language = "zh") -> str | None:
        """The article in force on a day, or None when there was none yet."""
        law, article = (LAW, self.article) if on >= self.since else (OLD_LAW, self.old_article)
        if not article:
            return None
        return f"{law['zh']}第{article}条" if language == "zh" else f"{law['en']}, Art. {article}"


@dataclass(frozen=True, slots=True)
class Plate:
    """A prefix of number plates and the prefecture that it is issued in."""

    prefix: str
    division: str
    source: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All tables, read together: every reference leads somewhere, every key stands once."""

    wastes: Mapping[str, WasteCode]
    materials: Mapping[str, Material]
    processes: Mapping[str, Process]
    tolerances: Mapping[str, tuple[Tolerance, ...]]
    """By process, the earliest first."""
    methods: Mapping[str, Method]
    divisions: Mapping[str, Division]
    standards: Mapping[str, Standard]
    exemptions: Mapping[str, Exemption]
    citations: Mapping[str, Citation]
    plates: Mapping[str, Plate]

    @classmethod
    def load(cls, folder: Path | None = None) -> "Catalogue":
        """Our tables, each replaced by the file of its name in the installation's folder, where there is one.

        Raises:
            Malformed: no such folder, a file that replaces nothing, an unknown or missing column, a cell that cannot
                be read or leads nowhere, a key twice. The message names file and row.
        """
        _check_folder(folder)
        read = partial(_table, folder)
        methods = read("methods.csv", Method, _METHOD_CELLS)
        divisions = read("divisions.csv", Division, {"code": _DIVISION})
        standards = read("standards.csv", Standard, {"since": _or_none(_DAY), "checked": _YES_NO})
        wastes = read("wastes.csv", WasteCode, _WASTE_CELLS)
        processes = read("processes.csv", Process, {"changes_substance": _YES_NO, "method": _or_none(_known(methods))})
        materials = read("materials.csv", Material, _material_cells(wastes, standards))
        _check_statuses(materials, wastes)
        return cls(
            wastes=wastes,
            materials=materials,
            processes=processes,
            tolerances=_tolerances(folder, processes),
            methods=methods,
            divisions=divisions,
            standards=standards,
            exemptions=read("exemptions.csv", Exemption, _exemption_cells(wastes)),
            citations=read("legal.csv", Citation, {"since": _DAY}),
            plates=read("plates.csv", Plate, {"division": _known(divisions)}),
        )

    def waste(self, code: str) -> WasteCode:
        return self.wastes.get(codes.waste_code(code)) or _unknown("waste", code, {c: c for c in self.wastes})

    def material(self, id: str) -> Material:
        return self.materials.get(id) or _unknown("material", id, _names(self.materials))

    def process(self, id: str) -> Process:
        return self.processes.get(id) or _unknown("process", id, _names(self.processes))

    def method(self, code: str) -> Method:
        return self.methods.get(codes.method_code(code)) or _unknown("method", code, _names(self.methods))

    def division(self, code: str) -> Division:
        return self.divisions.get(codes.division(code)) or _unknown("division", code, _names(self.divisions))

    def tolerance_ppm(self, process: str, on: date) -> int:
        """What may be missing of a process's whole input on a day; before the first row, as in the first row."""
        if process not in self.tolerances:
            _unknown("process", process, _names(self.processes))
        first, *later = self.tolerances[process]
        return next((row.ppm for row in reversed(later) if row.since <= on), first.ppm)

    def exemptions_for(self, code: str, step: Step | None = None) -> tuple[Exemption, ...]:
        """The items of the exemption list that may free a step of this waste, each with its condition."""
        waste = self.waste(code)
        if not waste.hazardous:
            return ()
        named = {waste.code, waste.category}
        found = [e for e in self.exemptions.values() if e.code in named] or [
            e for e in self.exemptions.values() if e.code == ANY_WASTE
        ]
        return tuple(e for e in found if step in (None, e.step))


@cache
def catalogue() -> Catalogue:
    """Our own tables, without an installation's folder."""
    return Catalogue.load()


def _names(rows: Mapping[str, Material | Process | Method | Division]) -> dict[str, str]:
    """Keys and names to the key, so that a name typed for a key finds it."""
    return {word: key for key, row in rows.items() for word in (row.name_en, row.name_zh, key)}


def _unknown(kind: str, read: str, choices: Mapping[str, str]) -> NoReturn:
    near = codes.nearest(read, choices)
    if near is None:
        raise Unknown(f"{kind}-unknown", read=read)
    raise Unknown(f"{kind}-unknown-near", read=read, nearest=choices[near])


@dataclass(frozen=True, slots=True)
class _Cell:
    """How a cell is read, and what would have been right when it cannot be."""

    read: Callable[[str], object]
    expected: Callable[[str], str]


def _cell(read: Callable[[str], object], expected: str) -> _Cell:
    return _Cell(read, lambda _: expected)


def _one_of(literal: object) -> _Cell:
    choices: tuple[str, ...] = get_args(literal)
    return _cell(lambda text: choices[choices.index(text)], " | ".join(choices))


def _known(rows: Mapping[str, object]) -> _Cell:
    """A key of another table; the nearest is offered."""

    def read(text: str) -> str:
        if text not in rows:
            raise ValueError(text)
        return text

    return _Cell(read, lambda text: codes.nearest(text, rows) or " | ".join(list(rows)[:5]) + " …")


def _or_none(cell: _Cell) -> _Cell:
    return _Cell(lambda text: cell.read(text) if text else None, cell.expected)


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return read


def _share_ppm(text: str) -> int:
    if not 0 <= (ppm := int(text)) <= 1_000_000:  # noqa: PLR2004 - a whole in millionths
        raise ValueError(text)
    return ppm


_YES_NO: Final = _cell(lambda text: ("0", "1").index(text) == 1, "0 | 1")
_DAY: Final = _cell(date.fromisoformat, "2026-01-31")
_PPM: Final = _cell(_share_ppm, "0 … 1000000")
_DIVISION: Final = _cell(codes.division, "510100")
_KEBAB: Final = _cell(_matching(re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")), "remelt-dross")
_METAL: Final = _cell(_matching(re.compile("|".join(_METALS))), " | ".join(_METALS))
_METHOD_CELLS: Final = {
    "code": _cell(codes.method_code, "R4"),
    "side": _one_of(Side),
    "ending": _one_of(Ending),
}
_WASTE_CELLS: Final = {
    "code": _cell(codes.waste_code, "321-024-48 | 900-002-S17 | SW01"),
    "category": _cell(codes.waste_category, "HW48 | SW01"),
    "hazards": _cell(_matching(_HAZARDS), "T | C | I | R | In | R,T | T/C"),
    "checked": _YES_NO,
}


def _material_cells(wastes: Mapping[str, WasteCode], standards: Mapping[str, Standard]) -> dict[str, _Cell]:
    return {
        "id": _KEBAB,
        "group": _one_of(Group),
        "metal": _or_none(_METAL),
        "waste_code": _or_none(_known(wastes)),
        "legal_status": _one_of(LegalStatus),
        "moisture_ppm": _or_none(_PPM),
        "standard": _or_none(_known(standards)),
    }


def _exemption_cells(wastes: Mapping[str, WasteCode]) -> dict[str, _Cell]:
    categories = {waste.category: waste for waste in wastes.values() if waste.hazardous}
    return {
        "item": _cell(int, "22"),
        "code": _known({**wastes, **categories, ANY_WASTE: None}),
        "step": _one_of(Step),
    }


def _tolerances(folder: Path | None, processes: Mapping[str, Process]) -> Mapping[str, tuple[Tolerance, ...]]:
    name = "tolerances.csv"
    cells = {"process": _known(processes), "since": _DAY, "ppm": _PPM}
    rows = sorted((row for _, row in _rows(folder, name, Tolerance, cells)), key=lambda row: row.since)
    found = {process: tuple(row for row in rows if row.process == process) for process in processes}
    for process, dated in found.items():
        if not dated:
            raise Malformed("table-tolerance-missing", file=name, process=process)
        if len({row.since for row in dated}) < len(dated):
            raise Malformed("table-tolerance-twice", file=name, process=process)
        if any(row.ppm for row in dated) and not processes[process].changes_substance:
            raise Malformed("table-tolerance-idle", file=name, process=process)
    return MappingProxyType(found)


def _check_statuses(materials: Mapping[str, Material], wastes: Mapping[str, WasteCode]) -> None:
    """Hazardous waste has a hazardous code and nothing else has; what is no waste has no code."""
    for material in materials.values():
        waste = wastes[material.waste_code] if material.waste_code else None
        match material.legal_status:
            case "hazardous_waste":
                fits = waste is not None and waste.hazardous
            case "general_waste":
                fits = waste is not None and not waste.hazardous
            case "recycled_raw_material" | "product":
                fits = waste is None
        if not fits:
            raise Malformed(
                "material-status",
                file="materials.csv",
                material=material.id,
                status=material.legal_status,
                code=material.waste_code or "—",
            )


def _check_folder(folder: Path | None) -> None:
    if folder is None:
        return
    if not folder.is_dir():
        raise Malformed("tables-folder-absent", folder=str(folder))
    ours = sorted(file.name for file in TABLES_FOLDER.glob("*.csv"))
    for file in sorted(folder.glob("*.csv")):
        if file.name not in ours:
            raise Malformed("table-replaces-nothing", file=file.name, names=" ".join(ours))


Row = TypeVar("Row")


def _table(folder: Path | None, name: str, kind: Callable[..., Row], cells: Mapping[str, _Cell]) -> Mapping[str, Row]:
    """A table by its first column."""
    found: dict[str, Row] = {}
    for line, row in _rows(folder, name, kind, cells):
        key = str(getattr(row, _columns(kind)[0]))
        if key in found:
            raise Malformed("table-key-twice", file=name, row=line, key=key)
        found[key] = row
    return MappingProxyType(found)


def _rows(
    folder: Path | None, name: str, kind: Callable[..., Row], cells: Mapping[str, _Cell]
) -> Iterator[tuple[int, Row]]:
    """The rows of a table with their lines in the file. Its columns are the fields, in any order."""
    lines = _lines(folder, name)
    columns = _columns(kind)
    _, head = next(lines, (1, list[str]()))
    for column in [*head, *columns]:
        if column not in columns:
            expected = codes.nearest(column, columns) or " ".join(columns)
            raise Malformed("table-column-unknown", file=name, column=column, expected=expected)
        if head.count(column) != 1:
            raise Malformed("table-column-missing", file=name, column=column, count=head.count(column))
    for line, texts in lines:
        if len(texts) != len(head):
            raise Malformed("table-row-length", file=name, row=line, found=len(texts), expected=len(head))
        row = dict(zip(head, texts, strict=True))
        yield line, kind(**{column: _value(cells, name, line, column, text) for column, text in row.items()})


def _value(cells: Mapping[str, _Cell], name: str, line: int, column: str, text: str) -> object:
    cell = cells.get(column)
    if cell is None:
        return text
    try:
        return cell.read(text)
    except (ValueError, Problem) as problem:
        expected = cell.expected(text)
        raise Malformed("table-cell", file=name, row=line, column=column, read=text, expected=expected) from problem


def _columns(kind: object) -> list[str]:
    return [field.name for field in fields(kind)]  # pyright: ignore[reportArgumentType] - always one of our rows


def _lines(folder: Path | None, name: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that say something: not blank, not a remark after "#"."""
    file = TABLES_FOLDER / name if folder is None or not (folder / name).exists() else folder / name
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, strict=True)
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells) and not cells[0].startswith("#"):
                    yield reader.line_num, cells
    except (UnicodeDecodeError, csv.Error) as problem:
        raise Malformed("table-unreadable", file=name) from problem
