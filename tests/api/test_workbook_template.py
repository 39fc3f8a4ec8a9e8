"""The template as another program opens it: headers in the official order, dropdowns, text columns, the hidden lists."""

import io

import openpyxl
import pytest
from openpyxl import Workbook

from api.workbook.sheets import CODES_SHEET, NOTES_SHEET, SHEETS
from api.workbook.template import CHECKED_ROWS, escaped, template
from flows.materials import catalogue
from tests.api.workbook_fixtures import TEMPLATE

OFFICIAL = {
    "B.1 产生": ["序号", "产生批次编码", "产生时间", "行业俗称/单位内部名称", "国家危险废物名录名称", "废物类别", "废物代码", "产生量",
               "计量单位", "容器/包装编码", "容器/包装类型", "容器/包装数量", "产生危险废物设施编码", "产生部门经办人", "去向"],
    "B.2 入库": ["序号", "入库批次编码", "入库时间", "容器/包装编码", "容器/包装类型", "容器/包装数量", "行业俗称/单位内部名称",
               "国家危险废物名录名称", "废物类别", "废物代码", "入库量", "计量单位", "贮存设施编码", "贮存设施类型", "运送部门经办人",
               "贮存部门经办人", "产生批次编码"],
    "B.3 出库": ["序号", "出库批次编码", "出库时间", "容器/包装编码", "容器/包装类型", "容器/包装数量", "行业俗称/单位内部名称",
               "国家危险废物名录名称", "废物类别", "废物代码", "出库量", "计量单位", "贮存设施编码", "贮存设施类型", "出库部门经办人",
               "运送部门经办人", "入库批次编码", "去向"],
    "B.4 自行利用处置": ["序号", "自行利用/处置批次编码", "利用/处置时间", "容器/包装编码", "容器/包装类型", "容器/包装数量",
                   "行业俗称/单位内部名称", "国家危险废物名录名称", "废物类别", "废物代码", "利用/处置量", "计量单位",
                   "利用/处置设施编码", "利用/处置方式", "利用/处置完毕时间", "利用/处置部门经办人", "产生/出库批次编码"],
    "B.5 委外利用处置": ["序号", "委外利用/处置批次编码", "出厂时间", "容器/包装编码", "容器/包装类型", "容器/包装数量",
                   "行业俗称/单位内部名称", "国家危险废物名录名称", "废物类别", "废物代码", "委外利用/处置量", "计量单位",
                   "利用/处置方式", "接收单位类型", "危险废物经营许可证持有单位名称", "许可证编码",
                   "危险废物利用处置环节豁免管理单位名称", "境外的危险废物利用处置单位名称", "危险废物出口核准通知单编号",
                   "产生/出库批次编码", "联单编号", "接受人信用代码", "承运人", "车牌"],
}  # fmt: skip


@pytest.fixture(scope="module")
def book() -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(TEMPLATE))


def test_the_sheets_stand_in_their_order(book: Workbook) -> None:
    assert book.sheetnames == [NOTES_SHEET, *(sheet.zh for sheet in SHEETS), CODES_SHEET]


@pytest.mark.parametrize(("name", "headers"), OFFICIAL.items())
def test_the_official_columns_come_first_and_in_order(book: Workbook, name: str, headers: list[str]) -> None:
    found = [cell.value for cell in book[name][1]]

    assert found[: len(headers)] == headers
    assert len(set(found)) == len(found)


def test_long_lists_stand_on_a_hidden_sheet(book: Workbook) -> None:
    codes = book[CODES_SHEET]

    assert codes.sheet_state == "hidden"
    assert [cell.value for cell in codes["A"]][1:] == [each.name_zh for each in catalogue().materials.values()]
    lists = [each for each in book["生产记录"].data_validations.dataValidation if CODES_SHEET in (each.formula1 or "")]
    assert {str(each.sqref) for each in lists} >= {f"C2:C{CHECKED_ROWS + 1}", f"I2:I{CHECKED_ROWS + 1}"}


def test_every_list_that_stands_inline_is_short_enough_for_excel(book: Workbook) -> None:
    inline = [
        each.formula1
        for sheet in book
        for each in sheet.data_validations.dataValidation
        if each.formula1 and each.formula1.startswith('"')
    ]

    assert inline
    assert max(map(len, inline)) <= 257


def test_columns_of_codes_are_text_and_required_headers_say_so(book: Workbook) -> None:
    for sheet in SHEETS:
        page = book[sheet.zh]
        for at, column in enumerate(sheet.columns, 1):
            letter = page.cell(1, at).column_letter
            if column.kind in ("code", "uscc", "waste", "method"):
                assert page.column_dimensions[_dimension(page, letter)].number_format == "@", column
            note = page.cell(1, at).comment
            assert note is not None
            assert ("必填" in note.text) == column.required


def _dimension(page: object, letter: str) -> str:
    """Openpyxl groups equal columns under the first of them."""
    from openpyxl.utils import column_index_from_string

    dimensions = page.column_dimensions  # type: ignore[attr-defined]
    at = column_index_from_string(letter)
    return next(key for key, each in dimensions.items() if each.min <= at <= each.max)


def test_the_notes_explain_every_column_in_two_languages(book: Workbook) -> None:
    rows = [[cell.value for cell in row] for row in book[NOTES_SHEET].iter_rows()]

    for sheet in SHEETS:
        assert any(row[0] == sheet.zh and row[2] == sheet.help_zh and sheet.help_en in row[3] for row in rows)
        for column in sheet.columns:
            assert any(row[1] == column.zh and column.en in (row[3] or "") for row in rows)


def test_the_same_catalogue_gives_the_same_bytes() -> None:
    assert template(catalogue()) == TEMPLATE


@pytest.mark.parametrize("text", ["=1+1", "+86 28", "-", "@name", "'=x"])
def test_what_looks_like_a_formula_is_escaped(text: str) -> None:
    assert escaped(text) == f"'{text}"
