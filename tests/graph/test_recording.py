"""The way in over every store: one commit for all who wait, and nothing kept of what fails."""

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from flows.book import Book, Change
from flows.entries import Entry, Head
from flows.errors import Problem
from flows.law import Finding
from flows.ports import Kept, Ledger, Name, Turn
from flows.recording import TAIL_MOST, Stopped
from graph.memory_ledger import MemoryLedger
from tests.flows.stories import (
    SMELTER,
    STRANGER,
    House,
    generated,
    own,
    portion,
    product,
    registered,
    settled,
    shipped,
    transformed,
)
from tests.graph.stores import NAMES, SHARED, STORES


class Watched:
    """A ledger around another: counts turns, holds them at a gate, and fails at the commit when asked."""

    def __init__(self, inner: Ledger) -> None:
        self.inner = inner
        self.turns = 0
        self.fails: BaseException | None = None
        self.gate, self.inside = Flag(), Flag()
        self.gate.set()
        self.before: Callable[[], object] = int
        """What happens between a writer's last look and its turn."""

    def head(self) -> Head:
        return self.inner.head()

    def find(self, enterprise: str, event_id: str) -> Entry | None:
        return self.inner.find(enterprise, event_id)

    def find_all(self, names: Collection[Name]) -> Mapping[Name, Entry]:
        return self.inner.find_all(names)

    def entries(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        return self.inner.entries(after, until)

    @contextmanager
    def turn(self) -> Generator[Turn]:
        self.turns += 1
        self.inside.set()
        self.gate.wait()
        self.before()
        with self.inner.turn() as turn:
            yield turn
            if self.fails is not None:
                raise self.fails

    def faults(self) -> Sequence[Finding]:
        return self.inner.faults()

    def close(self) -> None:
        self.inner.close()


@pytest.fixture(params=NAMES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    opened = Watched(STORES[request.param].ledger(tmp_path))
    yield opened
    opened.close()


class Listener:
    """A follower that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def read(self, entry: Entry, change: Change) -> None:
        assert entry.position == change.position
        self.heard.append(entry.position)


def _all_at_once(house: House, ledger: Watched, facts: Sequence[Sequence[object]]) -> list[object]:
    """One statement leads and is held before its turn begins; the others come meanwhile, and take part in it."""
    heard: list[object] = [None] * len(facts)
    ledger.turns = 0
    ledger.gate.clear()
    ledger.inside.clear()

    def one(number: int) -> None:
        try:
            heard[number] = house.tell(*facts[number])  # pyright: ignore[reportArgumentType]
        except BaseException as fault:  # noqa: BLE001 - the test looks at it
            heard[number] = fault

    threads = [Thread(target=one, args=(number,)) for number in range(len(facts))]
    threads[0].start()
    ledger.inside.wait()
    for number, thread in enumerate(threads[1:], 1):
        thread.start()
        while len(house.recording._crowd._waiting) <= number:
            pass
    ledger.gate.set()
    for thread in threads:
        thread.join()
    return heard


def test_those_who_wait_share_one_commit(ledger: Watched) -> None:
    house = settled(ledger)

    heard = _all_at_once(house, ledger, [[generated(f"B{number}")] for number in range(20)])

    assert ledger.turns == 1
    assert [statement.entries[0].event.product.batch_id for statement in heard] == [
        own(SMELTER, f"B{number}") for number in range(20)
    ]
    assert house.book.position == ledger.head().position


def test_those_who_wait_see_each_other_in_turn(ledger: Watched) -> None:
    """Twenty in one commit that ask a tonne of ten: ten are admitted, and each refused hears what was left for it."""
    house = settled(ledger)
    house.tell(generated(mass="10 t"))
    asked = [[transformed([portion("B1", "1 t")], [product(SMELTER, f"N{n}", "1 t")])] for n in range(20)]

    heard = _all_at_once(house, ledger, [[generated("LEADER")], *asked])

    refused = [each for each in heard if isinstance(each, Problem)]
    assert ledger.turns == 1
    assert len(refused) == 10
    assert {problem.key for problem in refused} == {"batch-used-up"}


class Heard:
    """A turn around another, that writes down what a store is asked and handed."""

    def __init__(self, inner: Turn) -> None:
        self.inner = inner
        self.asked: list[set[Name]] = []
        self.handed: list[Kept] = []

    @property
    def head(self) -> Head:
        return self.inner.head

    def entries(self, after: int) -> Iterator[Entry]:
        return self.inner.entries(after)

    def find_all(self, names: Collection[Name]) -> Mapping[Name, Entry]:
        self.asked.append(set(names))
        return self.inner.find_all(names)

    def append(self, kept: Sequence[Kept], book: Book | None = None) -> None:
        self.handed += kept
        self.inner.append(kept)


class Hearing(Watched):
    """A ledger whose turns are written down."""

    @contextmanager
    def turn(self) -> Generator[Turn]:
        with super().turn() as turn:
            self.heard = Heard(turn)
            yield self.heard


def test_a_store_is_asked_once_for_all_names_and_handed_what_each_entry_did() -> None:
    ledger = Hearing(MemoryLedger())
    house = settled(ledger)
    changes: list[Kept] = []
    house.recording.followers = (Follows(changes),)
    facts = [generated("B1"), transformed([portion("B1", "1 t")], [product(SMELTER, "B2", "1 t")])]

    house.tell(*facts)
    assert ledger.heard.asked == [{(SMELTER, fact.event_id) for fact in facts}]
    assert ledger.heard.handed == changes
    assert [change.movements != () for _, change in changes] == [True, True]
    house.tell(*facts)
    assert ledger.heard.handed == []


class Follows:
    """A follower that keeps what it reads."""

    def __init__(self, kept: list[Kept]) -> None:
        self.kept = kept

    def read(self, entry: Entry, change: Change) -> None:
        self.kept.append((entry, change))


def test_a_refusal_touches_no_neighbour(ledger: Watched) -> None:
    house = settled(ledger)
    bad = [generated("B2"), generated("B1", "11 t")]
    facts = [[generated("LEADER")], [generated("B1")], bad, [generated("B3")]]

    heard = _all_at_once(house, ledger, facts)

    assert ledger.turns == 1
    assert isinstance(heard[2], Problem)
    assert (heard[2].key, heard[2].where) == ("batch-id-used", "facts[1]")
    assert [house.book.find_batch(own(SMELTER, name)) is not None for name in ("B1", "B2", "B3")] == [True, False, True]


def test_a_fault_in_one_statement_touches_no_neighbour(ledger: Watched) -> None:
    """What is no fact at all, and no problem either: it fails alone."""
    house = settled(ledger)

    heard = _all_at_once(house, ledger, [[generated("LEADER")], [generated("B1")], [_Nonsense()], [generated("B3")]])

    assert isinstance(heard[2], AttributeError)
    assert [house.book.find_batch(own(SMELTER, name)) is not None for name in ("B1", "B3")] == [True, True]


class _Nonsense:
    enterprise = SMELTER
    event_id = "nonsense"


def test_when_the_commit_fails_nothing_was_said(ledger: Watched) -> None:
    """Also who was refused hears of the failure: what refused him may not have been kept."""
    house = settled(ledger)
    house.tell(generated(mass="10 t"))
    listener = Listener()
    house.recording.followers = (listener,)
    before = _copy(house), ledger.head()
    ledger.fails = OSError("disk full")
    facts = [
        [generated("LEADER")],
        [transformed([portion("B1", "8 t")], [product(SMELTER, "N1", "8 t")])],
        [transformed([portion("B1", "8 t")], [product(SMELTER, "N2", "8 t")])],
    ]

    heard = _all_at_once(house, ledger, facts)

    assert [str(each) for each in heard] == ["disk full"] * 3
    assert (_copy(house), ledger.head()) == before
    assert listener.heard == []
    ledger.fails = None
    house.tell(*facts[2])  # pyright: ignore[reportArgumentType]
    assert house.left_t("B1") == 2
    assert listener.heard == [ledger.head().position]


class Breaking(Listener):
    """A follower that breaks off at an entry."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def read(self, entry: Entry, change: Change) -> None:
        if entry.position == self.at:
            raise ArithmeticError("half of it")
        super().read(entry, change)


def test_a_fault_after_the_commit_takes_nothing_back_and_stops_the_readings(ledger: Watched) -> None:
    """Who stated hears that it is kept; nothing is read or judged on half an entry, until a restart reads all of it."""
    house = settled(ledger)
    first = ledger.head().position
    before, breaking = Listener(), Breaking(first + 2)
    house.recording.followers = (before, breaking)

    heard = _all_at_once(house, ledger, [[generated("LEADER")], [generated("B1")], [generated("B2")]])

    assert sorted(statement.entries[0].position for statement in heard) == [first + 1, first + 2, first + 3]
    assert ledger.head().position == first + 3
    assert house.recording.position == first + 1
    assert (before.heard, breaking.heard) == ([first + 1, first + 2], [first + 1])
    for ask in (
        house.recording.catch_up,
        lambda: house.tell(generated("B3")),
        lambda: house.recording.check([]),
    ):
        with pytest.raises(Stopped) as caught:
            ask()
        assert caught.value.figures == {"position": first + 1}
        assert isinstance(caught.value.__cause__, ArithmeticError)
    assert ledger.head().position == first + 3

    again = House(ledger)
    assert again.book.position == first + 3
    assert again.tell(generated("B1")).entries == heard[1].entries


def test_a_fault_while_catching_up_stops_the_readings_too(ledger: Watched) -> None:
    house = settled(ledger)
    reader = House(ledger)
    listener = Breaking(ledger.head().position + 1)
    reader.recording.followers = (listener,)
    house.tell(generated("B1"))

    with pytest.raises(ArithmeticError):
        reader.recording.catch_up()
    house.tell(generated("B2"))
    with pytest.raises(Stopped):
        reader.recording.catch_up()
    assert listener.heard == []


class Held(Listener):
    """A follower that is held before it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.gate = Flag(), Flag()

    def read(self, entry: Entry, change: Change) -> None:
        self.asked.set()
        assert self.gate.wait(60)
        super().read(entry, change)


class Asked(Watched):
    """Says when somebody looked at its head."""

    def head(self) -> Head:
        found = super().head()
        self.inside.set()
        return found


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_waits_for_the_followers_of_what_is_kept(name: str, tmp_path: Path) -> None:
    """Between the commit and the last follower the book is ahead: no position is told that a follower has not read."""
    ledger = Asked(STORES[name].ledger(tmp_path))
    house = settled(ledger)
    first = ledger.head().position
    held = Held()
    house.recording.followers = (held,)
    told: list[tuple[int, list[int]]] = []
    writer = Thread(target=lambda: house.tell(generated("B1"), generated("B2")))
    reader = Thread(target=lambda: told.append((house.recording.catch_up(), list(held.heard))))
    writer.start()
    assert held.asked.wait(60)

    assert ledger.head().position == first + 2
    assert house.book.position == first + 2
    assert house.recording.position == first
    ledger.inside.clear()
    reader.start()
    assert ledger.inside.wait(60)
    assert told == []
    held.gate.set()
    reader.join()
    writer.join()

    assert told == [(first + 2, [first + 1, first + 2])]
    assert house.recording.position == first + 2
    ledger.close()


def _copy(house: House) -> object:
    """The book as plain values, to compare it with itself later."""
    return {name: dict(layer.items()) for name, layer in house.book.registers()}


def test_followers_hear_what_is_kept_in_order_and_once(ledger: Watched) -> None:
    house = settled(ledger)
    listener = Listener()
    house.recording.followers = (listener,)
    first = ledger.head().position
    house.tell(generated("B1"), generated("B2"))
    house.refusal(generated("B1", "11 t"))
    house.tell(generated("B1"))  # a retry
    house.tell(generated("B3"))

    assert listener.heard == [first + 1, first + 2, first + 3]


@pytest.mark.parametrize("name", SHARED)
def test_two_recordings_on_one_store_hear_of_each_other_under_the_lock(name: str, tmp_path: Path) -> None:
    one, other = House(STORES[name].ledger(tmp_path)), House(STORES[name].ledger(tmp_path))
    listener = Listener()
    other.recording.followers = (listener,)
    one.tell(*registered(SMELTER), generated(mass="10 t"))
    other.tell(transformed([portion("B1", "4 t")], [product(SMELTER, "B2", "4 t")]))

    problem = one.refusal(transformed([portion("B1", "8 t")], [product(SMELTER, "B3", "8 t")]))
    assert (problem.key, problem.figures["left"]) == ("overdrawn", "6 t")
    again = other.tell(generated(mass="10 t"))
    assert again.entries[0].position == 4
    assert listener.heard == [1, 2, 3, 4, 5]
    assert one.book == other.book
    one.ledger.close()
    other.ledger.close()


def test_what_others_wrote_in_the_last_moment_counts(ledger: Watched) -> None:
    """Between the last look at the ledger and the turn, somebody else takes most of the batch."""
    house = settled(ledger)
    house.tell(generated(mass="10 t"))
    other = House(ledger.inner)
    taken = transformed([portion("B1", "8 t")], [product(SMELTER, "B2", "8 t")])
    ledger.before = lambda: other.tell(taken)

    with pytest.raises(Problem) as caught:
        house.tell(transformed([portion("B1", "8 t")], [product(SMELTER, "B3", "8 t")]))
    assert (caught.value.key, caught.value.figures["left"]) == ("overdrawn", "2 t")
    again = house.tell(taken)
    assert again.entries == other.tell(taken).entries


@pytest.mark.parametrize("writes_on", [False, True])
def test_what_others_wrote_while_a_turn_was_waited_for_is_read_outside_of_it(
    ledger: Watched, *, writes_on: bool
) -> None:
    """And whoever writes more with each turn keeps nobody out."""
    house = settled(ledger)
    other = House(ledger.inner)
    behind: list[int] = []

    def others_write() -> None:
        if writes_on or not behind:
            first = house.book.position
            other.tell(*(generated(f"N{first}-{number}") for number in range(TAIL_MOST + 1)))
        behind.append(ledger.head().position - house.book.position)

    ledger.before = others_write
    kept = house.tell(generated("B1"))

    assert behind == ([TAIL_MOST + 1] * 2 if writes_on else [TAIL_MOST + 1, 0])
    assert kept.entries[0].position == house.book.position == ledger.head().position
    assert House(ledger).book == house.book


def test_the_book_is_equal_after_catching_up_and_after_live_recording(ledger: Watched) -> None:
    house = shipped(settled(ledger))

    assert House(ledger).book == house.book


def test_the_record_time_never_runs_backwards(ledger: Watched) -> None:
    house = settled(ledger)
    house.tell(generated("B1"))
    house.clock.now = house.clock.now.replace(hour=3)
    house.tell(generated("B2"))

    times = [entry.record_time_us for entry in ledger.entries()]
    assert times == sorted(times)
    assert times[-1] == times[-2]


def test_what_is_judged_when_the_clock_was_set_back_is_judged_at_the_record_time(ledger: Watched) -> None:
    """The fact's time is behind the clock that was set back, and before the time that its entry bears: no finding."""
    house = settled(ledger)
    house.tell(generated("B1"))
    house.clock.now = house.clock.now.replace(hour=3)

    assert house.found(generated("B2")) == []


def test_strangers_may_use_one_name(ledger: Watched) -> None:
    house = settled(ledger)
    same = generated("B1").model_copy(update={"event_id": "same"})
    other = generated("B1", by=STRANGER).model_copy(update={"event_id": "same"})
    statement = house.tell(same, other)

    assert len(statement.entries) == 2
    assert house.tell(other).entries == [statement.entries[1]]
