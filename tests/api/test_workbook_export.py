"""What is exported may be imported: into the same ledger nothing changes, into an empty one the same readings arise."""

import io
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.waiting import waiting_of
from api.workbook.export import export_workbook
from api.workbook.reading import read_file
from api.workbook.remarks import read_remarks, write_remarks
from flows.enterprises import Site, StorageArea
from flows.errors import Malformed
from flows.events import (
    Collected,
    Delivered,
    Disposed,
    EnterpriseRegistered,
    Event,
    Generated,
    Left,
    Packing,
    Portion,
    Product,
    SiteRegistered,
    StorageRegistered,
    Stored,
    Transformed,
)
from tests.api.workbook_fixtures import LANDFILL, PLANT, SMELTER, House, import_all, now, told
from tests.graph.histories import ENTERPRISES, World, histories

ALL = (SMELTER, PLANT, LANDFILL)
SITE = f"{SMELTER}.WORKS"


def export(house: House, enterprise: str, period: tuple[date | None, date | None] = (None, None)) -> bytes:
    return export_workbook(house.ledger.entries(), house.book, enterprise, period)


@pytest.fixture(scope="module")
def first() -> House:
    house = House()
    import_all(house, ALL)
    return house


@pytest.mark.parametrize("order", [ALL, ALL[::-1], (PLANT, SMELTER, LANDFILL)])
def test_three_exports_in_any_order_give_the_same_ledger_to_the_last_fact(order: tuple[str, ...], first: House) -> None:
    second = House()

    for enterprise in order:
        report = second.take(enterprise, export(first, enterprise))
        assert report.committed, told(report)

    assert second.digest() == first.digest()
    assert second.holdings() == first.holdings()
    assert second.moved() == first.moved()


def test_an_export_imported_where_it_came_from_changes_nothing(first: House) -> None:
    before = first.ledger.head()

    for enterprise in ALL:
        report = first.take(enterprise, export(first, enterprise))
        assert (told(report), report.facts, report.waiting) == ([], 0, ())

    assert first.ledger.head() == before


def test_an_export_of_an_import_is_the_same_workbook(first: House) -> None:
    second = House()
    for enterprise in ALL:
        second.take(enterprise, export(first, enterprise))

    for enterprise in ALL:
        assert cells(export(second, enterprise)) == cells(export(first, enterprise))


def cells(data: bytes) -> dict[str, list[str]]:
    """The rows of each sheet in no order, their running numbers left out."""
    return {table.name: sorted(repr(row[1:]) for row in table.cells) for table in read_file(data).tables}


def balances(house: House) -> dict[tuple[str, str, str, str], int]:
    held: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for batch in house.book.batches.values():
        held[batch.holder, batch.material, batch.place, batch.status] += batch.left_g
    return {key: mass_g for key, mass_g in held.items() if mass_g}


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # a world is long to print
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(histories(), st.permutations(range(3)))
def test_any_history_comes_back_to_the_gram(world: World, order: list[int]) -> None:
    """Facts that forms and interfaces stated, under names of theirs, by three enterprises, in any order of files."""
    house, second = House(), House()
    for event in world.events:
        house.recording.record([event], event.enterprise)
    before = house.ledger.head()
    taking_part = [each for each in ENTERPRISES if house.book.enterprises.get(each) is not None]
    files = {each: export(house, each) for each in taking_part}

    for enterprise in taking_part:
        report = house.take(enterprise, files[enterprise])
        assert (told(report), report.facts) == ([], 0)
    for enterprise in (taking_part[i] for i in order if i < len(taking_part)):
        report = second.take(enterprise, files[enterprise])
        assert told(report) == []

    assert house.ledger.head() == before
    assert [waiting_of(second.desk, each, now) for each in taking_part] == [()] * len(taking_part)
    assert balances(second) == balances(house)
    assert second.moved() == house.moved()


# what is hard to write ----------------------------------------------------------------------------------------------


