"""Serving: which port, and a real server that takes facts while a command writes to the same file."""

import asyncio
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.service import Service
from api.serving import PortTaken, listening
from api.settings import DEFAULT_PORT, Settings
from flows.entries import event_json
from tests.api.world import DROSS, SMELTER, product, site, world_of
from tests.flows.stories import STRANGER, registered

HUANLIU = Path(sys.executable).with_name("huanliu")


@contextmanager
def taken(port: int) -> Iterator[int]:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        yield int(holder.getsockname()[1])


def free_port(asked: int | None = None) -> int:
    with listening("127.0.0.1", asked) as held:
        return int(held.getsockname()[1])


def test_the_port_that_was_asked_for_or_none() -> None:
    with taken(0) as port, pytest.raises(PortTaken) as caught:
        listening("127.0.0.1", port)

    assert str(port) in caught.value.text("zh")
    assert free_port(port) == port


def test_the_next_free_port_when_none_was_asked_for() -> None:
    first = free_port()
    with taken(first):
        assert free_port() > first


def test_who_is_told_the_port_may_connect_before_anything_is_served() -> None:
    with listening("127.0.0.1", None) as held, socket.create_connection(held.getsockname(), timeout=5) as caller:
        assert caller.getpeername() == held.getsockname()


def test_no_part_of_an_answer_waits_for_the_callers_nod() -> None:
    """As it is served: asyncio turns the waiting off for sockets that name TCP, and for no other."""

    async def one() -> int:
        heard = asyncio.get_running_loop().create_future()

        async def answers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ours = writer.get_extra_info("socket")
            heard.set_result(ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listening("127.0.0.1", None) as held:
            async with await asyncio.start_server(answers, sock=held):
                _, writer = await asyncio.open_connection(*held.getsockname())
                told = await heard
                writer.close()
                return told

    assert asyncio.run(one()) == 1


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings(), f"http://127.0.0.1:{DEFAULT_PORT}"),
        (Settings(port=81), "http://127.0.0.1:81"),
        (Settings(host="::1"), f"http://[::1]:{DEFAULT_PORT}"),
        (Settings(host="0.0.0.0"), f"http://127.0.0.1:{DEFAULT_PORT}"),
        (Settings.read(public_url="https://wuliu.example/"), "https://wuliu.example"),
        (Settings.read(public_url="https://wuliu.example/huanliu/"), "https://wuliu.example/huanliu"),
    ],
)
def test_where_printed_codes_point(settings: Settings, url: str) -> None:
    assert settings.base_url() == url


@pytest.mark.server
def test_a_server_and_an_import_share_one_file(tmp_path: Path) -> None:
    """The next free port is taken and said plainly; what the command writes, the server tells, and the other way."""
    world = world_of(tmp_path / "world")
    facts = [json.dumps(event_json(entry.event)) for entry in world.service.ledger.entries()]
    (tmp_path / "facts.jsonl").write_text("\n".join(facts), "utf-8")
    environment = {**os.environ, "HUANLIU_DATA": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    environment.pop("HUANLIU_PORT", None)

    def run(*words: str) -> str:
        done = subprocess.run([HUANLIU, *words], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    key = json.loads(run("key", "create", SMELTER, "--role", "member", "--json"))["key"]
    held = free_port()
    with taken(held):
        server = subprocess.Popen([HUANLIU, "serve"], env=environment, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            address = ""
            for line in server.stdout:
                found = re.search(r"serving at (http://127\.0\.0\.1:(\d+))", line)
                if found:
                    address = found[1]
                    break
            assert int(address.rpartition(":")[2]) > held
            with httpx2.Client(
                base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False
            ) as client:
                assert client.get("/readyz").json() == {"ready": True}
                assert client.get(f"/api/v1/batches/{DROSS}").status_code == 404
                run("import", str(tmp_path / "facts.jsonl"))
                assert client.get(f"/api/v1/batches/{DROSS}").json()["left_g"] == 10_000_000
                fact = {
                    "kind": "generated", "event_id": "OVER-THE-WIRE", "enterprise": SMELTER, "event_time": "2026-10-01",
                    "site_id": site(SMELTER), "product": product(f"{SMELTER}.WIRE", "primary-dross", 5),
                }  # fmt: skip
                assert client.post("/api/v1/facts", json=fact).status_code == 201
            assert f"{SMELTER}.WIRE" in run("trace", f"{SMELTER}.WIRE", "--json")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
            if server.stdout is not None:
                server.stdout.close()
        assert json.loads(run("audit", "--json"))["faults"] == []


@pytest.mark.parametrize(
    ("change", "told"),
    [("delete from head", "末尾被改动过；已停止写入"), ("drop table head", "末尾被改动过；已停止写入")],
)
def test_a_server_does_not_start_on_a_ledger_that_it_could_not_write_to(tmp_path: Path, change: str, told: str) -> None:
    service = Service.open(Settings(data=tmp_path))
    service.recording.record(registered(STRANGER), STRANGER)
    service.close()
    with closing(sqlite3.connect(tmp_path / "huanliu.db", isolation_level=None)) as raw:
        raw.execute(change)

    result = CliRunner().invoke(app, ["serve"], env={"HUANLIU_DATA": str(tmp_path), "COLUMNS": "200"})
    assert result.exit_code == 1
    assert told in result.stderr
    assert "huanliu audit" in result.stderr
