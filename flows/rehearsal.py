"""A long statement judged before it is recorded: on a draft that keeps nothing, a little at a time, while others write."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from flows.book import Book
from flows.entries import Entry
from flows.errors import Conflict, Problem
from flows.events import Event, Mending
from flows.ports import Name
from flows.reading import read
from flows.recording import Recording, Statement
from flows.rules import admit
from flows.times import instant_us

HELD_S: Final = 0.01
"""Who states a single fact waits no longer than this for what is only being judged."""
HOLD_MOST: Final = 1_000
"""More statements than one hold ever judges."""
ASKED_AT_ONCE: Final = 50
"""Statements whose names are asked for together: a hold judges about so many."""
APART_S: Final = 0.002
"""Between two holds: long enough that who waits comes first, for a lock knows no queue."""


@dataclass(slots=True)
class Trial:
    """A record that is to be stated: its facts, all of them or none."""

    facts: Sequence[Event]
    statement: Statement = field(init=False)
    """The same with what was found in it, or its refusal."""
    place: int | None = None
    """Its place among what was admitted: recording follows it."""
    asks: bool = False
    """Admitted, a correction of it waits for the other side of a manifest."""

    def __post_init__(self) -> None:
        self.statement = Statement(tuple(self.facts), "")

    @property
    def names(self) -> set[Name]:
        """What its facts are called."""
        return self.statement.names

    @property
    def mends(self) -> bool:
        """Does it correct something?"""
        return any(isinstance(fact, Mending) for fact in self.facts)


@dataclass
class Rehearsal:
    """Judges records one after the other as if each before it had been recorded; nothing is.

    The draft lies over a book that goes on: it never sees less than the book held when a record was judged, but what
    another takes meanwhile from a batch that the draft has touched it does not see. So an answer of `judge` is what the
    house says now, not what it will say: recording judges again.

    A correction is read at the position of what it corrects, and asks what came after it. Positions of the draft are those
    that others take meanwhile; so where anything is corrected, the draft lies over the book as it was known at the start
    (`still`), and sees nothing of what comes later.
    """

    recording: Recording
    still: bool = False
    _draft: Book = field(init=False)
    _from: int = field(init=False)
    _named: dict[Name, Event] = field(default_factory=dict[Name, Event])
    _kept: Mapping[Name, Entry] = field(default_factory=dict[Name, Entry])
    """What the ledger has under the names of those who come next, asked within their hold: the book has read it too."""
    _admitted: int = 0

    def __post_init__(self) -> None:
        self.recording.catch_up()
        book = self.recording.book
        self._from = book.position
        self._draft = (book.known_at(self._from) if self.still else book).overlay()

    def judge(self, trials: Sequence[Trial]) -> int:
        """Judge records for as long as a hold lasts; returns how many got their answer, at least one.

        A refusal stands in the statement's `answer`, what was found in its `findings`.
        """
        judged = 0

        def held() -> Iterator[Statement]:
            """`check` draws from this while nobody writes, so the book stands still for what happens in here."""
            nonlocal judged
            until = time.monotonic() + HELD_S
            now_us = max(instant_us(self.recording.clock()), self.recording.ledger.head().record_time_us)
            for trial in trials:
                if judged % ASKED_AT_ONCE == 0:
                    ahead = trials[judged : judged + ASKED_AT_ONCE]
                    self._kept = self.recording.ledger.find_all({name for each in ahead for name in each.names})
                self._try(trial, now_us)
                judged += 1
                if time.monotonic() > until:
                    break
            yield from ()

        self.recording.check(held())
        return judged

    def _try(self, trial: Trial, now_us: int) -> None:
        trial.statement = Statement(tuple(trial.facts), "")
        self._judge(trial.statement, now_us)
        if trial.statement.answer is None:
            trial.place = self._admitted
            found = (self._draft.requests.get((fact.enterprise, fact.event_id)) for fact in trial.facts)
            trial.asks = trial.mends and any(request is not None and request.open for request in found)
            self._admitted += 1

    def _judge(self, statement: Statement, now_us: int) -> None:
        own = self._draft.overlay()
        named: dict[Name, Event] = {}
        try:
            for number, event in enumerate(statement.facts):
                name = event.enterprise, event.event_id
                known, kept = self._known(name)
                known = named.get(name) or known
                if known is not None and known != event:
                    raise Conflict("event-id-used", event=event.event_id, where=f"facts[{number}]")
                if not kept and name not in named:
                    try:
                        statement.findings += admit(event, own, now_us)
                    except Problem as problem:
                        raise problem.at(f"facts[{number}]") from None
                    read(own, event, own.position + 1, now_us)
                    named[name] = event
        except Exception as problem:  # noqa: BLE001 - one statement's fault is not its neighbours'
            statement.fails(problem)
            return
        own.fold()
        self._named |= named

    def _known(self, name: Name) -> tuple[Event | None, bool]:
        """What is known under a name, and whether the draft has read it; one that stands still has not seen the latest."""
        if name in self._named:
            return self._named[name], True
        entry = self._kept.get(name)
        if entry is None:
            return None, False
        return entry.event, not self.still or entry.position <= self._from


Join: TypeAlias = Callable[[Sequence[Trial]], Sequence[Trial]]
"""Puts records that were refused one by one together, where one request may hold what several ask for."""


def _apart(trials: Sequence[Trial]) -> Sequence[Trial]:
    return trials


def rehearse(trials: Sequence[Trial], recording: Recording, join: Join = _apart) -> Iterator[int]:
    """Judge records in order; after each hold it tells how many have their answer.

    Where anything is corrected, what was refused may stand once what comes after it is corrected: less is drawn before a
    batch is said to be smaller. So it is judged again, the last first; then what only stands together is, in the records
    that `join` makes of it; and at last what rests on that. Each keeps its last refusal.
    """
    mends = any(trial.mends for trial in trials)
    rehearsal = Rehearsal(recording, still=mends)
    yield from _judged(rehearsal, trials, len(trials))
    left: Sequence[Trial] = _refused(trials) if mends else []
    steps: tuple[Join, ...] = (_backwards, join, _apart)
    for step in steps:
        left = step(left)
        yield from _judged(rehearsal, left, len(trials))
        left = _refused(left)


def _judged(rehearsal: Rehearsal, trials: Sequence[Trial], count: int) -> Iterator[int]:
    done = 0
    while done < len(trials):
        done += rehearsal.judge(trials[done : done + HOLD_MOST])
        yield max(count - len(trials), 0) + done
        time.sleep(APART_S)


def _refused(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.place is None]


def _backwards(trials: Sequence[Trial]) -> Sequence[Trial]:
    return [*reversed(trials)]
