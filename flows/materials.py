"""The catalogue: which wastes, materials, processes and methods there are, read from tables that anybody can replace.

A row is a kind; no kind is a class. A waste kind is a row bound to its process of origin: the same everyday name from
two processes is two rows with two codes. An installation lays a folder over ours, file by file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NoReturn, TypeAlias

from flows import codes
from flows.errors import Language, Malformed, Unknown
from flows.rows import DAY, PPM, SAID, YES_NO, Cells, Tables, cell, known, matching, one_of, or_none

Group: TypeAlias = Literal[
    "residue", "scrap", "primary_metal", "secondary_metal", "alloy", "product", "intermediate", "additive"
]
LegalStatus: TypeAlias = Literal["hazardous_waste", "general_waste", "recycled_raw_material", "product"]
Side: TypeAlias = Literal["utilization", "disposal"]
Ending: TypeAlias = Literal["product", "material_use", "energy_use", "landfilled", "incinerated", "other_disposal"]
"""The fates that a method leads to; readings add stock, transit, loss and what nobody accounts for."""
Step: TypeAlias = Literal["utilization", "disposal", "transport"]

OLD_LAW: Final = {"zh": "《固体废物污染环境防治法》（2020）", "en": "Solid Waste Law (2020)"}
LAW: Final = {"zh": "《生态环境法典》", "en": "Ecological Environment Code"}
WEIGHING: Final = "weighing"  # in place of a process: a batch weighed again, as a rest or where it arrived
ANY_WASTE: Final = "*"  # an exemption for every hazardous waste that no other item names

_HAZARDS: Final = r"(?:(?:T|C|I|R|In)(?:[,/](?:T|C|I|R|In))*)?"  # toxic, corrosive, ignitable, reactive, infectious
_METALS: Final = ("ag", "al", "cu", "fe", "li", "mg", "mixed", "ni", "pb", "re", "si", "sn", "ti", "v", "zn")


class _Named:
    """What has a name in both languages."""

    __slots__ = ()
    name_zh: str
    name_en: str

    def name(self, language: Language = "zh") -> str:
        return self.name_zh if language == "zh" else self.name_en


@dataclass(frozen=True, slots=True)
class WasteCode(_Named):
    """An official waste code, as one edition of its catalogue words it."""

    code: str
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
        return "S" not in self.code

    @property
    def category(self) -> str:
        return ("HW" if self.hazardous else "SW") + self.code[-2:]

    @property
    def is_class(self) -> bool:
        """SW01: the class is known, the item is still to be settled."""
        return self.code == self.category

    @property
    def hazard_set(self) -> frozenset[str]:
        return frozenset(re.findall(r"In|[TCIR]", self.hazards))


@dataclass(frozen=True, slots=True)
class Material(_Named):
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

    def waste(self, catalogue: "Catalogue") -> WasteCode | None:
        """The waste code that the material is recorded under, or None when it is no waste."""
        return catalogue.wastes[self.waste_code] if self.waste_code else None


@dataclass(frozen=True, slots=True)
class Process(_Named):
    """A kind of process that turns portions into batches; some change no substance and so lose no gram."""

    id: str
    name_zh: str
    name_en: str
    changes_substance: bool
    method: str | None
    """The method code that a statement of this process usually has."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """From a day on, the share of a process's whole input (additions too) that may be missing without a reason.

    For `WEIGHING`, the share by which a batch weighed again may differ from the book.
    """

    process: str
    since: date
    ppm: int
    reason_zh: str
    reason_en: str
    source: str


@dataclass(frozen=True, slots=True)
class Method(_Named):
    """A way of use or disposal by its code. Source: HJ 1033-2019, appendix F."""

    code: str
    name_zh: str
    name_en: str
    side: Side
    ending: Ending
    note: str
    """What is doubtful about it, in Chinese; empty when nothing is."""


@dataclass(frozen=True, slots=True)
class Division(_Named):
    """A province or prefecture. Source: GB/T 2260."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Standard(_Named):
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
class Citation(_Named):
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
        if language == "zh":
            return f"{law['zh']}第{article}条"
        return f"{law['en']}, Art. {article.replace('、', ', ')}"


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
        tables = Tables(folder)
        read = tables.read
        methods = read("methods.csv", Method, _METHOD_CELLS)
        divisions = read("divisions.csv", Division, {"code": _DIVISION})
        standards = read("standards.csv", Standard, {"since": or_none(DAY), "checked": YES_NO})
        wastes = read("wastes.csv", WasteCode, _WASTE_CELLS)
        processes = read(
            "processes.csv", Process, {"id": _KEBAB, "changes_substance": YES_NO, "method": or_none(known(methods))}
        )
        materials = read("materials.csv", Material, _material_cells(wastes, standards))
        _check_statuses(materials, wastes)
        return cls(
            wastes=wastes,
            materials=materials,
            processes=processes,
            tolerances=_tolerances(tables, processes),
            methods=methods,
            divisions=divisions,
            standards=standards,
            exemptions=read("exemptions.csv", Exemption, _exemption_cells(wastes)),
            citations=read("legal.csv", Citation, {"since": DAY}),
            plates=read("plates.csv", Plate, {"division": known(divisions)}),
        )

    def find_waste(self, code: str) -> WasteCode | None:
        """The waste of a code, or None: the tables hold the trade's codes, not all of the official catalogue."""
        return self.wastes.get(codes.waste_code(code))

    def waste(self, code: str) -> WasteCode:
        return self.find_waste(code) or _unknown("waste-unknown", code, {c: c for c in self.wastes})

    def material(self, id: str) -> Material:
        return self.materials.get(id) or _unknown("material-unknown", id, _names(self.materials))

    def process(self, id: str) -> Process:
        return self.processes.get(id) or _unknown("process-unknown", id, _names(self.processes))

    def method(self, code: str) -> Method:
        return self.methods.get(codes.method_code(code)) or _unknown("method-unknown", code, _names(self.methods))

    def division(self, code: str) -> Division:
        """The smallest division of ours that a code lies in: a county's code gives its prefecture or province."""
        full = codes.division(code)
        province = full[:2].ljust(6, "0")
        divided = any(ours[:2] == full[:2] and ours != province for ours in self.divisions)
        for ours in (full, full[:4].ljust(6, "0"), *([] if divided else [province])):
            if ours in self.divisions:
                return self.divisions[ours]
        return _unknown("division-unknown", code, _names(self.divisions))

    def tolerance_ppm(self, process: str, on: date) -> int:
        """What may be missing of a process's whole input on a day; before the first row, as in the first row."""
        if process not in self.tolerances:
            _unknown("process-unknown", process, _names(self.processes))
        first, *later = self.tolerances[process]
        return next((row.ppm for row in reversed(later) if row.since <= on), first.ppm)

    def exemptions_for(self, code: str, step: Step | None = None) -> tuple[Exemption, ...]:
        """The items of the exemption list that name this waste, each with the condition it holds under.

        An item for `ANY_WASTE` is not among them: it frees nothing without a scheme of the province.
        """
        waste = self.waste(code)
        named = {waste.code, waste.category}
        return tuple(e for e in self.exemptions.values() if e.code in named and step in (None, e.step))


