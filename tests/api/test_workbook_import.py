"""Three enterprises, each with its own file, in any order: the same facts, once; all of a file or nothing of it."""

import io
from itertools import permutations
from pathlib import Path

import openpyxl
import pytest

from api.imports import admit_waiting, check_workbook, commit_workbook
from api.waiting import Kept, give_up, keep, settle, take_back, waiting_of
from api.workbook.report import ImportProblem, ImportReport, Place
from flows.book import Book
from flows.entries import canonical, event_json
from flows.materials import catalogue
from flows.recording import Recording
from graph.sqlite_desk import SqliteDesk
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore
from tests.api.workbook_fixtures import (
    DROSS,
    LANDFILL,
    LOADS,
    PLANT,
    SMELTER,
    TRADE,
    House,
    day,
    files,
    filled,
    import_all,
    landfill,
    now,
    plant,
    registration,
    saved,
    smelter,
    told,
)

ALL = (SMELTER, PLANT, LANDFILL)
LATER = ("接收", "生产记录", "化验", "产品出厂", "B.2 入库", "B.5 委外利用处置", "其他记录", "回收与出炉")
"""Sheets of the plant that may come after its registration."""
ORDERS = list(permutations(ALL))


@pytest.fixture(scope="module")
def first() -> House:
    house = House()
    assert [told(report) for report in import_all(house, ALL)] == [[], [], []]
    return house


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_the_files_does_not_matter(order: tuple[str, ...], first: House) -> None:
    house = House()

    for report in import_all(house, order):
        assert report.committed, told(report)

    assert house.digest() == first.digest()
    assert house.holdings() == first.holdings()
    assert house.moved() == first.moved()
    assert [waiting_of(house.desk, each, now) for each in ALL] == [(), (), ()]


def test_the_masses_are_those_of_the_rows(first: House) -> None:
    generated_g = sum(10_000_000 + n * 1000 for n in range(1, 2 * LOADS + 1))

    assert first.moved()[SMELTER, "generation", ""] == -generated_g
    assert first.moved()[LANDFILL, "disposal", "D1"] == 25 * 5_480_000
    assert first.moved()[LANDFILL, "delivery", "building_material"] == 1_500_000
    assert first.holdings()[SMELTER, "spent-potlining", "site"] == 33_333_333
    assert first.holdings()[SMELTER, "primary-dross", "storage"] == 2 * LOADS // 3 * 1_000_000
    assert sum(len(rows) for each in (smelter(), plant(), landfill()) for rows in each.values()) > 500


def test_the_same_file_twice_changes_nothing(first: House) -> None:
    before = first.ledger.head()

    for enterprise in ALL:
        report = first.take(enterprise, files()[enterprise])
        assert (report.committed, report.facts, report.waiting) == (True, 0, ())
        assert report.unchanged > 50

    assert first.ledger.head() == before


def test_a_file_sorted_otherwise_is_the_same_file(first: House) -> None:
    before = first.ledger.head()
    lines = {name: list(reversed(rows)) for name, rows in smelter().items()}

    report = first.take(SMELTER, filled(lines))

    assert (told(report), report.facts, first.ledger.head()) == ([], 0, before)


def test_an_error_keeps_everything_out() -> None:
    house = House()
    lines = smelter()
    lines["B.1 产生"][17]["产生量"] = 0  # type: ignore[index]

    report = house.take(SMELTER, filled(lines))

    assert not report.committed
    assert house.ledger.head().position == 0
    assert waiting_of(house.desk, SMELTER, now) == ()
    assert [(each.place.sheet, each.place.cell, each.place.row, each.key) for each in report.errors] == [
        ("B.1 产生", "H19", 19, "mass-out-of-range")
    ]


def test_a_check_keeps_nothing() -> None:
    house = House()

    report = check_workbook(files()[SMELTER], SMELTER, house.recording, house.desk)

    assert report.good
    assert report.facts > 200
    assert (house.ledger.head().position, waiting_of(house.desk, SMELTER, now)) == (0, ())


