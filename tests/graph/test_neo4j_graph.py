"""The graph in a real Neo4j: drawn, corrected, made anew, and never a node of somebody else's touched."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.events import Mending
from flows.materials import catalogue
from graph.following import Following
from graph.graph_audit import graph_faults
from graph.memory_ledger import MemoryLedger
from graph.neo4j_graph import Neo4jGraph
from graph.neo4j_store import Neo4jAddress
from tests.graph.histories import World, histories
from tests.graph.mending import Mended, replacements
from tests.servers.neo4j_server import Address, empty

pytestmark = pytest.mark.neo4j


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


def _hear(*_: int) -> None:
    pass


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
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
        stated = [entry.position for entry in world.entries if not isinstance(entry.event, Mending)]
        position = data.draw(st.sampled_from(stated), "position")
        now, told = mended.book.fact(position).event, mended.book.told(position).event
        becomes: Any = replacements(data, now) if now is not None else told  # pyright: ignore[reportArgumentType]
        mended.request(position, becomes)
    following.flush()

    assert graph.head().position == len(world.entries)
    assert graph_faults(graph, ledger_of(world), catalogue()) == []
    graph.close()
