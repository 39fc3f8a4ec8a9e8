"""Tables 1 and 2 of general waste: every figure is the ledger's, and nothing of them comes back in by an import."""

import io
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.workbook.yearly import yearly_rows
from api.workbook.yearly_flows import OUTLETS
from api.workbook.yearly_sheets import READINGS
from flows.batches import Batch
from flows.book import Book
from flows.events import Amendment, CorrectionRequested, Decided, Generated
from tests.api.test_general_waste import exported, ledger, rows_of, taken
from tests.api.workbook_fixtures import NOW, PLANT, SMELTER, TEMPLATE, House, filled, told
from tests.graph.histories import ENTERPRISES, World, histories
from tests.graph.mending import Mended, corrections

TONNE = 1_000_000
MARCH = {
    "月份": "2026-03", "代码": "SW01", "名称": "铜冶炼渣", "类别": "SW01", "产生量（吨）": 65, "贮存量（吨）": 55, "累计贮存量（吨）": 27,
    "自行利用方式": "R5", "自行利用数量（吨）": 10, "委托利用方式": "R5", "委托利用数量（吨）": 12, "自行处置方式": "D1", "自行处置数量（吨）": 6,
    "委托处置数量（吨）": 0, "月初结存（吨）": 0, "其他增加量（吨）": 0, "其他减少量（吨）": 0, "月末结存（吨）": 37,
}  # fmt: skip


@pytest.fixture
def house() -> House:
    return taken(ledger())


def told_rows(house: House, sheet: str) -> list[dict[str, object]]:
    return [{head: cell for head, cell in row.items() if cell != ""} for row in rows_of(exported(house), sheet)]


def test_the_kinds_of_a_year_stand_in_table_1(house: House) -> None:
    (row,) = told_rows(house, "表1 产生清单")

    assert row == {
        "年度": 2026, "代码": "SW01", "名称": "铜冶炼渣", "类别": "SW01", "产生环节": "铜火法熔炼、吹炼", "物理性状": "固态",
        "主要成分": "铁橄榄石、磁铁矿、铜", "年产生量（吨）": 65,
    }  # fmt: skip


def test_the_flows_of_a_month_stand_in_table_2(house: House) -> None:
    assert told_rows(house, "表2 流向汇总") == [MARCH]


def test_what_the_receiver_accepted_counts_when_he_did(house: House) -> None:
    arrival = {
        "接收": [{"联单编号": "ZY-1", "移出人信用代码": SMELTER, "运抵时间": date(2026, 4, 2), "到场重量": 4.99}]
    }
    assert house.take(PLANT, filled(arrival)).committed

    march, april = told_rows(house, "表2 流向汇总")

    assert march == MARCH
    assert {head: april[head] for head in ("月份", "产生量（吨）", "委托利用方式", "委托利用数量（吨）", "其他减少量（吨）")} == {
        "月份": "2026-04", "产生量（吨）": 0, "委托利用方式": "R5", "委托利用数量（吨）": 4.99, "其他减少量（吨）": 0.01,
    }  # fmt: skip
    assert (april["月初结存（吨）"], april["月末结存（吨）"]) == (37, 32)
    assert (april["累计贮存量（吨）"], april["贮存量（吨）"]) == (27, 0)
    assert yearly_rows(house.book, PLANT) == {"g1": [], "g2": []}  # what others entrusted is theirs


def test_a_period_shows_its_months_and_years(house: House) -> None:
    arrival = {"接收": [{"联单编号": "ZY-1", "移出人信用代码": SMELTER, "运抵时间": date(2026, 4, 2), "到场重量": 5}]}
    assert house.take(PLANT, filled(arrival)).committed

    rows = yearly_rows(house.book, SMELTER, (date(2026, 4, 10), None))

    assert [row["month"] for row in rows["g2"]] == ["2026-04"]
    assert rows["g2"][0]["opening"] == 37 * TONNE
    assert yearly_rows(house.book, SMELTER, (None, date(2026, 2, 28))) == {"g1": [], "g2": []}


