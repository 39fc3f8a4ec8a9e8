"""Several processes on one socket: any answers with what any wrote, one that dies is replaced, and all end together."""

import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable
from io import StringIO
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from os import kill
from pathlib import Path
from queue import SimpleQueue
from threading import Barrier, Thread, Timer
from time import monotonic, sleep
from typing import Any

import httpx2
import pytest
from rich.console import Console
from typer.testing import CliRunner

from api import supervising
from api.cli import app
from api.service import Service
from api.settings import Settings
from api.supervising import Supervisor
from flows.audit import audit
from flows.entries import event_json
from tests.api.processes import PATIENCE_S, figures, lives, served, until, workers_of
from tests.flows.stories import SMELTER, generated, registered
from tests.graph.clients import asks
from tests.servers.neo4j_server import Address

WORKERS = 4
FACTS = 40


@pytest.fixture(params=["sqlite", pytest.param("neo4j", marks=[pytest.mark.neo4j, pytest.mark.timeout(600)])])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Where an installation stands that holds nothing."""
    if request.param == "sqlite":
        return Settings(data=tmp_path)
    address: Address = request.getfixturevalue("neo4j")
    return Settings(data=tmp_path, ledger=address.uri, neo4j_user=address.user, neo4j_password=address.password)  # pyright: ignore[reportArgumentType]


def installed(settings: Settings) -> dict[str, str]:
    service = Service.open(settings)
    service.recording.record(registered(SMELTER), SMELTER)
    key, _ = service.keys.create(SMELTER, "administrator")
    service.close()
    return {"Authorization": f"Bearer {key}"}


def states(address: str, headers: dict[str, str], name: str, mass: str = "1 t") -> str:
    """A fact, written over a connection of its own; the position that it was told."""
    fact = event_json(generated(name, mass))
    answer = httpx2.post(f"{address}/api/v1/facts", json=fact, headers=headers, timeout=60, trust_env=False)
    assert answer.status_code == 201, answer.text
    return answer.headers["Huanliu-Position"]


def reads(address: str, headers: dict[str, str], name: str, position: str) -> None:
    """It is read over another connection, by whichever process takes it."""
    told = {**headers, "Huanliu-Position": position}
    answer = httpx2.get(f"{address}/api/v1/batches/{SMELTER}.{name}", headers=told, timeout=60, trust_env=False)
    assert answer.status_code == 200, answer.text


@pytest.mark.server
def test_any_process_answers_with_what_any_wrote_and_a_killed_one_is_replaced(settings: Settings) -> None:
    headers = installed(settings)
    with served(settings, WORKERS) as (server, address):
        until(lambda: len(workers_of(server.pid)) == WORKERS, "all processes run")
        first = workers_of(server.pid)
        for number in range(FACTS):
            reads(address, headers, f"A{number}", states(address, headers, f"A{number}"))
        told = figures(address)
        assert told['huanliu_facts_recorded_total{kind="generated"}'] == FACTS, "counted over all processes"
        assert told["huanliu_turn_seconds_count"] >= FACTS
        until(lambda: figures(address)['huanliu_worker_position{worker="4"}'] >= FACTS, "unasked, all have read it")
        killed = min(first)
        kill(killed, signal.SIGKILL)
        for number in range(FACTS):
            reads(address, headers, f"B{number}", states(address, headers, f"B{number}"))
        until(lambda: len(workers_of(server.pid) - {killed}) == WORKERS, "another process takes its place")
        until(lambda: len([n for n in figures(address) if "worker_position" in n]) == WORKERS, "and is counted")
        last = workers_of(server.pid)
        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate(timeout=60)
        assert server.returncode == 0
        assert f"（{killed}）已退出，代码 -9" in output
        assert not any(lives(each) for each in first | last)

    service = Service.open(settings)
    assert service.book.position == len(registered(SMELTER)) + 2 * FACTS
    assert audit(service.ledger) == []
    service.close()


@pytest.mark.server
@pytest.mark.parametrize(
    ("mass", "clients", "admitted", "left_g"), [("8 t", 40, 1, 2_000_000), ("0.3 t", 60, 33, 100_000)]
)
def test_whoever_asks_whichever_process_a_batch_is_never_overdrawn(
    settings: Settings, mass: str, clients: int, admitted: int, left_g: int
) -> None:
    """Ten tonnes, asked for at the same instant over connections of their own."""
    headers = installed(settings)
    start, heard = Barrier(clients), SimpleQueue[tuple[int, str]]()

    def one(number: int) -> None:
        fact = event_json(asks(f"c{number}", mass))
        start.wait()
        answer = httpx2.post(f"{address}/api/v1/facts", json=fact, headers=headers, timeout=60, trust_env=False)
        heard.put((answer.status_code, answer.json().get("code", "")))

    with served(settings, WORKERS) as (server, address):
        until(lambda: len(workers_of(server.pid)) == WORKERS, "all processes run")
        states(address, headers, "B1", "10 t")
        threads = [Thread(target=one, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    answers = Counter(heard.get() for _ in range(clients))

    assert answers == {(201, ""): admitted, (409, "overdrawn"): clients - admitted}
    service = Service.open(settings)
    batch = service.book.find_batch(f"{SMELTER}.B1")
    assert batch is not None
    assert batch.left_g == left_g
    assert audit(service.ledger) == []
    service.close()


@pytest.mark.server
def test_processes_end_with_the_one_that_watches_them(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    installed(settings)
    with served(settings, WORKERS) as (server, _):
        until(lambda: len(workers_of(server.pid)) == WORKERS, "all processes run")
        workers = workers_of(server.pid)
        server.kill()
        until(lambda: not any(lives(each) for each in workers), "nobody is left behind")


@pytest.mark.parametrize("wrong", ["0", "65", "two", "-1"])
def test_a_number_of_processes_that_cannot_be_is_said_in_words(tmp_path: Path, wrong: str) -> None:
    given = {"HUANLIU_DATA": str(tmp_path), "HUANLIU_WORKERS": wrong, "COLUMNS": "200"}

    told = CliRunner().invoke(app, ["serve"], env=given)

    assert told.exit_code == 2
    assert "HUANLIU_WORKERS" in told.stderr
    assert re.search(r"不能(小|大)于|应为整数", told.stderr)


def test_several_processes_do_not_start_on_a_ledger_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "huanliu.db").write_bytes(b"not a database at all" * 100)

    told = CliRunner().invoke(app, ["serve"], env={"HUANLIU_DATA": str(tmp_path), "HUANLIU_WORKERS": "2"})

    assert told.exit_code == 1
    assert str(tmp_path / "huanliu.db") in told.stderr.replace("\n", "")


# the one that watches -----------------------------------------------------------------------------------------------

SPAWN = get_context("spawn")


def _stays(came: Any) -> None:
    """Deaf to who asks it to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    came.set()
    sleep(PATIENCE_S)


