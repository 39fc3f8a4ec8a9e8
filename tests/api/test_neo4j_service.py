"""The service on a real Neo4j: the same pages, documents and figures as on the other stores, and every command on it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.cli import app
from api.service import Service
from api.settings import Settings
from flows.entries import event_json
from tests.api.test_as_of import _READINGS, told
from tests.api.world import DROSS, SEATS, SMELTER, TONNE, World, mend, product, site, world_of
from tests.graph.stores import unread
from tests.servers.neo4j_server import Address

pytestmark = pytest.mark.neo4j
HERE = "http://127.0.0.1:8000"
LOOKERS = ("smelter", "stranger", "province")
PAGES = ("/", f"/batches/{DROSS}", f"/batches/{DROSS}/trace", "/manifests", "/enterprises", "/audit", "/corrections")


def at(neo4j: Address, folder: Path) -> Settings:
    return Settings(data=folder, ledger=neo4j.uri, neo4j_user=neo4j.user, neo4j_password=neo4j.password)  # pyright: ignore[reportArgumentType]


def opened(neo4j: Address, folder: Path, other: World) -> World:
    """The same world on Neo4j, with keys of its own."""
    service = Service.open(at(neo4j, folder), other.clock)
    world = World(service, TestClient(create_app(service), base_url=HERE), other.clock)
    for seat, (organisation, role, division) in SEATS.items():
        world.keys[seat] = service.keys.create(organisation, role, division=division)[0]
    return world


@pytest.fixture
def worlds(neo4j: Address, tmp_path: Path) -> Iterator[tuple[World, World]]:
    """A world with corrections in memory, and the same on Neo4j."""
    memory = world_of(tmp_path)
    mend(memory)
    service = Service.open(at(neo4j, tmp_path), memory.clock)
    with service.ledger.turn() as turn:
        turn.append(unread(memory.service.ledger.entries()))
    service.close()
    real = opened(neo4j, tmp_path, memory)
    yield memory, real
    for world in (memory, real):
        world.service.close()


def test_every_reading_and_page_is_the_same(worlds: tuple[World, World]) -> None:
    memory, real = worlds
    assert list(memory.service.ledger.entries()) == list(real.service.ledger.entries())
    for seat in LOOKERS:
        for path in _READINGS:
            assert told(memory, seat, path) == told(real, seat, path), (seat, path)
        for world in worlds:
            world.client.cookies.clear()
            assert (
                world.client.post(
                    "/login", data={"key": world.keys[seat]}, headers={"Origin": HERE}, follow_redirects=False
                ).status_code
                == 303
            )
        for path in PAGES:
            one, other = (world.client.get(path, follow_redirects=False) for world in worlds)
            assert (one.status_code, one.text) == (other.status_code, other.text), (seat, path)
            assert one.status_code in {200, 404}


def test_what_one_service_states_another_reads_and_a_retry_hears_again(
    neo4j: Address, worlds: tuple[World, World], tmp_path: Path
) -> None:
    _, one = worlds
    other = opened(neo4j, tmp_path, one)
    other.keys = one.keys  # whose key it is stands on the desk that both share
    made = product(f"{SMELTER}.NEW", "primary-dross", TONNE, "LHZ9")
    fact = {**one.fact("generated", SMELTER, site_id=site(SMELTER), product=made), "event_id": "NEW"}
    first = one.post("smelter", fact, **{"Idempotency-Key": "once"})
    again = other.post("smelter", fact, **{"Idempotency-Key": "once"})

    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert other.post("smelter", fact).json()["entries"] == first.json()["entries"]
    assert other.get("smelter", f"batches/{SMELTER}.NEW").status_code == 200
    assert one.service.recording.catch_up() == other.service.recording.catch_up()
    other.service.close()


def test_every_command_works_on_it(neo4j: Address, tmp_path: Path) -> None:
    world, file = world_of(tmp_path / "memory"), tmp_path / "world.jsonl"
    facts = [json.dumps(event_json(entry.event), ensure_ascii=False) for entry in world.service.ledger.entries()]
    file.write_text("\n".join(facts) + "\n", "utf-8")
    beside = {"HUANLIU_DATA": str(tmp_path / "file"), "COLUMNS": "200"}
    real = {**beside, "HUANLIU_LEDGER": neo4j.uri, "HUANLIU_NEO4J_PASSWORD": neo4j.password}

    def run(environment: dict[str, str], *words: str, expect: int = 0) -> str:
        result = CliRunner().invoke(app, list(words), env=environment)
        assert result.exit_code == expect, (words, result.output)
        return result.output

    for environment in (beside, real):
        run(environment, "import", str(file))
        run(environment, "audit")
        run(environment, "rebuild")
    told_by: list[list[Any]] = [
        [
            json.loads(run(environment, *words, "--json"))
            for words in (("trace", DROSS), ("fate", DROSS), ("indicators",))
        ]
        for environment in (beside, real)
    ]
    assert told_by[0] == told_by[1]
    assert "neo4j-admin database dump" in run(real, "backup", str(tmp_path / "copy"), expect=1)
    assert "neo4j-admin database load" in run(real, "restore", str(file), expect=1)
    assert "HUANLIU_LEDGER" in run(real, "demo", "--folder", str(tmp_path / "demo"), "--no-serve", expect=1)
