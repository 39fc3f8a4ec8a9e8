"""Whatever is told, a real Neo4j and the memory store answer alike: entries, digests, refusals, readings, corrections too."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flows.audit import audit
from flows.book import Book
from flows.errors import Problem
from flows.events import Event
from flows.materials import catalogue
from flows.ports import Ledger
from flows.recording import LedgerFacts, Recording
from graph.columns import Columns
from graph.editions import Editions
from graph.fate import fates
from graph.memory_ledger import MemoryLedger
from graph.neo4j_ledger import Neo4jLedger
from tests.flows.proposals import crowds
from tests.flows.stories import Clock, settled
from tests.graph.histories import NOW, World, histories
from tests.graph.mending import Mended, corrections
from tests.graph.stores import database
from tests.servers.neo4j_server import Address, empty

pytestmark = pytest.mark.neo4j
few = settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],  # shrinking would ask a server thousands of times
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
        HealthCheck.function_scoped_fixture,  # each example empties the database itself
    ],
)


@contextmanager
def stores(neo4j: Address) -> Iterator[list[Ledger]]:
    """The measure, and an empty Neo4j."""
    empty(neo4j)
    store = database()
    try:
        yield [MemoryLedger(), Neo4jLedger(store)]
    finally:
        store.close()


class Installation:
    """A ledger with the readings that follow it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.editions, self.columns = Editions(catalogue()), Columns(catalogue())
        book = Book(catalogue(), LedgerFacts(ledger))
        self.recording = Recording(ledger, book, Clock(NOW), (self.editions, self.columns))
        self.recording.catch_up()

    @property
    def registers(self) -> list[object]:
        """All that the book knows."""
        return [layer for _, layer in self.recording.book.registers()]

    def hears(self, facts: Sequence[Event]) -> object:
        """What a caller hears: entries and findings, or the problem with its figures."""
        try:
            statement = self.recording.record(facts, facts[0].enterprise)
        except Problem as problem:
            return type(problem), problem.key, problem.figures, problem.where
        return statement.entries, statement.findings


def check_alike(one: Installation, other: Installation) -> None:
    """Entries with their bytes and digests, head, book, lineage and fates; also for who opens the ledger anew."""
    assert list(one.ledger.entries()) == list(other.ledger.entries())
    assert one.ledger.head() == other.ledger.head()
    assert audit(one.ledger) == audit(other.ledger) == []
    for again in (other, Installation(other.ledger)):
        assert again.registers == one.registers
        assert again.editions.now.batch_ids == one.editions.now.batch_ids
        assert np.array_equal(fates(again.editions.now), fates(one.editions.now))


@few
@given(facts=crowds())
def test_any_proposals_are_answered_alike(neo4j: Address, facts: list[Event]) -> None:
    with stores(neo4j) as ledgers:
        one, other = (settled(ledger) for ledger in ledgers)
        memory, real = Installation(one.ledger), Installation(other.ledger)
        for fact in facts:
            assert memory.hears([fact]) == real.hears([fact])
        check_alike(memory, real)


@few
@given(world=histories(), data=st.data())
def test_a_history_and_its_corrections_are_answered_alike(neo4j: Address, world: World, data: st.DataObject) -> None:
    mended = Mended(world)
    for _ in range(data.draw(st.integers(0, 4), "corrections")):
        mended.request(corrections(data, mended.book))
    facts = [entry.event for entry in mended.world.entries]
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=len(facts), max_size=len(facts)), "stated together")
    with stores(neo4j) as ledgers:
        memory, real = (Installation(ledger) for ledger in ledgers)
        while facts:
            together, facts = facts[: sizes[0]], facts[sizes.pop(0) :]
            assert memory.hears(together) == real.hears(together)
        check_alike(memory, real)
        cut = data.draw(st.integers(0, memory.recording.position), "as of")
        before = [each.editions.as_of(cut) for each in (memory, real)]
        assert np.array_equal(*map(fates, before))
