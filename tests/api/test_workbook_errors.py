"""Every error tells its sheet, its row as Excel numbers it, its column, what was read and what would do; all at once."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from api.imports import check_workbook
from api.workbook.reading import UNPACKED_MAX_B
from api.workbook.report import ImportProblem, ImportReport
from tests.api.workbook_fixtures import DROSS, PLANT, SMELTER, TRADE, House, filled, registration, saved

EXCEL_TIME = datetime(2026, 3, 5, 9, 30)  # noqa: DTZ001 - Excel keeps no zone
Book = dict[str, list[dict[str, Any]]]


def good() -> Book:
    """One of everything, and nothing wrong with it."""
    batch = {
        "产生批次编码": "HWCS1",
        "产生时间": date(2026, 3, 1),
        TRADE: DROSS,
        "废物代码": "321-024-48",
        "产生量": 10,
    }
    return {
        "单位信息": [dict(row) for row in registration(SMELTER, "嘉州铝业", "产废单位", "511100")],
        "B.1 产生": [batch, {**batch, "产生批次编码": "HWCS2", "产生量": 5}],
        "B.2 入库": [{"入库批次编码": "HWRK1", "入库时间": date(2026, 3, 2), "入库量": 10, "贮存设施编码": "TS001", "产生批次编码": "HWCS1"}],
        "B.3 出库": [{"出库批次编码": "HWCK1", "出库时间": date(2026, 3, 3), "出库量": 4, "入库批次编码": "HWRK1"}],
        "B.4 自行利用处置": [{"自行利用/处置批次编码": "HWZXCZ1", "利用/处置时间": date(2026, 3, 4), "利用/处置量": 1, "利用/处置方式": "D1", "产生/出库批次编码": "HWCS2"}],
        "B.5 委外利用处置": [{"委外利用/处置批次编码": "HWWWLY1", "出厂时间": EXCEL_TIME, "委外利用/处置量": 4, "利用/处置方式": "R4", "产生/出库批次编码": "HWCK1", "危险废物经营许可证持有单位名称": "外厂"}],
        "生产记录": [
            {"记录编号": "P1", "时间": date(2026, 3, 6), "工序": "回转炉处理铝灰渣", "行类型": "投入", "批次编码": "HWCS2", "数量": 2},
            {"记录编号": "P1", "行类型": "产出", "批次编码": "AL1", "物料": "回收铝", "数量": 1.99},
        ],
        "产品出厂": [{"记录编号": "C1", "时间": date(2026, 3, 7), "批次编码": "AL1", "数量": 1, "用途": "产品"}],
        "化验": [{"化验编号": "H1", "化验时间": date(2026, 3, 2), "批次编码": "HWCS1", "水分（%）": 1.5}],
    }  # fmt: skip


def checked(book: Book | bytes, house: House | None = None, enterprise: str = SMELTER) -> ImportReport:
    house = house or House()
    data = book if isinstance(book, bytes) else filled(book)
    return check_workbook(data, enterprise, house.recording, house.desk)


def only(report: ImportReport) -> ImportProblem:
    assert len(report.errors) == 1, [each.text() for each in report.errors]
    return report.errors[0]


def test_the_good_book_is_good() -> None:
    report = checked(good())

    assert report.errors == ()
    assert report.waiting == ()


# one cell, one error: sheet, row of the list, header, what is typed; then the cell, the key, the nearest
CELLS = [
    ("B.1 产生", 0, "产生量", "12,5", "H2", "mass-comma", None),
    ("B.1 产生", 0, "产生量", 0.0000001, "H2", "mass-finer-than-gram", None),
    ("B.1 产生", 1, "产生量", None, "H3", "workbook-cell-required", None),
    ("B.1 产生", 0, "计量单位", "磅", "I2", "workbook-word-unknown", None),
    ("B.1 产生", 0, "产生时间", "三月九日", "C2", "workbook-time-unreadable", None),
    ("B.1 产生", 0, "产生时间", 46000, "C2", "workbook-time-unreadable", None),
    ("B.1 产生", 0, "产生时间", "2026-13-01", "C2", "workbook-time-unreadable", None),
    ("B.1 产生", 0, "产生时间", date(2027, 3, 1), "C2", "time-in-future", None),
    ("化验", 0, "化验编号", 20260309001, "A2", "workbook-number-for-code", None),
    ("B.1 产生", 0, "废物代码", "321-024-84", "G2", "waste-category-absent", None),
    ("B.1 产生", 0, "废物代码", "321-026-48", "G2", "workbook-code-of-other", "321-024-48"),
    ("B.1 产生", 0, TRADE, "一次铝灰", "D2", "workbook-material-unclear", None),
    ("B.1 产生", 0, "产生危险废物设施编码", "MF0002", "M2", "workbook-facility-unknown", "MF0001"),
    ("B.1 产生", 0, "容器/包装数量", "2.5", "L2", "workbook-count-unreadable", None),
    ("B.1 产生", 0, "场所编码", "S-1", "P2", "workbook-site-unknown", "S1"),
    ("B.1 产生", 0, "备注", "长" * 501, "Q2", "workbook-text-long", None),
    ("B.2 入库", 0, "贮存设施编码", "TS002", "M2", "workbook-storage-unknown", "TS001"),
    ("B.2 入库", 0, "产生批次编码", "HWCS3", "Q2", "workbook-batch-unknown", "HWCS2"),
    ("B.2 入库", 0, "入库量", 11, "K2", "workbook-more-than-batch", None),
    ("B.2 入库", 0, "废物代码", "321-023-48", "J2", "workbook-code-of-other", "321-024-48"),
    ("B.2 入库", 0, TRADE, "电解铝炭渣", "G2", "workbook-other-material", None),
    ("B.4 自行利用处置", 0, "利用/处置方式", "D11", "N2", "method-unknown", "D1"),
    ("B.4 自行利用处置", 0, "利用/处置量", 6, "K2", "overdrawn", None),
    ("B.5 委外利用处置", 0, "接受人信用代码", "91510000621601108X", "V2", "uscc-check", None),
    ("B.5 委外利用处置", 0, "接受人信用代码", 915101007130180960, "V2", "workbook-number-for-code", None),
    ("B.5 委外利用处置", 0, "出厂时间", date(2026, 3, 1), "C2", "time-before-cause", None),
    ("B.5 委外利用处置", 0, "危险废物经营许可证持有单位名称", None, "V2", "workbook-receiver-needed", None),
    ("生产记录", 0, "工序", "回转炉处理", "C2", "workbook-process-unknown", "回转炉处理铝灰渣"),
    ("生产记录", 0, "行类型", "输入", "F2", "workbook-word-unknown", None),
    ("生产记录", 1, "物料", "回收铝锭", "I3", "workbook-material-unknown", "回收铝"),
    ("生产记录", 1, "数量", 1, "N2", "gap-unexplained", None),
    ("生产记录", 1, "时间", date(2026, 3, 9), "B3", "workbook-rows-disagree", None),
    ("产品出厂", 0, "用途", None, "I2", "workbook-cell-required", None),
    ("产品出厂", 0, "全部剩余", "对", "H2", "workbook-word-unknown", None),
    ("化验", 0, "水分（%）", 150, "E2", "workbook-percent-unreadable", None),
    ("化验", 0, "元素", "Aluminium", "G2", "workbook-element-unreadable", None),
    ("单位信息", 1, "单位角色", "产废单位、运输单位", "F3", "workbook-word-unknown", None),
    ("单位信息", 6, "编码", "二〇二六", "B8", "workbook-year-unreadable", None),
    ("单位信息", 5, "编码", "川A1234", "B7", "plate-unreadable", None),
    ("单位信息", 1, "编码", PLANT, "B3", "workbook-other-enterprise", None),
]  # fmt: skip


@pytest.mark.parametrize(("sheet", "at", "header", "typed", "cell", "key", "nearest"), CELLS)
def test_one_wrong_cell_is_one_error_at_its_place(
    sheet: str, at: int, header: str, typed: object, cell: str, key: str, nearest: str | None
) -> None:
    book = good()
    book[sheet][at][header] = typed

    problem = only(checked(book))

    assert (problem.place.sheet, problem.place.cell, problem.key) == (sheet, cell, key)
    assert problem.place.row == int(re.sub(r"\D", "", cell))
    assert problem.nearest == nearest
    assert re.search("[\u4e00-\u9fff]", problem.zh)
    assert problem.en.isprintable()


def test_what_was_read_and_what_is_allowed_are_told() -> None:
    book = good()
    book["产品出厂"][0]["用途"] = "产成品"

    problem = only(checked(book))

    assert (problem.read, problem.nearest) == ("产成品", "产品")
    assert problem.allowed == ("产品", "副产品", "建材", "回填", "市政工程", "能源")
    assert problem.text("zh").startswith("产品出厂 I2（用途）: ")


def test_all_errors_are_told_at_once_and_nothing_that_only_follows() -> None:
    book = good()
    book["B.1 产生"][0]["产生量"] = "很多"
    book["B.5 委外利用处置"][0]["车牌"] = "川A1"
    book["化验"][0]["水分（%）"] = "x"
    book["产品出厂"][0]["数量"] = 3

    report = checked(book)

    assert [(each.place.sheet, each.place.cell) for each in report.errors] == [
        ("B.1 产生", "H2"), ("产品出厂", "F2"), ("化验", "E2"),
    ]  # fmt: skip


def row_errors(book: Book) -> list[tuple[str, int | None, str]]:
    return [(each.place.sheet, each.place.row, each.key) for each in checked(book).errors]


def test_a_part_needs_a_code_of_its_own() -> None:
    book = {**good(), "B.5 委外利用处置": []}
    book["B.3 出库"][0]["出库批次编码"] = "HWRK1"

    problem = only(checked(book))

    assert (problem.place.cell, problem.key) == ("B2", "workbook-part-needs-code")


def test_two_rows_of_one_name_must_say_the_same() -> None:
    book = good()
    book["B.1 产生"].append({**book["B.1 产生"][0], "产生量": 9})
    book["单位信息"].append({**book["单位信息"][2], "名称": "别处"})

    assert row_errors(book) == [("单位信息", 9, "workbook-rows-differ"), ("B.1 产生", 4, "workbook-rows-differ")]


def test_one_row_twice_is_one_row() -> None:
    book = good()
    book["B.1 产生"].append({**book["B.1 产生"][0], "序号": 99})

    report = checked(book)

    assert (report.errors, report.facts) == ((), checked(good()).facts)


def test_a_recorded_row_with_other_content_is_told_with_both() -> None:
    house = House()
    house.take(SMELTER, filled(good()))
    book = good()
    book["B.1 产生"][1]["产生量"] = 6
    book["化验"][0]["水分（%）"] = 1.6

    report = checked(book, house)

    assert report.errors == ()
    assert [(each.sheet, each.rows, each.zh) for each in report.changed] == [
        ("B.1 产生", (3,), "更正：产生量 5 t → 6 t"), ("化验", (2,), "更正：水分（%） 1.5 % → 1.6 %"),
    ]  # fmt: skip


def test_rows_in_a_circle_are_named() -> None:
    book = good()
    for record, taken, made in (("X", "B2", "B1"), ("Y", "B1", "B2")):
        head = {"记录编号": record, "时间": date(2026, 3, 8), "工序": "重熔"}
        book["生产记录"] += [
            {**head, "行类型": "投入", "批次编码": taken, "数量": 1},
            {**head, "行类型": "产出", "批次编码": made, "物料": "回收铝", "数量": 1},
        ]

    errors = [each for each in checked(book).errors if each.key == "workbook-circle"]

    assert [each.place.row for each in errors] == [4, 6]
    assert all("生产记录 4、生产记录 5、生产记录 6、生产记录 7" in each.zh for each in errors)


def test_a_batch_of_several_containers_must_be_told_apart() -> None:
    book = good()
    book["B.1 产生"] = [{**book["B.1 产生"][0], "容器/包装编码": each} for each in ("K1", "K2")]
    book = {**book, "B.4 自行利用处置": [], "生产记录": [], "产品出厂": [], "化验": []}

    problem = only(checked(book))

    assert (problem.place.cell, problem.key, problem.allowed) == ("Q2", "workbook-container-needed", ("K1", "K2"))


def test_an_unregistered_enterprise_hears_it_once() -> None:
    book = good()
    del book["单位信息"]

    assert only(checked(book)).key == "workbook-enterprise-unregistered"


def test_several_sites_must_be_told_apart() -> None:
    book = good()
    book["单位信息"].append({**book["单位信息"][2], "编码": "S2", "名称": "二厂"})
    book = {"单位信息": book["单位信息"], "B.1 产生": book["B.1 产生"][:1]}

    problem = only(checked(book))

    assert (problem.place.cell, problem.key, problem.allowed) == ("P2", "workbook-site-needed", ("S1", "S2"))


def test_a_row_of_own_use_must_agree_with_the_run() -> None:
    book = good()
    book["B.4 自行利用处置"].append(
        {**book["B.4 自行利用处置"][0], "自行利用/处置批次编码": "HWZXLY1", "利用/处置方式": "R4", "利用/处置量": 3}
    )

    problem = only(checked(book))

    assert (problem.place.sheet, problem.place.cell, problem.key) == ("B.4 自行利用处置", "K3", "workbook-run-differs")


def test_own_use_without_a_run_is_found() -> None:
    book = {**good(), "生产记录": [], "产品出厂": []}
    book["B.4 自行利用处置"][0]["利用/处置方式"] = "R5"

    report = checked(book)

    assert report.errors == ()
    assert [each.key for each in report.findings] == ["workbook-used-without-run"]


# the file ---------------------------------------------------------------------------------------------------------


def changed(change: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(filled(good())))
    change(book)
    return saved(book)


def test_an_unknown_header_is_refused_by_name() -> None:
    problem = only(checked(changed(lambda book: book["B.1 产生"].__setitem__("O1", "去哪里"))))

    assert (problem.place.cell, problem.key, problem.read) == ("O1", "workbook-header-unknown", "去哪里")


def test_a_missing_header_is_refused_by_name_and_nothing_that_follows() -> None:
    problem = only(checked(changed(lambda book: book["B.1 产生"].delete_cols(8))))

    assert (problem.place.sheet, problem.place.column, problem.key) == ("B.1 产生", "产生量", "workbook-header-missing")


def test_a_header_may_not_stand_twice() -> None:
    problem = only(checked(changed(lambda book: book["B.1 产生"].__setitem__("O1", "产生量"))))

    assert (problem.place.cell, problem.key) == ("O1", "workbook-header-twice")


def test_a_sheet_nearly_named_right_is_refused_by_name() -> None:
    def rename(book: openpyxl.Workbook) -> None:
        book["B.4 自行利用处置"].title = "B4 自行利用处置"

    problem = only(checked(changed(rename)))

    assert (problem.key, problem.nearest) == ("workbook-sheet-unknown", "B.4 自行利用处置")


def test_a_formula_without_a_result_is_refused() -> None:
    def formula(book: openpyxl.Workbook) -> None:
        book["B.1 产生"]["H2"] = "=5+5"

    problem = only(checked(changed(formula)))

    assert (problem.place.cell, problem.key) == ("H2", "workbook-formula-without-result")


def test_an_empty_first_column_shifts_nothing() -> None:
    def formula(book: openpyxl.Workbook) -> None:
        for sheet in book:
            sheet["A1"] = "=A2"

    assert all(each.place.cell != "A2" for each in checked(changed(formula)).errors)


HTML = "<html><meta charset='gb2312'><body><table><tr><td>产生批次编码</td></tr></table>".encode("gb18030")
NO_WORKBOOKS = [
    (b"", "file-empty"),
    (b"\xef\xbb\xbf \r\n\t", "file-empty"),
    (b"hello", "csv-sheet-unclear"),
    (b"PK\x03\x04 broken", "workbook-unreadable"),
    (b"\xd0\xcf\x11\xe0 no book", "workbook-unreadable"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 2000, "workbook-unreadable"),
    (HTML, "file-is-web-page"),
    (b"\xef\xbb\xbf  <!DOCTYPE html><title>x", "file-is-web-page"),
    (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "file-is-web-page"),
    (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "file-is-xml"),
    (b"%PDF-1.7", "file-not-a-table"),
    (b"\x62\x14\x23\x65" + bytes(range(256)) * 8, "csv-encoding-unknown"),  # what a company's encryption leaves
    (b"a\x00b\x01", "file-not-a-table"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "key"), NO_WORKBOOKS)
def test_what_is_no_workbook_is_told_what_it_is(data: bytes, key: str) -> None:
    assert only(checked(data)).key == key


def test_a_zip_that_is_no_workbook_is_said_so() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")

    assert only(checked(target.getvalue())).key == "workbook-unreadable"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    target = io.BytesIO(filled(good()))
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/bomb.xml", "w") as part:
        for _ in range(UNPACKED_MAX_B // 10_000_000):
            part.write(b" " * 10_000_000)

    assert len(target.getvalue()) < 1_000_000
    assert only(checked(target.getvalue())).key == "workbook-bomb"


def test_one_cell_in_the_last_corner_is_refused_before_it_is_laid_out() -> None:
    problem = only(checked(changed(lambda book: book["化验"].__setitem__("XFD1048576", 1))))

    assert problem.key == "workbook-too-long"


def test_a_report_has_a_json_form() -> None:
    book: Mapping[str, Any] = good()
    book["化验"][0]["水分（%）"] = "x"

    report = checked(dict(book))

    assert ImportReport.model_validate_json(report.model_dump_json()) == report