def house_with(*events: Event) -> House:
    house = House()
    at = date(2026, 1, 1)
    site = Site(site_id=SITE, code="一厂", name="=1+1", division="511100", contact="-")
    house.recording.record(
        [
            EnterpriseRegistered(
                event_id="r", enterprise=SMELTER, event_time=at, name="@嘉州（铝业）", division="511102",
                roles=("producer", "generator"), phone="+86 833",
            ),
            SiteRegistered(event_id="s", enterprise=SMELTER, event_time=at, site=site, note="备注：甲；去向：乙"),
            *events,
        ],
        SMELTER,
    )  # fmt: skip
    return house


def dross(name: str, mass_g: int, moment: date | datetime, **more: object) -> Generated:
    product = Product(batch_id=f"{SMELTER}.{name}", material="primary-dross", mass_g=mass_g, code="HWCS1")
    return Generated.model_validate(
        {"event_id": name, "enterprise": SMELTER, "event_time": moment, "site_id": SITE, "product": product, **more}
    )


UTC7 = timezone(timedelta(hours=7))


@pytest.mark.parametrize(
    "moment",
    [date(2026, 3, 9), datetime(2026, 3, 9, 0, 0, tzinfo=UTC7), datetime(2026, 3, 8, 23, 0, tzinfo=UTC7),
     datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC7), datetime(2026, 3, 9, 8, 30, 1, 123456, tzinfo=UTC7)],
)  # fmt: skip
@pytest.mark.parametrize("mass_g", [1, 12_345_678, 999_999_999_999_999, 10**15, 123_456_789_012_345])
def test_times_and_masses_come_back_exactly(moment: date | datetime, mass_g: int) -> None:
    house, second = house_with(dross("A", mass_g, moment)), House()

    report = second.take(SMELTER, export(house, SMELTER))

    assert told(report) == []
    event = second.facts()[-1]
    assert isinstance(event, Generated)
    assert (event.event_time, event.product.mass_g) == (moment, mass_g)


def test_texts_come_back_and_no_cell_is_a_formula() -> None:
    house, second = house_with(), House()
    data = export(house, SMELTER)

    report = second.take(SMELTER, data)

    assert told(report) == []
    known, again = house.book.enterprises.get(SMELTER), second.book.enterprises.get(SMELTER)
    assert known is not None
    assert again is not None
    assert again.registered.model_dump(exclude={"event_id"}) == known.registered.model_dump(exclude={"event_id"})
    assert [site.model_dump(exclude={"site_id"}) for site in second.book.sites.values()] == [
        site.model_dump(exclude={"site_id"}) for site in house.book.sites.values()
    ]
    written = [cell for sheet in openpyxl.load_workbook(io.BytesIO(data)) for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in written if cell.value is not None} <= {"s", "n", "d"}
    assert not [
        cell.value for cell in written if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@"))
    ]


def test_two_batches_of_one_code_are_told_apart_and_a_note_may_look_like_ours() -> None:
    note = "去向：贮存；产生部门经办人：张三；备注：容器：破"
    house = house_with(
        dross("A", 5, date(2026, 3, 1), note=note),
        dross("B", 7, date(2026, 3, 1)),
        Transformed(
            event_id="t", enterprise=SMELTER, event_time=date(2026, 3, 2), site_id=SITE, process="remelt",
            inputs=(Portion(batch_id=f"{SMELTER}.B", mass_g=8, rest=True), Portion(batch_id=f"{SMELTER}.A", mass_g=1)),
            outputs=(
                Product(
                    batch_id=f"{SMELTER}.C", material="recovered-aluminium", mass_g=9, packing=Packing(code="K", count=3)
                ),
            ),
            gap_reason="x",
        ),
    )  # fmt: skip
    second = House()

    for each in (house, second):
        assert told(each.take(SMELTER, export(house, SMELTER))) == []

    assert second.holdings() == house.holdings()
    assert second.moved() == house.moved()
    assert {event.note for event in second.facts() if event.kind == "generated"} == {
        "产生部门经办人：张三；去向：贮存；备注：容器：破", None,
    }  # fmt: skip


