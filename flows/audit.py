"""Does the ledger still say what it said? The chain, its end, and a replay of every fact; nothing is raised."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from flows.balance import postings, total_g
from flows.book import Book
from flows.entries import Entry, Head, chain_faults, digest_of, head_of
from flows.errors import Malformed, Problem
from flows.events import Mending
from flows.law import Finding
from flows.materials import Catalogue, catalogue
from flows.ports import Ledger
from flows.reading import read
from flows.rules import admit

_UNREPLAYABLE: Final = (Problem, AssertionError, LookupError, TypeError, ValueError)
"""What a changed entry may run into when it is read once more."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_READ_MOST: Final = 80
"""Characters of what cannot be read that are quoted."""


def audit(ledger: Ledger, tables: Catalogue | None = None) -> list[Finding]:
    """All that is wrong with a ledger: its store, bytes, chain, columns, its end, and facts that do not balance.

    A ledger that somebody writes to meanwhile is audited as far as it had come. Entries are read once and not held.
    """
    faults = list(ledger.faults())
    chain, replay = _Chain(), _Replay(tables or catalogue())
    try:
        for entry in _until_the_end(ledger):
            chain.read(entry)
            replay.read(entry)
        faults += _end_faults(chain.last, ledger.head())
    except Problem as problem:  # bytes that make no sense: what was read before them is audited all the same
        faults.append(Finding(problem.key, problem.figures))
    return [*faults, *chain.faults, *replay.faults]


def growth_faults(ledger: Ledger, since: int, digest: str) -> list[Finding]:
    """Whether a ledger only grew since somebody kept a position and the digest there: none, or what is wrong.

    The entry at `since` must be there with that digest, over its own bytes, and from it the chain must hold to the end
    without a gap. What stands before it that digest covers as well; `audit` takes it anew over every byte. Position 0 is
    the empty ledger, its digest `NO_DIGEST`.

    Raises:
        Malformed: the digest is not 64 hexadecimal digits.
    """
    told = digest.strip().lower()
    if not _DIGEST.fullmatch(told):
        raise Malformed("audit-digest-malformed", read=digest[:_READ_MOST])
    try:
        return list(_growth_faults(ledger, since, told))
    except Problem as problem:
        return [Finding(problem.key, problem.figures)]


def _growth_faults(ledger: Ledger, since: int, told: str) -> Iterator[Finding]:
    head = ledger.head()
    there = 0 < since <= head.position  # a store need not know numbers that no ledger reaches
    marked = next(ledger.entries(after=since - 1, until=since), None) if there else None
    if since and (marked is None or marked.position != since):
        yield Finding.of("audit-since-gone", since=since, digest=told, position=head.position)
        return
    found = head_of(marked)
    if found.digest != told:
        yield Finding.of("audit-since-differs", since=since, told=told, found=found.digest)
    if marked is not None and digest_of(marked.body) != marked.digest:
        yield Finding.of("audit-digest-wrong", position=since)
    chain = _Chain(found)
    for entry in ledger.entries(after=since, until=head.position):
        chain.read(entry)
    yield from chain.faults
    yield from _end_faults(chain.last, head)


def findings(entries: Iterable[Entry], tables: Catalogue | None = None) -> Iterator[tuple[int, Finding]]:
    """What was admitted and does not add up, by position: the findings of each fact as it is read now, in its place."""
    book = Book(tables or catalogue())
    for entry in entries:
        read(book, entry.event, entry.position, entry.record_time_us)
    for position in range(1, book.position + 1):
        told = book.fact(position)
        if told.event is not None and not isinstance(told.event, Mending):
            for found in admit(told.event, book.before(position), told.record_time_us):
                yield position, found


def _until_the_end(ledger: Ledger) -> Iterator[Entry]:
    """All entries, also those that were written while the others were read."""
    last = 0
    for entry in ledger.entries():
        last = entry.position
        yield entry
    end = ledger.head().position
    if last < end:
        yield from ledger.entries(after=last, until=end)


def _end_faults(last: Head, head: Head) -> Iterator[Finding]:
    """The end is kept in a second place: what was taken off, or put behind it, shows there."""
    if last != head:
        yield Finding.of("audit-head-differs", told=head.position, found=last.position)


@dataclass
class _Chain:
    """The entries' bytes, one after the other."""

    last: Head = field(default_factory=Head)
    faults: list[Finding] = field(default_factory=list[Finding])

    def read(self, entry: Entry) -> None:
        self.faults += [Finding.of(key, position=position) for position, key in chain_faults((entry,), self.last)]
        self.last = head_of(entry)


@dataclass
class _Replay:
    """Facts that do not balance to zero; the replay ends at the first that does not fit what was before it."""

    tables: Catalogue
    faults: list[Finding] = field(default_factory=list[Finding])
    ended: bool = False
    book: Book = field(init=False)

    def __post_init__(self) -> None:
        self.book = Book(self.tables)

    def read(self, entry: Entry) -> None:
        if self.ended:
            return
        try:
            change = read(self.book, entry.event, entry.position, entry.record_time_us)
        except _UNREPLAYABLE:
            self.faults.append(Finding.of("audit-not-replayable", position=entry.position))
            self.ended = True
            return
        revised = change.revision.entries.values() if change.revision is not None else ()
        for each in (change, *(reread.now for reread in revised if reread.now is not None)):
            if total := total_g(postings(each.movements)):
                self.faults.append(Finding.of("audit-unbalanced", position=each.position, total=total))
