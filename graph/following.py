"""The graph follows the ledger: some entries at a time, to the end, naming how far it has come."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Final, TypeAlias

from flows.book import Book, Change
from flows.entries import Entry, Head, head_of
from flows.errors import Problem
from flows.materials import Catalogue
from flows.ports import Ledger
from flows.reading import read
from flows.recording import LedgerFacts, Recorded
from graph.neo4j_graph import BEING_MADE, Neo4jGraph
from graph.neo4j_picture import Rows
from graph.projection import project
from graph.store_problems import StoreProblem

PORTION: Final = 1_000
"""Entries that one transaction takes in: larger ones are hardly faster, and hold up who writes meanwhile."""
WAITING_MOST: Final = 10_000
"""Entries that wait in memory, some ten megabytes: who brings more waits until they are in the graph."""
PAUSE_SECONDS: Final = 1.0
"""Nobody looks at a graph sooner after a bulk import."""
PAUSES_MOST: Final = 10
"""While others go on writing: the graph waits no longer than so many pauses for an import to end."""
Watch: TypeAlias = Callable[[int, int], None]
"""Hears how many of how many entries are in the graph."""


class Following:
    """A follower whose graph is brought to the book's position: once nobody writes, every now and then, and at the end.

    A bulk import goes first, for it needs the same processors. Single turns write the graph in their own transaction; what
    they wrote is only dropped here.
    """

    def __init__(self, graph: Neo4jGraph, book: Book) -> None:
        self.graph = graph
        self._book = book
        self._known = graph.head().position
        self._waiting: list[Recorded] = []
        self._held = Lock()
        """What waits is looked at."""
        self._flushing = Lock()
        """One thread writes the graph."""
        self._ended = Event()
        self._thread = Thread(target=self._keep_up, name="graph", daemon=True)

    def start(self) -> None:
        """Keep the graph up from now on, behind everybody's back."""
        self._thread.start()

    def close(self) -> None:
        """Bring the graph to the end of what was read, if it can be reached, and let go of it."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        with suppress(Problem):
            self.flush()
        self.graph.close()

    def _keep_up(self) -> None:
        pauses, seen = 0, self._book.position
        while not self._ended.wait(PAUSE_SECONDS):
            quiet, seen = self._book.position == seen, self._book.position
            pauses += 1
            if quiet or pauses == PAUSES_MOST:
                pauses = 0
                with suppress(Problem):
                    self.flush()

    def read(self, entry: Entry, change: Change) -> None:
        """Take in the next entry. A graph that cannot be reached waits, and nobody else waits for it."""
        with self._held:
            if entry.position > self._known:
                self._waiting.append((entry, change))
            full = bool(self._waiting) and len(self._waiting) % WAITING_MOST == 0
        if full:
            with suppress(Problem):
                self.flush()

    def flush(self) -> int:
        """Bring the graph as far as what was read; returns how far it goes.

        Raises:
            StoreProblem: it cannot be reached.
        """
        with self._flushing:
            while portion := self._waiting[:PORTION]:
                last = portion[-1][0].position
                known = self.graph.take(portion, self._book.known_at(last))
                with self._held:
                    self._known = known
                    del self._waiting[: len(portion)]
            return self._known


def check_same(graph: Neo4jGraph, ledger: Ledger) -> Head:
    """How far a graph goes, if it is one of this ledger: what it noted of its last entry is what stands there.

    Raises:
        StoreProblem: it follows another ledger, or goes further than this one.
    """
    head = graph.head()
    if head.position > 0:
        found = head_of(next(ledger.entries(after=head.position - 1, until=head.position), None))
        if found.digest != head.digest:
            end = ledger.head().position
            raise StoreProblem("graph-of-another-ledger", uri=graph.address.uri, position=head.position, end=end)
    return head


def follow(graph: Neo4jGraph, ledger: Ledger, tables: Catalogue, watch: Watch) -> int:
    """Bring a graph to the ledger's end, whoever writes meanwhile; returns how far it goes. It may be broken off at any time.

    Raises:
        StoreProblem: it cannot be reached, or follows another ledger.
    """
    known = check_same(graph, ledger).position
    book = Book(tables, LedgerFacts(ledger))
    written: Future[int] | None = None
    with ThreadPoolExecutor(max_workers=1) as writer:  # one portion is written while the next is read
        while known != BEING_MADE and (end := ledger.head().position) > max(known, book.position):
            for portion in _portions(book, ledger, known, end):
                rows, last = Rows.of(project([change for _, change in portion], book)), head_of(portion[-1][0])
                if written is not None:
                    if written.result() != known:
                        break
                    watch(known, end)
                written = writer.submit(graph.write, known, rows, last)
                known = last.position
            if written is not None and written.result() != known:
                return follow(graph, ledger, tables, watch)  # somebody else brought it further: go on from there
    if written is not None:
        watch(known, known)
    return known


def _portions(book: Book, ledger: Ledger, known: int, end: int) -> Iterator[list[Recorded]]:
    """Entries behind a position and what they did, some at a time; the book stands as the last of them left it."""
    waiting: list[Recorded] = []
    for entry in ledger.entries(after=book.position, until=end):
        change = read(book, entry.event, entry.position, entry.record_time_us)
        if entry.position > known:
            waiting.append((entry, change))
        if waiting and (len(waiting) == PORTION or entry.position == end):
            yield waiting
            waiting = []
