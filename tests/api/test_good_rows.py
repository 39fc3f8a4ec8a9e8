"""Good rows go in without the others: never a row that rests on a wrong one, and what is mended later fits as if it had always stood."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.imports import check_workbook, commit_workbook
from api.waiting import waiting_of
from api.workbook.manner import Manner
from api.workbook.report import ImportReport
from tests.api.test_workbook_errors import CELLS, Book, good
from tests.api.test_workbook_marked import opened, registration_file, wrong
from tests.api.workbook_fixtures import PLANT, SMELTER, House, filled, now, plant, saved

GOOD_ROWS = Manner("台账.xlsx", good_rows=True)


def take(house: House, book: Book | bytes, enterprise: str = SMELTER) -> ImportReport:
    data = book if isinstance(book, bytes) else filled(book)
    return commit_workbook(data, enterprise, house.recording, house.desk, recorded_by=enterprise, manner=GOOD_ROWS)


def errors(report: ImportReport) -> list[tuple[str, str]]:
    return [(each.place.sheet, each.place.cell) for each in report.errors]


def test_what_rests_on_a_wrong_row_is_held_back_and_says_so() -> None:
    house = House()

    report = take(house, wrong())

    assert errors(report) == [("B.1 产生", "H2"), ("B.1 产生", "H3"), ("化验", "G2")]
    assert {(each.sheet, each.rows) for each in report.held} == {
        ("B.2 入库", (2,)), ("B.3 出库", (2,)), ("B.4 自行利用处置", (2,)), ("B.5 委外利用处置", (2,)),
        ("生产记录", (2, 3)), ("产品出厂", (2,)),
    }  # fmt: skip
    first = next(each for each in report.held if each.sheet == "B.5 委外利用处置")
    assert "“B.1 产生”第 2 行" in first.zh
    assert "row 2 of “B.1 产生”" in first.en
    assert (report.committed, report.good, report.facts) == (True, False, 7)
    assert {event.kind for event in house.facts()} == {
        "enterprise_registered", "site_registered", "facility_registered", "storage_registered", "scale_registered",
        "vehicle_registered", "plan_filed",
    }  # fmt: skip


def test_a_check_counts_what_would_go_in_and_keeps_nothing() -> None:
    house = House()

    report = check_workbook(filled(wrong()), SMELTER, house.recording, house.desk, manner=GOOD_ROWS)

    assert (report.committed, report.recordable, report.facts, house.ledger.head().position) == (False, True, 7, 0)


def test_all_or_nothing_stays_the_default() -> None:
    house = House()

    report = house.take(SMELTER, filled(wrong()))

    assert (report.committed, report.held, house.ledger.head().position) == (False, (), 0)


@pytest.mark.parametrize("header", ["去哪里", "产生量"])
def test_an_error_of_the_file_keeps_all_of_it_out(header: str) -> None:
    """A file that is half read is never half taken."""
    book = opened(filled(good()))
    book["B.1 产生"]["O1"] = header
    house = House()

    report = take(house, saved(book))

    assert (report.committed, report.recordable, house.ledger.head().position) == (False, False, 0)


def test_a_file_without_a_good_row_records_nothing_and_says_so() -> None:
    house = House()
    book: Book = {"单位信息": [dict(row) for row in good()["单位信息"] if row["类型"] == "单位"]}
    book["单位信息"][0]["单位角色"] = "不知道"

    report = take(house, book)

    assert (report.committed, len(report.errors), house.ledger.head().position) == (False, 1, 0)


@pytest.mark.parametrize("typed", [20260301, None])
def test_no_batch_is_closed_while_a_row_does_not_say_which_it_took_from(typed: object) -> None:
    """Closed, the batch would post the unread row's mass as unaccounted, and refuse the row when it is mended."""
    book = good()
    disposal: dict[str, Any] = book["B.4 自行利用处置"][0]
    book["B.4 自行利用处置"] = [
        {**disposal, "自行利用/处置批次编码": "CZ1", "产生/出库批次编码": typed},
        {
            **disposal,
            "自行利用/处置批次编码": "CZ2",
            "利用/处置时间": date(2026, 3, 8),
            "利用/处置量": 2,
            "全部剩余": "是",
        },
    ]
    house = House()

    report = take(house, book)

    assert [each.sheet for each in report.held] == ["B.4 自行利用处置"]
    assert "可能用到同一批次" in report.held[0].zh
    book["B.4 自行利用处置"][0]["产生/出库批次编码"] = "HWCS2"
    again = take(house, book)
    assert errors(again) == []
    assert again.committed


