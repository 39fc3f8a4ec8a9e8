"""A corrected file: changed rows are corrections, cancelled rows withdrawals, the rest is nothing; twice is once."""

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import openpyxl
import pytest

from api.imports import ImportReport, check_workbook, commit_workbook
from api.workbook.export import export_workbook
from api.workbook.manner import Manner
from flows.events import CorrectionAgreed, CorrectionDeclined, CorrectionRequested, Event, Generated
from tests.api.workbook_fixtures import (
    DROSS,
    NOW,
    PLANT,
    SMELTER,
    TRADE,
    House,
    Line,
    Lines,
    filled,
    registration,
    saved,
    told,
)

FILE = Manner("三月台账.xlsx")
GOOD_ROWS = Manner("三月台账.xlsx", good_rows=True)
ROWS = 500


def arisen(count: int, masses: Mapping[int, float] | None = None) -> list[Line]:
    of = masses or {}
    return [
        {"产生批次编码": f"P{n:04d}", "产生时间": date(2026, 3, 1 + n % 28), TRADE: DROSS, "产生量": of.get(n, 10)}
        for n in range(1, count + 1)
    ]


def book(**sheets: Sequence[Line]) -> Lines:
    places = [row for row in registration(SMELTER, "嘉州铝业", "产废单位", "511100") if row["类型"] != "管理计划"]
    return {"单位信息": places, **sheets}


def take(house: House, lines: Lines | bytes, manner: Manner = FILE, enterprise: str = SMELTER) -> ImportReport:
    data = lines if isinstance(lines, bytes) else filled(lines)
    return commit_workbook(data, enterprise, house.recording, house.desk, recorded_by=enterprise, manner=manner)


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    """Corrected, withdrawn, waiting for agreement, unchanged, new."""
    return report.corrected, report.withdrawn, report.asked, report.unchanged, report.facts


def requests(house: House) -> list[CorrectionRequested]:
    return [event for event in house.facts() if isinstance(event, CorrectionRequested)]


def mass_of(house: House, code: str) -> int | None:
    found = [batch for batch in house.book.batches.values() if batch.code == code]
    return found[0].left_g if found else None


def csv_of(lines: Lines, sheet: str) -> bytes:
    heads = list(dict.fromkeys(head for row in lines[sheet] for head in row))
    rows = [[str(row.get(head, "")) for head in heads] for row in lines[sheet]]
    return "\r\n".join(",".join(row) for row in [heads, *rows]).encode("gb18030")


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_three_changed_rows_one_cancelled_and_the_others_give_three_corrections_and_one_withdrawal(form: str) -> None:
    house = House()
    first = book(**{"B.1 产生": arisen(ROWS)})
    assert take(house, first).committed
    before = house.ledger.head().position
    rows = [dict(row) for row in arisen(ROWS, {3: 9.5, 77: 11.25, 499: 10.001})]
    rows[249]["撤销"] = "撤销"
    rows[2]["更正原因"] = "过磅单录错"
    second = {"B.1 产生": rows}
    data, name = (csv_of(second, "B.1 产生"), "B.1 产生.csv") if form == "csv" else (filled(second), "三月台账.xlsx")
    checked = check_workbook(data, SMELTER, house.recording, house.desk, manner=Manner(name))
    assert counts(checked) == (3, 1, 0, 496, 0)
    assert house.ledger.head().position == before

    report = take(house, data, Manner(name))

    assert told(report) == []
    assert counts(report) == (3, 1, 0, 496, 0)
    assert house.ledger.head().position == before + 4
    asked = requests(house)
    assert {(change.becomes is None, each.reason) for each in asked for change in each.changes} == {
        (False, "过磅单录错"), (False, f"文件更正：{name}，B.1 产生 第 78 行"),
        (True, f"文件撤销：{name}，B.1 产生 第 251 行"), (False, f"文件更正：{name}，B.1 产生 第 500 行"),
    }  # fmt: skip
    assert [mass_of(house, f"P{n:04d}") for n in (3, 77, 250, 499, 4)] == [
        9_500_000, 11_250_000, None, 10_001_000, 10_000_000,
    ]  # fmt: skip
    again = take(house, data, Manner(name))
    assert counts(again) == (0, 0, 0, 500, 0)
    assert house.ledger.head().position == before + 4


