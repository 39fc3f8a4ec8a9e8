"""Whichever process answers has read what its caller saw; one that has not says so in time; and no position is told to strangers."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import enumerate as threads
from time import monotonic

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api import positions, tailing
from api.app import create_app
from api.service import Service
from api.settings import Settings
from flows.recording import Recording, Stopped
from graph.memory_desk import MemoryDesk
from graph.memory_ledger import MemoryLedger
from tests.api.world import DROSS, SMELTER, Clock, World, site
from tests.flows.stories import STRANGER, registered, stored
from tests.graph.stores import chained, unread

HOST = "http://127.0.0.1:8000"
HEADER = "Huanliu-Position"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the wait, so that these tests take no longer than they must."""
    monkeypatch.setattr(positions, "WAIT_S", 0.2)


class Lagging(MemoryLedger):
    """A member of a cluster: it holds what the others hold, up to a position."""

    def __init__(self, whole: MemoryLedger) -> None:
        super().__init__()
        self.whole = whole

    def reaches(self, position: int) -> None:
        entries = list(self.whole.entries(after=self.head().position, until=position))
        with self.turn() as turn:
            turn.append(unread(entries))


@pytest.fixture
def member(fresh: World) -> Iterator[tuple[World, TestClient, Lagging]]:
    """Another process on the world's ledger, which lags behind it by one entry and has its keys."""
    ledger = Lagging(fresh.service.ledger)  # pyright: ignore[reportArgumentType]
    ledger.reaches(fresh.service.ledger.head().position - 1)
    service = Service.over(fresh.service.settings, ledger, fresh.service.desk, fresh.clock)
    with TestClient(create_app(service), base_url=HOST) as client:
        yield fresh, client, ledger


def asks(client: TestClient, world: World, position: object, path: str = f"/api/v1/batches/{DROSS}") -> Response:
    return client.get(path, headers={**world.headers("smelter"), HEADER: str(position)})


def test_a_process_that_is_behind_waits_and_then_says_so(member: tuple[World, TestClient, Lagging]) -> None:
    world, client, _ = member
    head = world.service.ledger.head().position
    begun = monotonic()

    answer = asks(client, world, head)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["code"] == "process-behind"
    assert f"第 {head} 条" in answer.json()["detail"]
    assert f"entry {head}" in asks(client, world, head, f"/api/v1/batches/{DROSS}?lang=en").json()["detail"]
    assert monotonic() - begun >= positions.WAIT_S
    assert asks(client, world, head - 1).status_code == 200
    assert asks(client, world, 0).headers[HEADER] == str(head - 1)


