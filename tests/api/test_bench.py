"""What is measured is right first: every peer answers as we do, and a run has all its rows. No time is judged."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from api.bench.documents import check_code, new_label, new_sheet, qr_by_library
from api.bench.kernels import Readings, cones
from api.bench.rows import Name, row
from api.bench.story import facts, told
from api.cli import app
from flows.balance import postings, total_g
from flows.fates import FATES
from graph.fate import arising
from tests.servers.neo4j_server import Address, check_empty

SMALL = 300
TWICE = {Name.FATE, Name.FATES, Name.START, Name.TURNS, Name.WORKBOOK}
"""Two rows: against two peers, from two numbers of clients, or of two kinds of file."""


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readings]:
    made = Readings(told(facts(SMALL)), tmp_path_factory.mktemp("bench"))
    yield made
    made.close()


def test_a_longer_story_begins_as_a_shorter_one() -> None:
    short, long = list(facts(50)), list(facts(60))

    assert long[: len(short)] == short
    assert list(facts(50, seed=8)) != short


def test_a_story_balances_and_has_its_batches() -> None:
    story = told(facts(SMALL))

    assert all(total_g(postings([movement])) == 0 for movement in story.moved)
    assert SMALL <= len(story.lineage.batch_ids) < SMALL + 4


def test_peers_find_the_same_trace(readings: Readings) -> None:
    for root in arising(readings.lineage).tolist():
        batches, edges = readings.check_trace(root)
        assert edges >= batches - 1


def test_peers_find_the_same_fate(readings: Readings) -> None:
    for root in range(SMALL):
        readings.check_fate(root)
    readings.check_fates()


def test_a_peers_fate_is_whole(readings: Readings) -> None:
    assert len(readings.plain.fate(0)) == len(FATES)
    assert np.allclose(readings.sqlite.fates().sum(axis=1), 1)


def test_a_wrong_peer_is_not_measured(readings: Readings) -> None:
    root = cones(readings.lineage).large
    was = readings.plain.ended[root]
    readings.plain.ended[root] = {**was, 0: was.get(0, 0.0) + 0.5}
    try:
        with pytest.raises(AssertionError):
            readings.check_fate(root)
        with pytest.raises(AssertionError):
            readings.check_fates()
    finally:
        readings.plain.ended[root] = was


def test_documents_are_made_anew_each_time() -> None:
    check_code("HTTPS://HUANLIU.EXAMPLE.CN/Q/B1")

    assert qr_by_library("B1").startswith(b"<?xml")
    assert new_label(1) != new_label(2)
    assert new_sheet(1)[:5] == b"%PDF-"


def test_above_one_ours_is_better() -> None:
    assert row(Name.TRACE, "", "ms", 2.0, ("peer", 8.0)).ratio == 4
    assert row(Name.TURNS, "", "/s", 2.0, ("peer", 8.0)).ratio == 0.25
    assert row(Name.LABEL, "", "ms", 2.0).ratio is None


@pytest.mark.long
def test_a_run_has_all_rows_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUANLIU_DATA", str(tmp_path))

    result = CliRunner().invoke(app, ["bench", "--batches", str(SMALL), "--json"], catch_exceptions=False)

    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["batches"] == SMALL
    found = [each["name"] for each in document["rows"]]
    without = [name for name in Name if name is not Name.NEO4J]
    assert found == [name for name in without for _ in range(4 if name is Name.TRACE else 2 if name in TWICE else 1)]
    assert all(each["ours"] > 0 for each in document["rows"])
    assert list(tmp_path.iterdir()) == []


def test_one_name_is_measured_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUANLIU_DATA", str(tmp_path / "not-there-yet"))

    result = CliRunner().invoke(app, ["bench", "--batches", "100", "--only", "qr"], catch_exceptions=False)

    assert result.exit_code == 0
    assert "│ qr " in result.stdout
    assert "│ trace " not in result.stdout
    assert CliRunner().invoke(app, ["bench", "--only", "nothing"]).exit_code == 2


def test_a_neo4j_is_named_to_be_measured_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUANLIU_DATA", str(tmp_path))

    result = CliRunner().invoke(app, ["bench", "--only", "neo4j"])

    assert result.exit_code == 2
    assert "--only neo4j --neo4j bolt://" in result.output


@pytest.mark.neo4j
def test_what_is_measured_on_a_neo4j_leaves_nothing_behind(
    neo4j: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("DATA", str(tmp_path)), ("NEO4J_USER", neo4j.user), ("NEO4J_PASSWORD", neo4j.password)):
        monkeypatch.setenv(f"HUANLIU_{name}", value)
    words = ["bench", "--batches", "100", "--only", "neo4j", "--neo4j", neo4j.uri, "--json"]

    result = CliRunner().invoke(app, words, catch_exceptions=False)

    assert [each["name"] for each in json.loads(result.stdout)["rows"]] == ["neo4j"] * 3
    check_empty(neo4j)
    with neo4j.driver() as driver:
        driver.execute_query("create (:Somebody)")
    assert "has to be empty" in CliRunner().invoke(app, words).output
