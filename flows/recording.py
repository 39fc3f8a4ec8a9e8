"""The only way in: statements that wait are taken together, each judged on its own, kept after one durable commit."""

import logging
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, TypeAlias

from flows.book import Book, Change, Told
from flows.crowds import Crowd
from flows.entries import Entry, head_of, next_entry
from flows.errors import Conflict, Problem
from flows.events import Event
from flows.ids import EnterpriseId, EventId
from flows.ports import Clock, Follower, Kept, Ledger, Name, Turn
from flows.reading import read
from flows.rules import Finding, admit
from flows.times import instant_us

TAIL_MOST: Final = 50
"""Entries of others that are read within a turn, at first: some five milliseconds."""
TAIL_MORE: Final = 8
"""Part by which that grows with each try: beside a process that writes without a pause the second or third succeeds."""

_LOG: Final = logging.getLogger(__name__)
Recorded: TypeAlias = tuple[Entry, Change]
"""An entry of this process's own, and what it did to the book."""


class Stopped(Problem):
    """A fault broke off a reading half-way: nothing is judged or read on it any more. The ledger is whole."""

    title = {"zh": "读数已停止", "en": "Readings stopped"}


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """The facts of a ledger, for the book that follows it."""

    ledger: Ledger

    def told(self, position: int) -> Told:
        """The fact at a position, as stated."""
        entry = next(self.ledger.entries(after=position - 1, until=position))
        return Told(entry.event, entry.record_time_us)

    def find(self, enterprise: EnterpriseId, event_id: EventId) -> int | None:
        """The position of the fact that an enterprise stated under a name."""
        found = self.ledger.find(enterprise, event_id)
        return None if found is None else found.position

    def keep(self, position: int, told: Told) -> None:
        """The ledger has it."""


@dataclass(slots=True)
class Statement:
    """Facts that one caller states together: all are admitted, or none."""

    facts: Sequence[Event]
    recorded_by: str
    """Whose key it came in with; empty: each fact's own enterprise, as when the operator brings them from a file."""
    entries: list[Entry] = field(default_factory=list[Entry])
    findings: list[Finding] = field(default_factory=list[Finding])
    answer: BaseException | None = None

    @property
    def names(self) -> set[Name]:
        """What its facts are called."""
        return {(event.enterprise, event.event_id) for event in self.facts}

    def fails(self, answer: BaseException) -> None:
        """Nothing was kept, and this is why."""
        self.answer = answer
        self.entries.clear()
        self.findings.clear()