def test_the_check_tells_what_differs() -> None:
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(3)})).committed
    rows = [dict(row) for row in arisen(3, {1: 9.5})]
    rows[1]["撤销"] = "作废"

    report = check_workbook(filled({"B.1 产生": rows}), SMELTER, house.recording, house.desk, manner=FILE)

    assert [(each.rows, each.change, each.zh) for each in report.changed] == [
        ((2,), "corrected", "更正：产生量 10 t → 9.5 t"), ((3,), "withdrawn", "撤销登记"),
    ]  # fmt: skip
    assert report.changed[0].en == "a correction of 产生量 10 t → 9.5 t"


def test_what_comes_back_without_its_mark_is_stated_anew() -> None:
    house = House()
    rows = [dict(row) for row in arisen(2)]
    assert take(house, book(**{"B.1 产生": rows})).committed
    marked = [{**rows[0], "撤销": "是"}, rows[1]]
    assert counts(take(house, {"B.1 产生": marked}))[:2] == (0, 1)
    assert counts(take(house, {"B.1 产生": marked})) == (0, 0, 0, 2, 0)

    report = take(house, {"B.1 产生": rows})

    assert counts(report) == (1, 0, 0, 1, 0)
    assert report.changed[0].change == "restored"
    assert mass_of(house, "P0001") == 10_000_000
    assert counts(take(house, {"B.1 产生": marked}))[:2] == (0, 1)
    assert mass_of(house, "P0001") is None


def test_to_and_fro_each_change_counts() -> None:
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(1)})).committed
    for mass in (9, 10, 9, 10, 8):
        assert counts(take(house, {"B.1 产生": arisen(1, {1: mass})})) == (1, 0, 0, 0, 0)
        assert mass_of(house, "P0001") == mass * 1_000_000


def test_a_row_that_is_left_out_stays_as_it_was() -> None:
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(3)})).committed

    assert counts(take(house, {"B.1 产生": arisen(1)})) == (0, 0, 0, 1, 0)
    assert mass_of(house, "P0003") == 10_000_000


# order --------------------------------------------------------------------------------------------------------------


def buried(mass: float, *, number: int = 1, batch: str = "P0001") -> dict[str, Any]:
    return {
        "自行利用/处置批次编码": f"CZ{number}", "利用/处置时间": date(2026, 5, number), "利用/处置量": mass,
        "利用/处置方式": "D1", "产生/出库批次编码": batch,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("batch", "drawn"),
    [(4, 3), (20, 15), (5, 5)],
)
def test_a_batch_and_what_is_drawn_of_it_change_in_whatever_order_that_is_admitted(batch: int, drawn: int) -> None:
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(1), "B.4 自行利用处置": [buried(8)]})).committed

    report = take(house, {"B.1 产生": arisen(1, {1: batch}), "B.4 自行利用处置": [buried(drawn)]})

    assert told(report) == []
    assert counts(report) == (2, 0, 0, 0, 0)
    assert (mass_of(house, "P0001") or 0) == (batch - drawn) * 1_000_000


def test_a_whole_chain_is_cancelled_from_its_end() -> None:
    house = House()
    lines = book(**{"B.1 产生": arisen(1), "B.4 自行利用处置": [buried(8)]})
    assert take(house, lines).committed
    marked = {"B.1 产生": [{**arisen(1)[0], "撤销": "撤销"}], "B.4 自行利用处置": [{**buried(8), "撤销": "撤销"}]}

    report = take(house, marked)

    assert told(report) == []
    assert counts(report) == (0, 2, 0, 0, 0)
    assert [change.was.kind for each in requests(house) for change in each.changes if change.was] == [
        "disposed",
        "generated",
    ]
    assert mass_of(house, "P0001") is None


