"""A loading whose rest weighs otherwise than the book: its reason goes in and out of the workbook with it."""

from typing import Any

import pytest

from api.workbook.export import export_workbook
from flows.events import Event, Left, Loaded
from tests.api.workbook_fixtures import DROSS, PLANT, SMELTER, TRADE, House, day, filled, plant, smelter, told

REASON = "雨季沥水，复磅确认"
GENERATED = {
    "产生批次编码": "HWCS-GAP", "产生时间": day(1), TRADE: DROSS, "废物类别": "HW48", "废物代码": "321-024-48",
    "产生量": 10, "计量单位": "吨", "容器/包装编码": "G001", "容器/包装类型": "吨袋", "容器/包装数量": 1,
    "产生危险废物设施编码": "MF0001", "产生部门经办人": "张三", "去向": "委外利用",
}  # fmt: skip
SENT = {
    "委外利用/处置批次编码": "HWWWLY-GAP", "出厂时间": day(3), "容器/包装编码": "G001", "委外利用/处置量": 8.5,
    "计量单位": "吨", "利用/处置方式": "R4", "产生/出库批次编码": "HWCS-GAP", "全部剩余": "是",
}  # fmt: skip
TO_PLANT = {"联单编号": "20265111009999", "接受人信用代码": PLANT, "承运人": "某某物流", "车牌": "川A12345"}
TO_SOMEBODY = {"危险废物利用处置环节豁免管理单位名称": "平台外铝渣厂", "接收单位类型": "豁免"}


def _book(**more: Any) -> bytes:
    lines = {sheet: list(rows) for sheet, rows in smelter().items()}
    lines["B.1 产生"].append(GENERATED)
    lines["B.5 委外利用处置"].append(SENT | more)
    return filled(lines)


def _told(house: House) -> list[Event]:
    return [fact for fact in house.facts() if isinstance(fact, (Loaded, Left)) and fact.gap_reason is not None]


@pytest.mark.parametrize("receiver", [TO_PLANT, TO_SOMEBODY], ids=["by manifest", "to somebody outside"])
def test_a_gap_with_its_reason_comes_back_as_the_same_fact(receiver: dict[str, str]) -> None:
    first, second = House(), House()
    for enterprise, data in ((PLANT, filled(plant())), (SMELTER, _book(差额原因=REASON, **receiver))):
        report = first.take(enterprise, data)
        assert report.committed, told(report)
    (gap,) = _told(first)
    assert isinstance(gap, (Loaded, Left))
    assert gap.gap_reason == REASON
    assert [each.key for each in report.findings if each.key == "rest-gap-found"] == ["rest-gap-found"]

    for enterprise in (PLANT, SMELTER):
        data = export_workbook(first.ledger.entries(), first.book, enterprise, (None, None))
        report = second.take(enterprise, data)
        assert report.committed, told(report)

    assert _told(second) == [gap]
    assert second.digest() == first.digest()
    assert second.moved() == first.moved()


@pytest.mark.parametrize("receiver", [TO_PLANT, TO_SOMEBODY], ids=["by manifest", "to somebody outside"])
def test_a_gap_without_a_reason_is_refused_at_its_row(receiver: dict[str, str]) -> None:
    house = House()
    house.take(PLANT, filled(plant()))
    report = house.take(SMELTER, _book(**receiver))

    assert [each.key for each in report.errors] == ["rest-gap-unexplained"]
    assert report.errors[0].place.sheet == "B.5 委外利用处置"
    assert report.errors[0].place.column == "差额原因"
    assert "10 t" in report.errors[0].zh
