"""The pages: who gets in, what each shows to whom, and the words that they say it in."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.pages.doors import TRIES, own_path
from api.pages.statics import digest, files, static_url
from flows.events import Generated, Product
from tests.api.park import (
    CARRIER,
    DROSS,
    FIRST,
    INGOT,
    LANDFILL,
    NAMES,
    OPEN,
    RECYCLER,
    SECONDARY,
    SMELTER,
    STRANGER,
    Park,
    park,
)

SCRIPTS_MOST_B = 30_000
HOST = "http://testserver"
READERS = ("regulator", "smelter", "recycler", "landfill", "stranger")
PAGES = (
    "/", "/?year=2026", "/batches", "/batches?place=storage", f"/batches/{DROSS}", f"/batches/{DROSS}/trace?depth=all",
    f"/batches/{DROSS}/trace?depth=all&level=enterprise", f"/batches/{DROSS}/trace?depth=all&level=material",
    f"/batches/{SECONDARY}/trace?direction=up", "/manifests", "/manifests?state=loaded", f"/manifests/{FIRST}",
    f"/manifests/{OPEN}", "/enterprises", f"/enterprises/{RECYCLER}", "/import", "/search?q=川A12345", "/search?q=岷江",
    "/nowhere", "/batches/NOSUCH", "/login",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Park]:
    own = park(tmp_path_factory.mktemp("park"))
    yield own
    own.service.close()


@pytest.fixture
def visitor(place: Park) -> TestClient:
    """A browser that nobody signed in with; the park stays open behind it."""
    return TestClient(create_app(place.service), follow_redirects=False, headers={"Origin": HOST})


def enter(visitor: TestClient, place: Park, name: str) -> TestClient:
    assert visitor.post("/login", data={"key": place.keys[name]}).status_code == 303
    return visitor


# the door -----------------------------------------------------------------------------------------------------------


def test_who_is_not_signed_in_goes_to_the_door_and_comes_back(visitor: TestClient, place: Park) -> None:
    asked = f"/q/{DROSS.lower()}"
    turned_away = visitor.get(asked)
    assert turned_away.headers["location"] == f"/login?next={asked}"

    entered = visitor.post("/login", data={"key": place.keys["smelter"], "next": asked})
    assert entered.headers["location"] == asked
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert visitor.get(asked).headers["location"] == f"/batches/{DROSS}"
    assert visitor.get(f"/M/{FIRST}").headers["location"] == f"/manifests/{FIRST}"


def test_on_https_the_cookie_is_for_this_host_alone(place: Park) -> None:
    secure = TestClient(
        create_app(place.service),
        base_url="https://testserver",
        follow_redirects=False,
        headers={"Origin": "https://testserver"},
    )
    cookie = secure.post("/login", data={"key": place.keys["smelter"]}).headers["set-cookie"]

    assert cookie.startswith("__Host-")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert secure.get("/").status_code == 200


def test_a_wrong_key_opens_nothing_and_too_many_make_wait(visitor: TestClient, place: Park) -> None:
    for _ in range(TRIES):
        assert visitor.post("/login", data={"key": "hl_x_y"}).status_code == 401
    waits = visitor.post("/login", data={"key": place.keys["smelter"]})

    assert waits.status_code == 429
    assert int(waits.headers["retry-after"]) > 0


def test_signing_out_closes_the_session(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "smelter")
    token = visitor.cookies["huanliu_session"]
    visitor.post("/logout")

    assert visitor.get("/").status_code == 303
    assert visitor.get("/", headers={"Cookie": f"huanliu_session={token}"}).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": HOST, "Sec-Fetch-Site": "cross-site"},
        {"Origin": HOST, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_not_taken(visitor: TestClient, place: Park, headers: dict[str, str]) -> None:
    enter(visitor, place, "smelter")

    assert visitor.post("/logout", headers=headers).status_code == 403
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//elsewhere.example",
        "https://elsewhere.example",
        "/\\elsewhere.example",
        "/%5Celsewhere.example",
        "%2F%2Fx",
        "x",
        "/a\nb",
    ],
)
def test_one_comes_back_to_this_host_only(elsewhere: str) -> None:
    assert own_path(elsewhere) == "/"


# every page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("reader", READERS)
def test_every_page_is_drawn_for_everybody_in_both_languages(
    visitor: TestClient, place: Park, reader: str, language: str
) -> None:
    enter(visitor, place, reader)
    for address in PAGES:
        answer = visitor.get(f"{address}{'&' if '?' in address else '?'}lang={language}")
        assert answer.status_code in {200, 303, 403, 404}, address
        if answer.status_code == 303:
            continue
        assert answer.headers["content-type"].startswith("text/html")
        assert "style-src 'self'" in answer.headers["content-security-policy"]
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]* src=)|javascript:", answer.text), address
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text), address
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
        assert answer.text.count("<h1") == 1, address


def test_the_language_is_remembered(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "regulator")
    visitor.get("/?lang=en")

    assert "Newest batches" in visitor.get("/").text


def test_what_one_may_not_see_answers_like_what_does_not_exist(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "stranger")
    for there, not_there in (
        (f"/batches/{DROSS}", f"/batches/{SMELTER}.NOSUCH"),
        (f"/batches/{DROSS}/trace", f"/batches/{SMELTER}.NOSUCH/trace"),
        (f"/manifests/{FIRST}", f"/manifests/{SMELTER}.NOSUCH"),
        (f"/enterprises/{SMELTER}", f"/enterprises/{STRANGER[:-1]}0"),
    ):
        hidden, absent = visitor.get(there), visitor.get(not_there)
        same = hidden.text.replace(there.rsplit("/trace")[0].rpartition("/")[2], "")
        assert hidden.status_code == absent.status_code == 404
        assert same == absent.text.replace(not_there.rsplit("/trace")[0].rpartition("/")[2], "")


def test_an_enterprise_sees_no_stranger_along_its_chain(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "smelter")
    for level in ("batch", "enterprise", "material"):
        for part in ("trace", "trace.svg"):
            text = visitor.get(f"/batches/{DROSS}/{part}?depth=all&level={level}").text
            assert "匿名" in text
            assert NAMES[LANDFILL] not in text
            assert LANDFILL not in text
            assert SECONDARY not in text
            assert "二次铝灰" not in text
    assert NAMES[LANDFILL] not in visitor.get(f"/batches/{INGOT}").text


def test_only_regulators_filter_a_trace(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "smelter")
    assert visitor.get(f"/batches/{DROSS}/trace?status=product").status_code == 403

    enter(visitor, place, "regulator")
    filtered = visitor.get(f"/batches/{DROSS}/trace?depth=all&status=product")
    assert "回收金属铝" in filtered.text
    assert "二次铝灰（电解铝）</th>" not in filtered.text


@pytest.mark.parametrize(
    "path", [f"/batches/{DROSS}/trace?depth=all&", f"/batches/{DROSS}/trace.svg?", "/batches?place=&"]
)
def test_a_material_that_is_none_is_told_with_the_nearest_and_a_way_there(
    visitor: TestClient, place: Park, path: str
) -> None:
    enter(visitor, place, "regulator")
    told = visitor.get(f"{path}material=primary-dros")

    assert told.status_code == 404
    assert "物料“primary-dros”不在目录中；最接近的是 primary-dross" in told.text
    way = re.search(r'href="([^"]*material=primary-dross[^"]*)"', told.text)
    assert way is not None
    assert visitor.get(html.unescape(way[1])).status_code == 200
    assert visitor.get(f"{path}material=").status_code == 200


def test_who_may_not_filter_hears_nothing_of_the_catalogue(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "smelter")

    assert visitor.get(f"/batches/{DROSS}/trace?material=primary-dros").status_code == 403


def test_the_trace_draws_the_loop_and_where_everything_ended(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "regulator")
    text = visitor.get(f"/batches/{DROSS}/trace?depth=all&level=enterprise").text

    assert "回流" in text
    for told in (NAMES[SMELTER], NAMES[RECYCLER], NAMES[LANDFILL], "填埋", "烧失", "磅差", "在途", "库存"):
        assert told in text


def test_the_picture_stands_alone(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "regulator")
    answer = visitor.get(f"/batches/{DROSS}/trace.svg?depth=all&level=enterprise&at=2026-10-01")
    drawn = ET.fromstring(answer.text)  # our own words

    assert answer.headers["content-type"] == "image/svg+xml"
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|\bhref=", answer.text)
    assert "截至 2026-10-01" in answer.text
    assert f"台账第 {place.service.book.position} 条" in answer.text
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}rect")) > 5


def test_the_fate_on_the_page_sums_to_the_batch(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "regulator")
    text = visitor.get(f"/batches/{DROSS}").text
    table = text[text.index("fates") : text.index("</table>", text.index("fates"))]
    grams = [round(float(told) * 1e6) for told in re.findall(r'class="n"><span class="mass">([\d.]+)<', table)]
    rows = re.findall(r"<tr><th.*?</tr>", table, re.DOTALL)

    assert "至少" in text
    assert grams[-1] == 30_000_000
    assert sum(round(float(re.findall(r"([\d.]+)<span", row)[0]) * 1e6) for row in rows[1:-1]) == 30_000_000


def test_what_waits_for_me_stands_on_the_first_page(visitor: TestClient, place: Park) -> None:
    assert "待我办理" in enter(visitor, place, "recycler").get("/").text
    assert "待我办理" not in enter(visitor, place, "smelter").get("/").text


def test_a_figure_comes_with_its_definition_or_its_reason(visitor: TestClient, place: Park) -> None:
    text = enter(visitor, place, "regulator").get("/?year=2026").text

    for told in ("公式", "分子", "分母", "计入时点", "依据", "目标不低于 24 %", "没有登记覆盖该期间和行政区的外部数据"):
        assert told in text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (DROSS.lower(), f"/batches/{DROSS}"),
        (f"HTTPS://EXAMPLE.CN/Q/{DROSS}", f"/batches/{DROSS}"),
        ("YD-M1", f"/manifests/{FIRST}"),
        ("锦江", f"/enterprises/{RECYCLER}"),
        (CARRIER.lower(), f"/enterprises/{CARRIER}"),
    ],
)
def test_one_box_finds_what_is_meant(visitor: TestClient, place: Park, asked: str, found: str) -> None:
    enter(visitor, place, "regulator")

    assert visitor.get("/search", params={"q": asked}).headers["location"] == found


def test_a_sites_own_code_finds_every_batch_that_was_called_so(visitor: TestClient, place: Park) -> None:
    text = enter(visitor, place, "recycler").get("/search", params={"q": "lhz001"}).text

    assert f"/batches/{RECYCLER}.M1-A" in text
    assert f'"/batches/{DROSS}"' not in text


def test_a_plate_finds_its_manifests_and_a_stranger_nothing(visitor: TestClient, place: Park) -> None:
    assert "YD-M2" in enter(visitor, place, "regulator").get("/search", params={"q": "川A12345"}).text
    assert "没有找到" in enter(visitor, place, "stranger").get("/search", params={"q": "川A12345"}).text


def test_documents_come_from_the_page(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "smelter")

    assert visitor.get(f"/batches/{DROSS}/qr.svg").text.startswith("<svg")
    assert visitor.get(f"/batches/{DROSS}/label-100.svg").headers["content-type"] == "image/svg+xml"
    assert visitor.get(f"/manifests/{FIRST}/sheet.pdf").content.startswith(b"%PDF")
    assert visitor.get("/import/template.xlsx").content.startswith(b"PK")


# imports ------------------------------------------------------------------------------------------------------------


def test_a_workbook_is_checked_and_then_recorded_by_one_button(
    visitor: TestClient, place: Park, tmp_path: Path
) -> None:
    elsewhere = park(tmp_path)
    waste = Product(batch_id=f"{STRANGER}.NEW", material="zinc-leach-residue", mass_g=5_000_000, code="HWCS20260901001")
    elsewhere.tell(Generated, STRANGER, site_id=f"{STRANGER}.S", product=waste)
    ledger = elsewhere.service.workbook(STRANGER, None)
    enter(visitor, place, "stranger")
    before = place.service.book.position
    checked = visitor.post("/import", files={"file": ("台账.xlsx", ledger)})
    digest_told = re.search(r'name="digest" value="([0-9a-f]{64})"', checked.text)
    assert checked.status_code == 200
    assert digest_told is not None
    assert place.service.book.position == before

    committed = visitor.post("/import/commit", data={"digest": digest_told[1], "name": "台账.xlsx"})
    assert "已登记" in committed.text
    assert place.service.book.position > before
    assert visitor.post("/import/commit", data={"digest": digest_told[1]}).status_code == 404
    again = visitor.post("/import", files={"file": ("台账.xlsx", ledger)})
    assert "没有新内容" in again.text
    assert "/import/commit" not in again.text


def test_a_file_that_is_no_workbook_is_told_so(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "smelter")
    told = visitor.post("/import", files={"file": ("x.xlsx", b"no workbook")})

    assert told.status_code == 422
    assert 'role="alert"' in told.text
    assert "/import/commit" not in told.text


def test_a_regulator_hands_in_no_workbook(visitor: TestClient, place: Park) -> None:
    enter(visitor, place, "regulator")

    assert visitor.get("/import").status_code == 403
    assert visitor.post("/import", files={"file": ("x.xlsx", b"x")}, data={"enterprise": SMELTER}).status_code == 403


# files ----------------------------------------------------------------------------------------------------


def test_static_files_are_kept_for_ever_under_a_name_of_what_they_hold(visitor: TestClient) -> None:
    answer = visitor.get(static_url("house.css"))

    assert "immutable" in answer.headers["cache-control"]
    assert visitor.get(f"/static/{digest()[::-1]}x/house.css").status_code == 404
    assert visitor.get(f"/static/{digest()}/../pages.py").status_code == 404


def test_all_scripts_together_are_small() -> None:
    assert sum(len(body) for name, body in files().items() if name.endswith(".js")) <= SCRIPTS_MOST_B
