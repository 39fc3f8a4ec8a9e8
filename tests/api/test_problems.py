"""Problems on the wire: every refusal is problem+json in the caller's language, also the framework's own."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from starlette.testclient import TestClient

from api.app import BODY_MOST, HEADERS, POLICY
from api.faults import faults_of, where
from api.problems import PROBLEM_JSON, STATUS, Broken, status_of
from api.rest.shapes import ProblemAnswer
from api.serving import PortTaken
from flows.errors import Problem
from flows.events import KINDS
from tests.api.world import DROSS, World


def kinds() -> Iterator[type[Problem]]:
    waiting: list[type[Problem]] = [Problem]
    while waiting:
        kind = waiting.pop()
        yield kind
        waiting += kind.__subclasses__()


def test_a_problem_has_the_status_of_its_nearest_kind() -> None:
    for kind in kinds():
        own = [STATUS[each] for each in kind.__mro__ if each in STATUS]
        assert status_of(kind("x")) == own[0]
    assert status_of(PortTaken("port-taken")) is HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "page-unknown"),
        ("GET", "/api/v1/batches/x/y/z", 404, "page-unknown"),
        ("GET", "/api/v2/batches", 404, "page-unknown"),
        ("DELETE", "/api/v1/facts", 405, "method-not-offered"),
        ("PUT", f"/api/v1/batches/{DROSS}", 405, "method-not-offered"),
        ("PATCH", "/api/v1/entries/1", 405, "method-not-offered"),
        ("GET", "/api/v1/entries/0", 422, "request-shape"),
        ("GET", "/api/v1/entries/x", 422, "request-shape"),
        ("GET", f"/api/v1/entries/{10**30}", 422, "request-shape"),
        ("GET", "/api/v1/batches/%00", 422, "scan-unreadable"),
        ("GET", "/api/v1/batches/%20", 422, "scan-empty"),
        ("GET", "/api/v1/batches/..%2f..%2fetc", 404, "page-unknown"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_refusal_is_a_problem_in_words(
    world: World, method: str, path: str, status: int, code: str, language: str
) -> None:
    headers = {**world.headers("smelter"), "Accept-Language": language}

    answer = world.client.request(method, path, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_JSON)
    told = ProblemAnswer.model_validate(answer.json())
    assert (told.status, told.code) == (status, code)
    assert told.detail.isascii() is (language == "en") or "“" in told.detail
    assert ("allow" in answer.headers) is (status == 405)


@pytest.mark.parametrize("key", ["", "x", "hl_", "hl_00000000_" + "A" * 32, "hl_é", "hl_00000000_" + "\x00" * 32])
def test_a_key_that_stands_for_nobody(world: World, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}".encode("latin-1")}

    answer = world.client.get("/api/v1/batches", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["code"] in {"key-wrong", "key-missing"}


def test_every_route_asks_for_a_key(world: World) -> None:
    """All but the definitions, which are the same for everybody."""
    paths = world.client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            plain = path.replace("{form}", "svg").replace("{position}", "1")
            answer = world.client.request(method, plain)
            assert (answer.status_code == 401) is (path != "/api/v1/definitions"), path


def test_every_answer_carries_the_policy(world: World) -> None:
    for path in ("/livez", "/api/v1/batches", "/login", "/nothing", "/api/v1/definitions", "/static/house.css"):
        answer = world.client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


def test_alive_and_ready_tell_nothing_else(world: World) -> None:
    assert world.client.get("/livez").json() == {"alive": True}
    assert world.client.get("/readyz").json() == {"ready": True}


def test_nobody_else_keeps_what_one_caller_saw(world: World) -> None:
    answer = world.get("smelter", "batches")

    assert "private" in answer.headers["cache-control"]
    assert "Authorization" in answer.headers["vary"]


# large bodies -----------------------------------------------------------------------------------------------------


def _chunks(size: int) -> Iterator[bytes]:
    for _ in range(size >> 20):
        yield b" " * (1 << 20)


@pytest.mark.parametrize("path", ["/api/v1/facts", "/api/v1/imports", "/login"])
def test_a_large_body_is_refused_whether_its_length_is_told_or_not(world: World, path: str) -> None:
    headers = {**world.headers("smelter"), "Content-Type": "application/json"}
    if path != "/api/v1/facts":
        headers |= {"Content-Type": "multipart/form-data; boundary=x", "Sec-Fetch-Site": "same-origin"}

    told = world.client.post(path, content=b"", headers={**headers, "Content-Length": str(BODY_MOST + 1)})
    untold = world.client.post(path, content=_chunks(BODY_MOST + (2 << 20)), headers=headers)

    assert (told.status_code, told.json()["code"]) == (413, "body-too-large")
    assert untold.status_code == 413, untold.text[:200]


@pytest.mark.parametrize("length", ["abc", "-1", "", "1e9", "９", "9" * 5000])
def test_a_length_that_is_none_does_no_harm(world: World, length: str) -> None:
    headers = {**world.headers("smelter"), "Content-Length": length.encode("utf-8")}

    assert world.client.post("/api/v1/facts", content=b"{}", headers=headers).status_code in {413, 422}


# whose page it came from ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 422),
        ({"Origin": "http://127.0.0.1:8000"}, 422),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({}, 403),
    ],
)
def test_a_session_writes_from_our_own_pages_only(world: World, headers: dict[str, str], status: int) -> None:
    token = world.service.keys.open_session(world.keys["smelter"])
    client = TestClient(world.client.app, base_url="http://127.0.0.1:8000", cookies={"huanliu_session": str(token)})

    answer = client.post("/api/v1/facts", json={}, headers=headers)

    assert answer.status_code in {status, 422} if status == 422 else answer.status_code == status
    assert client.get("/api/v1/batches").status_code == 200, "reading changes nothing"


# words ------------------------------------------------------------------------------------------------------------


def test_our_own_fault_is_told_in_words_and_not_in_detail(fresh: World) -> None:
    client = TestClient(fresh.client.app, raise_server_exceptions=False)
    fresh.service.__dict__["editions"] = None

    answer = client.get("/api/v1/manifests", headers=fresh.headers("smelter"))

    assert (answer.status_code, answer.json()["code"]) == (500, "fault-of-ours")
    assert answer.json()["title"] == Broken.title["zh"]
    assert "NoneType" not in answer.text


@pytest.mark.parametrize(
    ("location", "told"),
    [
        (("body", "fact", "generated", "product", "mass_g"), "product.mass_g"),
        (("body", "facts", "facts", 3, "loaded", "lines", 0, "portion"), "facts[3].lines[0].portion"),
        (("generated", "product", "mass_g"), "product.mass_g"),
        (("query", "limit"), "limit"),
        (("body",), ""),
    ],
)
def test_a_place_is_written_as_in_the_input(location: tuple[int | str, ...], told: str) -> None:
    assert where(location) == told


def test_an_unknown_fault_is_told_in_pydantics_words() -> None:
    told = faults_of([{"loc": ("body", "x"), "type": "new_kind", "msg": "something new"}], "zh")

    assert told == [{"where": "x", "code": "new_kind", "detail": "something new"}]


def test_the_nearest_kind_is_offered_where_one_is_wrong(world: World) -> None:
    answer = world.post("smelter", {"kind": "recieved"}, **{"Accept-Language": "en"})

    [fault] = answer.json()["errors"]
    assert any(kind in fault["detail"] for kind in KINDS)
    assert len(fault["detail"]) < 200
