"""The graph in a real Neo4j: written with the entries, followed, made anew, and never a node of somebody else's touched."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flows.book import Book
from flows.entries import next_entry
from flows.errors import Problem
from flows.events import Collected, Event, Product
from flows.materials import catalogue
from flows.recording import LedgerFacts, Recording
from flows.times import instant_us
from graph.following import Following, check_same, follow
from graph.graph_audit import graph_faults
from graph.memory_ledger import MemoryLedger
from graph.neo4j_graph import BEING_MADE, Neo4jGraph
from graph.neo4j_ledger import DRAWN_MOST, Neo4jLedger
from graph.neo4j_store import Neo4jAddress
from graph.store_problems import StoreProblem
from tests.graph.histories import ENTERPRISES, SITES, World, histories, settled
from tests.graph.mending import Mended, corrections
from tests.graph.stores import database
from tests.graph.test_projection import generated
from tests.servers.neo4j_server import Address, empty

pytestmark = [pytest.mark.neo4j, pytest.mark.timeout(600)]
NOW = datetime(2026, 11, 3, 1, tzinfo=UTC)


def opened(address: Address, *, beside: bool = True) -> Neo4jGraph:
    return Neo4jGraph(Neo4jAddress(address.uri, address.user, address.password), catalogue(), beside=beside)


@pytest.fixture
def graph(neo4j: Address) -> Iterator[Neo4jGraph]:
    graph = opened(neo4j)
    yield graph
    graph.close()


def ledger_of(world: World) -> MemoryLedger:
    ledger = MemoryLedger()
    with ledger.turn() as turn:
        turn.append(list(zip(world.entries, world.changes, strict=True)))
    return ledger


def run(address: Address, words: str, **values: Any) -> list[Any]:
    with address.driver() as driver:
        return list(driver.execute_query(words, **values).records)  # pyright: ignore[reportArgumentType] - a test's own words


def foreign(address: Address) -> list[Any]:
    """What somebody else keeps in the same database."""
    return [
        tuple(record.values()) for record in run(address, "match (n:Case) return n.title, n.batch_id order by n.title")
    ]


def _hear(*_: int) -> None:
    pass


def _keys(ledger: Any, graph: Neo4jGraph) -> list[str]:
    return [found.key for found in graph_faults(graph, ledger, catalogue())]


# it says what the entries say ----------------------------------------------------------------------------------------


@settings(max_examples=5, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(histories(), st.data())
def test_the_graph_is_what_the_entries_say_corrections_included(
    neo4j_server: Address, world: World, data: st.DataObject
) -> None:
    empty(neo4j_server)
    graph = opened(neo4j_server)
    mended = Mended(world)
    following = Following(graph, world.book)
    world.follow(following)
    world.followers = (*world.followers, following)
    for _ in range(data.draw(st.integers(1, 3), "corrections")):
        if data.draw(st.booleans(), "written before"):
            following.flush()
        mended.request(corrections(data, mended.book))
    following.flush()

    assert graph.head().position == len(world.entries)
    assert _keys(ledger_of(world), graph) == []
    graph.close()


@dataclass
class Installed:
    """A ledger in Neo4j with its graph, as the service has them."""

    ledger: Neo4jLedger
    graph: Neo4jGraph
    recording: Recording
    following: Following

    def tell(self, events: Sequence[Event], *, together: bool = False) -> None:
        for statement in [events] if together else [[event] for event in events]:
            self.recording.record(statement, statement[0].enterprise)

    @property
    def faults(self) -> list[str]:
        return _keys(self.ledger, self.graph)


@pytest.fixture
def installed(neo4j: Address) -> Iterator[Installed]:
    ledger = Neo4jLedger(database())
    graph = opened(neo4j, beside=False)
    book = Book(catalogue(), LedgerFacts(ledger))
    following = Following(graph, book)
    yield Installed(ledger, graph, Recording(ledger, book, lambda: NOW, [following]), following)
    following.close()
    ledger.close()


def test_a_turn_writes_entries_and_graph_in_one_transaction(installed: Installed) -> None:
    world = settled()
    generated(world)
    installed.tell(world.events)

    assert installed.graph.head().digest == installed.ledger.head().digest
    assert installed.faults == []
    assert [entry.event for entry in installed.ledger.entries()] == world.events


def test_a_turn_that_fails_leaves_nothing_in_the_graph(neo4j: Address, installed: Installed) -> None:
    world = settled()
    installed.tell(world.events)
    before = installed.graph.head()
    generated(world)
    with pytest.raises(RuntimeError, match="lost"):
        _break_off(installed, world)

    assert installed.graph.head() == before
    assert run(neo4j, "match (b:Batch) return b.batch_id") == []


def _break_off(installed: Installed, world: World) -> None:
    """A turn in which all is written, and that fails before its end."""
    event, change = world.events[-1], world.changes[-1]
    with installed.ledger.turn() as turn:
        entry = next_entry(turn.head, event, instant_us(NOW), event.enterprise)
        turn.append([(entry, change)], world.book)
        turn.write()
        raise RuntimeError("lost")


def test_a_bulk_turn_leaves_the_graph_behind_and_it_follows(installed: Installed) -> None:
    installed.tell([*settled(enterprises=1).events, *map(_scrap, range(DRAWN_MOST))], together=True)
    behind = installed.graph.head().position
    installed.tell([_scrap(DRAWN_MOST)])
    still = installed.graph.head().position
    installed.following.flush()
    installed.tell([_scrap(DRAWN_MOST + 1)])

    assert (behind, still) == (0, 0)
    assert installed.graph.head().position == installed.recording.position
    assert installed.faults == []


def _scrap(number: int) -> Event:
    product = Product(batch_id=f"{ENTERPRISES[0]}.S{number}", material="aluminium-scrap", mass_g=5)
    return Collected(
        event_id=f"s{number}", enterprise=ENTERPRISES[0], event_time=NOW.date(), site_id=SITES[0], scrap="old",
        product=product,
    )  # fmt: skip


# it follows ----------------------------------------------------------------------------------------------------------


def test_the_second_time_only_new_entries_are_taken_in(graph: Neo4jGraph) -> None:
    world, heard = settled(), list[int]()
    follow(graph, ledger_of(world), catalogue(), lambda done, _: heard.append(done))
    generated(world)
    ledger = ledger_of(world)
    follow(graph, ledger, catalogue(), lambda done, _: heard.append(done))
    follow(graph, ledger, catalogue(), lambda done, _: heard.append(done))

    assert heard == [len(world.entries) - 1, len(world.entries)]
    assert _keys(ledger, graph) == []


def test_taking_entries_in_twice_changes_nothing(graph: Neo4jGraph) -> None:
    world = settled()
    generated(world)
    kept = list(zip(world.entries, world.changes, strict=True))
    graph.take(kept, world.book)
    graph.take(kept, world.book)

    assert _keys(ledger_of(world), graph) == []


def test_nothing_is_written_behind_a_gap(graph: Neo4jGraph) -> None:
    world = settled()
    kept = list(zip(world.entries, world.changes, strict=True))

    assert graph.take(kept[2:], world.book) == 0


def test_the_graph_of_another_ledger_is_refused(graph: Neo4jGraph) -> None:
    world, other = settled(), settled(enterprises=2)
    generated(other)
    follow(graph, ledger_of(world), catalogue(), _hear)

    with pytest.raises(StoreProblem) as caught:
        check_same(graph, ledger_of(other))
    assert caught.value.key == "graph-of-another-ledger"
    with pytest.raises(StoreProblem):
        check_same(graph, MemoryLedger())


# others ----------------------------------------------------------------------------------------------------------------


def test_nodes_of_somebody_else_stay_as_they_are(neo4j: Address) -> None:
    run(neo4j, "create (:Case {title: 'inquiry', batch_id: 'x'}), (:Case {title: 'inspection', batch_id: 'x'})")
    before, world = foreign(neo4j), settled()
    generated(world)
    graph = opened(neo4j)
    follow(graph, ledger_of(world), catalogue(), _hear)
    run(neo4j, "match (c:Case {title: 'inquiry'}), (b:Batch) create (c)-[:ABOUT]->(b)")
    graph.clear(_hear)
    follow(graph, ledger_of(world), catalogue(), _hear)

    assert foreign(neo4j) == before
    assert _keys(ledger_of(world), graph) == []
    graph.close()


def test_a_database_in_which_others_use_our_labels_is_refused(neo4j: Address) -> None:
    run(neo4j, "create (:Batch {batch_id: 'theirs'}), (:Site {name: 'theirs'})")
    with pytest.raises(Problem) as caught:
        opened(neo4j)

    assert caught.value.key == "neo4j-foreign"
    assert caught.value.figures["labels"] == "Batch, Site"
    assert run(neo4j, "match (n) return count(n) as n")[0]["n"] == 2


@pytest.mark.usefixtures("installed")
def test_no_graph_is_drawn_beside_a_ledger_that_stands_there(neo4j: Address) -> None:
    with pytest.raises(StoreProblem) as caught:
        opened(neo4j)

    assert caught.value.key == "graph-is-ledger"


# audited and made anew -----------------------------------------------------------------------------------------------


MEDDLED = {
    "audit-graph-differs": "match (b:Batch) set b.left_g = b.left_g + 1",
    "audit-graph-missing": "match (:Enterprise)-[r:HOLDS]->() delete r",
    "audit-graph-extra": "match (b:Batch), (s:Site) where not (b)-[:AT]->(s) create (b)-[:AT]->(s)",
    "audit-graph-unfinished": "match (g:Graph) set g.position = -1",
    "audit-graph-astray": "match (g:Graph) set g.digest = 'another'",
}


@pytest.mark.parametrize("key", MEDDLED)
def test_what_was_meddled_with_is_named_and_mended_by_drawing_anew(neo4j: Address, graph: Neo4jGraph, key: str) -> None:
    world = settled()
    generated(world)
    ledger = ledger_of(world)
    follow(graph, ledger, catalogue(), _hear)
    run(neo4j, MEDDLED[key])
    found = _keys(ledger, graph)
    graph.clear(_hear)
    follow(graph, ledger, catalogue(), _hear)

    assert set(found) == {key}
    assert _keys(ledger, graph) == []


def test_a_ledgers_entries_stay_when_its_graph_is_made_anew(neo4j: Address, installed: Installed) -> None:
    world = settled()
    generated(world)
    installed.tell(world.events)
    before = list(installed.ledger.entries())
    installed.graph.clear(_hear)
    cleared = run(neo4j, "match (b:Batch) return b.batch_id")
    follow(installed.graph, installed.ledger, catalogue(), _hear)

    assert list(installed.ledger.entries()) == before
    assert cleared == []
    assert installed.faults == []


def test_what_another_version_drew_is_left_alone_until_it_is_made_anew(neo4j: Address, graph: Neo4jGraph) -> None:
    world = settled()
    ledger = ledger_of(world)
    follow(graph, ledger, catalogue(), _hear)
    run(neo4j, "match (g:Graph) set g.schema = 99")
    again = opened(neo4j)

    assert again.head().position == BEING_MADE
    assert again.take(list(zip(world.entries, world.changes, strict=True)), world.book) == BEING_MADE
    again.clear(_hear)
    follow(again, ledger, catalogue(), _hear)
    assert _keys(ledger, again) == []
    again.close()
