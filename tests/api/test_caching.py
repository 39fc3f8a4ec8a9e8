"""缓存. An installation begins with its cache, goes on without one, and hears from the audit what is wrong with it."""

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api import audits, caching
from api.bench.story import PLANT, clock, facts
from api.cache_keeper import CacheKeeper
from api.cli import app
from api.service import Service
from api.settings import Settings
from graph.cache import ASIDE, CONTENTS, PARTS

FACTS = 60


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation whose cache stands at some entry, and whose ledger goes on behind it."""
    folder = tmp_path_factory.mktemp("kept")
    service = Service.open(Settings(data=folder), clock)
    story = list(islice(facts(1_000), FACTS))
    service.recording.record(story[:40], PLANT)
    assert service.caching is not None
    assert service.caching.write(service.recording).key == "cache-written"
    service.recording.record(story[40:], PLANT)
    service.close()
    return folder


@pytest.fixture
def data(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "data"))


@pytest.fixture
def opened(data: Path) -> Iterator[Service]:
    service = Service.open(Settings(data=data), clock)
    yield service
    service.close()


def run(data: Path, *words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [*words, "--json"], env={"HUANLIU_DATA": str(data)})
    assert result.exit_code == code, (result.output, result.exception)
    return orjson.loads(result.stdout)


def spoil(data: Path, at: int) -> None:
    (place,) = (data / "cache").glob("at-*")
    raw = bytearray((place / PARTS).read_bytes())
    raw[at] ^= 1
    (place / PARTS).write_bytes(raw)


def test_an_installation_begins_with_its_cache_and_reads_what_came_since(opened: Service) -> None:
    assert opened.caching is not None
    assert opened.caching.position == 40
    assert opened.caching.readings.begun_with is not None
    assert opened.recording.position == FACTS
    assert audits.audit(opened).faults == []
    assert set(audits.compared(opened).differing) == {"cache", "book", "lineage", "columns", "containers"}


def test_a_cache_is_written_when_much_came_since_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "WORTH", 20)
    Service.open(Settings(data=data), clock).close()
    begun = Service.open(Settings(data=data), clock)
    assert begun.caching is not None
    assert (begun.caching.position, begun.recording.position) == (FACTS, FACTS)
    begun.close()


def test_the_audit_names_file_and_part_and_rebuild_makes_it_anew(data: Path) -> None:
    before = {each["code"] for each in run(data, "audit")["faults"]}
    spoil(data, 0)
    found = run(data, "audit", code=1)["faults"]
    assert before == set()
    (place,) = (data / "cache").glob("at-*")
    assert [each["code"] for each in found] == ["audit-cache-part", "audit-cache-differs"]
    assert all("book.enterprises" in each["detail"] for each in found)
    assert str(place / PARTS) in found[0]["detail"]

    told = run(data, "rebuild", "--cache")
    assert (told["written"], told["position"]) == (True, FACTS)
    assert run(data, "audit")["faults"] == []


def test_a_torn_cache_is_told_by_the_audit_and_set_aside_by_whoever_starts(data: Path) -> None:
    (place,) = (data / "cache").glob("at-*")
    (place / CONTENTS).write_bytes(b"")

    assert [each["code"] for each in run(data, "audit", code=1)["faults"]] == ["audit-cache-torn"]
    service = Service.open(Settings(data=data), clock)
    assert service.recording.position == FACTS
    assert (data / "cache" / ASIDE).exists()
    service.close()
    assert run(data, "audit")["faults"] == []


def test_another_ledgers_cache_is_told_by_the_audit(data: Path) -> None:
    (data / "huanliu.db").unlink()
    for left in data.glob("huanliu.db-*"):
        left.unlink()
    other = Service.open_unread(Settings(data=data), clock)
    other.recording.record(list(islice(facts(1_000, seed=8), FACTS)), PLANT)
    other.close()

    assert [each["code"] for each in run(data, "audit", code=1)["faults"]] == ["audit-cache-astray"]


def test_the_cache_goes_on_from_the_one_that_is_there(data: Path) -> None:
    assert run(data, "rebuild", "--cache", "--onward")["position"] == FACTS
    assert run(data, "audit")["faults"] == []
    told = CliRunner().invoke(app, ["rebuild", "--onward"], env={"HUANLIU_DATA": str(data)})
    assert told.exit_code == 2
    assert "--cache" in told.output


def test_where_no_cache_can_be_written_the_service_goes_on_and_says_so(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(data / "cache")
    (data / "cache").write_text("a file in its place")
    service = Service.open(Settings(data=data), clock)
    assert service.caching is not None
    assert service.caching.write(service.recording).key == "cache-unwritten"
    assert "服务不受影响" in caplog.text
    assert service.recording.position == FACTS
    service.close()


@pytest.mark.server
def test_a_server_has_its_cache_written_beside_it(opened: Service) -> None:
    assert opened.caching is not None
    until = monotonic() + 60
    with CacheKeeper(opened, every=1, look_seconds=0.01):
        while opened.caching.position < FACTS:
            assert monotonic() < until, "no cache was written"
    (place,) = opened.caching.cache.places()
    assert place.name.endswith(f"{FACTS}")
