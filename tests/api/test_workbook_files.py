"""Files in the shapes that enterprises have: old .xls, .csv of many scripts, what another program saved, nameless sheets."""

import csv
import io
import re
import shutil
import struct
import subprocess
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from api.imports import check_workbook, commit_workbook
from api.workbook.biff import unpacked
from api.workbook.manner import Manner
from api.workbook.reading import read_file
from api.workbook.report import ImportReport
from flows.errors import Malformed
from tests.api.test_workbook_errors import Book, good, only
from tests.api.test_workbook_marked import registered, written
from tests.api.workbook_fixtures import DROSS, SMELTER, TEMPLATE, TRADE, House, filled, saved

OFFICE = shutil.which("soffice")
HEADERS = ["产生批次编码", "产生时间", TRADE, "废物代码", "产生量", "容器/包装编码"]
B1 = [HEADERS, ["HWCS9", "2026/3/9", DROSS, "321-024-48", "12.5", "007"]]


def check(data: bytes, name: str = "", house: House | None = None) -> ImportReport:
    house = house or registered()
    return check_workbook(data, SMELTER, house.recording, house.desk, manner=Manner(name))


def told(report: ImportReport) -> list[str]:
    return [each.text() for each in report.errors]


def container(data: bytes, name: str) -> tuple[str | None, str]:
    """The container's code and the time of the one batch that a file tells of."""
    house = registered()
    report = commit_workbook(data, SMELTER, house.recording, house.desk, recorded_by=SMELTER, manner=Manner(name))
    assert told(report) == []
    last = house.facts()[-1]
    assert last.kind == "generated"
    return (last.product.packing.code if last.product.packing else None), last.model_dump(mode="json")["event_time"]


# xls ----------------------------------------------------------------------------------------------------------------


def old(book: Book, data: bytes | None = None) -> bytes:
    """The same rows as an .xls, as the Excel of 1997 wrote it."""
    made = xlwt.Workbook(encoding="utf-8")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    moment = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss")
    source = openpyxl.load_workbook(io.BytesIO(data or filled(book)))
    for sheet in source:
        if sheet.sheet_state != "visible":
            continue
        target = made.add_sheet(sheet.title)
        for row in sheet.iter_rows():
            for cell in row:
                value: Any = cell.value
                if isinstance(value, datetime):
                    target.write(cell.row - 1, cell.column - 1, value, moment if value.time() != time() else day)
                elif value is not None:
                    target.write(cell.row - 1, cell.column - 1, value)
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def test_an_xls_is_the_same_facts_as_the_xlsx() -> None:
    houses = House(), House()
    for house, data in zip(houses, (filled(good()), old(good())), strict=True):
        assert told(house.take(SMELTER, data)) == []

    assert houses[0].digest() == houses[1].digest()


def test_an_xls_is_known_by_what_it_holds_not_by_its_name() -> None:
    assert told(check(old(good()), "台账.xlsx")) == []
    assert told(check(filled(good()), "台账.xls")) == []


def test_errors_of_an_xls_stand_where_excel_shows_them() -> None:
    book = good()
    book["B.1 产生"][1]["产生量"] = "很多"

    problem = only(check(old(book)))

    assert (problem.place.sheet, problem.place.cell, problem.read) == ("B.1 产生", "H3", "很多")


def patched(data: bytes, before: bytes, after: bytes) -> bytes:
    assert data.count(before) >= 1
    return data.replace(before, after, 1)


def test_a_result_that_is_an_error_is_never_an_empty_cell() -> None:
    """Readers turn #DIV/0! into nothing: what a formula of an .xls answers is looked at in the file itself."""
    made = xlwt.Workbook()
    sheet = made.add_sheet("化验")
    sheet.write(0, 0, "x")
    sheet.write(1, 4, xlwt.Formula("1/0"))
    sheet.write(1, 5, xlwt.Formula("1+1"))
    target = io.BytesIO()
    made.save(target)
    empty = struct.pack("<Q", 0xFFFF000000000003)  # what xlwt writes, who computes nothing: an empty text
    failed = struct.pack("<Q", 0xFFFF000000070002)  # #DIV/0!
    data = patched(target.getvalue(), empty, failed)

    assert unpacked(data)[1] == {"化验": frozenset({"E2"})}


