"""Findings as people read them: lateness of many steps is one line, the machine-readable list stays whole."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

from fastapi.testclient import TestClient
from rich.console import Console

from api.app import create_app
from api.findings import SHOWN_MOST, gathered, lines, print_kinds
from api.service import Service
from api.settings import Settings
from api.workbook.report import ImportFinding, Place
from flows.access import Caller
from flows.entries import event_json
from flows.events import Loaded, Submitted
from flows.law import Finding
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger
from tests.api.test_cli import Shell
from tests.api.workbook_fixtures import LANDFILL, LOADS, PLANT, SMELTER, House, files, import_all

HOST = "http://testserver"
BOTH_STEPS = 2 * LOADS
"""Each row of the smelter's B.5 submits and loads."""


def _late(row: int, hours: int) -> ImportFinding:
    told = Finding.of(
        "told-late", manifest=f"M{row}", step="装车", step_en="loaded", happened="2026-03-07", told="2026-03-20 09:00",
        hours=hours, days=f"{hours / 24:.1f}",
    )  # fmt: skip
    return ImportFinding.of(told, Place(sheet="B.5", row=row))


def _other(row: int) -> ImportFinding:
    return ImportFinding.of(Finding.of("plan-without-code", code="321-024-48", year=2026), Place(sheet="B.5", row=row))


def test_many_steps_told_late_are_one_line_where_the_latest_stood() -> None:
    other = _other(8)
    many, left = gathered([_late(7, 30), other, _late(8, 312), _late(9, 40)])

    assert left == other
    assert (many.key, many.place.row, many.figures["count"]) == ("many-told-late", 8, 3)
    assert "3 项提交或装车登记晚于发生 24 小时以上" in many.zh
    assert "M8" in many.zh
    assert "13.0 days late" in many.en


def test_one_step_told_late_is_told_as_it_is() -> None:
    found: Sequence[ImportFinding] = [_late(7, 30), _other(8)]

    assert gathered(found) == found
    assert gathered([]) == []


def test_a_long_list_ends_with_how_many_are_left() -> None:
    told = list(lines([_other(row) for row in range(SHOWN_MOST + 5)]))

    assert len(told) == SHOWN_MOST + 1
    assert told[-1] == ("……另有 5 项，全部见 --json", "… and 5 more, all with --json")
    assert len(list(lines([_late(row, 30) for row in range(500)]))) == 1


def test_a_line_for_each_kind_the_most_frequent_first() -> None:
    said = io.StringIO()
    print_kinds([_other(1), *(_late(row, 30) for row in range(9)), _other(2)], Console(file=said, width=500))
    late, late_en, other, other_en = said.getvalue().splitlines()

    assert late.startswith("! 9 项提交或装车登记晚于")
    assert late_en.startswith("  9 submissions and loadings")
    assert other.startswith("! 2 项，如：移出场所")
    assert other_en.startswith("  2, such as: the consignor")


def test_a_workbook_of_last_month_is_one_line_on_a_terminal_and_whole_as_json(tmp_path: Path) -> None:
    shell, book = Shell(tmp_path / "data"), tmp_path / "book.xlsx"
    for partner in (PLANT, LANDFILL):
        book.write_bytes(files()[partner])
        shell.run("import", str(book), "--as", partner)
    book.write_bytes(files()[SMELTER])
    words = shell.run("import", str(book), "--as", SMELTER, "--check").stdout
    told = shell.json("import", str(book), "--as", SMELTER)

    assert words.count("24 小时以上") == words.count("more than 24 hours") == 1
    assert f"{BOTH_STEPS} 项提交或装车登记晚于发生 24 小时以上" in words
    late = [each for each in told["findings"] if each["key"] == "told-late"]
    assert len(late) == BOTH_STEPS
    assert all(each["place"]["row"] and each["figures"]["hours"] > 24 for each in late)


def test_facts_of_last_month_are_one_line_on_a_terminal_and_whole_as_json(tmp_path: Path) -> None:
    house = House()
    import_all(house, files())
    file = tmp_path / "facts.jsonl"
    file.write_text("\n".join(json.dumps(event_json(fact)) for fact in house.facts()), "utf-8")
    shell = Shell(tmp_path / "data")
    words = shell.run("import", str(file), "--check").stdout
    told = shell.json("import", str(file))

    assert words.count("24 小时以上") == words.count("more than 24 hours") == 1
    assert f"{len(house.facts())} 条事实" in words
    assert f"{len(house.facts())} facts, 0 newly recorded, 0 wrong" in words
    steps = sum(isinstance(fact, (Submitted, Loaded)) for fact in house.facts())
    assert [each["key"] for each in told["findings"]].count("told-late") == steps
    assert shell.json("import", str(file))["findings"] == [], "known facts were found the first time"


def test_a_workbook_of_last_month_is_one_line_on_the_page(tmp_path: Path) -> None:
    service = Service.over(Settings(data=tmp_path), MemoryLedger(), MemoryDesk())
    for partner in (PLANT, LANDFILL):
        service.commit_import(Caller(partner, "administrator"), partner, files()[partner])
    browser = TestClient(create_app(service), headers={"Origin": HOST})
    key, _ = service.keys.create(SMELTER, "administrator")
    browser.post("/login", data={"key": key})
    told = browser.post("/import", files={"file": ("台账.xlsx", files()[SMELTER])}).text

    assert told.count("24 小时以上") == 1
    assert f"{BOTH_STEPS} 项提交或装车登记晚于发生 24 小时以上" in told
