"""The ledger of general industrial solid waste, tables 3 to 7: in, out again, and in once more with nothing changed."""

import io
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest

from api.workbook.export import export_workbook
from api.workbook.general import GENERAL
from flows.events import Delivered, Disposed, Generated, Left, Loaded, Product, Stored, Submitted, TakenOut, Transformed
from flows.materials import catalogue
from tests.api.workbook_fixtures import (
    PLANT,
    SMELTER,
    TEMPLATE,
    House,
    Line,
    Lines,
    day,
    filled,
    registration,
    told,
)

SLAG = "铜冶炼渣"
TONNE = 1_000_000


def arisen(code: str, mass: float, **more: Any) -> Line:
    return {"记录表编号": code, "废物名称": SLAG, "废物类别": "SW01", "产生时间": day(1), "产生数量": mass, **more}


def ledger() -> dict[str, list[Line]]:
    """Slag arises, is stored whole and in parts, used and buried at the works, and sent away in two ways."""
    return {
        "单位信息": list(registration(SMELTER, "嘉州铜业", "产废单位", "511100")),
        "表4 产生环节": [
            arisen("CS1", 10, 生产设施编码="MF0001", 转移时间="2026-03-02", 转移数量="10 吨", 转移去向="一号库", 产生部门经办人="张三"),
            arisen("CS2", 20), arisen("CS3", 30, **{"容器/包装编码": "D3"}), arisen("CS4", 5, 备注="潮湿"),
        ],
        "表5 贮存环节": [
            {"记录表编号": "RK1", "贮存设施编码": "TS001", "废物名称": SLAG, "入库时间": day(2), "前序表单编号": "CS1",
             "入库数量": 10, "入库贮存经办人": "李四", "废物来源": "一号炉", "出库时间": day(3), "出库数量": 10, "废物去向": "自行利用"},
            {"记录表编号": "RK2", "贮存设施编码": "TS001", "废物名称": SLAG, "入库时间": day(2), "前序表单编号": "CS2",
             "入库数量": 15, "出库时间": day(4), "出库数量": 6, "出库批次编码": "CK2", "出库贮存经办人": "王五"},
            {"记录表编号": "RK3", "贮存设施编码": "TS001", "废物名称": SLAG, "入库时间": day(2), "前序表单编号": "CS3", "入库数量": 30},
        ],
        "表6 自行利用环节": [
            {"记录表编号": "LY1", "利用设施编码": "MF0001", "废物名称": SLAG, "前序表单编号": "RK1", "接收时间": "3月4日", "接收数量": "10",
             "利用时间": day(4), "利用方式": "R5", "利用数量": 10, "利用经办人": "赵六"},
        ],
        "表7 自行处置环节": [
            {"记录表编号": "CZ1", "废物名称": SLAG, "前序表单编号": "CK2", "处置时间": day(5), "处置方式": "D1", "处置数量": 6,
             "全部剩余": "是", "处置经办人": "孙七"},
        ],
        "表3 出厂环节": [
            {"记录表编号": "CC1", "废物名称": SLAG, "出厂数量": 12, "出厂时间": day(6), "出厂环节经办人": "周八", "运输单位": "某某物流",
             "运输信息": "川A12345", "接收单位": "乐山水泥厂", "流向类型": "省内转移", "前序表单编号": "RK3", "利用/处置方式": "R5"},
            {"记录表编号": "CC2", "废物名称": SLAG, "出厂数量": 5, "出厂时间": datetime.combine(day(7), time(9)), "接收单位": "德阳铝灰处理厂",
             "流向类型": "省内转移", "前序表单编号": "CS4", "利用/处置方式": "R5", "接受人信用代码": PLANT, "联单编号": "ZY-1"},
        ],
    }  # fmt: skip


def taken(lines: Lines) -> House:
    house = House()
    partner = {"单位信息": registration(PLANT, "德阳铝灰处理厂", "利用单位", "510600")}
    assert house.take(PLANT, filled(partner)).committed
    report = house.take(SMELTER, filled(lines))
    assert report.committed, told(report)
    return house


def exported(house: House) -> bytes:
    return export_workbook(house.ledger.entries(), house.book, SMELTER)


def rows_of(data: bytes, sheet: str) -> list[dict[str, object]]:
    heads, *rows = openpyxl.load_workbook(io.BytesIO(data))[sheet].iter_rows(values_only=True)
    return [{str(head): cell for head, cell in zip(heads, row, strict=True) if cell is not None} for row in rows]


@pytest.fixture(scope="module")
def house() -> House:
    return taken(ledger())


def test_each_table_becomes_the_facts_of_its_step(house: House) -> None:
    facts = [event for event in house.facts() if event.enterprise == SMELTER]
    kinds = [type(event) for event in facts]

    assert [kinds.count(kind) for kind in (Generated, Stored, TakenOut, Disposed, Delivered, Left, Submitted, Loaded)] == [
        4, 3, 2, 1, 1, 1, 1, 1,
    ]  # fmt: skip
    splits = [event for event in facts if isinstance(event, Transformed)]
    assert [event.outputs[0].mass_g for event in splits] == [15 * TONNE, 6 * TONNE]
    assert [event.outputs[0].code for event in splits] == ["RK2", "CK2"]
    left = sum(batch.left_g for batch in house.book.batches.values() if batch.material == "copper-smelting-slag")
    assert left == (5 + 9 + 18 + 5) * TONNE  # not stored, still stored, half sent, on the road