def test_a_workbook_under_a_password_says_so() -> None:
    xls = old(good())
    name, after = (each.encode("utf-16-le") for each in ("Workbook", "EncryptedPackage"))
    entry = name.ljust(64, b"\0") + struct.pack("<H", len(name) + 2)
    renamed = patched(xls, entry, after.ljust(64, b"\0") + struct.pack("<H", len(after) + 2))
    locked = patched(xls, b"\x19\x00\x02\x00", b"\x2f\x00\x02\x00")  # some record of two bytes is a FILEPASS

    assert [only(check(data)).key for data in (renamed, locked)] == ["file-protected", "file-protected"]


def test_an_xls_that_reaches_too_far_is_refused_before_it_is_laid_out() -> None:
    made = xlwt.Workbook()
    made.add_sheet("化验").write(65535, 255, "x")
    target = io.BytesIO()
    made.save(target)

    assert only(check(target.getvalue())).key == "workbook-too-long"


SMALL_XLS = old({"B.1 产生": []}, filled({"B.1 产生": []}))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2_000) | st.integers(0, len(SMALL_XLS) - 1), st.integers(0, 255)), min_size=1),
    st.integers(600, len(SMALL_XLS)),
)
def test_a_damaged_xls_is_refused_and_kills_nobody(changes: list[tuple[int, int]], length: int) -> None:
    """Its reader takes what the file declares: unguarded, one byte makes it ask for terabytes, and the process dies."""
    data = bytearray(SMALL_XLS)
    for at, value in changes:
        data[at] = value
    try:
        _ = read_file(bytes(data[:length]), "台账.xls")
    except Malformed as problem:
        assert problem.key in {"workbook-unreadable", "workbook-too-long", "file-protected", *NOT_AN_XLS}


NOT_AN_XLS = {"file-not-a-table", "csv-encoding-unknown", "csv-quote-unclosed", "csv-cell-long"}
"""What its first bytes, once changed, make of it."""


@pytest.mark.parametrize("at", [44, 62, 64, 72])
def test_what_a_container_declares_is_not_believed(at: int) -> None:
    data = bytearray(old(good()))
    data[at : at + 4] = b"\xff\xff\xff\x7f"

    assert {each.key for each in check(bytes(data)).errors} <= {"workbook-unreadable"}


def test_more_texts_or_rows_than_there_are_bytes_are_refused() -> None:
    xls = old(good())
    texts = xls.index(b"\xfc\x00", xls.index(b"\x85\x00"))
    many = bytearray(xls)
    many[texts + 8 : texts + 12] = b"\xff\xff\xff\x7f"
    far = bytearray(xls)
    reach = xls.index(b"\x00\x02\x0e\x00")
    far[reach + 8 : reach + 12] = b"\xff\xff\xff\xff"

    assert [only(check(bytes(each))).key for each in (many, far)] == ["workbook-unreadable"] * 2


