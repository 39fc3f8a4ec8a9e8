"""What is told to who watches: of every kind and refusal, of turns, processes, ledger and disk; and nothing to strangers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.service import Service
from api.settings import Settings
from flows.entries import event_json
from graph.sqlite_faults import StoreAway
from graph.sqlite_ledger import SqliteLedger
from tests.api.world import M1, Clock, World, correct, read_as
from tests.flows.stories import SMELTER, generated, registered
from tests.graph.stores import chained, unread

HOST = "http://127.0.0.1:8000"
NEAR, FAR = ("127.0.0.1", 5000), ("203.0.113.9", 5000)


def asked(service: Service, peer: tuple[str, int] = NEAR, **headers: str) -> TestClient:
    return TestClient(create_app(service), base_url=HOST, client=peer, headers=headers)


def read(client: TestClient) -> dict[str, float]:
    """Every figure by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert answer.headers["cache-control"] == "no-store"
    return {
        sample.name + "".join(f"[{value}]" for name, value in sample.labels.items() if name != "le"): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    opened = Service.open(Settings(data=tmp_path), Clock())
    opened.recording.record(registered(SMELTER), SMELTER)
    yield opened
    opened.close()


def test_facts_and_refusals_are_counted_and_retries_are_not(service: Service) -> None:
    client = asked(service)
    key, _ = service.keys.create(SMELTER, "administrator")
    before = read(client)

    again = generated("B2", "1 t")
    stated = [(generated("B1", "1 t"), 201), (again, 201), (again, 201), (generated("B2", "2 t"), 409)]

    for fact, status in stated:
        told = client.post("/api/v1/facts", json=event_json(fact), headers={"Authorization": f"Bearer {key}"})
        assert told.status_code == status, told.text
    client.post("/api/v1/facts/check", json=event_json(generated("B3", "1 t")))
    after = read(client)

    def grew(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    refused = told.json()["code"]
    assert grew("huanliu_facts_recorded_total[generated]") == 2
    assert grew(f"huanliu_statements_refused_total[{refused}]") == 1
    assert grew("huanliu_turn_seconds_count") == grew("huanliu_turn_statements_sum") == 4
    assert after["huanliu_ledger_position"] == after["huanliu_worker_position[1]"] == len(registered(SMELTER)) + 2


def test_what_a_failed_commit_did_not_keep_is_not_counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    client = asked(service)
    before = read(client)

    turn = SqliteLedger.turn

    @contextmanager
    def breaks(ledger: SqliteLedger) -> Iterator[object]:
        """At the commit, when all was judged and appended."""
        with turn(ledger) as held:
            yield held
            raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(SqliteLedger, "turn", breaks)
        with pytest.raises(OSError, match=r"^$"):
            service.recording.record([generated("B1", "1 t")], SMELTER)
    after = read(client)

    name = "huanliu_facts_recorded_total[generated]"
    assert after.get(name, 0) == before.get(name, 0)
    fault = "huanliu_statements_refused_total[fault-of-ours]"
    assert after[fault] == before.get(fault, 0) + 1


def test_what_another_process_wrote_is_lag_until_it_is_read(service: Service) -> None:
    client = asked(service)
    with service.ledger.turn() as turn:
        last = next(service.ledger.entries(after=turn.head.position - 1))
        turn.append(unread(chained([generated("B1", "1 t")], last, last.record_time_us)))

    behind = read(client)
    service.recording.catch_up()
    current = read(client)

    assert (behind["huanliu_worker_lag[1]"], current["huanliu_worker_lag[1]"]) == (1, 0)
    assert behind["huanliu_ledger_position"] == current["huanliu_worker_position[1]"]


def test_the_store_the_disk_and_what_waits_are_told(service: Service, fresh: World) -> None:
    told = read(asked(service))

    assert told["huanliu_store_up"] == told["huanliu_worker_whole[1]"] == 1
    assert told["huanliu_wal_bytes"] > 0
    assert told["huanliu_disk_free_bytes"] > 0
    assert told["huanliu_imports_under_way"] == told["huanliu_corrections_open"] == 0
    _, loaded = read_as(fresh, M1, "loaded")
    correct(fresh, "smelter", loaded, {**loaded, "plate": "川A99999"})
    assert read(asked(fresh.service))["huanliu_corrections_open"] == 1


def test_a_store_that_is_away_leaves_the_rest_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise StoreAway("store-busy", path="here")

    monkeypatch.setattr("graph.sqlite_ledger.SqliteLedger.head", away)
    told = read(asked(service))

    assert told["huanliu_store_up"] == 0
    assert "huanliu_ledger_position" not in told
    assert told["huanliu_disk_free_bytes"] > 0


def test_nothing_in_it_names_an_enterprise_or_a_batch(world: World) -> None:
    text = asked(world.service).get("/metrics").text

    assert not [each for each, _ in world.service.book.enterprises.items() if each in text]


@pytest.mark.parametrize("header", ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host"])
def test_without_a_token_it_is_for_this_machine_alone(world: World, header: str) -> None:
    unknown = asked(world.service).get("/metrical").text.replace("metrical", "metrics")

    for client in (asked(world.service, FAR), asked(world.service, NEAR, **{header: "127.0.0.1"})):
        answer = client.get("/metrics")
        assert (answer.status_code, answer.text) == (404, unknown)
    assert asked(world.service, ("::1", 1)).get("/metrics").status_code == 200


def test_behind_a_public_address_it_needs_the_token(tmp_path: Path) -> None:
    """There every caller comes from the proxy, which is on this machine."""
    with_address = Settings.read(data=tmp_path, public_url="https://wuliu.example")
    service = Service.open(with_address, Clock())
    assert asked(service).get("/metrics").status_code == 404
    service.close()


def test_with_a_token_it_is_for_whoever_bears_it(tmp_path: Path) -> None:
    service = Service.open(Settings(data=tmp_path, metrics_token=SecretStr("geheim")), Clock())

    assert asked(service, FAR, Authorization="Bearer geheim").get("/metrics").status_code == 200
    for headers in ({}, {"Authorization": "Bearer falsch"}, {"Authorization": "Basic geheim"}, {"Authorization": "é"}):
        answer = TestClient(create_app(service), base_url=HOST, client=NEAR).get(
            "/metrics", headers={name: value.encode("utf-8") for name, value in headers.items()}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "metrics-token-wrong")
    service.close()
