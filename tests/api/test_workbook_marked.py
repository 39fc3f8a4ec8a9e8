"""The file comes back with its errors: laid out as it was, mended there by another program, it imports clean."""

import io
from functools import cache

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.imports import check_workbook, commit_workbook
from api.workbook.manner import Manner
from api.workbook.marked import marked
from api.workbook.reading import read_file
from api.workbook.report import ImportReport
from tests.api.test_workbook_errors import CELLS, Book, good
from tests.api.workbook_fixtures import SMELTER, House, filled, saved

NAME = "台账.xlsx"


def check(data: bytes, house: House | None = None, manner: Manner | None = None) -> ImportReport:
    house = house or House()
    return check_workbook(data, SMELTER, house.recording, house.desk, manner=manner or Manner(NAME))


def come_back(data: bytes, manner: Manner | None = None) -> bytes:
    """The error file of a file that has errors."""
    how = manner or Manner(NAME)
    answer = marked(read_file(data, how.file_name), check(data, manner=how), how)
    assert answer is not None
    return answer[0]


def wrong() -> Book:
    book = good()
    book["B.1 产生"][0]["产生量"] = "12,5"
    book["B.1 产生"][1]["产生量"] = None
    book["化验"][0]["元素"] = "Aluminium"
    return book


def opened(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def test_errors_stand_first_in_their_rows_and_their_cells_are_marked() -> None:
    book = opened(come_back(filled(wrong())))
    sheet = book["B.1 产生"]

    assert sheet["A1"].value == "错误"
    assert sheet["A2"].value.startswith("产生量：重量“12,5”含逗号")
    assert sheet["A3"].value == "产生量：“产生量”必须填写"
    assert (sheet["I2"].value, sheet["I2"].fill.fgColor.rgb) == ("12,5", "FFFFC7CE")
    assert "含逗号" in sheet["I2"].comment.text
    assert (sheet["I3"].value, sheet["I3"].fill.fgColor.rgb) == (None, "FFFFC7CE")
    assert sheet["C2"].comment is None


def test_all_rows_and_sheets_are_kept_and_only_sheets_with_errors_get_the_column() -> None:
    data = filled(wrong())
    before, after = (read_file(each) for each in (data, come_back(data)))
    kept = {table.name: table.cells for table in after.tables}

    assert [*kept] == ["错误清单", *(table.name for table in before.tables)]
    for table in before.tables:
        dropped = 1 if table.name in ("B.1 产生", "化验") else 0
        assert [row[dropped:] for row in kept[table.name]] == table.cells, table.name
    assert [table.shown for table in after.tables][1:] == [table.shown for table in before.tables]


def test_a_list_of_all_errors_leads_to_their_cells() -> None:
    sheet = opened(come_back(filled(wrong())))["错误清单"]

    assert [[cell.value for cell in row][:4] for row in sheet.iter_rows(min_row=2)] == [
        ["B.1 产生", "I2", "产生量", "12,5"],
        ["B.1 产生", "I3", "产生量", None],
        ["化验", "H2", "元素", "Aluminium"],
    ]
    assert sheet["B2"].hyperlink.location == "'B.1 产生'!I2"


def test_what_is_mended_in_the_error_file_imports_clean() -> None:
    book = opened(come_back(filled(wrong())))
    book["B.1 产生"]["I2"], book["B.1 产生"]["I3"], book["化验"]["H2"] = 10, 5, None

    house = House()
    report = house.take(SMELTER, saved(book))

    assert [each.text() for each in report.errors] == []
    straight = House()
    straight.take(SMELTER, filled(good()))
    assert house.digest() == straight.digest()


def test_an_error_file_handed_in_again_gets_its_errors_once() -> None:
    first = come_back(filled(wrong()))
    again = come_back(first)

    assert [(table.name, table.cells) for table in read_file(again).tables] == [
        (table.name, table.cells) for table in read_file(first).tables
    ]


def test_an_old_error_that_is_mended_is_told_no_more() -> None:
    book = opened(come_back(filled(wrong())))
    book["B.1 产生"]["I2"] = 10
    sheet = opened(come_back(saved(book)))["B.1 产生"]

    assert (sheet["A2"].value, sheet["A3"].value) == (None, "产生量：“产生量”必须填写")


def test_a_title_above_the_headers_stays_above_them() -> None:
    book = opened(filled(wrong()))
    book["B.1 产生"].insert_rows(1, 2)
    book["B.1 产生"]["A1"] = "二〇二六年台账"
    sheet = opened(come_back(saved(book)))["B.1 产生"]

    assert (sheet["B1"].value, sheet["A3"].value, sheet["A1"].value) == ("二〇二六年台账", "错误", None)
    assert sheet["I4"].fill.fgColor.rgb == "FFFFC7CE"


def test_a_wrong_header_is_marked_and_listed() -> None:
    book = opened(filled(good()))
    book["B.1 产生"]["O1"] = "去哪里"
    answer = opened(come_back(saved(book)))

    assert answer["B.1 产生"]["P1"].fill.fgColor.rgb == "FFFFC7CE"
    assert answer["B.1 产生"]["A1"].value == "错误"
    assert answer["错误清单"]["B2"].value == "P1"


def test_a_good_file_has_no_error_file() -> None:
    data = filled(good())

    assert marked(read_file(data, NAME), check(data), Manner(NAME)) is None


def test_same_input_same_bytes() -> None:
    data = filled(wrong())

    assert come_back(data) == come_back(data)


# csv ----------------------------------------------------------------------------------------------------------------

ROWS = [
    ["产生批次编码", "产生时间", "行业俗称/单位内部名称", "废物代码", "产生量", "容器/包装编码"],
    ["HWCS9", "2026/3/9", "一次铝灰渣（电解铝）", "321-024-48", "12,5", "007"],
    ["HWCS8", "2026/3/8", "一次铝灰渣（电解铝）", "321-024-48", "3", '="008"'],
]


def written(rows: list[list[str]], separator: str = ",", encoding: str = "utf-8") -> bytes:
    lines = (separator.join(f'"{cell}"' if separator in cell or '"' in cell else cell for cell in row) for row in rows)
    return "".join(f"{line}\r\n" for line in lines).replace('"="008""', '"=""008"""').encode(encoding)


@cache
def registration_file() -> bytes:
    return filled({"单位信息": good()["单位信息"]})


def registered() -> House:
    house = House()
    house.take(SMELTER, registration_file())
    return house


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_comes_back_as_a_csv_of_the_same_script(encoding: str, separator: str) -> None:
    data, house, manner = written(ROWS, separator, encoding), registered(), Manner("B.1 产生 三月.csv")
    report = check(data, house, manner)
    assert [(each.place.sheet, each.place.cell, each.key) for each in report.errors] == [
        ("B.1 产生", "E2", "mass-comma")
    ]

    answer = marked(read_file(data, manner.file_name), report, manner)

    assert answer is not None
    body, ending = answer
    assert ending == ".csv"
    text = body.decode(encoding)
    assert (text.count("\ufeff"), text.count("\r\n"), text.count(separator) >= 18) == (0, 3, True)
    mended = text.replace('"12,5"', "12.5").replace("12,5", "12.5")
    name = "B.1 产生 三月-错误.csv"
    assert [each.text() for each in check(mended.encode(encoding), house, Manner(name)).errors] == []


# any mixture --------------------------------------------------------------------------------------------------------

READ_ALONE = [each for each in CELLS if each[3] is not None and each[5].startswith(("mass-", "workbook-time", "workbook-percent", "workbook-count", "workbook-number", "workbook-text", "workbook-element"))]  # fmt: skip
"""Cells that are wrong whatever stands beside them."""


@pytest.mark.long
@settings(max_examples=10, deadline=None)
@given(st.sets(st.integers(0, len(READ_ALONE) - 1), min_size=1))
def test_every_bad_cell_of_any_mixture_is_named_once_and_nothing_is_recorded(picked: set[int]) -> None:
    book = good()
    typed: dict[tuple[str, str], str] = {}
    for number in sorted(picked):
        sheet, at, header, value, cell, key, _ = READ_ALONE[number]
        book[sheet][at][header] = value
        typed[sheet, cell] = key
    house, data = House(), filled(book)

    report = commit_workbook(data, SMELTER, house.recording, house.desk, recorded_by=SMELTER)

    named = [(each.place.sheet, each.place.cell) for each in report.errors]
    assert sorted(named) == sorted(typed)
    assert (house.ledger.head().position, report.committed) == (0, False)
    sheets = opened(come_back(data))
    for sheet, cell in typed:
        shifted = sheets[sheet][cell].offset(0, 1)
        assert shifted.fill.fgColor.rgb == "FFFFC7CE", (sheet, cell)
