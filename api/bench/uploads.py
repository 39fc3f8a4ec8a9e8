"""A year's workbook handed in: how fast, in how much memory, and how long others wait meanwhile."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from python_calamine import CalamineWorkbook

from api.bench.rows import Name, Row, row, timed
from api.bench.story import PLANT, facts
from api.bench.survival import CLIENTS, waits_ms
from api.bench.writing import STORY_BEGINS, opened
from api.bench.year import REGISTERED_ROWS, SMELTER, arisings, year
from api.manners import settle_memory, unsettle_memory
from api.workbook.sheets import BY_KEY
from flows.materials import catalogue

IMPORT: Final = "from api.cli import main; main()"
KIB: Final = 1024
"""Linux tells the greatest memory of a process in KiB."""


def workbooks(rows: int, wanted: frozenset[Name], folder: Path) -> Iterator[Row]:
    """Import a workbook of so many rows, alone and beside writers of single facts."""
    file = folder / "year.xlsx"
    data = year(rows, catalogue())
    file.write_bytes(data)
    if Name.WORKBOOK in wanted:
        reading, _ = timed(lambda: _cells(data))
        yield _import("xlsx", file, rows, folder / "uploads", ("calamine, cells only", rows / reading))
        yield _import_csv(rows, folder)
    if Name.BESIDE in wanted:
        yield _beside(file, folder / "uploads-beside")


def _import_csv(rows: int, folder: Path) -> Row:
    """Into a ledger that knows the plant: a .csv is one sheet."""
    plant, file = folder / "plant.xlsx", folder / f"{BY_KEY['b1'].zh}.csv"
    plant.write_bytes(year(REGISTERED_ROWS, catalogue()))
    data = arisings(rows)
    file.write_bytes(data)
    _imported(plant, folder / "uploads-csv")
    reading, _ = timed(lambda: list(csv.reader(StringIO(data.decode()))))
    return _import("csv", file, rows, folder / "uploads-csv", ("the csv module, cells only", rows / reading))


def _import(kind: str, file: Path, rows: int, folder: Path, peer: tuple[str, float]) -> Row:
    seconds, peak_mib = timed(lambda: _imported(file, folder))
    note = f"{rows:,} 行 rows, {seconds:.0f} s, 峰值 peak {peak_mib} MiB"
    what = f"导入 .{kind}：读、查、登记 · import a .{kind}"
    return row(Name.WORKBOOK, what, "/s", rows / seconds, peer, note)


def _beside(file: Path, folder: Path) -> Row:
    service = opened(folder)
    try:
        service.recording.record(list(islice(facts(1), STORY_BEGINS)), PLANT)
        settle_memory()
        alone = waits_ms(service, "ALONE", lambda: None)
        seconds, beside = timed(lambda: waits_ms(service, "BESIDE", lambda: _imported(file, folder)))
    finally:
        unsettle_memory()
        service.close()
    p50, p99 = np.percentile(beside, (50, 99)).tolist()
    note = f"{len(beside):,} 条 facts, {seconds:.0f} s; p50 {p50:.1f} p99 {p99:.1f} ms"
    what = f"导入时 {CLIENTS} 个客户端的最长等待 · longest wait of {CLIENTS} writers during an import"
    return row(Name.BESIDE, what, "ms", max(beside), ("the same writers alone", max(alone)), note)


def _imported(file: Path, data: Path) -> int:
    """Import by the command; returns the MiB that its process held at its peak."""
    environment = {**os.environ, "HUANLIU_DATA": str(data)}
    command = [sys.executable, "-P", "-c", IMPORT, "import", str(file), "--as", SMELTER, "--json"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "the workbook is refused"
    return usage.ru_maxrss // KIB


def _cells(data: bytes) -> int:
    with CalamineWorkbook.from_filelike(BytesIO(data)) as book:
        return sum(len(book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in book.sheet_names)