def test_it_answers_as_soon_as_it_has_read_so_far(
    member: tuple[World, TestClient, Lagging], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, client, ledger = member
    head = world.service.ledger.head().position
    catch_up = Recording.catch_up

    def arriving(recording: Recording) -> int:
        """What the member lacks comes right after somebody looked."""
        told = catch_up(recording)
        ledger.reaches(head)
        return told

    monkeypatch.setattr(Recording, "catch_up", arriving)
    monkeypatch.setattr(positions, "WAIT_S", 60)

    answer = asks(client, world, head)

    assert (answer.status_code, answer.headers[HEADER]) == (200, str(head))


def test_what_was_written_is_read_at_another_process(tmp_path: Path) -> None:
    """Two processes on one file: the second answers the writer with what it wrote, and its tail reads it unasked."""
    one, other = (Service.open(Settings(data=tmp_path), Clock()) for _ in range(2))
    with closing(one), closing(other):
        key, _ = one.keys.create(SMELTER, "administrator")
        headers = {"Authorization": f"Bearer {key}"}
        writer, reader = (TestClient(create_app(each), base_url=HOST) for each in (one, other))
        fact = {
            "kind": "enterprise_registered", "event_id": "R", "enterprise": SMELTER, "event_time": "2026-01-05",
            "name": "甲", "division": "510104", "roles": ["generator"], "contact": "乙", "phone": "13800000000",
        }  # fmt: skip
        written = writer.post("/api/v1/facts", json=fact, headers=headers)
        assert written.status_code == 201
        assert other.recording.position == 0
        read = reader.get("/api/v1/entries", headers={**headers, HEADER: written.headers[HEADER]})
        assert [each["position"] for each in read.json()["rows"]] == [1]

        place = {"site_id": site(SMELTER), "code": "S1", "name": "厂区", "division": "510104"}
        second = {"kind": "site_registered", "event_id": "S", "enterprise": SMELTER, "event_time": "2026-01-05"}
        assert writer.post("/api/v1/facts", json={**second, "site": place}, headers=headers).status_code == 201
        tailing.look(other)
        assert other.recording.position == 2


@pytest.mark.parametrize("told", ["", "-1", "1.5", "x", "9" * 17, "9" * 5000, "²", str(2**53 + 1)])
def test_a_header_that_is_no_position_is_refused_at_once(world: World, told: str) -> None:
    begun = monotonic()
    answer = world.client.get("/api/v1/batches", headers={**world.headers("smelter"), HEADER: told.encode("utf-8")})

    assert answer.status_code == 422
    assert answer.json()["code"] == "position-malformed"
    assert monotonic() - begun < positions.WAIT_S


def test_a_position_that_was_made_up_costs_its_caller_the_wait_and_no_thread(world: World) -> None:
    for headers in (world.headers("smelter"), {}):
        answer = world.client.get("/api/v1/batches", headers={**headers, HEADER: str(2**53)})
        assert answer.status_code == 503
        assert HEADER not in answer.headers
        assert str(world.service.ledger.head().position) not in answer.text


def test_who_is_not_signed_is_told_no_position(world: World) -> None:
    for path in ("/api/v1/batches", "/api/v1/nowhere", "/login", "/openapi.json", "/livez", "/readyz"):
        answer = world.client.get(path)
        assert HEADER not in answer.headers, path
        assert positions.COOKIE not in answer.headers.get("set-cookie", ""), path


def test_every_answer_to_a_caller_names_its_position(world: World) -> None:
    head = str(world.service.ledger.head().position)
    for path in ("batches", "batches/NONE", f"batches/{DROSS}/label.svg", "template.xlsx", "definitions?as_of=bad"):
        assert world.get("smelter", path).headers.get(HEADER, "-") in {head, "-"}, path
    assert world.get("smelter", "batches/NONE").headers[HEADER] == head
    refused = world.post("smelter", world.fact("generated", SMELTER, site_id="X", product={"batch_id": "Y"}))
    assert refused.headers[HEADER] == head


def signed_in(world: World, client: TestClient, seat: str = "smelter") -> None:
    token = world.service.keys.open_session(world.keys[seat])
    assert token is not None
    client.cookies.set("huanliu_session", token)


def test_a_browser_carries_the_position_in_a_cookie(fresh: World) -> None:
    signed_in(fresh, fresh.client)
    head = fresh.service.ledger.head().position
    page = fresh.client.get("/")

    assert f"{positions.COOKIE}={head}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax" in page.headers["set-cookie"]
    assert "set-cookie" not in fresh.client.get("/").headers, "it has it already"
    fact = fresh.fact("plan_filed", SMELTER)
    assert fresh.client.post("/api/v1/facts", json=fact).status_code == 403, "no page of ours"
    fresh.say("smelter", "generated", site_id=site(SMELTER), product={"batch_id": f"{SMELTER}.N", "material": "primary-dross", "mass_g": 5})  # fmt: skip
    assert f"{positions.COOKIE}={head + 1}" in fresh.client.get("/").headers["set-cookie"]


def test_a_page_that_is_behind_says_so_and_forgets_the_cookie(fresh: World) -> None:
    """After a restore of an older backup nobody is sent away for ever."""
    signed_in(fresh, fresh.client)
    fresh.client.cookies.set(positions.COOKIE, "100000")

    page = fresh.client.get("/batches")

    assert page.status_code == 503
    assert "尚未读到您见过的第 100000 条" in page.text
    assert page.headers["Retry-After"] == "1"
    assert f'{positions.COOKIE}=""; expires=' in page.headers["set-cookie"]
    fresh.client.cookies.delete(positions.COOKIE)
    fresh.client.cookies.set(positions.COOKIE, "nonsense")
    assert fresh.client.get("/batches").status_code == 200


def test_ready_says_when_a_process_is_behind_or_stopped(fresh: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def stands(recording: Recording) -> int:
        return recording.position

    with monkeypatch.context() as patch:
        patch.setattr(Recording, "catch_up", stands)
        with fresh.service.ledger.turn() as turn:
            last = next(fresh.service.ledger.entries(after=turn.head.position - 1))
            turn.append(unread(chained([stored("NOWHERE")], last, last.record_time_us)))
        behind = fresh.client.get("/readyz?lang=en")
    assert (behind.status_code, behind.json()["ready"], behind.json()["code"]) == (503, False, "not-ready-behind")
    assert "behind the ledger's end" in behind.json()["detail"]

    with suppress(Exception):  # there is no such batch: the reading breaks off
        fresh.service.recording.catch_up()
    with pytest.raises(Stopped):
        fresh.service.recording.catch_up()
    stopped = fresh.client.get("/readyz")
    assert (stopped.status_code, stopped.json()["code"]) == (503, "readings-stopped")


def test_the_tail_reads_beside_and_ends_with_the_server() -> None:
    service = Service.over(Settings(), MemoryLedger(), MemoryDesk(), Clock())
    with tailing.tailed(service):
        with service.ledger.turn() as turn:
            turn.append(unread(chained(registered(STRANGER))))
        until = monotonic() + 20
        while service.recording.position < len(registered(STRANGER)):
            assert monotonic() < until, "nobody asked, and nothing was read"
    assert "tail" not in {each.name for each in threads()}