def test_the_export_fills_the_same_tables_in_the_same_words(house: House) -> None:
    data = exported(house)

    for sheet, lines in ledger().items():
        if sheet == "单位信息":
            continue
        found = {row["记录表编号"]: row for row in rows_of(data, sheet)}
        for line in lines:
            row = found[line["记录表编号"]]
            for head, value in line.items():
                expected = datetime.combine(value, time()) if type(value) is date else value
                assert row.get(head) == expected, (sheet, head)
    assert rows_of(data, "B.1 产生") == rows_of(data, "B.5 委外利用处置") == []


def test_the_export_changes_nothing_where_it_came_from_and_makes_the_same_ledger_elsewhere(house: House) -> None:
    data = exported(house)
    before = house.ledger.head().position

    again = house.take(SMELTER, data)
    assert (again.committed, again.facts, house.ledger.head().position) == (True, 0, before), told(again)

    other = House()
    assert other.take(
        PLANT, filled({"单位信息": registration(PLANT, "德阳铝灰处理厂", "利用单位", "510600")})
    ).committed
    report = other.take(SMELTER, data)
    assert report.committed, told(report)
    assert other.digest() == house.digest()


def test_rows_in_any_order_are_the_same_ledger(house: House) -> None:
    turned = {sheet: list(reversed(lines)) for sheet, lines in reversed(ledger().items())}

    assert taken(turned).digest() == house.digest()


def test_the_receiver_closes_the_manifest_of_table_3(house: House) -> None:
    own = taken(ledger())
    arrival = {"接收": [{"联单编号": "ZY-1", "移出人信用代码": SMELTER, "运抵时间": day(8), "到场重量": 4.99}]}

    report = own.take(PLANT, filled(arrival))

    assert report.committed, told(report)
    assert not report.waiting
    assert own.digest() != house.digest()


def wrong(sheet: str, number: int, **cells: Any) -> list[str]:
    lines = ledger()
    lines[sheet][number] = {**lines[sheet][number], **cells}
    house = House()
    assert house.take(
        PLANT, filled({"单位信息": registration(PLANT, "德阳铝灰处理厂", "利用单位", "510600")})
    ).committed
    report = house.take(SMELTER, filled(lines))
    assert not report.committed
    assert not [event for event in house.facts() if event.enterprise == SMELTER]
    return told(report)


def test_errors_are_told_in_the_words_of_the_form() -> None:
    (error,) = wrong("表6 自行利用环节", 0, 利用方式="D1")
    assert error.startswith("表6 自行利用环节 N2（利用方式）: 利用/处置方式 D1 不属于本表；请填入“表7 自行处置环节”")
    (error,) = wrong("表7 自行处置环节", 0, 处置方式="R5")
    assert "表6 自行利用环节" in error
    (error,) = wrong("表5 贮存环节", 2, 出库数量=3, 出库时间=day(3))
    assert "（出库批次编码）" in error
    (error,) = wrong("表5 贮存环节", 2, 出库数量=31, 出库时间=day(3), 出库批次编码="CKX")
    assert "（出库数量）" in error
    (error,) = wrong("表5 贮存环节", 2, 出库数量=30)
    assert "（出库时间）" in error
    (error,) = wrong("表3 出厂环节", 1, **{"利用/处置方式": None})
    assert "（利用/处置方式）" in error
    (error,) = wrong("表4 产生环节", 3, 废物名称="铜冶练渣")
    assert "铜冶炼渣" in error


def test_what_was_told_by_other_ways_stands_in_the_tables_of_general_waste() -> None:
    house = taken(ledger())
    product = Product(batch_id=f"{SMELTER}.API", material="copper-smelting-slag", mass_g=TONNE)
    told_otherwise = Generated(
        event_id="api-1", enterprise=SMELTER, event_time=date(2026, 3, 9), site_id=house.book.batch(
            next(iter(house.book.batches.own()))
        ).site_id, product=product,
    )  # fmt: skip
    house.recording.record([told_otherwise], SMELTER)

    codes = [row["记录表编号"] for row in rows_of(exported(house), "表4 产生环节")]

    assert codes == ["CS1", "CS2", "CS3", "CS4", "API"]


def test_dropdowns_of_these_tables_hold_general_waste_only() -> None:
    book = openpyxl.load_workbook(io.BytesIO(TEMPLATE))
    lists = {str(column[0].value): {str(cell.value) for cell in column[1:]} for column in book["代码"].iter_cols()}

    assert {each.zh for each in GENERAL} <= set(book.sheetnames)
    assert SLAG in lists["general_trade"]
    assert all(
        each.legal_status == "general_waste"
        for each in catalogue().materials.values()
        if each.name_zh in lists["general_trade"]
    )
    assert "321-024-48" not in lists["general_waste"]