def supervised(
    target: Callable[..., object], *given: object, ended: Callable[[int], None], look: Callable[[], None]
) -> str:
    """What a supervisor of one process says until it is told to stop."""
    said = StringIO()

    def start(_: int) -> BaseProcess:
        process = SPAWN.Process(target=target, args=given)
        process.start()
        return process

    Supervisor(1, start, Console(file=said, width=200), ended, look).run()
    return said.getvalue()


@pytest.mark.server
def test_who_dies_at_its_start_is_started_again_after_longer_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "PAUSE_S", 0.01)
    monkeypatch.setattr(supervising, "PAUSE_MOST_S", 0.03)
    died: list[int] = []

    def enough() -> None:
        if len(died) == 4:
            kill(os.getpid(), signal.SIGTERM)

    said = supervised(sys.exit, 3, ended=died.append, look=enough)

    assert len(set(died)) == len(died) >= 4
    pauses = [float(each) for each in re.findall(r"代码 3；([\d.]+) 秒后", said)]
    assert pauses[:4] == [0.01, 0.02, 0.03, 0.03]


@pytest.mark.server
def test_a_second_signal_kills_who_does_not_end() -> None:
    came, begun_s, pids = SPAWN.Event(), monotonic(), list[int]()

    def twice() -> None:
        if came.is_set():
            pids.extend(child.pid or 0 for child in active_children())
            kill(os.getpid(), signal.SIGINT)
            Timer(0.5, lambda: kill(os.getpid(), signal.SIGINT)).start()
            came.clear()

    assert supervised(_stays, came, ended=pids.append, look=twice) == ""
    assert len(pids) == 1
    assert not lives(pids[0])
    assert monotonic() - begun_s < PATIENCE_S
