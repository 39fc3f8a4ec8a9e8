"""A long statement judged before it is recorded: on a draft that keeps nothing, a little at a time, while others write."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from flows.book import Book
from flows.errors import Conflict, Problem
from flows.events import Event
from flows.reading import read
from flows.recording import Recording, Statement
from flows.rules import admit
from flows.times import instant_us

HELD_S: Final = 0.01
"""Who states a single fact waits no longer than this for what is only being judged."""
HOLD_MOST: Final = 1_000
"""More statements than one hold ever judges."""
APART_S: Final = 0.002
"""Between two holds: long enough that who waits comes first, for a lock knows no queue."""


@dataclass
class Rehearsal:
    """Judges statements one after the other as if each before it had been recorded; nothing is.

    The draft lies over a book that goes on: it never sees less than the book held when a statement was judged, but what
    another takes meanwhile from a batch that the draft has touched it does not see. So an answer of `judge` is what the
    house says now, not what it will say: recording judges again.
    """

    recording: Recording
    _draft: Book = field(init=False)
    _named: dict[tuple[str, str], Event] = field(default_factory=dict[tuple[str, str], Event])

    def __post_init__(self) -> None:
        self.recording.catch_up()
        self._draft = self.recording.book.overlay()

    def judge(self, statements: Sequence[Statement]) -> int:
        """Judge statements for as long as a hold lasts; returns how many got their answer, at least one.

        A refusal stands in the statement's `answer`, what was found in its `findings`.
        """
        judged = 0

        def held() -> Iterator[Statement]:
            """`check` draws from this while nobody writes, so the book stands still for what happens in here."""
            nonlocal judged
            until = time.monotonic() + HELD_S
            now_us = max(instant_us(self.recording.clock()), self.recording.ledger.head().record_time_us)
            for statement in statements:
                self._judge(statement, now_us)
                judged += 1
                if time.monotonic() > until:
                    break
            yield from ()

        self.recording.check(held())
        return judged

    def _judge(self, statement: Statement, now_us: int) -> None:
        own = self._draft.overlay()
        named: dict[tuple[str, str], Event] = {}
        try:
            for number, event in enumerate(statement.facts):
                name = event.enterprise, event.event_id
                known = named.get(name) or self._known(name)
                if known is not None and known != event:
                    raise Conflict("event-id-used", event=event.event_id, where=f"facts[{number}]")
                if known is None:
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

    def _known(self, name: tuple[str, str]) -> Event | None:
        if name in self._named:
            return self._named[name]
        entry = self.recording.ledger.find(*name)
        return None if entry is None else entry.event


def rehearse(statements: Sequence[Statement], recording: Recording) -> Iterator[int]:
    """Judge statements in order; after each hold it tells how many have their answer."""
    rehearsal = Rehearsal(recording)
    done = 0
    while done < len(statements):
        done += rehearsal.judge(statements[done : done + HOLD_MOST])
        yield done
        time.sleep(APART_S)
