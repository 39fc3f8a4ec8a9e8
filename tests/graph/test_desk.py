"""The promises of a desk, one test each, held against every store."""

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest

from flows.ports import Desk, Document
from graph.sqlite_desk import SqliteDesk
from graph.sqlite_ledger import SqliteLedger
from graph.sqlite_store import SqliteStore
from tests.graph.stores import NAMES, SHARED, STORES

NOW = 1_000


@pytest.fixture(params=NAMES)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    opened = STORES[request.param].desk(tmp_path)
    yield opened
    opened.close()


def put(
    desk: Desk, body: bytes, version: int, key: str = "k", now_us: int = NOW, expires_us: int | None = None
) -> bool:
    return desk.put("kind", key, body, version=version, now_us=now_us, expires_us=expires_us)


def get(desk: Desk, key: str = "k", now_us: int = NOW) -> Document | None:
    return desk.get("kind", key, now_us=now_us)


def test_what_was_never_put_is_not_there(desk: Desk) -> None:
    assert get(desk) is None
    assert desk.all("kind", now_us=NOW) == []
    desk.drop("kind", "k")


def test_versions_count_from_one(desk: Desk) -> None:
    assert put(desk, b"a", 0)
    assert get(desk) == Document("kind", "k", 1, b"a", None)
    assert put(desk, b"\x00\xff", 1, expires_us=NOW + 1)
    assert get(desk) == Document("kind", "k", 2, b"\x00\xff", NOW + 1)


@pytest.mark.parametrize("version", [0, 2, 99])
def test_a_put_over_another_version_changes_nothing(desk: Desk, version: int) -> None:
    put(desk, b"a", 0)

    assert not put(desk, b"b", version)
    assert get(desk) == Document("kind", "k", 1, b"a", None)


def test_a_put_over_a_version_that_never_was_creates_nothing(desk: Desk) -> None:
    assert not put(desk, b"a", 1)
    assert get(desk) is None


def test_kinds_and_keys_are_apart(desk: Desk) -> None:
    assert put(desk, b"a", 0, key="a")
    assert desk.put("other", "a", b"b", version=0, now_us=NOW)
    assert put(desk, b"c", 0, key="c")
    desk.drop("kind", "a")

    assert [document.body for document in desk.all("kind", now_us=NOW)] == [b"c"]
    assert [document.body for document in desk.all("other", now_us=NOW)] == [b"b"]


def test_all_come_by_key(desk: Desk) -> None:
    keys = ["b", "a", "é", "Z", "批", "10", "9"]
    for key in keys:
        put(desk, b"", 0, key=key)

    assert [document.key for document in desk.all("kind", now_us=NOW)] == sorted(keys)


def test_a_document_lapses_at_its_very_microsecond(desk: Desk) -> None:
    put(desk, b"a", 0, expires_us=NOW + 10)

    assert get(desk, now_us=NOW + 9) is not None
    assert len(desk.all("kind", now_us=NOW + 9)) == 1
    assert get(desk, now_us=NOW + 10) is None
    assert desk.all("kind", now_us=NOW + 10) == []


def test_over_a_lapsed_document_the_count_begins_anew(desk: Desk) -> None:
    put(desk, b"a", 0, expires_us=NOW + 10)
    put(desk, b"b", 1, expires_us=NOW + 10)

    assert not put(desk, b"c", 0, now_us=NOW + 9)
    assert not put(desk, b"c", 2, now_us=NOW + 10)
    assert put(desk, b"c", 0, now_us=NOW + 10)
    assert get(desk, now_us=NOW + 10) == Document("kind", "k", 1, b"c", None)


@pytest.mark.parametrize("seen_by", ["get", "all", "put"])
def test_what_was_seen_lapsed_stays_away_when_the_clock_is_set_back(desk: Desk, seen_by: str) -> None:
    put(desk, b"a", 0, expires_us=NOW + 10)
    put(desk, b"b", 0, key="kept")
    match seen_by:
        case "get":
            get(desk, now_us=NOW + 10)
        case "all":
            desk.all("kind", now_us=NOW + 10)
        case _:
            put(desk, b"c", 0, key="other", now_us=NOW + 10)

    assert get(desk) is None
    assert get(desk, key="kept") is not None
    assert put(desk, b"d", 0)


def test_an_expiry_can_be_moved(desk: Desk) -> None:
    put(desk, b"a", 0, expires_us=NOW + 10)
    assert put(desk, b"a", 1, expires_us=NOW + 20)

    assert get(desk, now_us=NOW + 15) is not None


def test_after_a_drop_the_count_begins_anew(desk: Desk) -> None:
    put(desk, b"a", 0)
    desk.drop("kind", "k")

    assert not put(desk, b"b", 1)
    assert put(desk, b"b", 0)


@pytest.mark.parametrize("version", [0, 1])
def test_of_many_that_put_over_one_version_one_succeeds(desk: Desk, version: int) -> None:
    if version:
        put(desk, b"first", 0)
    start, answers = Barrier(8), list[bool]()

    def one(number: int) -> None:
        start.wait()
        answers.append(put(desk, bytes([number]), version))

    threads = [Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [False] * 7 + [True]
    document = get(desk)
    assert document is not None
    assert document.version == version + 1


@pytest.mark.parametrize("name", SHARED)
def test_two_openings_see_one_desk(name: str, tmp_path: Path) -> None:
    one, other = STORES[name].desk(tmp_path), STORES[name].desk(tmp_path)

    assert put(one, b"a", 0)
    assert not put(other, b"b", 0)
    assert put(other, b"b", 1)
    assert get(one) == Document("kind", "k", 2, b"b", None)
    other.drop("kind", "k")
    assert get(one) is None
    one.close()
    other.close()


def test_what_is_put_within_a_turn_is_kept_or_gone_with_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "huanliu.db")
    ledger, desk = SqliteLedger(store), SqliteDesk(store)
    with ledger.turn():
        assert put(desk, b"a", 0, key="kept")

    def fail() -> None:
        with ledger.turn():
            assert put(desk, b"b", 0, key="gone")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [document.key for document in desk.all("kind", now_us=NOW)] == ["kept"]
    store.close()