@cache
def catalogue() -> Catalogue:
    """Our own tables, without an installation's folder."""
    return Catalogue.load()


def _names(rows: Mapping[str, Material | Process | Method | Division]) -> dict[str, str]:
    """Keys and names to the key, so that a name typed for a key finds it."""
    return {word: key for key, row in rows.items() for word in (row.name_en, row.name_zh, key)}


def _unknown(key: str, read: str, choices: Mapping[str, str]) -> NoReturn:
    near = codes.nearest(read, choices)
    raise Unknown(key, read=read, nearest=choices[near] if near else "—")


_DIVISION: Final = cell(codes.division, "510100")
_KEBAB: Final = matching(r"[a-z0-9]+(?:-[a-z0-9]+)*", "remelt-dross")
_METAL: Final = matching("|".join(_METALS), " | ".join(_METALS))
_METHOD_CELLS: Final = {
    "code": cell(codes.method_code, "R4"),
    "side": one_of(Side),
    "ending": one_of(Ending),
}
_WASTE_CELLS: Final = {
    "code": cell(codes.waste_code, "321-024-48 | 900-002-S17 | SW01"),
    "hazards": matching(_HAZARDS, "T | C | I | R | In | R,T | T/C"),
    "checked": YES_NO,
}


def _material_cells(wastes: Mapping[str, WasteCode], standards: Mapping[str, Standard]) -> Cells:
    return {
        "id": _KEBAB,
        "group": one_of(Group),
        "metal": or_none(_METAL),
        "waste_code": or_none(known(wastes)),
        "legal_status": one_of(LegalStatus),
        "process": SAID,
        "process_en": SAID,
        "moisture_ppm": or_none(PPM),
        "standard": or_none(known(standards)),
    }


def _exemption_cells(wastes: Mapping[str, WasteCode]) -> Cells:
    categories = {waste.category: waste for waste in wastes.values() if waste.hazardous}
    return {
        "item": cell(int, "22"),
        "code": known({**wastes, **categories, ANY_WASTE: None}),
        "step": one_of(Step),
    }


def _tolerances(tables: Tables, processes: Mapping[str, Process]) -> Mapping[str, tuple[Tolerance, ...]]:
    name = "tolerances.csv"
    named = {**processes, WEIGHING: None}
    cells = {"process": known(named), "since": DAY, "ppm": PPM}
    rows = sorted((row for _, row in tables.rows(name, Tolerance, cells)), key=lambda row: row.since)
    found = {process: tuple(row for row in rows if row.process == process) for process in named}
    for process, dated in found.items():
        if not dated:
            raise Malformed("table-tolerance-missing", file=name, process=process)
        if len({row.since for row in dated}) < len(dated):
            raise Malformed("table-tolerance-twice", file=name, process=process)
        if process != WEIGHING and any(row.ppm for row in dated) and not processes[process].changes_substance:
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
