"""Retries of a statement: what was found in it is kept in the very turn of its entries, and what differs is named."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, cast

from flows.book import Book
from flows.enterprises import Frozen
from flows.entries import Entry, event_json
from flows.errors import Conflict, Figure
from flows.events import Event
from flows.law import Finding
from flows.ports import Clock, Desk, Name, Turn
from flows.recording import Recorded, Recording, Statement
from flows.times import instant_us

KIND: Final = "findings"
KEPT: Final = timedelta(days=30)
"""A phone that was without a network for a month states anew by hand."""
NAMED_MOST: Final = 8
"""Fields that a conflict names: who differs in more has another fact."""


class Stated(tuple[Event, ...]):
    """Facts whose stater may ask again for what was found in them; an import tells its findings in its report."""

    __slots__ = ()


class Found(Frozen):
    """What was found in facts that were stated together: where they stand, and the findings as key and figures."""

    positions: tuple[int, ...]
    found: tuple[tuple[str, dict[str, Figure]], ...]

    @property
    def findings(self) -> list[Finding]:
        """The findings again."""
        return [Finding(key, figures) for key, figures in self.found]


@dataclass
class Remembering(Recording):
    """A recording that keeps what it found in stated facts, so that a retry hears all of the first answer.

    The findings are put on the desk inside the turn that appends the entries: where both stand in one file, a crash
    keeps both or neither, and whoever finds an entry finds its findings.
    """

    desk: Desk = field(kw_only=True)

    def _judge(self, statement: Statement, draft: Book, turn: Turn, known: dict[Name, Entry]) -> list[Recorded]:
        fresh = super()._judge(statement, draft, turn, known)
        if isinstance(statement.facts, Stated):
            if isinstance(statement.answer, Conflict):
                statement.answer = _telling(statement.answer, statement, known)
            if statement.answer is None:
                self._remember(statement, [entry for entry, _ in fresh])
        return fresh

    def _remember(self, statement: Statement, fresh: Sequence[Entry]) -> None:
        if statement.findings:
            keep(statement.findings, fresh, self.desk, self.clock)
        own = {entry.position for entry in fresh}
        known = [entry for entry in statement.entries if entry.position not in own]
        if known:
            statement.findings[:0] = recall(known, self.desk, self.clock)


def keep(findings: Sequence[Finding], entries: Sequence[Entry], desk: Desk, clock: Clock) -> None:
    """Keep what was found in facts that were stated together."""
    body = Found(
        positions=tuple(entry.position for entry in entries), found=tuple((each.key, each.figures) for each in findings)
    )
    name, now_us = name_of(entries), instant_us(clock())
    before = desk.get(KIND, name, now_us=now_us)  # of a turn that came to nothing, where the desk is another store
    written = desk.put(
        KIND,
        name,
        body.model_dump_json().encode(),
        version=before.version if before else 0,
        now_us=now_us,
        expires_us=now_us + KEPT // timedelta(microseconds=1),
    )
    assert written, "one turn at a time keeps findings"


def recall(entries: Sequence[Entry], desk: Desk, clock: Clock) -> list[Finding]:
    """What was found in facts that stand in the ledger: as they were stated together, else in each on its own."""
    now_us = instant_us(clock())
    together = _found(entries, desk, now_us)
    if together is not None:
        return together.findings
    each = (_found([entry], desk, now_us) for entry in dict.fromkeys(entries))
    return [finding for found in each if found is not None for finding in found.findings]


def name_of(entries: Iterable[Entry]) -> str:
    """Under which key the findings of facts are kept: their names, however often a statement repeats one."""
    names = dict.fromkeys(f"{entry.enterprise}/{entry.event_id}" for entry in entries)
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()


def _found(entries: Sequence[Entry], desk: Desk, now_us: int) -> Found | None:
    document = desk.get(KIND, name_of(entries), now_us=now_us)
    return None if document is None else Found.model_validate_json(document.body)


def _telling(conflict: Conflict, statement: Statement, known: Mapping[Name, Entry]) -> Conflict:
    """The conflict with what differs in it, for the enterprise whose fact it is; others hear that the name is used."""
    number = int((conflict.where or "facts[0]").removeprefix("facts[").rstrip("]"))
    event = statement.facts[number]
    if conflict.key != "event-id-used" or statement.recorded_by != event.enterprise:
        return conflict
    before, place = _first_told(statement, number, known)
    fields = list(differing(event_json(before), event_json(event)))
    more = f" (+{len(fields) - NAMED_MOST})" if len(fields) > NAMED_MOST else ""
    return Conflict(
        "event-id-differs",
        where=conflict.where,
        event=event.event_id,
        place=place,
        fields=", ".join(fields[:NAMED_MOST]) + more,
    )


def _first_told(statement: Statement, number: int, known: Mapping[Name, Entry]) -> tuple[Event, str]:
    """The fact that bore this one's name first, and where it stands: in the ledger, or before it in the statement."""
    event = statement.facts[number]
    first = known.get((event.enterprise, event.event_id))
    if first is not None:
        return first.event, str(first.position)
    for earlier, each in enumerate(statement.facts[:number]):
        if (each.enterprise, each.event_id) == (event.enterprise, event.event_id):
            return each, f"facts[{earlier}]"
    raise AssertionError(event.event_id)


def differing(one: object, other: object, path: str = "") -> Iterator[str]:
    """Where two JSON values differ: dotted paths, places of a list in brackets."""
    if isinstance(one, dict) and isinstance(other, dict):
        ones, others = cast("dict[str, object]", one), cast("dict[str, object]", other)
        for key in dict.fromkeys([*ones, *others]):
            yield from differing(ones.get(key), others.get(key), f"{path}.{key}" if path else key)
    elif isinstance(one, list) and isinstance(other, list):
        first, second = cast("list[object]", one), cast("list[object]", other)
        for place in range(max(len(first), len(second))):
            was, now = (each[place] if place < len(each) else None for each in (first, second))
            yield from differing(was, now, f"{path}[{place}]")
    elif one != other:
        yield path