def test_a_corrected_fact_counts_as_it_reads_now_and_counted_as_it_read_then(house: House) -> None:
    entry = next(
        each
        for each in house.ledger.entries()
        if isinstance(each.event, Generated) and each.event.product.code == "CS2"
    )
    was = entry.event
    assert isinstance(was, Generated)
    becomes = was.model_copy(update={"product": was.product.model_copy(update={"mass_g": 21 * TONNE})})
    request = CorrectionRequested(
        event_id="c-1", enterprise=SMELTER, event_time=NOW,
        changes=(Amendment(stated_by=SMELTER, corrects=was.event_id, was=was, becomes=becomes),),
        reason="过磅单抄错",
    )  # fmt: skip
    before = house.ledger.head().position
    house.recording.record([request], SMELTER)

    now, then = (yearly_rows(book, SMELTER)["g2"] for book in (house.book, house.book.known_at(before)))

    assert [(row["generated"], row["closing"]) for row in (*now, *then)] == [
        (66 * TONNE, 38 * TONNE),
        (65 * TONNE, 37 * TONNE),
    ]


def test_an_import_leaves_them_alone_and_says_so_once(house: House) -> None:
    data, before = exported(house), house.ledger.head().position

    report = house.take(SMELTER, data)

    assert (report.errors, report.facts, house.ledger.head().position) == ((), 0, before), told(report)
    (note,) = [each for each in report.findings if each.key == "workbook-sheet-filled"]
    assert note.zh.startswith("“表1 产生清单、表2 流向汇总”由台账汇总生成，导入时不读取")


def test_a_changed_figure_changes_nothing(house: House) -> None:
    book = openpyxl.load_workbook(io.BytesIO(exported(house)))
    book["表2 流向汇总"]["E2"] = 1_000
    changed = io.BytesIO()
    book.save(changed)

    report = house.take(SMELTER, changed.getvalue())

    assert (report.errors, report.facts) == ((), 0), told(report)
    assert told_rows(house, "表2 流向汇总") == [MARCH]


def test_the_empty_workbook_has_none_of_them() -> None:
    assert not {each.zh for each in READINGS} & set(openpyxl.load_workbook(io.BytesIO(TEMPLATE)).sheetnames)


# laws ---------------------------------------------------------------------------------------------------------------


def check_held(book: Book) -> None:
    """What the last month ends with is what is there; every row adds up, and begins where the one before it ended."""
    for enterprise in ENTERPRISES:
        rows = yearly_rows(book, enterprise)["g2"]
        closing: dict[object, int] = {}
        lying: dict[object, int] = {}
        for row in rows:
            masses = {key: value for key, value in row.items() if isinstance(value, int)}
            out_g = sum(masses[outlet.key] for outlet in OUTLETS) + masses["less"]
            assert masses["opening"] == closing.get(row["name"], 0)
            assert masses["opening"] + masses["generated"] + masses["more"] == out_g + masses["closing"]
            closing[row["name"]], lying[row["name"]] = masses["closing"], masses["lying"]
        held = [each for each in book.batches.every() if _own(each, enterprise)]
        for material in {batch.material for batch in held}:
            own = [batch for batch in held if batch.material == material]
            name = book.catalogue.material(material).name_zh
            assert closing.pop(name) == sum(batch.left_g for batch in own)
            assert lying[name] == sum(batch.left_g for batch in own if batch.place == "storage")
        assert not any(closing.values())


@given(histories(max_facts=30))
def test_what_is_held_at_the_end_is_what_the_ledger_holds(world: World) -> None:
    check_held(world.book)


@given(histories(max_facts=20), st.data())
def test_so_it_is_after_corrections(world: World, draw: st.DataObject) -> None:
    mended = Mended(world)
    for _ in range(3):
        _ = mended.request(corrections(draw, world.book))
    check_held(world.book)


@given(histories(max_facts=30))
def test_what_others_accepted_is_told_to_the_gram_and_nothing_that_arose_is_left_out(world: World) -> None:
    for enterprise in ENTERPRISES:
        rows = yearly_rows(world.book, enterprise)["g2"]
        arisen_g = accepted_g = 0
        for change in world.changes:
            for number, movement in enumerate(change.movements):
                made_g = sum(made.mass_g for made in movement.makes if made.origin in ("generated", "received"))
                if isinstance(change.event, Generated) and _own(
                    world.book.batch(movement.makes[0].batch_id), enterprise
                ):
                    arisen_g += made_g
                elif isinstance(change.event, Decided) and _own(change.draws[number], enterprise):
                    accepted_g += made_g
        assert sum(_g(row["generated"]) for row in rows) >= arisen_g
        assert sum(_g(row["entrusted_use"]) + _g(row["entrusted_disposal"]) for row in rows) == accepted_g


def _own(batch: Batch, enterprise: str) -> bool:
    return (batch.holder, batch.status, batch.foreign) == (enterprise, "general_waste", False)


def _g(value: object) -> int:
    assert isinstance(value, int)
    return value
