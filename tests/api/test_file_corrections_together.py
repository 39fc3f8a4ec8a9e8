"""Corrected files at one instant, from processes, from delegates, and out of an error workbook: each change counts once."""

import io
import json
from datetime import date
from functools import partial
from pathlib import Path

import openpyxl
import pytest

from api.imports import ImportReport, check_workbook
from api.service import Service
from api.workbook.manner import Manner
from api.workbook.marked import marked
from api.workbook.reading import read_file
from flows.access import Caller
from flows.codes import uscc_with_check
from flows.enterprises import Mandate
from flows.errors import Forbidden
from flows.events import CorrectionRequested, MandateGiven
from tests.api.test_file_corrections import FILE, arisen, book, buried, counts, mass_of, requests, take
from tests.api.test_import_jobs import hand_in_file, importing, opened, together
from tests.api.workbook_fixtures import SMELTER, House, filled, saved, told

ROWS = 150
"""More corrections than one turn takes."""
DELEGATE = uscc_with_check("91510100", "MA7900AB")


def first_and_second(rows: int = 40) -> tuple[bytes, bytes]:
    """A file, and the same with two rows changed and one cancelled."""
    changed = [dict(row) for row in arisen(rows, {2: 9, 30: 12})]
    changed[19]["撤销"] = "撤销"
    return filled(book(**{"B.1 产生": arisen(rows)})), filled({"B.1 产生": changed})


@pytest.mark.parametrize("shared", [True, False], ids=["as one job", "without a desk between them"])
def test_identical_corrected_files_at_one_instant_correct_once(*, shared: bool) -> None:
    first, second = first_and_second()
    for _ in range(3):
        house, answers = House(), list[ImportReport]()
        assert take(house, first).committed
        before = house.ledger.head().position

        def go(house: House = house, answers: list[ImportReport] = answers) -> None:
            if shared:
                hand_in_file(house, second, FILE, answers)
            else:
                answers.append(take(house, second))

        together(*[partial(go)] * 3)

        assert all(each.committed and not each.errors for each in answers)
        assert {counts(each) for each in answers} <= {(2, 1, 0, 37, 0), (0, 0, 0, 40, 0)}
        assert house.ledger.head().position == before + 3
        assert [mass_of(house, code) for code in ("P0002", "P0020", "P0030")] == [9_000_000, None, 12_000_000]


def test_the_same_changes_under_two_names_at_one_instant_count_once() -> None:
    first, second = first_and_second()
    for _ in range(3):
        house, answers = House(), list[ImportReport]()
        assert take(house, first).committed
        before = house.ledger.head().position

        def go(name: str, house: House = house, answers: list[ImportReport] = answers) -> None:
            answers.append(take(house, second, Manner(name)))

        together(partial(go, "甲.xlsx"), partial(go, "乙.xlsx"))

        assert all(each.committed and not each.errors for each in answers), [told(each) for each in answers]
        assert house.ledger.head().position == before + 3


@pytest.mark.long
def test_two_processes_that_hand_in_one_corrected_file_correct_once(tmp_path: Path) -> None:
    first, second = first_and_second()
    folder = tmp_path / "data"
    opened(folder).close()
    (tmp_path / "a.xlsx").write_bytes(first)
    (tmp_path / "b.xlsx").write_bytes(second)
    whole = importing(folder, tmp_path / "a.xlsx", SMELTER)
    assert json.loads(whole.communicate()[0])["committed"]

    processes = [importing(folder, tmp_path / "b.xlsx", SMELTER) for _ in range(2)]
    reports = [json.loads(process.communicate()[0]) for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assert {(each["corrected"], each["withdrawn"], each["unchanged"]) for each in reports} <= {(2, 1, 37), (0, 0, 40)}
    service = opened(folder)
    kinds = [entry.event.kind for entry in service.ledger.entries()]
    assert kinds.count("correction_requested") == 3
    service.close()


def test_who_writes_between_check_and_commit_is_heard_and_the_file_checked_anew() -> None:
    """The other one corrects the same fact first: what is asked for then is what differs from his word."""
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(3)})).committed
    second = filled({"B.1 产生": arisen(3, {1: 9})})
    looked = 0

    def watch(phase: str, *_: int) -> None:
        nonlocal looked
        if phase == "recording" and not looked:
            looked += 1
            assert take(house, {"B.1 产生": arisen(3, {1: 8})}).corrected == 1

    from api.imports import commit_workbook

    report = commit_workbook(
        second, SMELTER, house.recording, house.desk, recorded_by=SMELTER, manner=FILE, watch=watch
    )

    assert told(report) == []
    assert (report.committed, report.corrected) == (True, 1)
    assert mass_of(house, "P0001") == 9_000_000
    assert [was.product.mass_g for each in requests(house) if (was := each.changes[0].was) and was.kind == "generated"] == [
        10_000_000, 8_000_000,
    ]  # fmt: skip


