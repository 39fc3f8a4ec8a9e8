"""A year of a large plant as its clerk fills it in: a workbook of any number of rows, the same each time."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, TypeAlias

from api.workbook.delimited import Script, write_delimited
from api.workbook.sheets import BY_KEY
from api.workbook.template import write_book
from api.workbook.values import Value
from flows.codes import uscc_with_check
from flows.materials import Catalogue

SMELTER: Final = uscc_with_check("91511100", "MA7500AB")
DIVISION: Final = "511100"
DROSS: Final = "一次铝灰渣（电解铝）"
WASTE: Final = "321-024-48"
BEGINS: Final = date(2025, 1, 1)
DAYS: Final = 300
"""The year's batches arise within these days, so that the last of them is gone before the year ends."""
REGISTERED_ROWS: Final = 5
BATCH_ROWS: Final = 10
_MASS_G: Final = 10_000_000
_PART_G: Final = 9_000_000
_METAL_G: Final = 4_000_000
_SLAG_G: Final = 4_900_000
_DUST_G: Final = 100_000

_TONNE_G: Final = 1_000_000
_CSV_COLUMNS: Final = (
    "code", "time", "trade", "category", "waste", "container", "container_type", "container_count", "facility", "handler",
    "destination", "mass",
)  # fmt: skip

Line: TypeAlias = tuple[str, dict[str, Value]]
"""A row with the key of its sheet."""


def year(rows: int, catalogue: Catalogue) -> bytes:
    """A workbook of so many rows, registrations included: dross arises, is stored, part is charged, the rest buried."""
    lines: dict[str, list[dict[str, Value]]] = {key: [] for key in BY_KEY}
    for sheet, values in (*_registered(), *_story(rows - REGISTERED_ROWS)):
        lines[sheet].append(values)
    return write_book(lines, catalogue)


def arisings(rows: int) -> bytes:
    """A .csv of so many batches that arise and stay: nothing takes more memory, for each row is a batch that lies open."""
    lines = [[BY_KEY["b1"].zh_of(key) for key in _CSV_COLUMNS]]
    for n in range(1, rows + 1):
        _, told = next(_batch(n, BEGINS + timedelta(days=1 + n * DAYS // rows)))
        lines.append([str(told[key]) for key in _CSV_COLUMNS[:-1]] + [str(_MASS_G // _TONNE_G)])
    return write_delimited(iter(lines), Script("utf-8-sig", ",", "\r\n"))


def _registered() -> Iterator[Line]:
    for values in (
        {"type": "enterprise", "code": SMELTER, "name": "测量铝业", "division": DIVISION, "roles": ("generator", "recoverer")},
        {"type": "site", "code": "S1", "name": "厂区", "division": DIVISION},
        {"type": "storage", "code": "TS001", "name": "危废库", "site": "S1"},
        {"type": "facility", "code": "MF0001", "name": "一号炉", "site": "S1", "purpose": "utilize"},
        {"type": "plan", "code": str(BEGINS.year), "site": "S1", "waste": WASTE, "generated": 10**12, "moved": 0},
    ):  # fmt: skip
        yield "unit", {**values, "time": BEGINS}


def _story(rows: int) -> Iterator[Line]:
    """Ten rows a batch; what is left over arises and stays."""
    batches, over = divmod(rows, BATCH_ROWS)
    for n in range(1, batches + 1):
        yield from _batch(n, BEGINS + timedelta(days=1 + n * DAYS // batches))
    for n in range(batches + 1, batches + over + 1):
        yield next(_batch(n, BEGINS + timedelta(days=DAYS)))


def _batch(n: int, day: date) -> Iterator[Line]:
    made, stored, out = (f"{kind}{BEGINS.year}{n:07d}" for kind in ("HWCS", "HWRK", "HWCK"))
    bag, run, metal, slag = f"R{n:06d}", f"HZ{n:06d}", f"AL{n:06d}", f"YZ{n:06d}"
    waste: dict[str, Value] = {"trade": DROSS, "category": "HW48", "waste": WASTE, "container": bag}
    then = day + timedelta(days=2)
    yield "b1", {
        **waste, "code": made, "time": day, "mass": _MASS_G, "container_type": "吨袋", "container_count": 1,
        "facility": "MF0001", "handler": "张三", "destination": "贮存",
    }  # fmt: skip
    yield (
        "b2",
        {**waste, "code": stored, "time": day, "mass": _MASS_G, "storage": "TS001", "handler": "李四", "batch": made},
    )
    yield (
        "assay",
        {"record": f"HY{n:06d}", "time": then, "batch": made, "container": bag, "element": "Al", "grade": 465_000},
    )
    yield "b3", {**waste, "code": out, "time": then, "mass": _PART_G, "batch": stored, "destination": "自行利用"}
    charged: dict[str, Value] = {"record": run, "time": then}
    yield "run", {
        **charged, "process": "dross-rotary-furnace", "method": "R4", "facility": "MF0001", "kind": "input",
        "batch": out, "container": bag, "mass": _PART_G, "rest": True,
    }  # fmt: skip
    yield "run", {**charged, "kind": "output", "batch": metal, "material": "recovered-aluminium", "mass": _METAL_G}
    yield "run", {**charged, "kind": "output", "batch": slag, "material": "primary-salt-slag", "mass": _SLAG_G}
    yield "run", {**charged, "kind": "loss", "loss": "dust", "mass": _DUST_G}
    yield "leaving", {"record": f"XS{n:06d}", "time": then, "batch": metal, "mass": _METAL_G, "use": "product"}
    yield "b4", {
        "record": f"HWZXCZ{n:06d}", "time": then, "mass": _MASS_G - _PART_G, "method": "D1", "batch": stored,
        "container": bag, "rest": True, "facility": "MF0001",
    }  # fmt: skip
