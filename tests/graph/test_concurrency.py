"""However many ask at the same instant, a batch is never overdrawn: threads, several recordings, processes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.audit import audit
from flows.ports import Ledger
from flows.recording import Recording
from tests.flows.stories import House
from tests.graph.clients import Answers, in_processes, prepared, together
from tests.graph.stores import NAMES, SHARED, STORES

CROWDS = [
    ("8 t", 50, {"admitted": 1, "overdrawn": 49}, 2_000_000),
    ("1 t", 10, {"admitted": 10}, 0),
    ("0.1 t", 100, {"admitted": 100}, 0),
    ("0.3 t", 50, {"admitted": 33, "overdrawn": 17}, 100_000),
]
"""Mass that each asks of ten tonnes, how many ask, what they hear, what is left."""
crowds = pytest.mark.parametrize(("mass", "clients", "heard", "left_g"), CROWDS, ids=[f"{c[1]}x{c[0]}" for c in CROWDS])


def _left_g(ledger: Ledger) -> int:
    """What a reader finds who begins with the first entry; the ledger is whole."""
    assert audit(ledger) == []
    return sum(batch.left_g for batch in House(ledger).book.batches.values())


@crowds
@pytest.mark.parametrize("name", NAMES)
def test_threads_of_one_recording(
    name: str, mass: str, clients: int, heard: dict[str, int], left_g: int, tmp_path: Path
) -> None:
    house = prepared(House(STORES[name].ledger(tmp_path)))

    assert together([house.recording], mass, clients) == heard
    assert _left_g(house.ledger) == left_g
    house.ledger.close()


@crowds
@pytest.mark.parametrize("name", NAMES)
def test_threads_of_several_recordings_on_one_store(
    name: str, mass: str, clients: int, heard: dict[str, int], left_g: int, tmp_path: Path
) -> None:
    """Each recording has a book of its own, and learns under the lock what the others wrote."""
    first = STORES[name].ledger(tmp_path)
    houses = [prepared(House(first)), *(House(again) for again in _again(name, first, tmp_path))]
    recordings = [house.recording for house in houses]

    assert together(recordings, mass, clients) == heard
    assert _left_g(first) == left_g
    assert {recording.catch_up() for recording in recordings} == {first.head().position}
    for house in houses:
        house.ledger.close()


def _again(name: str, first: Ledger, folder: Path) -> list[Ledger]:
    opened: Callable[[Path], Ledger] = STORES[name].ledger if STORES[name].shared else lambda _: first
    return [opened(folder) for _ in range(3)]


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize(
    ("mass", "clients", "heard", "left_g"),
    [
        ("8 t", 10, {"admitted": 1, "overdrawn": 49}, 2_000_000),
        ("1 t", 2, {"admitted": 10}, 0),
        ("0.1 t", 20, {"admitted": 100}, 0),
    ],
)
def test_processes_of_their_own(
    name: str, mass: str, clients: int, heard: Answers, left_g: int, tmp_path: Path
) -> None:
    ledger = STORES[name].ledger(tmp_path)
    prepared(House(ledger))

    assert in_processes(name, tmp_path, mass, 5, clients) == heard
    assert _left_g(ledger) == left_g
    ledger.close()


def test_recordings_end_with_equal_books(tmp_path: Path) -> None:
    houses = [prepared(House(STORES["sqlite"].ledger(tmp_path))), House(STORES["sqlite"].ledger(tmp_path))]
    together([house.recording for house in houses], "0.3 t", 40)
    for house in houses:
        assert isinstance(house.recording, Recording)
        house.recording.catch_up()

    assert houses[0].book == houses[1].book
    for house in houses:
        house.ledger.close()
