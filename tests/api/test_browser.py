"""The pages in Chromium: narrow and wide, with and without scripts, by mouse and by keyboard."""

import shutil
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from api.app import create_app
from tests.api.park import DROSS, FIRST, OPEN, RECYCLER, Park, park

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGES = (
    "/", "/batches", f"/batches/{DROSS}", f"/batches/{DROSS}/trace?depth=all",
    f"/batches/{DROSS}/trace?depth=all&level=enterprise", "/manifests", f"/manifests/{FIRST}", f"/manifests/{OPEN}",
    "/enterprises", f"/enterprises/{RECYCLER}", "/search?q=川A12345", "/import",
)  # fmt: skip
TRACE_MOST_B = 60_000
TAB_STOPS_MOST = 30

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Park:
    return park(tmp_path_factory.mktemp("park"))


@pytest.fixture(scope="module")
def address(place: Park) -> Iterator[str]:
    """The park's pages on a free port; the socket listens before the server reads from it, so nobody waits."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(place.service, port), log_level="error", ws="none"))
    running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    running.start()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    running.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def entered(
    browser: Browser,
    address: str,
    place: Park,
    who: str,
    *,
    width: int = 1440,
    scripts: bool = True,
    lang: str = "zh-CN",
) -> tuple[BrowserContext, Page]:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=scripts, locale=lang, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("#key", place.keys[who])
    page.click("form.card button")
    page.wait_for_url(f"{address}/")
    return context, page


@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_page_spills_over_complains_or_asks_elsewhere(
    browser: Browser, address: str, place: Park, width: int, lang: str
) -> None:
    complaints: list[str] = []
    asked: list[str] = []
    context, page = entered(browser, address, place, "recycler", width=width, lang=lang)
    page.on("console", lambda told: complaints.append(told.text) if told.type in {"error", "warning"} else None)
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        page.goto(f"{address}{path.replace(DROSS, f'{RECYCLER}.M1-A')}")
        spills = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert spills <= 0, path
        for word in page.locator(".words a").all():
            assert word.bounding_box()["height"] < 52, "a word of the navigation broke"  # type: ignore[index]
    context.close()

    assert complaints == []
    assert [url for url in asked if not url.startswith(address)] == []


def test_the_diagram_is_one_tab_stop_and_arrows_walk_it(browser: Browser, address: str, place: Park) -> None:
    context, page = entered(browser, address, place, "regulator")
    page.goto(f"{address}/batches/{DROSS}/trace?depth=all")
    stops = page.locator("svg.flow a[tabindex='0'], table[data-walk] tr[tabindex='0']")
    expect(stops).to_have_count(2)
    assert page.locator("a:visible:not([tabindex='-1']), button:visible, select:visible, input:visible").count() < (
        TAB_STOPS_MOST
    )

    page.locator("svg.flow a[tabindex='0']").focus()
    first = page.evaluate("document.activeElement.dataset.spot")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.dataset.spot")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.spot") == first != second

    rows = page.locator("table[data-walk] tbody tr")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/batches/*")
    context.close()


def test_what_is_not_connected_grows_dim(browser: Browser, address: str, place: Park) -> None:
    context, page = entered(browser, address, place, "regulator")
    page.goto(f"{address}/batches/{DROSS}/trace?depth=all")
    expect(page.locator("svg.flow .dim")).to_have_count(0)
    page.locator("svg.flow a[data-spot]").last.focus()

    assert page.locator("svg.flow .dim").count() > 0
    page.keyboard.press("Escape")
    expect(page.locator("svg.flow .dim")).to_have_count(0)
    context.close()


def test_a_phone_reads_hop_by_hop(browser: Browser, address: str, place: Park) -> None:
    context, page = entered(browser, address, place, "regulator", width=360)
    page.goto(f"{address}/batches/{DROSS}/trace")

    expect(page.locator("svg.flow")).to_be_hidden()
    expect(page.get_by_role("heading", name="下游 1 层")).to_be_visible()
    context.close()


def test_everything_is_there_without_scripts(browser: Browser, address: str, place: Park) -> None:
    context, page = entered(browser, address, place, "regulator", scripts=False)
    page.goto(f"{address}/batches/{DROSS}/trace")
    page.select_option("#level", "enterprise")
    page.select_option("#depth", "all")
    page.get_by_role("button", name="筛选").click()

    assert "level=enterprise" in page.url
    expect(page.locator("svg.flow")).to_be_visible()
    expect(page.locator("table[data-walk] tbody tr").first).to_be_visible()
    context.close()


def test_a_slash_goes_to_the_search_box(browser: Browser, address: str, place: Park) -> None:
    context, page = entered(browser, address, place, "regulator")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("岷江")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("眉山岷江铝业")
    context.close()


def test_every_picture_field_and_table_has_its_name(browser: Browser, address: str, place: Park) -> None:
    context, page = entered(browser, address, place, "recycler")
    for path in PAGES:
        page.goto(f"{address}{path.replace(DROSS, f'{RECYCLER}.M1-A')}")
        nameless = page.evaluate(
            """() => [
                ...[...document.querySelectorAll('img:not([alt])')],
                ...[...document.querySelectorAll('input:not([type=hidden]), select')].filter(f => !f.labels.length),
                ...[...document.querySelectorAll('table')].filter(t => !t.caption),
                ...[...document.querySelectorAll('button, a')].filter(b => !b.textContent.trim() && !b.ariaLabel),
            ].map(e => e.outerHTML.slice(0, 120))"""
        )
        assert nameless == [], path
        assert page.locator("main").count() == 1
        assert page.locator("h1").count() == 1
    context.close()


def test_a_trace_is_light(browser: Browser, address: str, place: Park) -> None:
    context, page = entered(browser, address, place, "regulator")
    answer = page.goto(f"{address}/batches/{DROSS}/trace?depth=all")
    assert answer is not None

    assert len(answer.body()) <= TRACE_MOST_B
    context.close()
