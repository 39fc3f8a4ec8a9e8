"""A run: which rows are wanted, a folder on the installation's own disk, and progress while it lasts."""

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console

from api.bench.rows import Name, Row, as_json, print_rows
from api.bench.story import facts, told
from api.settings import Settings
from flows.errors import Malformed

READINGS: Final[frozenset[Name]] = frozenset((Name.TRACE, Name.FATE, Name.FATES, Name.GROWTH))
PRINTED: Final[frozenset[Name]] = frozenset((Name.LABEL, Name.SHEET, Name.QR))
IMPORTED: Final[frozenset[Name]] = frozenset((Name.IMPORT, Name.START, Name.WIRE, Name.BACKUP))
UPLOADED: Final[frozenset[Name]] = frozenset((Name.WORKBOOK, Name.BESIDE))
ROWS_A_BATCH: Final = 5
"""Of the workbook: fifty thousand for the ten thousand batches that are measured when nothing is said."""
PRODUCTS: Final = ("numpy", "neo4j", "networkx", "pydantic", "fastapi", "typst", "qrcode")


def run(batches: int, only: frozenset[Name], progress: Console, neo4j: str | None = None) -> list[Row]:
    """Measure what is wanted, or everything; files lie beside the installation's own, and are gone afterwards.

    `neo4j` is the address of an empty one: what is measured on it is not measured without.
    """
    wanted = only or (frozenset(Name) if neo4j else frozenset(Name) - {Name.NEO4J})
    if Name.NEO4J in wanted and neo4j is None:
        raise Malformed("bench-needs-neo4j")
    beside = Settings().data
    while not beside.exists():
        beside = beside.absolute().parent
    rows: list[Row] = []
    with (
        TemporaryDirectory(prefix="huanliu-bench-", dir=beside) as folder,
        progress.status("准备 · preparing") as status,
    ):
        for each in _measured(batches, wanted, Path(folder), neo4j):
            rows.append(each)
            status.update(f"{each.what} ✓")
    return sorted(rows, key=lambda each: list(Name).index(each.name))


def _measured(batches: int, wanted: frozenset[Name], folder: Path, neo4j: str | None) -> Iterator[Row]:
    if wanted & READINGS:
        from api.bench.kernels import Readings  # NetworkX and NumPy: the command line starts without them

        readings = Readings(told(facts(batches)), folder)
        yield from readings.measure(wanted)
        readings.close()
    if Name.MENDED in wanted:
        from api.bench.mending import readings_after

        yield readings_after(batches)
    if wanted & (IMPORTED | {Name.TURNS}):
        yield from _stored(batches, wanted, folder)
    if Name.NEO4J in wanted and neo4j is not None:
        from api.bench import served

        yield from served.on_neo4j(batches, folder, neo4j)
    if wanted & UPLOADED:
        from api.bench import uploads

        yield from uploads.workbooks(ROWS_A_BATCH * batches, wanted, folder)
    if wanted & PRINTED:
        from api.bench.documents import documents

        yield from documents(wanted)


def _stored(batches: int, wanted: frozenset[Name], folder: Path) -> Iterator[Row]:
    from api.bench import survival, wire, writing

    if Name.TURNS in wanted:
        yield from writing.turns(folder)
    if wanted & IMPORTED:
        imported = writing.import_story(batches, folder)  # what starts and what is asked over HTTP is this ledger
        if Name.IMPORT in wanted:
            yield imported
        if Name.START in wanted:
            yield from writing.start(folder)
        if Name.WIRE in wanted:
            yield wire.trace_over_http(folder)
        if Name.BACKUP in wanted:
            yield survival.backup_beside(folder)


def versions() -> dict[str, str]:
    """What was measured with what."""
    own = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    return own | {name: version(name) for name in PRODUCTS}


def as_document(batches: int, rows: list[Row]) -> dict[str, object]:
    """A run as plain values."""
    return {"batches": batches, "processors": cpu_count(), "versions": versions(), "rows": as_json(rows)}


def print_run(batches: int, rows: list[Row], out: Console) -> None:
    """A run as a table, with what it ran on."""
    print_rows(rows, out)
    told_versions = " · ".join(f"{name} {number}" for name, number in versions().items())
    out.print(f"{batches:,} 批 batches · {cpu_count()} 核 processors · {told_versions}", style="dim", highlight=False)
    out.print("倍数：对照用时 ÷ 本系统用时（或速率之比），大于 1 为本系统更快 · above 1× ours is faster", style="dim")
