"""An enterprise's own names for our columns: read only by its word, told in every report, remembered and forgotten."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from api.imports import check_workbook
from api.service import Service
from api.settings import Settings
from api.workbook.manner import GIVEN_MAX, Manner, given_columns
from api.workbook.report import ImportReport
from flows.access import Caller
from flows.errors import Malformed
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger
from tests.api.test_cli import Shell
from tests.api.test_workbook_errors import good
from tests.api.test_workbook_marked import opened, registered, registration_file, written
from tests.api.workbook_fixtures import DROSS, PLANT, SMELTER, filled, now, saved
from tests.api.world import SMELTER as WIRE_SMELTER
from tests.api.world import World

OWN = [
    ["批号", "产生日期", "品名", "危废代码", "净重", "袋号", "审核人"],
    ["HWCS9", "2026/3/9", DROSS, "321-024-48", "12.5", "007", "张三"],
]
GIVEN = (
    "批号=产生批次编码", "产生日期=产生时间", "品名=行业俗称/单位内部名称", "危废代码=废物代码", "净重=产生量",
    "袋号=容器/包装编码", "审核人=",
)  # fmt: skip
NAME = "B.1 产生.csv"
ME = Caller(SMELTER, "administrator")


def check(data: bytes, *given: str, name: str = NAME) -> ImportReport:
    house = registered()
    manner = Manner(name, given=given_columns(given))
    return check_workbook(data, SMELTER, house.recording, house.desk, manner=manner)


def keys(report: ImportReport) -> list[str]:
    return [each.key for each in report.errors]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    own = Service.over(Settings(data=tmp_path), MemoryLedger(), MemoryDesk(), now)
    own.commit_import(ME, SMELTER, registration_file(), Manner("台账.xlsx"))
    return own


def test_unknown_headers_are_listed_with_what_they_may_mean_and_what_they_hold() -> None:
    report = check(written(OWN))

    assert set(keys(report)) == {"workbook-header-unknown", "workbook-header-missing"}
    told = {each.header: each for each in report.headers_unknown}
    assert list(told) == OWN[0]
    assert {header: told[header].suggestions[0] for header in OWN[0][:6]} == {
        "批号": "产生批次编码", "产生日期": "产生时间", "品名": "行业俗称/单位内部名称", "危废代码": "废物代码",
        "净重": "产生量", "袋号": "容器/包装编码",
    }  # fmt: skip
    assert told["审核人"].suggestions == ()
    assert (told["净重"].cell, told["净重"].samples) == ("E1", ("12.5",))
    assert "产生量" in told["净重"].columns
    assert report.rows == 0, "nothing is guessed"


def test_what_is_given_is_read_so_and_told() -> None:
    report = check(written(OWN), *GIVEN)

    assert keys(report) == []
    assert report.facts == 1
    assert [(each.header, each.column, each.how) for each in report.headers] == [
        (own, ours, "given") for own, ours in (each.split("=") for each in GIVEN)
    ]


def test_errors_below_an_own_header_stand_at_its_cell_in_our_words() -> None:
    rows = [OWN[0], [*OWN[1][:4], "12,5", *OWN[1][5:]]]

    problem = check(written(rows), *GIVEN).errors[0]

    assert (problem.place.cell, problem.place.column, problem.key) == ("E2", "产生量", "mass-comma")


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("净重=产生里", "column-given-unknown"),
        ("毛重=产生量", "column-given-unused"),
        ("B.9 产生:净重=产生量", "column-given-unused"),
        ("B.2 入库:净重=入库量", "column-given-unused"),
        ("袋号=产生量", "workbook-header-twice"),
    ],
)
def test_a_slip_in_what_is_given_is_told(given: str, key: str) -> None:
    assert key in keys(check(written(OWN), *(each for each in GIVEN if "袋号" not in each), given))


@pytest.mark.parametrize("text", ["净重", "=产生量", " = ", "长" * 300 + "=产生量"])
def test_what_maps_nothing_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        given_columns([text])

    assert caught.value.key == "column-given-unreadable"


def test_more_than_any_file_has_is_refused() -> None:
    with pytest.raises(Malformed) as caught:
        given_columns(["a=b"] * (GIVEN_MAX + 1))

    assert caught.value.key == "column-given-too-many"


def test_a_name_may_hold_the_signs_of_the_option_itself() -> None:
    first, second, third = given_columns(["B.1产生:重量=净=产生量", "B.1 产生：净重=—", "时间:日=产生时间"])

    assert (first.sheet, first.header, first.column) == ("B.1产生", "重量=净", "产生量")
    assert (third.sheet, third.header, third.column) == ("", "时间:日", "产生时间")
    assert (second.sheet, second.header, second.unread) == ("B.1 产生", "净重", True)


def test_one_sheets_word_is_not_anothers() -> None:
    book = opened(filled(good()))
    book["B.1 产生"]["O1"] = book["B.2 入库"]["O1"] = "说明"

    report = check(saved(book), "B.1 产生:说明=去向", name="台账.xlsx")

    assert [(each.sheet, each.header) for each in report.headers] == [("B.1 产生", "说明")]
    assert [(each.sheet, each.header) for each in report.headers_unknown] == [("B.2 入库", "说明")]


def test_what_was_recorded_with_is_remembered_and_applied_by_itself(service: Service) -> None:
    first = service.commit_import(ME, SMELTER, written(OWN), Manner(NAME, given=given_columns(GIVEN)))
    assert (keys(first), first.committed) == ([], True)

    rows = [OWN[0], ["HWCS10", *OWN[1][1:]]]
    again = service.commit_import(ME, SMELTER, written(rows), Manner("四月.csv"))

    assert (keys(again), again.facts) == ([], 1)
    assert [each.how for each in again.sheets] == ["remembered"], "the form is known by its headers"
    assert {each.how for each in again.headers} == {"remembered"}


def test_a_check_remembers_nothing(service: Service) -> None:
    service.check_import(ME, SMELTER, written(OWN), Manner(NAME, given=given_columns(GIVEN)))

    assert service.columns_of(ME, SMELTER) == {}


def test_what_is_said_now_goes_before_what_was_said(service: Service) -> None:
    service.remember_columns(ME, SMELTER, written(OWN), Manner(NAME, given=given_columns(GIVEN)))
    other = (*GIVEN[:5], "袋号=", "审核人=产生部门经办人")

    report = service.remember_columns(ME, SMELTER, written(OWN), Manner(NAME, given=given_columns(other)))

    assert keys(report) == []
    kept = service.columns_of(ME, SMELTER)["b1"].columns
    assert (kept["袋号"], kept["审核人"], kept["净重"]) == ("", "handler", "mass")


def test_a_word_on_one_column_leaves_the_others_as_they_were(service: Service) -> None:
    service.remember_columns(ME, SMELTER, written(OWN), Manner(NAME, given=given_columns(GIVEN)))

    given = given_columns(["审核人=产生部门经办人"])
    report = service.remember_columns(ME, SMELTER, written(OWN), Manner(NAME, given=given))

    assert keys(report) == []
    kept = service.columns_of(ME, SMELTER)["b1"].columns
    assert (kept["审核人"], kept["净重"], len(kept)) == ("handler", "mass", len(OWN[0]))


def test_what_is_remembered_is_the_enterprises_own_and_can_be_forgotten(service: Service) -> None:
    service.remember_columns(ME, SMELTER, written(OWN), Manner(NAME, given=given_columns(GIVEN)))
    plant = Caller(PLANT, "administrator")
    assert service.columns_of(plant, PLANT) == {}

    service.forget_columns(plant, PLANT)
    assert list(service.columns_of(ME, SMELTER)) == ["b1"]
    service.forget_columns(ME, SMELTER, "b2")
    assert list(service.columns_of(ME, SMELTER)) == ["b1"]
    service.forget_columns(ME, SMELTER, "b1")

    assert service.columns_of(ME, SMELTER) == {}
    assert "workbook-header-unknown" in keys(service.check_import(ME, SMELTER, written(OWN), Manner(NAME)))


def test_our_own_header_is_never_read_as_something_else(service: Service) -> None:
    """A word on a header of ours is a slip: it would turn the template into another form."""
    rows = [
        ["产生批次编码", "产生时间", "行业俗称/单位内部名称", "产生量", "备注"],
        ["X1", "2026/3/9", DROSS, "1", "y"],
    ]

    report = service.check_import(ME, SMELTER, written(rows), Manner(NAME, given=given_columns(["备注=去向"])))

    assert keys(report) == ["column-given-unused"]


def test_a_workbook_of_ones_own_sheet_and_columns(service: Service) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "危废产生台账"
    sheet.append(["某某铝业危险废物台账"])
    for row in OWN:
        sheet.append(row)
    assert keys(service.check_import(ME, SMELTER, saved(book))) == ["workbook-sheet-unclear"]
    sheet["A1"] = "B.1 产生"

    first = service.commit_import(ME, SMELTER, saved(book), Manner("台账.xlsx", given=given_columns(GIVEN)))
    sheet["A1"] = "某某铝业危险废物台账"
    again = service.commit_import(ME, SMELTER, saved(book), Manner("台账.xlsx"))

    assert (keys(first), first.facts) == ([], 1)
    assert (keys(again), again.unchanged) == ([], 1)


# the command line ---------------------------------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    own = Shell(tmp_path / "data")
    file = tmp_path / "登记.xlsx"
    file.write_bytes(registration_file())
    own.run("import", str(file), "--as", SMELTER)
    return own


def options() -> list[str]:
    return [word for each in GIVEN for word in ("--map", each)]


def test_the_command_maps_remembers_lists_and_forgets(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / NAME
    file.write_bytes(written(OWN, encoding="gb18030"))
    asked = shell.run("import", str(file), "--as", SMELTER, expect=1).stdout
    assert "--map 'B.1 产生:净重=产生量'" in asked

    shell.run("import", str(file), "--as", SMELTER, *options())
    assert "“净重”按“产生量”读取（已记住）" in shell.run("import", str(file), "--as", SMELTER).stdout

    told: Any = shell.json("columns", "list", "--as", SMELTER)
    assert told["B.1 产生"]["净重"] == "产生量"
    assert "净重" in shell.run("columns", "list", "--as", SMELTER).stdout
    shell.run("columns", "forget", "--as", SMELTER, "--sheet", "B.9", expect=2)
    shell.run("columns", "forget", "--as", SMELTER, "--sheet", "B.1产生")
    assert shell.json("columns", "list", "--as", SMELTER) == {}


def test_the_command_writes_the_error_file_beside_the_file_and_over_nothing(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / NAME
    file.write_bytes(written([OWN[0], [*OWN[1][:4], "12,5", *OWN[1][5:]], ["HWCS8", *OWN[1][1:]]]))
    first = shell.json("import", str(file), "--as", SMELTER, *options(), "--good-rows", expect=1)
    assert (first["committed"], first["facts"], first["good"]) == (True, 1, False)
    back = tmp_path / "B.1 产生-错误.csv"
    assert first["errors_file"] == str(back)
    kept = back.read_bytes()

    again = shell.json("import", str(file), "--as", SMELTER, expect=1)
    assert again["errors_file"] == str(tmp_path / "B.1 产生-错误-2.csv")
    assert back.read_bytes() == kept
    elsewhere = tmp_path / "out" / "e.csv"
    assert "其中改正" in shell.run("import", str(file), "--as", SMELTER, "--errors-to", str(elsewhere), expect=1).stdout
    assert elsewhere.read_bytes() == kept

    back.write_bytes(kept.replace(b'"12,5"', b"12.5"))
    mended = shell.json("import", str(back), "--as", SMELTER)
    assert (mended["errors"], mended["facts"], mended["unchanged"], mended["errors_file"]) == ([], 1, 1, None)


def test_where_nothing_can_be_written_the_report_stands(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / NAME
    file.write_bytes(written(OWN))
    in_the_way = tmp_path / "file"
    in_the_way.write_bytes(b"")

    told = shell.run("import", str(file), "--as", SMELTER, "--errors-to", str(in_the_way / "e.csv"), expect=1)

    assert "--errors-to" in told.stderr
    assert "nothing recorded" in told.stdout


# the wire -----------------------------------------------------------------------------------------------------------


def post(world: World, path: str, rows: list[list[str]], seat: str = "smelter", **fields: Any) -> Any:
    files = {"file": ("B.1 产生.csv", written(rows))}
    return world.client.post(f"/api/v1/{path}", files=files, data=fields, headers=world.headers(seat))


def test_the_wire_maps_records_good_rows_and_gives_the_file_back(fresh: World) -> None:
    wrong = [OWN[0], [*OWN[1][:4], "12,5", *OWN[1][5:]], ["HWCS8", *OWN[1][1:]]]
    checked = post(fresh, "imports/check", wrong, map=list(GIVEN)).json()
    assert [each["key"] for each in checked["errors"]] == ["mass-comma"]
    assert fresh.get("smelter", "imports/columns").json()["columns"] == []

    told = post(fresh, "imports", wrong, map=list(GIVEN), good_rows="true")
    assert (told.status_code, told.json()["facts"], told.json()["committed"]) == (201, 1, True)
    columns = fresh.get("smelter", "imports/columns").json()
    assert {"sheet": "B.1 产生", "header": "净重", "column": "产生量"} in columns["columns"]
    assert {"sheet": "B.1 产生", "header": "审核人", "column": None} in columns["columns"]

    back = post(fresh, "imports/errors", wrong)
    assert back.status_code == 200
    assert back.headers["content-type"].startswith("text/csv")
    assert back.content.decode().splitlines()[1].startswith('"产生量：')
    assert post(fresh, "imports/errors", [OWN[0], ["HWCS8", *OWN[1][1:]]]).status_code == 204

    gone = fresh.client.delete("/api/v1/imports/columns?sheet=B.1产生", headers=fresh.headers("smelter"))
    assert (gone.status_code, gone.json()) == (200, {"enterprise": WIRE_SMELTER, "columns": []})


@pytest.mark.parametrize("seat", ["stranger", "smelter's reader", "province"])
def test_columns_and_error_files_are_the_enterprises_own(fresh: World, seat: str) -> None:
    asked = {"enterprise": WIRE_SMELTER}
    headers = fresh.headers(seat)

    assert fresh.client.get("/api/v1/imports/columns", params=asked, headers=headers).status_code == 403
    assert fresh.client.delete("/api/v1/imports/columns", params=asked, headers=headers).status_code == 403
    assert post(fresh, "imports/errors", OWN, seat, **asked).status_code == 403


def test_what_maps_nothing_is_a_problem_on_the_wire(fresh: World) -> None:
    told = post(fresh, "imports/check", OWN, map=["净重"])

    assert (told.status_code, told.json()["code"]) == (422, "column-given-unreadable")