def test_more_shared_texts_than_bytes_are_refused_in_an_xlsx() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(TEMPLATE)) as before, zipfile.ZipFile(target, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            if name.endswith("sharedStrings.xml"):
                text = re.sub(rb'uniqueCount="\d+"', b'uniqueCount="4294967295"', text)
            after.writestr(name, text)
        assert "xl/sharedStrings.xml" in after.namelist()

    assert only(check(target.getvalue())).key == "workbook-unreadable"


@pytest.mark.parametrize("cut", [600, 3000, 20_000])
def test_a_torn_xls_is_told_as_damaged(cut: int) -> None:
    assert {each.key for each in check(old(good())[:cut]).errors} <= {"workbook-unreadable", "file-holds-no-rows"}


def test_a_long_code_that_was_typed_as_a_number_is_an_error_in_an_xls_too() -> None:
    book = good()
    book["化验"][0]["化验编号"] = 20260309001

    assert (only(check(old(book))).place.cell, only(check(old(book))).key) == ("A2", "workbook-number-for-code")


# another program ----------------------------------------------------------------------------------------------------


def converted(folder: Path, data: bytes, to: str) -> bytes:
    """What LibreOffice makes of a file."""
    source = folder / "台账.xlsx"
    source.write_bytes(data)
    out = folder / "out"
    command = [str(OFFICE), "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", to]
    done = subprocess.run([*command, "--outdir", str(out), str(source)], capture_output=True, check=True, timeout=100)
    made = out / f"台账.{to.partition(':')[0]}"
    assert made.exists(), done.stderr
    return made.read_bytes()


@pytest.mark.office
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed here")
@pytest.mark.parametrize("to", ["xls", "xlsx"])
def test_what_libreoffice_saved_is_the_same_facts(to: str, tmp_path: Path) -> None:
    houses = House(), House()
    data = filled(good())
    for house, each in zip(houses, (data, converted(tmp_path, data, to)), strict=True):
        assert told(house.take(SMELTER, each)) == []

    assert houses[0].digest() == houses[1].digest()


@pytest.mark.office
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed here")
@pytest.mark.parametrize("to", ["xls", "xlsx"])
def test_formulas_that_libreoffice_computed_count_and_failed_ones_are_told(to: str, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(filled(good())))
    book["B.1 产生"]["H2"] = "=4+6"
    book["B.1 产生"]["K2"] = '=IF(H2>0,"","x")'
    book["B.1 产生"]["N3"] = "=1/0"

    problem = only(check(converted(tmp_path, saved(book), to)))

    assert (problem.place.cell, problem.key) == ("N3", "workbook-formula-without-result")


@pytest.mark.office
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed here")
def test_the_error_file_mended_in_another_program_imports_clean(tmp_path: Path) -> None:
    from tests.api.test_workbook_marked import come_back, opened, wrong

    book = opened(come_back(filled(wrong())))
    book["B.1 产生"]["I2"], book["B.1 产生"]["I3"], book["化验"]["H2"] = "=5+5", 5, None

    house = House()

    assert told(house.take(SMELTER, converted(tmp_path, saved(book), "xlsx"))) == []


# csv ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_csv_is_read_in_any_script(encoding: str, separator: str) -> None:
    assert container(written(B1, separator, encoding), "B.1 产生.csv") == ("007", "2026-03-09")


def test_a_csv_may_say_its_separator_and_rows_count_as_excel_shows_them() -> None:
    rows = [HEADERS, ["HWCS9", "2026/3/9", DROSS, "321-024-48", "12,5", "7,1"]]
    data = b"sep=;\r\n" + written(rows, ";")

    problem = only(check(data, "B.1 产生.csv"))

    assert (problem.place.cell, problem.key) == ("E2", "mass-comma")


def test_a_cell_over_several_lines_is_one_row() -> None:
    target = io.StringIO()
    rows = [[*HEADERS, "备注"], [*B1[1], "一行\n两行\n三行"], [*B1[1][:4], "many", "008", ""]]
    csv.writer(target).writerows(rows)

    problem = only(check(target.getvalue().encode(), "B.1 产生.csv"))

    assert (problem.place.cell, problem.place.row) == ("E3", 3)


def test_a_quote_that_is_never_closed_swallows_nothing() -> None:
    data = written(B1).replace(b"HWCS9", b'"HWCS9')

    problem = only(check(data, "B.1 产生.csv"))

    assert problem.key == "csv-quote-unclosed"
    assert "第 2 行" in problem.zh


@pytest.mark.parametrize(
    ("typed", "code"),
    [("007", "007"), ('="007"', "007"), ("\t007", "007"), ("'=007", "=007"), ("００７", "007"), (" K-7 ", "K-7")],
)
def test_a_code_of_a_csv_keeps_its_noughts_however_it_was_protected(typed: str, code: str) -> None:
    rows = [HEADERS, [*B1[1][:5], typed]]
    target = io.StringIO()
    csv.writer(target).writerows(rows)

    assert container(target.getvalue().encode(), "B.1 产生.csv")[0] == code


@pytest.mark.parametrize(
    ("at", "typed", "key"),
    [(5, "9.15101E+17", "workbook-number-for-code"), (4, "=5+5", "workbook-formula-without-result"),
     (1, "46090", "workbook-time-unreadable"), (1, "20261332", "workbook-time-unreadable")],
)  # fmt: skip
def test_what_excel_ruined_in_a_csv_is_told(at: int, typed: str, key: str) -> None:
    row = [*B1[1]]
    row[at] = typed

    assert only(check(written([HEADERS, row]), "B.1 产生.csv")).key == key


@pytest.mark.parametrize("typed", ["20260309", "2026/03/09", "2026.3.9", "2026年3月9日", "２０２６－３－９"])
def test_a_day_of_a_csv_is_read_as_people_write_it(typed: str) -> None:
    row = [B1[1][0], typed, *B1[1][2:]]

    assert container(written([HEADERS, row]), "B.1 产生.csv")[1] == "2026-03-09"


# whose sheet --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["B.1 产生.csv", "2026年三月B.1产生（一厂）.csv", "台账-Ｂ.１ 产生.CSV", "b.1.csv", "危废B1.csv", "C:\\台账\\B.1 产生.csv"]
)  # fmt: skip
def test_a_csv_is_the_sheet_that_its_name_says(name: str) -> None:
    report = check(written(B1), name)

    assert (told(report), [(each.sheet, each.how) for each in report.sheets]) == ([], [("B.1 产生", "file_name")])


