"""One leads for all who wait, everybody hears an answer, and who is interrupted strands nobody."""

import signal
from collections import Counter
from collections.abc import Iterator
from threading import Event, Lock, Thread
from time import sleep
from types import FrameType
from typing import NoReturn

import pytest

from flows.crowds import Crowd

CLIENTS = 40
EACH = 50
SOON_S = 0.05
PATIENCE_S = 10.0


class Interrupted(Exception):
    """As if somebody pressed Ctrl-C."""


@pytest.fixture
def interrupted() -> Iterator[None]:
    """This thread is interrupted in whatever it waits for."""

    def raises(_: int, __: FrameType | None) -> NoReturn:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, raises)
    signal.setitimer(signal.ITIMER_REAL, SOON_S)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_everything_asked_is_gathered_once_and_by_one_leader_at_a_time() -> None:
    crowd, leading, seen, turns = Crowd[tuple[int, int]](), Lock(), Counter[tuple[int, int]](), list[int]()

    def client(number: int) -> None:
        for each in range(EACH):
            if crowd.wait((number, each)):
                assert leading.acquire(blocking=False), "two lead at once"
                gathered = crowd.gather()
                assert (number, each) in gathered, "who leads is one of them"
                seen.update(gathered)
                turns.append(len(gathered))
                sleep(0.0002)  # others come meanwhile
                leading.release()
                crowd.answer()
            assert seen[number, each] == 1, "nobody goes without an answer"

    threads = [Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert not any(thread.is_alive() for thread in threads)
    assert seen.total() == CLIENTS * EACH
    assert max(turns) > 1, "many share a turn"


def behind(crowd: Crowd[str], name: str, heard: list[bool]) -> Thread:
    """Another who waits already, behind the leader."""
    thread = Thread(target=lambda: heard.append(crowd.wait(name)))
    thread.start()
    while len(crowd._waiting) < 2:
        thread.join(0.001)
    return thread


def test_who_comes_before_the_turn_begins_takes_part_in_it() -> None:
    crowd, heard = Crowd[str](), list[bool]()
    assert crowd.wait("first")
    late = behind(crowd, "late", heard)

    assert list(crowd.gather()) == ["first", "late"]
    crowd.answer()
    late.join(PATIENCE_S)
    assert heard == [False]
    assert crowd.wait("next"), "nobody leads now"


def test_a_leader_that_is_interrupted_before_it_gathers_goes_alone() -> None:
    crowd, heard = Crowd[str](), list[bool]()
    assert crowd.wait("first")
    other = behind(crowd, "other", heard)

    crowd.answer()
    other.join(PATIENCE_S)
    assert heard == [True]
    assert list(crowd.gather()) == ["other"]


@pytest.mark.usefixtures("interrupted")
def test_who_is_interrupted_while_waiting_leaves_the_line() -> None:
    crowd = Crowd[str]()
    assert crowd.wait("first")
    with pytest.raises(Interrupted):
        crowd.wait("interrupted")

    assert list(crowd.gather()) == ["first"]
    crowd.answer()
    assert crowd.wait("next")


@pytest.mark.usefixtures("interrupted")
def test_who_is_interrupted_when_it_was_to_lead_passes_that_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interruption comes after the call, and before the called one runs again."""
    crowd, came, heard = Crowd[str](), Event(), list[bool]()
    assert crowd.wait("first")
    crowd.gather()

    def other() -> None:
        came.wait(PATIENCE_S)
        heard.append(crowd.wait("other"))

    thread = Thread(target=other)
    thread.start()
    leave = crowd._leave

    def late(caller: object) -> None:
        came.set()
        while len(crowd._waiting) < 2:
            thread.join(0.001)
        crowd.answer()  # calls the one that has just been interrupted
        leave(caller)  # pyright: ignore[reportArgumentType] - what `wait` hands over

    monkeypatch.setattr(crowd, "_leave", late)
    with pytest.raises(Interrupted):
        crowd.wait("interrupted")
    thread.join(PATIENCE_S)

    assert heard == [True]
    assert list(crowd.gather()) == ["other"]