def test_rows_that_wait_for_a_partner_wait_and_those_behind_a_wrong_row_do_not() -> None:
    lines = {name: [dict(row) for row in rows] for name, rows in plant().items()}
    house, straight = House(), House()
    straight.take(PLANT, filled(lines))
    lines["接收"][0]["到场重量"] = "很多"

    report = take(house, lines, PLANT)

    kept, all_kept = (len(waiting_of(each.desk, PLANT, now)) for each in (house, straight))
    assert report.committed
    assert 0 < kept < all_kept
    assert kept == len(report.waiting)


def test_a_row_behind_one_that_a_rule_refuses_does_not_wait_on_the_desk() -> None:
    lines = {name: [dict(row) for row in rows] for name, rows in plant().items()}
    run = lines["生产记录"][0]["记录编号"]
    lines["生产记录"].append({"记录编号": run, "行类型": "投入", "批次编码": "FL1", "数量": 0.1})
    house = House()
    lines["回收与出炉"][0]["时间"] = date(2027, 3, 1)

    report = take(house, lines, PLANT)

    assert errors(report) == [("回收与出炉", "D2")]
    assert run not in {kept.identity[-1] for kept in waiting_of(house.desk, PLANT, now)}
    assert run in {each.record for each in report.held}


def test_who_is_overtaken_at_the_commit_still_hears_what_was_wrong_before() -> None:
    house = House()
    house.take(SMELTER, registration_file())
    first, second = ({"B.1 产生": [dict(good()["B.1 产生"][1])]} for _ in range(2))
    first["B.1 产生"].append({**first["B.1 产生"][0], "产生批次编码": "HWCS3", "产生量": "很多"})
    second["B.1 产生"][0]["产生量"] = 6

    def watch(what: str, done: int, of: int) -> None:
        _ = of
        if (what, done) == ("recording", 0):
            house.take(SMELTER, filled(second))

    report = commit_workbook(
        filled(first), SMELTER, house.recording, house.desk, recorded_by=SMELTER, manner=GOOD_ROWS, watch=watch
    )  # fmt: skip

    assert not report.committed
    assert [each.key for each in report.errors] == ["mass-unreadable", "event-id-used"]


MIXED = [each for each in CELLS if (each[0], each[2]) != ("单位信息", "编码") or each[1] != 1]
"""Any wrong cell, but for the enterprise's own code: without it nothing can stand."""


@pytest.mark.long
@settings(max_examples=8, deadline=None)
@given(st.sets(st.integers(0, len(MIXED) - 1), min_size=1, max_size=6))
def test_a_file_mended_after_its_good_rows_is_the_file_that_was_right_at_once(picked: set[int]) -> None:
    book = good()
    for number in sorted(picked):
        sheet, at, header, value, *_ = MIXED[number]
        book[sheet][at][header] = value
    house, straight = House(), House()
    straight.take(SMELTER, filled(good()))

    report = take(house, book)

    assert not report.good
    assert set(map(repr, house.facts())) <= set(map(repr, straight.facts())), "nothing went in that is not meant"
    mended = take(house, good())
    assert [each.text() for each in mended.errors] == []
    assert house.digest() == straight.digest()


def test_a_mixture_of_what_cannot_be_read_leaves_no_row_unspoken_for() -> None:
    book = wrong()
    report = check_workbook(filled(book), SMELTER, House().recording, House().desk, manner=GOOD_ROWS)
    told = {(each.place.sheet, each.place.row) for each in report.errors}
    told |= {(each.sheet, row) for each in report.held for row in each.rows}

    assert len(told) + 7 == report.rows, "each row is recorded, wrong or held back"
