"""The network of enterprises, and traces as graphs for other programs."""

import json

import networkx as nx
from hypothesis import given

from flows.events import Decided
from flows.materials import catalogue
from graph.lineage import Horizon, Lineage
from graph.network import (
    Cycle,
    Supply,
    choke_points,
    communities,
    cycles,
    enterprise_graph,
    graphml,
    node_link,
    supplies,
    to_networkx,
)
from graph.tracing import trace
from tests.graph.histories import ENTERPRISES, World, histories
from tests.graph.telling import Teller

FIRST, SECOND, THIRD = ENTERPRISES
DROSS, ASH = "primary-dross", "primary-secondary-dross"
"""Two materials of one waste code."""


def lineage_of(world: World) -> Lineage:
    lineage = Lineage(catalogue())
    world.follow(lineage)
    return lineage


def round_trip() -> Teller:
    """Dross goes from the first to the second, on to the third and back to the first; some copper tailings too."""
    teller = Teller()
    dross = teller.generated("D", 100, material=DROSS)
    (second,) = teller.sent("M", {dross: 90}, to=1)
    teller.day = 1
    (ash,) = teller.made({"ASH": 80}, {second: 90}, material=ASH, owner=1)
    (third,) = teller.sent("N", {ash: 70}, to=2, owner=1)
    teller.sent("O", {third: 60}, to=0, owner=2)
    teller.sent("P", {teller.generated("T", 5, owner=1): 5}, to=2, owner=1)
    return teller


@given(histories())
def test_supplies_are_what_consignees_accepted(world: World) -> None:
    accepted_g = sum(
        line.accepted.mass_g
        for event in world.events
        if isinstance(event, Decided)
        for line in event.lines
        if line.accepted
    )
    told = supplies(lineage_of(world))

    assert sum(each.mass_g for each in told) == accepted_g
    assert all(each.giver != each.taker for each in told)


def test_who_supplies_whom_with_what_and_when() -> None:
    lineage = lineage_of(round_trip().world)
    told = supplies(lineage)
    later_us = int(lineage.batches.made_us[lineage.rank(f"{SECOND}.ASH")])

    assert sorted(told, key=lambda each: -each.mass_g) == [
        Supply(FIRST, SECOND, DROSS, 90, 1),
        Supply(SECOND, THIRD, ASH, 70, 1),
        Supply(THIRD, FIRST, ASH, 60, 1),
        Supply(SECOND, THIRD, "copper-tailings", 5, 1),
    ]
    assert supplies(lineage, to_us=later_us) == [Supply(FIRST, SECOND, DROSS, 90, 1)]
    assert len(supplies(lineage, from_us=later_us)) == 3
    assert supplies(lineage, Horizon(as_of=1)) == []
    edge = enterprise_graph(told).edges[SECOND, THIRD]
    assert (edge["mass_g"], edge["materials"]) == (75, {ASH: 70, "copper-tailings": 5})


def test_one_code_that_goes_in_a_circle_is_found_from_its_first_member() -> None:
    lineage = lineage_of(round_trip().world)
    told = supplies(lineage)
    start = min(ENTERPRISES)
    turn = ENTERPRISES.index(start)

    assert cycles(lineage, told) == [Cycle("321-024-48", (*ENTERPRISES[turn:], *ENTERPRISES[:turn]), 60)]
    assert cycles(lineage, told, length_max=2) == []
    assert cycles(lineage, told, count_max=0) == []


def test_groups_and_the_one_between_them() -> None:
    names = "ABCDEFG"
    pairs = ["AB", "BC", "CA", "CD", "DE", "EF", "FG", "GE"]
    told = [Supply(giver, taker, DROSS, 1, 1) for giver, taker in pairs]

    assert {frozenset(group) for group in communities(told)} >= {frozenset("EFG")}
    assert sorted(name for group in communities(told) for name in group) == list(names)
    assert {point.enterprise for point in choke_points(told) if point.cuts} == {"C", "D", "E"}
    assert communities([]) == choke_points([]) == []


def test_a_trace_leaves_as_a_graph_and_comes_back_the_same() -> None:
    lineage = lineage_of(round_trip().world)
    graph = to_networkx(lineage, trace(lineage, 0))
    read = nx.parse_graphml(graphml(graph))
    linked = nx.node_link_graph(json.loads(node_link(graph)), edges="links")

    assert nx.is_directed_acyclic_graph(graph)
    assert graph.nodes[lineage.batch_ids[0]]["mass_g"] == 100
    for other in (read, linked):
        assert dict(other.nodes(data=True)) == dict(graph.nodes(data=True))
        assert {(a, b): d["mass_g"] for a, b, d in other.edges(data=True)} == {
            (a, b): d["mass_g"] for a, b, d in graph.edges(data=True)
        }
