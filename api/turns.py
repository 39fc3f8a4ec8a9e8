"""A long statement recorded in short turns of whole records, with room between them for whoever else writes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from flows.errors import Problem
from flows.events import CorrectionRequested, Event, Mending
from flows.recording import Recording

WHOLE_MOST: Final = 500
"""So many facts are one turn, all or none: on a slow core that is a twentieth of a second."""
TURN_FACTS: Final = 40
"""Of one turn of a longer statement, about: five milliseconds, for a neighbour's fact must be durable within 100."""
CORRECTION_FACTS: Final = 5
"""So many facts each fact of a correction counts for: it is judged where it is read, with what rests on it."""
APART: Final = 2.0
"""The pause after a turn, in turns: another process tries the lock now and then, and must find it free."""
APART_MOST_S: Final = 0.05
"""Of that pause: a turn that took longer waited for others, who have had theirs."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was recorded; and when it stopped before the end, the number of the record that was refused, and why."""

    positions: Sequence[int]
    records: int
    """How many records, from the first, are recorded."""
    requests: int = 0
    """How many of these positions ask for a correction."""
    stopped_at: int | None = None
    problem: Problem | None = None


def record_in_turns(
    records: Sequence[Sequence[Event]], recorded_by: str, recording: Recording, told: Callable[[int], None]
) -> Kept:
    """Record records in order; `told` hears after each turn how many facts are behind it.

    A short statement is one turn: all of it is kept, or nothing. A longer one is kept turn by turn, no record cut in
    two; it stops at the first refusal, and the turns before it stand.
    """
    begin = recording.catch_up()
    whole = sum(map(_weight, records)) <= WHOLE_MOST
    positions: list[int] = []
    requests = 0
    first, done, most = 0, 0, WHOLE_MOST if whole else TURN_FACTS
    while first < len(records):
        last = _end_of_turn(records, first, most)
        facts = [event for record in records[first:last] for event in record]
        since = time.monotonic()
        try:
            statement = recording.record(facts, recorded_by)
        except Problem as problem:
            return Kept(positions, first, requests, first + _record_of(problem, records[first:last]), problem)
        taken_s = time.monotonic() - since
        fresh = [entry for entry in statement.entries if entry.position > begin]
        positions += [entry.position for entry in fresh]
        requests += sum(isinstance(entry.event, Mending) for entry in fresh)
        first, done = last, done + len(facts)
        told(done)
        if first < len(records):
            time.sleep(min(APART * taken_s, APART_MOST_S))
    return Kept(positions, first, requests)


def _end_of_turn(records: Sequence[Sequence[Event]], first: int, most: int) -> int:
    """The end of the records that fit into a turn; one at least."""
    last, facts = first + 1, _weight(records[first])
    while last < len(records) and facts + _weight(records[last]) <= most:
        facts += _weight(records[last])
        last += 1
    return last


def _weight(record: Sequence[Event]) -> int:
    return sum(CORRECTION_FACTS * _corrected(fact) if isinstance(fact, Mending) else 1 for fact in record)


def _corrected(fact: Mending) -> int:
    return len(fact.changes) if isinstance(fact, CorrectionRequested) else 1


def _record_of(problem: Problem, records: Sequence[Sequence[Event]]) -> int:
    """The record that a refusal belongs to, which names the fact's place in the turn; it is told its place in that record."""
    whole = number = problem.place("facts") or 0
    for at, record in enumerate(records):
        if number < len(record):
            problem.where = (problem.where or "").replace(f"facts[{whole}]", f"facts[{number}]", 1) or None
            return at
        number -= len(record)
    raise AssertionError(problem.where)
