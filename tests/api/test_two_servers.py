"""Two real servers on one file: both write, both tell what the other wrote, and the file is backed up and guarded meanwhile."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from api.service import Service
from api.settings import Settings
from flows.audit import audit
from flows.entries import event_json
from graph.sqlite_backup import check
from tests.flows.stories import SMELTER, generated, registered

HUANLIU = Path(sys.executable).with_name("huanliu")
FACTS = 60


def environment(folder: Path) -> dict[str, str]:
    given = {**os.environ, "HUANLIU_DATA": str(folder), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    given.pop("HUANLIU_PORT", None)
    return given


@contextmanager
def served(folder: Path, key: str) -> Iterator[httpx2.Client]:
    server = subprocess.Popen([HUANLIU, "serve"], env=environment(folder), stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = next(found[1] for line in server.stdout if (found := re.search(r"serving at (http://\S+)", line)))
        headers = {"Authorization": f"Bearer {key}"}
        with httpx2.Client(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
            while True:
                try:
                    assert client.get("/readyz").status_code == 200
                    break
                except httpx2.ConnectError:
                    assert server.poll() is None
            yield client
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
        server.stdout.close()


@pytest.mark.server
def test_two_servers_write_to_one_file_while_it_is_backed_up(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    service = Service.open(Settings(data=folder))
    service.recording.record(registered(SMELTER), SMELTER)
    key, _ = service.keys.create(SMELTER, "member")
    service.close()
    positions: dict[str, int] = {}

    def states(client: httpx2.Client, name: str) -> None:
        for number in range(FACTS):
            fact = generated(f"{name}{number}", "1 t")
            answer = client.post("/api/v1/facts", json=event_json(fact))
            assert answer.status_code == 201, answer.text
            positions[fact.product.batch_id] = answer.json()["entries"][0]["position"]

    with served(folder, key) as one, served(folder, key) as other:
        threads = [Thread(target=states, args=(client, name)) for client, name in ((one, "A"), (other, "B"))]
        for thread in threads:
            thread.start()
        backed = subprocess.run(
            [HUANLIU, "backup", str(tmp_path / "copy.db"), "--json"],
            env=environment(folder), capture_output=True, text=True, check=True,
        )  # fmt: skip
        for thread in threads:
            thread.join()
        assert sorted(positions.values()) == list(range(4, 4 + 2 * FACTS))
        for client in (one, other):
            for batch in (f"{SMELTER}.A{FACTS - 1}", f"{SMELTER}.B{FACTS - 1}"):
                assert client.get(f"/api/v1/batches/{batch}").status_code == 200
        refused = subprocess.run(
            [HUANLIU, "restore", str(tmp_path / "copy.db"), "--force"],
            env=environment(folder), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (refused.returncode, "请先停止服务" in refused.stderr) == (1, True)
        assert one.post("/api/v1/facts", json=event_json(generated("LAST", "1 t"))).status_code == 201

    copied = check(tmp_path / "copy.db")
    assert (copied.head.position, copied.faults) == (json.loads(backed.stdout)["position"], ())
    service = Service.open(Settings(data=folder))
    assert service.book.position == 4 + 2 * FACTS
    assert audit(service.ledger) == []
    service.close()