@pytest.mark.long
def test_corrections_are_judged_while_others_write() -> None:
    """Positions of the draft are taken by others meanwhile; the answer is that of a quiet house."""
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(200), "B.4 自行利用处置": [buried(8)]})).committed
    more = iter(range(1, 1000))

    def watch(phase: str, *_: int) -> None:
        if phase == "checking":
            number = next(more)
            row = {"产生批次编码": f"Z{number:04d}", "产生时间": date(2026, 4, 1), "产生量": 1}
            report = take(house, {"B.1 产生": [{**arisen(1)[0], **row}]})
            assert report.facts == 1, told(report)

    from api.imports import commit_workbook

    rows = arisen(200, {1: 5, **dict.fromkeys(range(2, 200), 9)})
    data = filled({"B.1 产生": rows, "B.4 自行利用处置": [buried(5)]})
    report = commit_workbook(data, SMELTER, house.recording, house.desk, recorded_by=SMELTER, manner=FILE, watch=watch)

    assert told(report) == []
    assert counts(report) == (200, 0, 0, 1, 0)
    assert mass_of(house, "P0150") == 9_000_000


def test_a_long_corrected_file_that_breaks_off_says_which_rows_stand() -> None:
    """A neighbour takes what a later row makes lighter, when half of the corrections are recorded."""
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(ROWS)})).committed
    lighter = filled({"B.1 产生": arisen(ROWS, dict.fromkeys(range(1, ROWS + 1), 9))})
    buried_one: list[int] = []

    def weighing(tonnes: int) -> list[int]:
        return [n for n in range(1, ROWS + 1) if mass_of(house, f"P{n:04d}") == tonnes * 1_000_000]

    def watch(phase: str, done: int, total: int) -> None:
        if phase == "recording" and done > total // 2 and not buried_one:
            buried_one.append(weighing(10)[-1])
            report = take(house, {"B.4 自行利用处置": [buried(10, batch=f"P{buried_one[0]:04d}")]})
            assert report.committed, told(report)

    from api.imports import commit_workbook

    report = commit_workbook(
        lighter, SMELTER, house.recording, house.desk, recorded_by=SMELTER, manner=FILE, watch=watch
    )

    assert not report.committed
    clash, stands = report.errors
    assert (clash.place.row, clash.key) == (buried_one[0] + 1, "file-correction-breaks")
    assert stands.key == "import-broke-off"
    asked = len(requests(house))
    assert 0 < asked < ROWS
    assert f"已登记 {asked} 条事实，仍然有效（B.1 产生 " in stands.zh
    told_rows = stands.zh.partition("（B.1 产生 ")[2].partition("）")[0].split("、")
    ends = [[int(end) for end in each.split("-")] for each in told_rows]
    assert [row for each in ends for row in range(each[0], each[-1] + 1)] == [n + 1 for n in weighing(9)]


# who, and out of an error file ----------------------------------------------------------------------------------------


def test_a_delegate_corrects_for_whom_it_has_a_mandate(tmp_path: Path) -> None:
    first, second = first_and_second()
    service: Service = opened(tmp_path)
    owner, delegate = Caller(SMELTER, "administrator"), Caller(DELEGATE, "member")
    assert service.commit_import(owner, SMELTER, first, FILE).committed
    with pytest.raises(Forbidden):
        service.commit_import(delegate, SMELTER, second, FILE)
    mandate = Mandate(
        mandate_id=f"{SMELTER}.W1", delegate=DELEGATE, valid_from=date(2020, 1, 1), valid_to=date(2099, 1, 1)
    )  # fmt: skip
    given = MandateGiven(event_id="W-1", enterprise=SMELTER, event_time=date(2026, 1, 2), mandate=mandate)
    service.state(owner, [given])

    report = service.commit_import(delegate, SMELTER, second, FILE)

    assert counts(report) == (2, 1, 0, 37, 0)
    asked = [entry for entry in service.ledger.entries() if isinstance(entry.event, CorrectionRequested)]
    assert {(entry.enterprise, entry.recorded_by) for entry in asked} == {(SMELTER, DELEGATE)}
    service.close()


def test_a_corrected_file_with_errors_is_mended_in_its_error_workbook_and_comes_in() -> None:
    house = House()
    assert take(house, book(**{"B.1 产生": arisen(4), "B.4 自行利用处置": [buried(8)]})).committed
    rows = [dict(row) for row in arisen(4, {1: 7, 2: 9})]
    rows[2]["产生时间"] = "昨天"
    rows[3]["撤销"] = "撤销"
    data = filled({"B.1 产生": rows, "B.4 自行利用处置": [buried(8)]})
    report = check_workbook(data, SMELTER, house.recording, house.desk, manner=FILE)
    assert [(each.place.cell, each.key) for each in report.errors] == [
        ("H2", "file-correction-breaks"), ("C4", "workbook-time-unreadable"),
    ]  # fmt: skip
    back = marked(read_file(data, FILE.file_name), report, FILE, "zh")
    assert back is not None
    mended = openpyxl.load_workbook(io.BytesIO(back[0]))
    for name, row, head, value in (
        ("B.4 自行利用处置", 2, "利用/处置量", 6), ("B.1 产生", 4, "产生时间", arisen(4)[2]["产生时间"]),
    ):  # fmt: skip
        heads = [cell.value for cell in mended[name][1]]
        mended[name].cell(row, heads.index(head) + 1, value)

    again = take(house, saved(mended))

    assert told(again) == []
    assert counts(again) == (3, 1, 0, 1, 0)
    assert [mass_of(house, code) for code in ("P0001", "P0002", "P0004")] == [1_000_000, 9_000_000, None]