def test_what_a_later_row_rests_on_is_refused_and_names_the_row() -> None:
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(2), "B.4 自行利用处置": [buried(8)]})).committed
    before = house.ledger.head().position
    rows = [dict(row) for row in arisen(2, {1: 7, 2: 9})]

    report = take(house, {"B.1 产生": rows, "B.4 自行利用处置": [buried(8)]})

    assert not report.committed
    assert house.ledger.head().position == before
    assert [(each.place.cell, each.key) for each in report.errors] == [("H2", "file-correction-breaks")]
    assert "B.4 自行利用处置 2" in report.errors[0].zh
    good = take(house, {"B.1 产生": rows, "B.4 自行利用处置": [buried(8)]}, GOOD_ROWS)
    assert (good.committed, good.corrected) == (True, 1)
    assert [mass_of(house, "P0001"), mass_of(house, "P0002")] == [2_000_000, 9_000_000]


def test_a_new_row_may_rest_on_a_corrected_one() -> None:
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(1)})).committed

    report = take(house, {"B.1 产生": arisen(1, {1: 20}), "B.4 自行利用处置": [buried(8), buried(12, number=2)]})

    assert told(report) == []
    assert counts(report) == (1, 0, 0, 0, 2)
    assert mass_of(house, "P0001") is None


def test_a_row_that_would_become_another_kind_of_record_says_what_to_do() -> None:
    house = House()
    count = {"记录编号": "PD1", "类型": "盘点", "时间": date(2026, 4, 1), "物料": DROSS, "盘点数量": 4}
    packed = {
        "记录编号": "PD1", "类型": "装入容器", "时间": date(2026, 4, 1), "批次编码": "P0001", "容器/包装编码": "K1",
    }  # fmt: skip
    assert take(house, book(**{"B.1 产生": arisen(1), "其他记录": [count]})).committed

    report = take(house, {"B.1 产生": arisen(1), "其他记录": [packed]})

    assert [each.key for each in report.errors] == ["file-changes-kind"]
    assert "撤销" in report.errors[0].zh


def test_one_row_of_a_record_may_be_cancelled() -> None:
    house = House()
    assay = [
        {"化验编号": "H1", "化验时间": date(2026, 4, 1), "批次编码": "P0001", "元素": element, "品位（%）": grade}
        for element, grade in (("Al", 60), ("F", 3))
    ]
    assert take(house, book(**{"B.1 产生": arisen(1), "化验": assay})).committed

    report = take(house, {"化验": [assay[0], {**assay[1], "撤销": "撤销"}]})

    assert counts(report) == (1, 0, 0, 0, 0)
    (request,) = requests(house)
    assert [grade["element"] for grade in request.model_dump()["changes"][0]["becomes"]["grades"]] == ["Al"]


def test_a_cancelled_row_needs_only_its_name() -> None:
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(2)})).committed

    report = take(house, {"B.1 产生": [{"产生批次编码": "P0001", "撤销": "撤销", "产生量": "?"}]})

    assert told(report) == []
    assert counts(report) == (0, 1, 0, 0, 0)


# the other side -----------------------------------------------------------------------------------------------------


def partners() -> House:
    house = House()
    places = [row for row in registration(PLANT, "处理厂", "利用单位", "510600") if row["类型"] != "管理计划"]
    assert take(house, {"单位信息": places}, enterprise=PLANT).committed
    own = registration(SMELTER, "嘉州铝业", "产废单位", "511100")
    report = take(house, {"单位信息": own, "B.1 产生": arisen(2), "B.5 委外利用处置": [sent(8)]})
    assert report.committed, told(report)
    return house


def sent(mass: float, **more: Any) -> dict[str, Any]:
    return {
        "委外利用/处置批次编码": "CC1", "出厂时间": date(2026, 6, 1), "委外利用/处置量": mass, "利用/处置方式": "R4",
        "产生/出库批次编码": "P0001", "联单编号": "LD-1", "接受人信用代码": PLANT, "车牌": "川A12345", **more,
    }  # fmt: skip


def answered(house: House, kind: type[CorrectionAgreed | CorrectionDeclined], name: str) -> None:
    request = requests(house)[-1]
    more: dict[str, Any] = {"reason": "不符"} if kind is CorrectionDeclined else {}
    event: Event = kind(
        event_id=name,
        enterprise=PLANT,
        event_time=NOW,
        requested_by=request.enterprise,
        request=request.event_id,
        **more,
    )
    house.recording.record([event], PLANT)