def test_progress_is_told() -> None:
    house, heard = House(), list[tuple[str, int, int]]()

    check_workbook(
        files()[SMELTER], SMELTER, house.recording, house.desk, watch=lambda *step: heard.append(step)
    )  # fmt: skip

    assert heard[0] == ("reading", 0, 1)
    phases = [phase for phase, _, _ in heard]
    assert phases == sorted(phases, key=["reading", "checking"].index)
    done = [at for phase, at, _ in heard if phase == "checking"]
    assert done == sorted(done)
    assert (done[0], heard[-1]) == (0, ("checking", heard[-1][2], heard[-1][2]))


def test_a_receipt_waits_for_its_load_and_says_so() -> None:
    house = House()

    report = house.take(PLANT, files()[PLANT])

    assert report.committed
    assert report.facts == 9
    assert {each.sheet for each in report.waiting} >= {"接收", "生产记录", "化验", "产品出厂"}
    first = next(each for each in report.waiting if each.sheet == "接收")
    assert (first.rows, first.record) == ((2, 3), "20265111000001")
    assert first.zh.startswith("待对方登记")
    assert len(waiting_of(house.desk, PLANT, now)) == len(report.waiting)


def test_rows_of_a_later_file_wait_with_the_rows_that_they_rest_on() -> None:
    house = House()
    lines = plant()
    runs = lines["生产记录"]
    house.take(
        PLANT, filled({**lines, "生产记录": [], "产品出厂": [], "B.2 入库": [], "B.5 委外利用处置": [], "其他记录": []})
    )

    report = house.take(PLANT, filled({"生产记录": runs}))

    assert (told(report), len(report.waiting)) == ([], LOADS)
    house.take(SMELTER, files()[SMELTER])
    assert waiting_of(house.desk, PLANT, now) == ()


def test_what_is_refused_when_the_partner_has_spoken_stays_with_its_reason() -> None:
    house = House()
    lines = plant()
    lines["生产记录"][0]["数量"] = 8000  # type: ignore[index]
    house.take(PLANT, filled(lines))

    house.take(SMELTER, files()[SMELTER])

    left = waiting_of(house.desk, PLANT, now)
    assert next((each.identity[0], each.problem and each.problem.key) for each in left) == ("run", "overdrawn")
    assert left[0].problem is not None
    assert (left[0].problem.place.sheet, left[0].problem.place.row) == ("生产记录", 2)
    give_up(house.desk, PLANT, left[0].identity, now)
    assert len(waiting_of(house.desk, PLANT, now)) == len(left) - 1
    assert admit_waiting(house.recording, house.desk) == 0


def test_a_waiting_row_may_be_mended_by_importing_it_anew() -> None:
    house = House()
    wrong = plant()
    wrong["生产记录"][0]["数量"] = 8000  # type: ignore[index]
    house.take(PLANT, filled(wrong))
    house.take(SMELTER, files()[SMELTER])

    report = house.take(PLANT, files()[PLANT])

    assert (told(report), report.committed) == ([], True)
    assert waiting_of(house.desk, PLANT, now)[0].problem is None  # for the landfill, which is not registered yet


def test_a_receiver_that_registers_later_is_waited_for() -> None:
    house = House()

    report = house.take(SMELTER, files()[SMELTER])

    assert [each.sheet for each in report.waiting].count("B.5 委外利用处置") == LOADS + 1
    assert "尚未登记" in report.waiting[0].zh


def test_a_part_of_a_stored_batch_is_split_off_and_the_rest_stays_stored(first: House) -> None:
    kinds = [event.kind for event in first.facts() if event.enterprise == SMELTER]

    assert kinds.count("taken_out") == 2 * LOADS
    assert sum(event.kind == "transformed" and event.process == "split" for event in first.facts()) == 2 * LOADS // 3


def test_own_use_with_a_run_is_counted_once(first: House) -> None:
    uses = [event for event in first.facts() if event.enterprise == LANDFILL and event.kind == "delivered"]

    assert [event.portions[0].mass_g for event in uses] == [1_500_000]


