"""The import page: own columns said once, the file back with its errors, good rows by the other button."""

import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.park import SMELTER, Park, park
from tests.api.test_workbook_marked import written
from tests.api.workbook_fixtures import DROSS, filled

OWN = [
    ["批号", "产生日期", "品名", "危废代码", "净重", "审核人"],
    ["HW1", "2026/3/9", DROSS, "321-024-48", "12.5", "张三"],
    ["HW2", "2026/3/9", DROSS, "321-024-48", "3,5", "张三"],
]
MEANT = {
    "批号": "产生批次编码", "产生日期": "产生时间", "品名": "行业俗称/单位内部名称", "危废代码": "废物代码",
    "净重": "产生量", "审核人": "",
}  # fmt: skip
CSV = "B.1 产生.csv"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Park]:
    own = park(tmp_path)
    yield own
    own.service.close()


@pytest.fixture
def visitor(place: Park) -> TestClient:
    visitor = TestClient(create_app(place.service), follow_redirects=False, headers={"Origin": "http://testserver"})
    assert visitor.post("/login", data={"key": place.keys["smelter"]}).status_code == 303
    return visitor


def upload(visitor: TestClient, data: bytes, name: str = CSV) -> Response:
    return visitor.post("/import", files={"file": (name, data)})


def hidden(answer: Response) -> dict[str, str]:
    """What a button of the page sends."""
    found = re.search(r'name="digest" value="(\w+)"><input type="hidden" name="enterprise" value="(\w+)"', answer.text)
    assert found is not None
    return {"digest": found[1], "enterprise": found[2], "name": CSV}


def mapped(visitor: TestClient, answer: Response) -> Response:
    headers = [html.unescape(each) for each in re.findall(r'name="header" value="([^"]*)"', answer.text)]
    fields = {"sheet": ["B.1 产生"] * len(headers), "header": headers, "column": [MEANT[each] for each in headers]}
    return visitor.post("/import/columns", data={**hidden(answer), **fields})


def test_own_columns_are_asked_for_once_and_then_read_by_themselves(visitor: TestClient) -> None:
    asked = upload(visitor, written(OWN, encoding="gb18030"))
    assert asked.status_code == 422
    assert '<select name="column"' in asked.text
    assert '<option value="产生量" selected>' in asked.text
    assert asked.text.count(" selected>") == len(MEANT) - 1, "what the trade calls so is chosen beforehand, no other"

    told = mapped(visitor, asked)

    assert '<select name="column"' not in told.text
    assert "3,5" in told.text
    assert "本次给出" in told.text
    again = upload(visitor, written(OWN[:2], encoding="gb18030"))
    assert again.status_code == 200
    assert "“净重”按“产生量”读取" in again.text
    assert "/import/commit" in again.text


def test_what_is_remembered_is_shown_and_forgotten(visitor: TestClient) -> None:
    mapped(visitor, upload(visitor, written(OWN)))
    assert "“审核人”不读取" in visitor.get("/import").text

    left = visitor.post("/import/columns/forget", data={"sheet": "B.1 产生", "enterprise": SMELTER})

    assert left.headers["location"] == "/import"
    assert "“审核人”" not in visitor.get("/import").text


def test_what_was_left_open_stays_open(visitor: TestClient) -> None:
    asked = upload(visitor, written(OWN))
    fields = {"sheet": ["B.1 产生"] * 2, "header": ["净重", "审核人"], "column": ["产生量", "?"]}

    told = visitor.post("/import/columns", data={**hidden(asked), **fields})

    assert told.status_code == 422
    assert 'name="header" value="审核人"' in told.text
    assert 'name="header" value="净重"' not in told.text


def test_good_rows_are_recorded_by_the_other_button_and_the_rest_comes_back(visitor: TestClient, place: Park) -> None:
    told = mapped(visitor, upload(visitor, written(OWN)))
    before = place.service.book.position
    assert "只登记正确的行（1 条事实）" in told.text

    done = visitor.post("/import/commit", data={**hidden(told), "good_rows": "true"})

    assert done.status_code == 422
    assert "已登记正确的行" in done.text
    assert place.service.book.position == before + 1
    link = re.search(r'href="(/import/errors[^"]+)"', done.text)
    assert link is not None
    back = visitor.get(html.unescape(link[1]))
    assert back.headers["content-type"].startswith("text/csv")
    rows = [line.split(",") for line in back.content.decode().splitlines()]
    assert (rows[0][0], rows[1][0]) == ("错误", "")
    assert rows[2][0].startswith('"产生量：')
    mended = back.content.replace(b'"3,5"', b"3.5")
    clean = upload(visitor, mended, "B.1 产生-错误.csv")
    assert clean.status_code == 200
    assert "1 条记录已在台账中" in clean.text


def test_the_plain_button_records_nothing_of_a_file_with_errors(visitor: TestClient, place: Park) -> None:
    told = mapped(visitor, upload(visitor, written(OWN)))
    before = place.service.book.position

    assert visitor.post("/import/commit", data=hidden(told)).status_code == 422
    assert place.service.book.position == before


def test_an_error_file_of_a_workbook_is_downloaded_from_its_report(visitor: TestClient) -> None:
    row = {"产生批次编码": "HW7", "产生时间": "三月", "行业俗称/单位内部名称": DROSS, "产生量": 1}
    told = upload(visitor, filled({"B.1 产生": [row]}), "台账.xlsx")
    link = re.search(r'href="(/import/errors[^"]+)"', told.text)
    assert link is not None

    back = visitor.get(html.unescape(link[1]))

    assert "%E5%8F%B0%E8%B4%A6-%E9%94%99%E8%AF%AF.xlsx" in back.headers["content-disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(back.content))["B.1 产生"]
    assert sheet["A2"].value.startswith("产生时间：")
    english = visitor.get(html.unescape(link[1]) + "&lang=en")
    assert "cannot be read" in openpyxl.load_workbook(io.BytesIO(english.content))["B.1 产生"]["A2"].value


def test_what_cannot_be_opened_has_no_error_file(visitor: TestClient) -> None:
    told = upload(visitor, b"<html><table><tr><td>x</td></tr></table>", "台账.xls")

    assert told.status_code == 422
    assert "网页（HTML）" in told.text
    assert "/import/errors" not in told.text
    asked = {"digest": "0" * 64, "enterprise": SMELTER, "name": "x.xlsx"}
    assert visitor.get("/import/errors", params=asked).status_code == 404
    assert (
        visitor.post("/import/columns", data={**asked, "sheet": ["a"], "header": ["b"], "column": ["c"]}).status_code
        == 404
    )


def test_a_stranger_neither_sees_nor_forgets_the_columns_of_others(visitor: TestClient, place: Park) -> None:
    mapped(visitor, upload(visitor, written(OWN)))
    assert visitor.post("/login", data={"key": place.keys["stranger"]}).status_code == 303

    assert "“审核人”" not in visitor.get("/import").text
    gone = visitor.post("/import/columns/forget", data={"sheet": "B.1 产生", "enterprise": SMELTER})
    assert gone.status_code == 403