def test_a_loaded_manifest_waits_for_the_other_side_and_is_no_error() -> None:
    house = partners()
    changed = {"B.1 产生": arisen(2), "B.5 委外利用处置": [sent(7.5)]}

    report = take(house, changed)

    assert told(report) == []
    assert counts(report) == (0, 0, 1, 2, 0)
    assert "待对方确认" in report.changed[0].zh
    assert mass_of(house, "P0001") == 2_000_000
    position = house.ledger.head().position
    assert counts(take(house, changed)) == (0, 0, 1, 2, 0)
    assert house.ledger.head().position == position
    answered(house, CorrectionAgreed, "A1")
    assert mass_of(house, "P0001") == 2_500_000
    assert counts(take(house, changed)) == (0, 0, 0, 3, 0)


def test_what_was_declined_may_be_asked_for_again() -> None:
    house = partners()
    changed = {"B.5 委外利用处置": [sent(7.5)]}
    assert take(house, changed).asked == 1
    answered(house, CorrectionDeclined, "A1")

    assert take(house, changed).asked == 1
    assert len(requests(house)) == 2
    answered(house, CorrectionAgreed, "A2")
    assert mass_of(house, "P0001") == 2_500_000


def test_all_that_a_row_changes_of_a_manifest_is_asked_for_at_once() -> None:
    house = partners()
    changed = {"B.5 委外利用处置": [sent(7.5, **{"利用/处置方式": "R5"})]}

    assert (take(house, changed).asked, len(requests(house))) == (1, 1)
    assert [change.fact.kind for change in requests(house)[0].changes] == ["submitted", "loaded"]
    assert (take(house, changed).asked, len(requests(house))) == (1, 1)
    answered(house, CorrectionAgreed, "A1")
    assert counts(take(house, changed)) == (0, 0, 0, 1, 0)
    assert mass_of(house, "P0001") == 2_500_000


def test_what_a_row_changes_besides_what_is_asked_already_waits_for_the_answer() -> None:
    house = partners()
    assert take(house, {"B.5 委外利用处置": [sent(7.5)]}).asked == 1
    more = {"B.5 委外利用处置": [sent(7.5, **{"利用/处置方式": "R5"})]}

    report = take(house, more)

    assert (report.asked, len(requests(house))) == (1, 1)
    assert "再次导入" in report.changed[0].zh
    answered(house, CorrectionAgreed, "A1")
    assert (take(house, more).asked, len(requests(house))) == (1, 2)
    answered(house, CorrectionAgreed, "A2")
    assert counts(take(house, more)) == (0, 0, 0, 1, 0)


# what only stands together ------------------------------------------------------------------------------------------


def accepted(mass: float, **more: Any) -> Line:
    return {
        "联单编号": "LD-1", "移出人信用代码": SMELTER, "运抵时间": date(2026, 6, 2), "到场重量": mass,
        "本单位批次编码": "JS1", **more,
    }  # fmt: skip


def test_the_weight_of_a_receipt_is_one_request_for_arrival_and_decision() -> None:
    house = partners()
    report = take(house, {"接收": [accepted(8)]}, enterprise=PLANT)
    assert report.committed, told(report)

    report = take(house, {"接收": [accepted(7.9)]}, enterprise=PLANT)

    assert told(report) == []
    assert counts(report) == (0, 0, 1, 0, 0)
    (request,) = requests(house)
    assert [change.fact.kind for change in request.changes] == ["arrived", "decided"]
    agreed = CorrectionAgreed(
        event_id="A1", enterprise=SMELTER, event_time=NOW, requested_by=PLANT, request=request.event_id
    )  # fmt: skip
    house.recording.record([agreed], SMELTER)
    assert mass_of(house, "JS1") == 7_900_000
    assert counts(take(house, {"接收": [accepted(7.9)]}, enterprise=PLANT)) == (0, 0, 0, 1, 0)


