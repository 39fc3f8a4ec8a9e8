"""What a client hears when the disk is full or may not be written to, and that it goes on without a restart."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.service import Service
from api.settings import Settings
from flows.audit import audit
from flows.entries import event_json
from graph.sqlite_faults import free_b
from tests.flows.stories import SMELTER, generated, registered

ROOM_B = 200 * 1024
"""For some facts, until the disk is full."""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only an administrator may mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_client_hears_507_with_what_is_full_and_the_server_goes_on_when_there_is_room(small: Path) -> None:
    service = Service.open(Settings(data=small))
    service.recording.record(registered(SMELTER), SMELTER)
    key, _ = service.keys.create(SMELTER, "member")
    (small / "ballast").write_bytes(bytes(free_b(small) - ROOM_B))
    acknowledged: list[int] = []
    with TestClient(create_app(service), headers={"Authorization": f"Bearer {key}"}) as client:
        for number in range(10_000):
            answer = client.post("/api/v1/facts", json=event_json(generated(f"B{number}", "1 t")))
            if answer.status_code != 201:
                break
            acknowledged.append(answer.json()["entries"][0]["position"])
        told = answer.json()
        english = client.post(
            "/api/v1/facts", json=event_json(generated("C1", "1 t")), headers={"Accept-Language": "en"}
        ).json()

        assert (answer.status_code, told["code"], told["title"]) == (507, "store-full", "磁盘空间不足")
        assert answer.headers["content-type"] == "application/problem+json"
        assert f"文件夹 {small} 仅剩" in told["detail"]
        assert "make room and try again, no restart is needed" in english["detail"]
        assert acknowledged == list(range(4, 4 + len(acknowledged)))
        assert client.get(f"/api/v1/batches/{SMELTER}.B0").status_code == 200
        assert [entry.position for entry in service.ledger.entries()] == list(range(1, 4 + len(acknowledged)))
        (small / "ballast").unlink()
        again = client.post("/api/v1/facts", json=event_json(generated("C1", "1 t")))
        assert again.status_code == 201
        assert again.json()["entries"][0]["position"] == 4 + len(acknowledged)
        assert audit(service.ledger) == []
