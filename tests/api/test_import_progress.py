"""A long import on the pages: its own page tells how far it is, bears a reload, and ends in the report."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.app import create_app
from api.bench.year import SMELTER, year
from api.keys import Keys
from api.pages import imports
from api.service import Service
from api.settings import Settings
from flows.materials import catalogue
from tests.api.workbook_fixtures import now

ROWS = 700
LOOKS = 5_000


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = Settings(data=tmp_path, ledger="sqlite", public_url=None, secret=None, tables=None)
    opened = Service.open(settings, now)
    yield opened
    opened.close()


def visitor(service: Service, organisation: str = SMELTER) -> TestClient:
    client = TestClient(create_app(service), follow_redirects=False, headers={"Origin": "http://testserver"})
    key, _ = Keys(service.desk, service.clock, "").create(organisation, "administrator")
    assert client.post("/login", data={"key": key}).status_code == 303
    return client


def looked_at(client: TestClient, answer: Response) -> tuple[list[Response], Response]:
    """The page of a job, again and again until it is done."""
    assert answer.status_code == 303
    seen: list[Response] = []
    for _ in range(LOOKS):
        page = client.get(answer.headers["location"])
        if "Refresh" not in page.headers:
            return seen, page
        seen.append(page)
    raise AssertionError("it never ends")


def test_a_long_import_has_a_page_that_tells_how_far_it_is(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "PATIENCE_S", 0.0)
    client, data = visitor(service), year(ROWS, catalogue())
    started = client.post("/import", files={"file": ("全年.xlsx", data)})
    seen, checked = looked_at(client, started)

    assert all("<progress" in page.text and "全年.xlsx" in page.text for page in seen)
    assert all("script-src 'self'" in page.headers["Content-Security-Policy"] for page in seen)
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', checked.text)
    assert digest is not None, checked.text
    assert service.ledger.head().position == 0

    form = {"digest": digest[1], "name": "全年.xlsx"}
    _, recorded = looked_at(client, client.post("/import/commit", data=form))

    assert service.ledger.head().position > ROWS // 2
    assert str(service.ledger.head().position) in recorded.text
    assert client.post("/import/commit", data=form).status_code == 404


def test_a_job_of_somebody_else_is_none(service: Service) -> None:
    client, data = visitor(service), year(50, catalogue())
    assert client.post("/import", files={"file": ("x.xlsx", data)}).status_code == 200
    (job,) = (document.key for document in service.desk.all("import_job", now_us=0))

    assert client.get(f"/import/job/{job}").status_code == 200
    assert visitor(service, "91510000621601108W").get(f"/import/job/{job}").status_code == 404
    assert client.get(f"/import/job/{'0' * 32}").status_code == 404
