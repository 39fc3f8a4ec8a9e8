"""Retries across restarts, kills and processes, on one file: one entry, and the first answer again."""

import json
import multiprocessing
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.rest.once import HEADER, LEASE, REPLAYED
from api.service import Service
from api.settings import Settings
from flows.audit import audit
from tests.api.world import DROSS, LANDFILL, SMELTER, TONNE, Clock, submitted, world_of

ROOT = Path(__file__).parents[2]
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
DIES = """
import json, os, signal, sys
from pathlib import Path
from tests.api.test_retries_survive import opened
house = opened(Path(sys.argv[1]), sys.argv[2])
class Killer:
    "Told of an entry after its durable commit and before its answer."
    def read(self, entry, change):
        os.kill(os.getpid(), signal.SIGKILL)
recording = house.service.recording
recording.followers = (*recording.followers, Killer())
house.post(json.loads(sys.argv[3]), sys.argv[4] or None)
"""


@dataclass
class House:
    """A service on a file, a client on its wire, and the smelter's key."""

    service: Service
    client: TestClient
    clock: Clock
    secret: str

    def post(self, body: Any, key: str | None = None) -> Response:
        headers = {"Authorization": f"Bearer {self.secret}"} | ({HEADER: key} if key else {})
        return self.client.post("/api/v1/facts", json=body, headers=headers)

    def named(self, event_id: str) -> int:
        """How many entries bear a name."""
        return sum(entry.event_id == event_id for entry in self.service.ledger.entries())


def opened(folder: Path, secret: str) -> House:
    """The file in a folder, opened once more, with a clock that stands where the world's stands."""
    clock = Clock()
    service = Service.open(Settings(data=folder), clock)
    return House(service, TestClient(create_app(service), base_url="http://127.0.0.1:8000"), clock, secret)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A file with a world in it, closed, and a key to it."""
    world = world_of(tmp_path / "world")
    clock = Clock()
    service = Service.open(Settings(data=tmp_path / "data"), clock)
    for entry in world.service.ledger.entries():
        service.recording.record([entry.event], entry.recorded_by)
    secret, _ = service.keys.create(SMELTER, "member")
    service.close()
    yield tmp_path / "data", secret
    world.service.close()


def late() -> dict[str, Any]:
    """A submission told late and under no plan: admitted, and found."""
    told = submitted(f"{SMELTER}.M9", LANDFILL, [(DROSS, TONNE)])
    return {"kind": "submitted", "event_id": "LATE", "enterprise": SMELTER, "event_time": "2026-09-10", **told}


def _first_answer(folder: Path, secret: str, copy: Path) -> Response:
    """What a process that was not killed answers, on a copy of the file."""
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    house = opened(copy, secret)
    answer = house.post(late())
    house.service.close()
    assert answer.status_code == 201
    assert answer.json()["findings"]
    return answer


@pytest.mark.parametrize("key", [None, KEY])
def test_a_retry_after_a_kill_between_commit_and_answer_hears_what_the_first_would_have(
    made: tuple[Path, str], tmp_path: Path, key: str | None
) -> None:
    folder, secret = made
    wanted = _first_answer(folder, secret, tmp_path / "copy")
    command = [sys.executable, "-c", DIES, str(folder), secret, json.dumps(late()), key or ""]
    died = subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()

    house = opened(folder, secret)
    assert house.named("LATE") == 1, "the commit was durable"
    if key:
        assert house.post(late(), key).headers["Retry-After"] == "1"
        house.clock.now += LEASE
    answer = house.post(late(), key)

    assert (answer.status_code, answer.content) == (201, wanted.content)
    assert house.named("LATE") == 1
    if key:
        assert house.post(late(), key).headers[REPLAYED] == "true"
    house.service.close()


def test_a_reply_is_replayed_after_a_restart_and_by_another_process(made: tuple[Path, str]) -> None:
    folder, secret = made
    one, other = opened(folder, secret), opened(folder, secret)
    first = one.post(late(), KEY)
    assert first.status_code == 201

    beside = other.post(late(), KEY)
    one.service.close()
    other.service.close()
    again = opened(folder, secret)
    later = again.post(late(), KEY)

    for answer in (beside, later):
        assert answer.headers[REPLAYED] == "true"
        assert (answer.status_code, answer.content) == (201, first.content)
    assert again.post({**late(), "note": "别的"}, KEY).json()["code"] == "idempotency-key-used"
    again.clock.now += timedelta(days=1)
    assert again.post({**late(), "note": "别的"}).json()["code"] == "event-id-differs"
    again.service.close()


def _races(folder: Path, secret: str, key: str | None, start: Barrier, heard: Any) -> None:
    house = opened(folder, secret)
    start.wait()
    answer = house.post(late(), key)
    heard.put((answer.status_code, answer.json().get("code"), answer.content))
    house.service.close()


@pytest.mark.parametrize("key", [None, KEY])
def test_processes_that_race_with_one_fact_make_one_entry_and_hear_one_answer(
    made: tuple[Path, str], key: str | None
) -> None:
    folder, secret = made
    context = multiprocessing.get_context("spawn")
    start, heard = context.Barrier(3), context.SimpleQueue()
    children = [context.Process(target=_races, args=(folder, secret, key, start, heard)) for _ in range(3)]
    for child in children:
        child.start()
    answers = [heard.get() for _ in children]
    for child in children:
        child.join()

    house = opened(folder, secret)
    good = [answer for answer in answers if answer[0] == 201]
    assert {code for status, code, _ in answers if status != 201} <= ({"idempotency-key-under-way"} if key else set())
    assert good
    assert {content for _, _, content in good} == {house.post(late(), key).content}
    assert json.loads(good[0][2])["findings"]
    assert house.named("LATE") == 1
    assert audit(house.service.ledger) == []
    house.service.close()