def test_a_sheet_of_ones_own_is_left_unread_and_said() -> None:
    house = House()
    book = openpyxl.load_workbook(
        io.BytesIO(filled({"单位信息": registration(SMELTER, "嘉州铝业", "产废单位", "511100")}))
    )
    book.create_sheet("成本核算")["A1"] = "x"
    for name in ("产品出厂", "填写说明", "代码"):
        del book[name]

    report = house.take(SMELTER, saved(book))

    assert report.committed, told(report)
    assert [each.key for each in report.findings] == ["workbook-sheet-not-read"]


def test_empty_rows_and_a_title_above_do_not_shift_anything() -> None:
    house = House()
    book = openpyxl.load_workbook(
        io.BytesIO(filled({"单位信息": registration(SMELTER, "嘉州铝业", "产废单位", "511100")}))
    )
    sheet = book["B.1 产生"]
    sheet.insert_rows(1, 2)
    sheet["A1"] = "危险废物产生环节记录表"
    sheet.insert_cols(1)
    sheet["B9"], sheet["B12"], sheet["J12"] = 1, 2, "吨"
    for column, value in {"C": "HWCS1", "D": "2026.3.9", "E": DROSS, "I": "12,5"}.items():
        sheet[f"{column}12"] = value

    report = house.take(SMELTER, saved(book))

    assert [(each.place.cell, each.key) for each in report.errors] == [("I12", "mass-comma")]


@pytest.mark.parametrize(
    ("written", "moment"),
    [("2026.3.9", "2026-03-09"), ("2026年3月9日", "2026-03-09"), ("２０２６／３／９", "2026-03-09"), (day(8), "2026-03-09"),
     ("2026-3-9 8:05", "2026-03-09T08:05:00+08:00"), ("2026年3月9日 8时5分", "2026-03-09T08:05:00+08:00")],
)  # fmt: skip
def test_times_are_read_as_people_write_them(written: object, moment: str) -> None:
    house = House()
    row = {"产生批次编码": "HWCS1", "产生时间": written, TRADE: DROSS, "产生量": 0.1 + 0.2}

    report = house.take(
        SMELTER, filled({"单位信息": registration(SMELTER, "嘉州铝业", "产废单位", "511100"), "B.1 产生": [row]})
    )  # fmt: skip

    assert told(report) == []
    last = house.facts()[-1]
    assert last.kind == "generated"
    assert (last.model_dump(mode="json")["event_time"], last.product.mass_g) == (moment, 300_000)


def test_what_waits_outlives_the_process(tmp_path: Path, first: House) -> None:
    for enterprise in (PLANT, LANDFILL, SMELTER):
        store = SqliteStore(tmp_path / "huanliu.db")
        ledger, desk = SqliteLedger(store), SqliteDesk(store)
        recording = Recording(ledger, Book(catalogue()), now)

        report = commit_workbook(files()[enterprise], enterprise, recording, desk, recorded_by=enterprise)

        assert report.committed, told(report)
        digest = sorted(canonical(event_json(entry.event)) for entry in ledger.entries())
        store.close()

    assert digest == sorted(canonical(event_json(event)) for event in first.facts())


def test_own_disposal_of_a_batch_that_a_run_takes_too_is_no_shadow_of_the_run() -> None:
    house = House()
    report = house.take(
        SMELTER,
        filled(
            {
                "单位信息": registration(SMELTER, "嘉州铝业", "产废单位", "511100"),
                "B.1 产生": [{"产生批次编码": "HWCS1", "产生时间": day(1), TRADE: DROSS, "产生量": 3}],
                "B.4 自行利用处置": [
                    {"自行利用/处置批次编码": "CZ1", "利用/处置时间": day(2), "利用/处置量": 1, "利用/处置方式": "D1",
                     "产生/出库批次编码": "HWCS1"}
                ],
                "生产记录": [
                    {"记录编号": "P1", "时间": day(2), "工序": "重熔", "行类型": "投入", "批次编码": "HWCS1", "数量": 2,
                     "全部剩余": "是", "差额原因": "未计量"}
                ],
            }
        ),
    )  # fmt: skip

    assert told(report) == []
    assert house.holdings() == {}