def test_a_csv_is_the_sheet_that_its_title_says_whatever_its_name() -> None:
    report = check(written([["B.1 产生", "", "2026 年"], *B1]), "B.2 入库.csv")

    assert (told(report), report.sheets[0].how) == ([], "title")


def test_a_csv_may_say_its_sheet_in_each_row() -> None:
    rows = [["工作表", *HEADERS], ["B.1 产生", *B1[1]]]

    assert told(check(written(rows), "导出.csv")) == []


def test_a_csv_is_the_sheet_that_its_headers_fit() -> None:
    report = check(written(B1), "导出.csv")

    assert (told(report), report.sheets[0].how) == ([], "headers")


def test_headers_that_fit_several_sheets_are_an_error_with_the_candidates() -> None:
    rows = [["记录编号", "时间", "批次编码", "数量"], ["C1", "2026/3/9", "AL1", "1"]]
    rows[0] = ["序号", "批次编码"]

    problem = only(check(written(rows), "导出.csv"))

    assert problem.key == "csv-sheet-unclear"
    assert len(problem.allowed) > 1
    assert all(name in problem.zh for name in problem.allowed[:2])


def test_a_workbook_of_one_nameless_sheet_is_read_by_its_headers_and_says_so() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in B1:
        sheet.append(row)

    report = check(saved(book))

    assert told(report) == []
    assert [(each.table, each.sheet, each.how) for each in report.sheets] == [("Sheet", "B.1 产生", "headers")]


def test_two_nameless_sheets_of_one_kind_are_not_thrown_together() -> None:
    book = openpyxl.Workbook()
    for title in ("一月", "二月"):
        sheet = book.create_sheet(title)
        for row in B1:
            sheet.append(row)

    assert only(check(saved(book))).key == "workbook-sheet-twice"


def test_a_nameless_sheet_beside_named_ones_is_passed_over_and_said() -> None:
    book = openpyxl.load_workbook(io.BytesIO(filled(good())))
    sheet = book.create_sheet("草稿")
    for row in B1:
        sheet.append(row)

    report = check(saved(book), house=House())

    assert (told(report), [each.key for each in report.findings]) == ([], ["workbook-sheet-not-read"])


def test_a_workbook_without_any_row_of_ours_is_an_error() -> None:
    assert only(check(saved(openpyxl.Workbook()))).key == "file-holds-no-rows"


def test_an_empty_text_is_a_formulas_result() -> None:
    """A formula behind a cell without content is found in its own cell, not in the one before it."""
    from api.workbook.reading import _broken

    xml = (
        b'<row><c r="A1" s="1"/><c r="B1" t="str"><f>IF(1,"","")</f><v></v></c><c r="C1" s="2"/>'
        b'<c r="D1"><f>1+1</f></c><c r="E1" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    )

    assert [*_broken(xml)] == ["D1", "E1"]


def test_a_day_is_a_day_in_every_form() -> None:
    row = {"产生批次编码": "HWCS1", "产生时间": date(2026, 3, 9), TRADE: DROSS, "产生量": 1, "容器/包装编码": "1"}
    data = filled({"B.1 产生": [row]})

    assert container(data, "") == container(old({}, data), "") == ("1", "2026-03-09")
