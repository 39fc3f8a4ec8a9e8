"""Does the ledger still say what it said? The chain, its end, and a replay of every fact; nothing is raised."""

from collections.abc import Iterable, Iterator
from typing import Final

from flows.balance import postings, total_g
from flows.book import Book
from flows.entries import Entry, Head, chain_faults, head_of
from flows.errors import Problem
from flows.law import Finding
from flows.materials import Catalogue, catalogue
from flows.ports import Ledger
from flows.rules import admit

_UNREPLAYABLE: Final = (Problem, AssertionError, LookupError, TypeError, ValueError)
"""What a changed entry may run into when it is read once more."""


def audit(ledger: Ledger, tables: Catalogue | None = None) -> list[Finding]:
    """All that is wrong with a ledger: its store, bytes, chain, columns, its end, and facts that do not balance.

    A ledger that somebody writes to meanwhile is audited as far as it had come.
    """
    faults = list(ledger.faults())
    entries: list[Entry] = []
    try:
        entries.extend(ledger.entries())
        head = ledger.head()
        if len(entries) < head.position:
            entries.extend(ledger.entries(after=entries[-1].position if entries else 0, until=head.position))
        faults += _end_faults(entries, head)
    except Problem as problem:  # bytes that make no sense: what was read before them is audited all the same
        faults.append(Finding(problem.key, problem.figures))
    faults += [Finding.of(key, position=position) for position, key in chain_faults(entries)]
    return [*faults, *_replay_faults(entries, tables or catalogue())]


def findings(entries: Iterable[Entry], tables: Catalogue | None = None) -> Iterator[tuple[int, Finding]]:
    """What was admitted and does not add up, by position: the findings of each fact when it was recorded."""
    book = Book(tables or catalogue())
    for entry in entries:
        for found in admit(entry.event, book, entry.record_time_us):
            yield entry.position, found
        book.read(entry.event, entry.position)


def _end_faults(entries: list[Entry], head: Head) -> Iterator[Finding]:
    """The end is kept in a second place: what was taken off, or put behind it, shows there."""
    last = head_of(entries[-1] if entries else None)
    if last != head:
        yield Finding.of("audit-head-differs", told=head.position, found=last.position)


def _replay_faults(entries: Iterable[Entry], tables: Catalogue) -> Iterator[Finding]:
    """Facts that do not balance to zero; the replay ends at the first that does not fit what was before it."""
    book = Book(tables)
    for entry in entries:
        try:
            change = book.read(entry.event, entry.position)
        except _UNREPLAYABLE:
            yield Finding.of("audit-not-replayable", position=entry.position)
            return
        if total := total_g(postings(change.movements)):
            yield Finding.of("audit-unbalanced", position=entry.position, total=total)