@pytest.mark.parametrize("mass", [12, 7])
def test_a_batch_and_what_took_the_rest_of_it_are_corrected_in_one_request(mass: float) -> None:
    """Neither stands without the other: the rest weighs what the batch weighs."""
    house = House()
    rest = {**buried(10), "全部剩余": "是"}
    assert take(house, book(**{"B.1 产生": arisen(3), "B.4 自行利用处置": [rest]})).committed
    changed = {"B.1 产生": arisen(3, {1: mass, 2: 9}), "B.4 自行利用处置": [{**rest, "利用/处置量": mass}]}

    report = take(house, changed)

    assert told(report) == []
    assert counts(report) == (3, 0, 0, 1, 0)
    assert [[change.fact.kind for change in each.changes] for each in requests(house)] == [
        ["generated"], ["generated", "disposed"],
    ]  # fmt: skip
    assert requests(house)[1].reason == "文件更正：三月台账.xlsx，B.1 产生 第 2 行、B.4 自行利用处置 第 2 行"
    assert counts(take(house, changed)) == (0, 0, 0, 4, 0)


def test_of_rows_that_only_stand_together_the_one_that_is_wrong_is_named() -> None:
    house = House()
    rest = {**buried(10), "全部剩余": "是"}
    assert take(house, book(**{"B.1 产生": arisen(3), "B.4 自行利用处置": [rest]})).committed
    before = house.ledger.head().position
    changed = {"B.1 产生": arisen(3, {1: 12, 2: 9}), "B.4 自行利用处置": [{**rest, "利用/处置量": 5}]}

    report = take(house, changed)

    assert not report.committed
    assert house.ledger.head().position == before
    assert [(each.place.sheet, each.place.row) for each in report.errors] == [("B.4 自行利用处置", 2)]
    good = take(house, changed, GOOD_ROWS)
    assert (good.committed, good.corrected) == (True, 1)
    assert [mass_of(house, "P0002"), mass_of(house, "P0003")] == [9_000_000, 10_000_000]


# out and in again ---------------------------------------------------------------------------------------------------


def exported(house: House, enterprise: str = SMELTER) -> bytes:
    return export_workbook(list(house.ledger.entries()), house.book, enterprise)


def test_what_is_exported_after_corrections_is_the_ledger_as_it_is_read_and_comes_in_unchanged() -> None:
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(3), "B.4 自行利用处置": [buried(8)]})).committed
    rows = [dict(row) for row in arisen(3, {2: 9.5})]
    rows[2]["撤销"] = "撤销"
    assert take(house, {"B.1 产生": rows}).committed
    data = exported(house)
    sheet = openpyxl.load_workbook(io.BytesIO(data))["B.1 产生"]
    heads = [cell.value for cell in sheet[1]]
    code, mass = heads.index("产生批次编码"), heads.index("产生量")
    listed = {row[code]: row[mass] for row in sheet.iter_rows(min_row=2, values_only=True) if row[code]}
    assert {key: float(str(value)) for key, value in listed.items()} == {"P0001": 10, "P0002": 9.5}
    position = house.ledger.head().position

    report = take(house, data)

    assert told(report) == []
    assert (report.facts, report.changed, house.ledger.head().position) == (0, (), position)


def test_a_fact_of_the_interface_is_mended_in_its_export_and_keeps_what_a_row_cannot_say() -> None:
    house = House()
    assert take(house, book()).committed
    (site,) = house.book.sites.values()
    stated = Generated.model_validate(
        {"event_id": "REST-1", "enterprise": SMELTER, "event_time": date(2026, 3, 1), "site_id": site.site_id,
         "note": "来自接口", "product": {"batch_id": f"{SMELTER}.OWN-1", "material": "primary-dross",
                                     "mass_g": 10_000_000, "code": "J1"}}
    )  # fmt: skip
    house.recording.record([stated], SMELTER)
    opened = openpyxl.load_workbook(io.BytesIO(exported(house)))
    sheet = opened["B.1 产生"]
    heads = [cell.value for cell in sheet[1]]
    sheet.cell(2, heads.index("产生量") + 1, 9.25)

    report = take(house, saved(opened))

    assert told(report) == []
    assert counts(report)[:3] == (1, 0, 0)
    (request,) = requests(house)
    product = stated.product.model_copy(update={"mass_g": 9_250_000})
    assert request.changes[0].becomes == stated.model_copy(update={"product": product})