def test_a_second_site_makes_a_waiting_row_ask_for_its_own() -> None:
    house = House()
    house.take(PLANT, files()[PLANT])
    second = {**registration(PLANT, "德阳铝灰处理厂", "利用单位", "510600")[2], "编码": "S2", "名称": "二厂"}
    house.take(PLANT, filled({"单位信息": [second]}))

    house.take(SMELTER, files()[SMELTER])

    problems = {each.problem.key for each in waiting_of(house.desk, PLANT, now) if each.problem}
    assert problems == {"workbook-site-needed"}


def _overtaken(house: House, first: bytes, second: bytes) -> tuple[ImportReport, ImportReport]:
    """An import of the plant is refused at its commit, because another one is made between its check and its record."""
    reports: list[ImportReport] = []

    def watch(what: str, done: int, of: int) -> None:
        _ = of
        if (what, done) == ("recording", 0):
            reports.append(house.take(PLANT, second))

    report = commit_workbook(first, PLANT, house.recording, house.desk, recorded_by=PLANT, watch=watch)
    return report, reports[0]


@pytest.mark.parametrize("same", [True, False])
def test_an_import_that_fails_takes_back_only_what_it_put_on_the_desk(*, same: bool) -> None:
    """The other's waiting rows stay, also under the same name with the same words."""
    house = House()
    lines = plant()
    early = {key: rows for key, rows in lines.items() if key not in LATER}
    house.take(PLANT, filled({**early, "接收": lines["接收"][:2]}))
    (before,) = waiting_of(house.desk, PLANT, now)
    mine, theirs = lines["接收"][2:6], lines["接收"][2:6] if same else lines["接收"][4:8]
    (scrap,) = lines["回收与出炉"]
    clash = [{**scrap, "数量": mass} for mass in (12, 13)]

    failed, kept = _overtaken(
        house,
        filled({"回收与出炉": clash[:1], "接收": mine}),
        filled({"回收与出炉": clash[1:], "接收": theirs}),
    )

    assert not failed.committed
    assert kept.committed, told(kept)
    left = {each.identity: each for each in waiting_of(house.desk, PLANT, now)}
    assert left[before.identity].rows == before.rows
    assert {identity[2] for identity in left} == {before.identity[2], *(each.record for each in kept.waiting)}


def test_a_failed_import_puts_back_what_waited_under_its_names() -> None:
    one, other = Kept.of(("row", "a"), (), PLANT, "1"), Kept.of(("row", "b"), (), PLANT, "1")
    mine = Kept.of(("row", "a"), (), PLANT, "2")
    desk = House().desk
    keep(desk, PLANT, [one, other], now)
    before = keep(desk, PLANT, [mine], now)
    keep(desk, PLANT, [Kept.of(("row", "c"), (), PLANT, "3")], now)
    noted = mine.model_copy(update={"problem": ImportProblem(place=Place(), key="k", zh="故", en="w")})
    settle(desk, PLANT, {mine.identity: noted}, now)

    take_back(desk, PLANT, [mine], before, now)

    assert {(each.identity[1], each.brought) for each in waiting_of(desk, PLANT, now)} == {
        ("a", "1"),
        ("b", "1"),
        ("c", "3"),
    }


def test_a_waiting_row_that_the_catalogue_no_longer_allows_is_shown_with_its_reason() -> None:
    house = House()
    house.take(PLANT, files()[PLANT])
    kept = next(each for each in waiting_of(house.desk, PLANT, now) if each.identity[0] == "run")
    gone = [row.model_copy(update={"told": {**row.told, "kind": "取消的行类型"}}) for row in kept.rows]
    settle(house.desk, PLANT, {kept.identity: kept.model_copy(update={"rows": tuple(gone)})}, now)

    house.take(SMELTER, files()[SMELTER])

    left = next(each for each in waiting_of(house.desk, PLANT, now) if each.identity == kept.identity)
    assert left.problem is not None
    assert (left.problem.place.sheet, left.problem.place.row, left.problem.read) == ("生产记录", 2, "取消的行类型")