@pytest.mark.parametrize("first", ["dross", "scrap"])
def test_one_storage_code_for_two_batches_is_no_confusion(first: str) -> None:
    """R1 of the ledger of hazardous waste and R1 of table 5: each row comes back to its own batch, in either order."""
    own: dict[str, Any] = {"enterprise": SMELTER, "event_time": date(2026, 3, 1), "site_id": SITE}
    scrap = Product(batch_id=f"{SMELTER}.S", material="aluminium-scrap", mass_g=7)
    area = StorageArea(storage_id=f"{SMELTER}.YARD", site_id=SITE, code="Y", name="yard", type="yard")
    order = ["dross", "scrap"] if first == "dross" else ["scrap", "dross"]
    batches = {"dross": f"{SMELTER}.D", "scrap": f"{SMELTER}.S"}
    stored = [
        Stored(event_id=f"in-{name}", enterprise=SMELTER, event_time=date(2026, 3, day), code="R1",
               batch_id=batches[name], storage_id=f"{SMELTER}.YARD")
        for day, name in enumerate(order, 2)
    ]  # fmt: skip
    house, second = House(), House()
    for facts in (
        house_with().facts(),
        [StorageRegistered(event_id="y", enterprise=SMELTER, event_time=date(2026, 1, 1), storage=area)],
        [dross("D", 5, date(2026, 3, 1)), Collected(event_id="S", scrap="old", product=scrap, **own), *stored],
        [Disposed(event_id="gone", **{**own, "event_time": date(2026, 4, 1)}, method="D1",
                  portions=(Portion(batch_id=scrap.batch_id, mass_g=3),))],
    ):  # fmt: skip
        house.recording.record(facts, SMELTER)
    before, data = house.ledger.head(), export(house, SMELTER)

    again, elsewhere = house.take(SMELTER, data), second.take(SMELTER, data)

    assert (told(again), again.facts, house.ledger.head()) == ([], 0, before)
    assert told(elsewhere) == []
    assert balances(second) == balances(house)


def test_why_a_rest_weighs_otherwise_comes_back() -> None:
    taken = {"enterprise": SMELTER, "event_time": date(2026, 3, 2), "site_id": SITE}

    def rest(name: str) -> tuple[Portion, ...]:
        return (Portion(batch_id=f"{SMELTER}.{name}", mass_g=80, rest=True),)

    house = house_with(
        *(dross(name, 100, date(2026, 3, 1)) for name in ("A", "B", "C")),
        Disposed(event_id="d", portions=rest("A"), method="D1", gap_reason="堆存失水", **taken),
        Delivered(event_id="e", portions=rest("B"), use="product", gap_reason="零星取用", **taken),
        Left(event_id="f", portions=rest("C"), receiver="外地", gap_reason="原因待查", **taken),
    )
    second = House()

    for each in (house, second):
        assert told(each.take(SMELTER, export(house, SMELTER))) == []

    reasons = {
        event.kind: event.gap_reason for event in second.facts() if isinstance(event, Disposed | Delivered | Left)
    }
    assert reasons == {"disposed": "堆存失水", "delivered": "零星取用", "left": "原因待查"}
    assert second.moved() == house.moved()


def test_a_period_holds_its_days_and_says_so(first: House) -> None:
    data = export(first, SMELTER, (date(2026, 3, 2), date(2026, 3, 4)))
    book = openpyxl.load_workbook(io.BytesIO(data))

    assert book["B.1 产生"].max_row == 1 + 3
    assert "2026-03-02 至 2026-03-04" in str(book["填写说明"]["C2"].value)


def test_remarks_come_back() -> None:
    labels = ("产生部门经办人", "去向")
    text = write_remarks([("产生部门经办人", "张三；李四"), ("去向", "")], "备注：见附件")

    assert read_remarks(text, labels) == ({"产生部门经办人": "张三；李四"}, "备注：见附件")
    assert read_remarks("随便写的", labels) == ({}, "随便写的")
    with pytest.raises(Malformed):
        write_remarks([("去向", "长" * 500)], None)
