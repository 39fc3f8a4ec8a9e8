"""A long import beside others: what stands when a neighbour's fact comes between, and that going on changes nothing else."""

from contextlib import suppress

from api.bench.year import SMELTER, year
from api.imports import Watch, commit_workbook
from api.turns import TURN_FACTS, WHOLE_MOST
from api.workbook.report import ImportReport, Progress
from flows.events import Disposed, Generated, Portion
from flows.materials import catalogue
from tests.api.workbook_fixtures import SMELTER as WORKS
from tests.api.workbook_fixtures import House, day, filled, now, registration, told

ROWS = 1_200


def take(house: House, data: bytes, watch: Watch | None = None) -> ImportReport:
    return commit_workbook(data, SMELTER, house.recording, house.desk, recorded_by=SMELTER, watch=watch)


def names(house: House) -> list[str]:
    return [event.event_id for event in house.facts()]


def test_a_neighbours_fact_that_comes_between_stops_a_long_import_and_what_stands_is_told() -> None:
    data, whole, house = year(ROWS, catalogue()), House(), House()
    assert take(whole, data).committed
    count = whole.ledger.head().position
    assert count > WHOLE_MOST

    last = [event for event in whole.facts() if isinstance(event, Generated)][-1]

    def takes_what_the_file_still_needs(phase: Progress, done: int, total: int) -> None:
        if phase == "recording" and done > total // 2 and "burial" not in names(house):
            batch = next(
                each for each in house.book.batches.values() if each.material == "primary-dross" and each.left_g
            )
            burial = Disposed(
                event_id="burial", enterprise=SMELTER, event_time=now(), site_id=batch.site_id, method="D1",
                portions=(Portion(batch_id=batch.batch_id, mass_g=batch.left_g),),
            )  # fmt: skip
            house.recording.record([burial, last.model_copy(update={"event_id": "burial-name"})], SMELTER)

    report = take(house, data, takes_what_the_file_still_needs)

    assert not report.committed
    clash, other, stands = report.errors  # every row that it stands against, and none that only rests on these
    assert clash.place.row is not None
    assert other.place.row not in {None, clash.place.row}
    assert stands.key == "import-broke-off"
    assert report.facts == house.ledger.head().position - 2  # two are its neighbour's
    assert f"已登记 {report.facts} 条事实" in stands.zh
    assert f"其余 {count - report.facts} 条" in stands.zh
    kept = [name for name in names(house) if not name.startswith("burial")]
    assert kept == names(whole)[: len(kept)]
    again = take(house, data)
    assert not again.committed
    assert [each.place for each in again.errors] == [clash.place]  # the other's batch stands now, as its row says
    assert [name for name in names(house) if not name.startswith("burial")] == kept


def test_an_import_that_broke_off_goes_on_to_the_ledger_of_one_that_did_not() -> None:
    data, whole, house = year(ROWS, catalogue()), House(), House()
    assert take(whole, data).committed

    class Unplugged(BaseException):
        pass

    def unplugged(phase: Progress, done: int, total: int) -> None:
        if phase == "recording" and done > total // 3:
            raise Unplugged

    with suppress(Unplugged):
        take(house, data, unplugged)
    half = house.ledger.head().position
    assert 0 < half < whole.ledger.head().position
    report = take(house, data)

    assert report.committed, told(report)
    assert report.facts == whole.ledger.head().position - half
    assert names(house) == names(whole)
    assert house.digest() == whole.digest()


def test_a_short_file_is_one_turn() -> None:
    house, seen = House(), list[int]()

    def looks(phase: Progress, done: int, _: int) -> None:
        if phase == "recording":
            seen.append(done)

    assert take(house, year(WHOLE_MOST // 2, catalogue()), looks).committed
    assert seen == [0, house.ledger.head().position]
    assert house.ledger.head().position > TURN_FACTS


def test_what_two_runs_took_of_a_batch_may_be_told_as_one_sum_and_handed_in_again() -> None:
    lines = {
        "单位信息": registration(WORKS, "嘉州铝业", "产废单位、利用单位", "511100"),
        "B.1 产生": [
            {"产生批次编码": "CS1", "产生时间": day(1), "废物代码": "321-024-48", "行业俗称/单位内部名称": "一次铝灰渣（电解铝）", "产生量": 9}
        ],
        "生产记录": [
            line
            for n, mass in enumerate((4, 5))
            for line in (
                {"记录编号": f"R{n}", "时间": day(2), "工序": "回转炉处理铝灰渣", "行类型": "投入", "批次编码": "CS1", "数量": mass},
                {"记录编号": f"R{n}", "行类型": "产出", "批次编码": f"AL{n}", "物料": "回收金属铝（铝灰渣）", "数量": mass},
            )
        ],
        "B.4 自行利用处置": [
            {"自行利用/处置批次编码": "LY1", "利用/处置时间": day(2), "利用/处置量": 9, "利用/处置方式": "R4", "产生/出库批次编码": "CS1"}
        ],
    }  # fmt: skip
    house, data = House(), filled(lines)

    first, again = house.take(WORKS, data), house.take(WORKS, data)

    assert first.committed, told(first)
    assert again.committed, told(again)
    assert again.facts == 0