@dataclass
class Recording:
    """A ledger with its book and followers. Threads share one; processes share the ledger.

    A fault while an entry is being read is a broken invariant: the book or a follower may hold half of it. From then on
    everything is refused with `Stopped` until the process starts anew and reads the ledger from its beginning.
    """

    ledger: Ledger
    book: Book
    clock: Clock
    followers: Sequence[Follower] = ()
    _crowd: Crowd[Statement] = field(default_factory=Crowd[Statement])
    _turn_lock: Lock = field(default_factory=Lock)
    _alone: bool = False
    """Whether nobody else wrote before our last turn."""
    _told: int = field(init=False)
    _fault: BaseException | None = None

    def __post_init__(self) -> None:
        self._told = self.book.position

    @property
    def position(self) -> int:
        """The last entry that the book and every follower have read; the book itself may be ahead for a moment."""
        return self._told

    @property
    def whole(self) -> bool:
        """Whether the readings may be used: no fault broke one off."""
        return self._fault is None

    def record(self, facts: Sequence[Event], recorded_by: str) -> Statement:
        """State facts. Returns when they are durable; a retry gets the entries of the first time again.

        Raises:
            Problem: the first refusal, or `Stopped`; nothing was kept of this statement.
        """
        statement = Statement(facts, recorded_by)
        if self._crowd.wait(statement):
            try:
                with self._turn_lock:
                    self._take_turn()
            finally:
                self._crowd.answer()
        if statement.answer is not None:
            raise statement.answer
        return statement

    def check(self, statements: Iterable[Statement]) -> None:
        """Judge statements one after the other on a draft, and keep nothing; each gets its answer."""
        with self._turn_lock:
            self._catch_up(self.ledger.entries(after=self.book.position))
            draft = self.book.overlay()
            turn = _Rehearsal(self.ledger)
            for statement in statements:
                self._judge(statement, draft, turn, dict(turn.find_all(statement.names)))

    def catch_up(self) -> int:
        """Read what was written since, by anyone; returns the position that the book and every follower have read.

        Raises:
            Stopped: an entry was read in part only.
        """
        self.check_whole()
        if self.ledger.head().position > self._told:  # also when a turn of ours is telling: then its end is waited for
            with self._turn_lock:
                self._catch_up(self.ledger.entries(after=self.book.position))
        return self._told

    @contextmanager
    def still(self) -> Generator[int]:
        """Hold everything that was read still, at one position; whoever states a fact meanwhile waits.

        Raises:
            Stopped: an entry was read in part only.
        """
        with self._turn_lock:
            self.check_whole()
            yield self._told

    def _catch_up(self, entries: Iterable[Entry]) -> None:
        self.check_whole()
        for entry in entries:
            event = entry.event
            with self._reading():
                self._tell(entry, read(self.book, event, entry.position, entry.record_time_us))

    def _tell(self, entry: Entry, change: Change) -> None:
        for follower in self.followers:
            follower.read(entry, change)
        self._told = entry.position

    def check_whole(self) -> None:
        """Whether the readings may be used.

        Raises:
            Stopped: an entry was read in part only.
        """
        if self._fault is not None:
            raise Stopped("readings-stopped", position=self._told) from self._fault

    @contextmanager
    def _reading(self) -> Generator[None]:
        """What breaks off in here leaves readings that nobody may use."""
        try:
            yield
        except BaseException as fault:
            self._fault = fault
            _LOG.critical("an entry after %s was read in part", self._told, exc_info=fault)
            raise

    def _take_turn(self) -> Sequence[Statement]:
        """A turn for all who have come until it begins; who comes later waits for the next. Returns whose it was."""
        waiting: Sequence[Statement] = ()
        try:
            with self._turn_near_the_end() as turn:
                waiting = self._crowd.gather()
                if turn.head.position > self.book.position:
                    self._catch_up(turn.entries(after=self.book.position))
                draft = self.book.overlay()
                known = dict(turn.find_all({name for statement in waiting for name in statement.names}))
                kept = [pair for statement in waiting for pair in self._judge(statement, draft, turn, known)]
        except BaseException as fault:  # noqa: BLE001 - whoever waits must hear of it: it is raised in their threads
            waiting = waiting or self._crowd.gather()
            for statement in waiting:
                statement.fails(fault)  # also one that was refused: its refusal may rest on what was not kept
            return waiting
        # the one durable commit is behind us: the answers stand, whatever happens to the readings
        with suppress(Exception), self._reading():
            draft.fold()
            for entry, change in kept:
                self._tell(entry, change)
        return waiting

    @contextmanager
    def _turn_near_the_end(self) -> Generator[Turn]:
        """A turn in which little is left to read: what others wrote while it was waited for is read outside of it.

        Others wait for as long as a turn lasts. Should they write faster than is read here, more is borne with each try.
        Where nobody else wrote the last time, the turn itself is asked first.
        """
        most = TAIL_MOST
        while True:
            self.check_whole()
            if not self._alone:
                self._catch_up(self.ledger.entries(after=self.book.position))
            with self.ledger.turn() as turn:
                tail = turn.head.position - self.book.position
                self._alone = tail == 0
                if tail <= most:
                    yield turn
                    return
            most += most // TAIL_MORE

    def _judge(self, statement: Statement, draft: Book, turn: Turn, known: dict[Name, Entry]) -> list[Recorded]:
        """All of a statement's facts, or none: they are read into an overlay that a refusal throws away.

        `known` are the entries that bear names of those who wait; it learns of what is appended here.
        """
        own = draft.overlay()
        fresh: list[Recorded] = []
        named: dict[Name, Entry] = {}
        head = turn.head
        now_us = max(instant_us(self.clock()), head.record_time_us)  # judged at the time that its entries will bear
        try:
            for number, event in enumerate(statement.facts):
                name = event.enterprise, event.event_id
                first = named.get(name) or known.get(name)
                if first is None:
                    try:
                        found = admit(event, own, now_us)
                    except Problem as problem:
                        raise problem.at(f"facts[{number}]") from None
                    entry = next_entry(head, event, now_us, statement.recorded_by or event.enterprise)
                    fresh.append((entry, read(own, event, entry.position, entry.record_time_us)))
                    named[name] = entry
                    head = head_of(entry)
                    statement.findings += found
                    statement.entries.append(entry)
                elif first.event != event:
                    raise Conflict("event-id-used", event=event.event_id, where=f"facts[{number}]")
                else:
                    statement.entries.append(first)
        except Exception as problem:  # noqa: BLE001 - one statement's fault is not its neighbours'
            statement.fails(problem)
            return []
        turn.append(fresh, draft)
        known |= named
        own.fold()
        return fresh


class _Rehearsal:
    """A turn that keeps nothing: it reads the ledger and remembers what would be appended."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._own: dict[Name, Entry] = {}
        self.head = ledger.head()

    def entries(self, after: int) -> Iterator[Entry]:
        return self._ledger.entries(after=after)

    def find_all(self, names: Collection[Name]) -> Mapping[Name, Entry]:
        own = {name: self._own[name] for name in names if name in self._own}
        return {**self._ledger.find_all([name for name in names if name not in own]), **own}

    def append(self, kept: Sequence[Kept], book: Book | None = None) -> None:
        for entry, _ in kept:
            self._own[entry.enterprise, entry.event_id] = entry
            self.head = head_of(entry)
