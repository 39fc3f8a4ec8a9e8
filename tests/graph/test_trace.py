"""The trace: every batch once, the shares that mixing gives, the same answer every time."""

from collections import defaultdict
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.balance import Boundary
from flows.errors import Unknown
from flows.fates import FATES, FateClass
from flows.materials import catalogue
from graph.fate import fate
from graph.lineage import BOUNDARIES, Horizon, Lineage
from graph.tracing import Filter, Trace, summary, trace
from tests.graph.exact import Exact
from tests.graph.histories import ENTERPRISES, World, histories
from tests.graph.telling import Teller

CLOSE = 1e-9


def lineage_of(world: World) -> Lineage:
    lineage = Lineage(catalogue())
    world.follow(lineage)
    return lineage


def columns(traced: Trace) -> list[list[float]]:
    tables = (traced.nodes, traced.edges, traced.ends, traced.sources)
    return [getattr(table, name).tolist() for table in tables for name in table.__slots__]


def contents(exact: Exact, graph: "nx.DiGraph[str]", root: str) -> dict[str, Fraction]:
    """The root's grams in each batch below it."""
    content = defaultdict(Fraction, {root: Fraction(exact.makes[root].mass_g)})
    for giver in nx.topological_sort(graph):
        for taker in graph.successors(giver):
            content[taker] += content[giver] * graph.edges[giver, taker]["mass"] / exact.makes[giver].mass_g
    return content


@given(histories())
def test_downstream_is_all_that_was_made_of_the_root_with_its_share(world: World) -> None:
    lineage, exact = lineage_of(world), Exact(world.changes)
    graph = exact.graph()

    for rank, root in enumerate(lineage.batch_ids):
        traced = trace(lineage, rank, "down")
        names = [lineage.batch_ids[node] for node in traced.nodes.rank]
        expected = contents(exact, graph, root)
        depths = nx.single_source_shortest_path_length(graph, root)
        assert dict(zip(names, traced.nodes.depth.tolist(), strict=True)) == depths
        for name, content_g, left_g in zip(names, traced.nodes.content_g, traced.nodes.left_g, strict=True):
            assert abs(content_g - float(expected[name])) <= CLOSE
            assert left_g == exact.left_g(name)
        cone = graph.subgraph(names)
        edges = {
            (lineage.batch_ids[giver], lineage.batch_ids[taker]): mass_g
            for giver, taker, mass_g in zip(
                traced.edges.from_rank, traced.edges.to_rank, traced.edges.mass_g, strict=True
            )
        }
        assert set(edges) == set(cone.edges)
        assert len(edges) == len(traced.edges)
        assert all(abs(edges[edge] - float(cone.edges[edge]["mass"])) <= CLOSE for edge in edges)


@given(histories())
def test_upstream_is_all_that_the_root_was_made_of_with_its_share(world: World) -> None:
    lineage, exact = lineage_of(world), Exact(world.changes)
    graph = exact.graph()

    for rank, root in enumerate(lineage.batch_ids):
        traced = trace(lineage, rank, "up")
        names = [lineage.batch_ids[node] for node in traced.nodes.rank]
        depths = nx.single_source_shortest_path_length(graph.reverse(), root)
        assert dict(zip(names, (-traced.nodes.depth).tolist(), strict=True)) == depths
        shares = dict(zip(names, traced.nodes.share.tolist(), strict=True))
        for source, share in exact.provenance(root).items():
            if isinstance(source, str):
                assert abs(shares[source] - float(share)) <= CLOSE
        assert abs(traced.sources.content_g.sum() - exact.makes[root].mass_g) <= CLOSE
        assert not traced.ends.content_g.any()
        givers = [lineage.batch_ids[giver] for giver in traced.edges.from_rank]
        takers = [lineage.batch_ids[taker] for taker in traced.edges.to_rank]
        assert set(zip(givers, takers, strict=True)) == set(graph.subgraph(names).edges)


@given(histories())
def test_what_flows_along_the_edges_is_what_the_batches_contain(world: World) -> None:
    lineage = lineage_of(world)
    for rank in range(len(lineage.batch_ids)):
        down, up = trace(lineage, rank, "down"), trace(lineage, rank, "up")
        below = np.bincount(down.edges.to_rank, down.edges.content_g, len(lineage.batch_ids))
        above = np.bincount(up.edges.from_rank, up.edges.content_g, len(lineage.batch_ids))
        below[rank] = above[rank] = world.book.batch(lineage.batch_ids[rank]).mass_g
        np.testing.assert_allclose(below[down.nodes.rank], down.nodes.content_g, atol=CLOSE)
        np.testing.assert_allclose(above[up.nodes.rank], up.nodes.content_g, atol=CLOSE)


@given(histories())
def test_what_ends_below_the_root_is_its_fate(world: World) -> None:
    lineage = lineage_of(world)
    for rank in range(len(lineage.batch_ids)):
        traced, whole = trace(lineage, rank, "down"), fate(lineage, rank)
        assert whole.fractions is not None
        ended = np.bincount(traced.ends.what, traced.ends.content_g, len(FATES))
        for column, kind in enumerate(FATES):
            if kind not in {FateClass.STOCK, FateClass.IN_TRANSIT}:
                assert abs(ended[column] - whole.fractions[kind] * whole.mass_g) <= CLOSE


@given(histories(), st.data())
def test_both_ways_are_the_two_halves_with_nothing_twice(world: World, data: st.DataObject) -> None:
    lineage = lineage_of(world)
    if not lineage.batch_ids:
        return
    roots = data.draw(st.lists(st.integers(0, len(lineage.batch_ids) - 1), min_size=1, max_size=3, unique=True))
    up, down, both = (trace(lineage, roots, way) for way in ("up", "down", "both"))

    assert set(both.nodes.rank.tolist()) == set(up.nodes.rank.tolist()) | set(down.nodes.rank.tolist())
    assert len(set(both.nodes.rank.tolist())) == len(both.nodes)
    edges = list(zip(both.edges.from_rank.tolist(), both.edges.to_rank.tolist(), strict=True))
    halves = [zip(half.edges.from_rank.tolist(), half.edges.to_rank.tolist(), strict=True) for half in (up, down)]
    assert len(edges) == len(set(edges))
    assert set(edges) == {edge for half in halves for edge in half}


@given(histories(), st.integers(0, 3))
def test_a_trace_is_the_same_every_time_and_depth_only_cuts_it(world: World, depth_max: int) -> None:
    lineage = lineage_of(world)
    for rank in range(len(lineage.batch_ids)):
        whole, near = trace(lineage, rank), trace(lineage, rank, depth_max=depth_max)
        kept = np.abs(whole.nodes.depth) <= depth_max
        assert columns(near) == columns(trace(lineage_of(world), rank, depth_max=depth_max))
        assert near.nodes.rank.tolist() == whole.nodes.rank[kept].tolist()
        np.testing.assert_array_equal(near.nodes.content_g, whole.nodes.content_g[kept])


@given(histories())
def test_put_together_by_enterprise_or_material_nothing_is_lost(world: World) -> None:
    lineage = lineage_of(world)
    for rank in range(len(lineage.batch_ids)):
        traced = trace(lineage, rank)
        for level in ("enterprise", "material"):
            found = summary(lineage, traced, level)
            assert found.batches.sum() == len(traced.nodes)
            assert found.mass_g.sum() == traced.nodes.mass_g.sum()
            assert found.edge_count.sum() == len(traced.edges)
            assert abs(found.edge_mass_g.sum() - traced.edges.mass_g.sum()) <= CLOSE
            assert list(found.names) == list(dict.fromkeys(found.names))


def smelter() -> tuple[Teller, dict[str, int]]:
    """Dross of one enterprise goes to another, becomes metal and ash; the ash goes back and is landfilled."""
    teller = Teller()
    dross = teller.generated("D", 100, material="primary-dross")
    (taken,) = teller.sent("M", {dross: 80}, to=2)
    teller.day = 1
    metal, ash = teller.made({"AL": 30, "ASH": 60}, {taken: 80}, additions={"lime": 10}, owner=2)
    (back,) = teller.sent("N", {ash: 50}, to=0, owner=2)
    teller.disposed({back: 50})
    teller.delivered({metal: 30}, owner=2)
    lineage = lineage_of(teller.world)
    names = {"dross": dross, "taken": taken, "metal": metal, "ash": ash, "back": back}
    return teller, {name: lineage.rank(batch_id) for name, batch_id in names.items()}


def test_a_filter_hides_batches_and_changes_no_share() -> None:
    teller, ranks = smelter()
    lineage = lineage_of(teller.world)
    whole = trace(lineage, ranks["dross"], "down")
    content_g = dict(zip(whole.nodes.rank.tolist(), whole.nodes.content_g.tolist(), strict=True))
    later_us = int(lineage.batches.made_us[ranks["metal"]])
    own = {rank for rank in content_g if lineage.holders.names[lineage.batches.holder[rank]] == ENTERPRISES[0]}
    shown = {
        Filter(enterprises=frozenset({ENTERPRISES[0]})): own,
        Filter(division="5103"): {ranks["taken"], ranks["metal"], ranks["ash"], ranks["ash"] + 1},
        Filter(from_us=later_us): {rank for rank in content_g if rank >= ranks["metal"]},
        Filter(to_us=later_us): {rank for rank in content_g if rank < ranks["metal"]},
        Filter(materials=frozenset({"primary-dross"})): {rank for rank in content_g if rank <= ranks["taken"]},
        Filter(statuses=frozenset({"hazardous_waste"})): {rank for rank in content_g if rank <= ranks["taken"]},
        Filter(waste_codes=frozenset({"321-024-48"})): {rank for rank in content_g if rank <= ranks["taken"]},
        Filter(materials=frozenset({"nothing"})): set(),
    }
    for only, expected in shown.items():
        found = trace(lineage, ranks["dross"], "down", only=only)
        assert set(found.nodes.rank.tolist()) == expected | {ranks["dross"]}, only
        assert all(
            content_g[rank] == part for rank, part in zip(found.nodes.rank.tolist(), found.nodes.content_g, strict=True)
        )


def test_waste_that_comes_back_makes_a_loop_between_enterprises() -> None:
    teller, ranks = smelter()
    lineage = lineage_of(teller.world)
    found = summary(lineage, trace(lineage, ranks["dross"]), "enterprise")
    pairs = {
        (found.names[giver], found.names[taker]) for giver, taker in zip(found.from_name, found.to_name, strict=True)
    }

    first, third = ENTERPRISES[0], ENTERPRISES[2]
    assert pairs == {(first, first), (first, third), (third, third), (third, first)}


def test_a_trace_tells_where_mass_ended_and_what_was_added() -> None:
    teller, ranks = smelter()
    lineage = lineage_of(teller.world)
    traced = trace(lineage, ranks["ash"])
    ends = {FATES[what]: mass for what, mass in zip(traced.ends.what, traced.ends.content_g, strict=True)}
    sources = [
        (BOUNDARIES[what], lineage.details.names[detail], round(float(mass), 3))
        for what, detail, mass in zip(traced.sources.what, traced.sources.detail, traced.sources.content_g, strict=True)
    ]

    assert ends[FateClass.LANDFILLED] == 50
    assert sources == [(Boundary.GENERATION, "", 53.333), (Boundary.ADDITION, "lime", 6.667)]


def test_a_trace_knows_no_more_than_its_horizon() -> None:
    teller, ranks = smelter()
    lineage = lineage_of(teller.world)
    loaded = next(e.position for e in teller.world.entries if e.event.kind == "loaded")
    found = trace(lineage, ranks["dross"], horizon=Horizon(as_of=loaded))

    assert found.nodes.rank.tolist() == [0, 1]
    assert found.nodes.left_g.tolist() == [20, 80]
    with pytest.raises(Unknown):
        trace(lineage, ranks["metal"], horizon=Horizon(as_of=loaded))


def test_a_ladder_of_forty_diamonds_is_walked_once() -> None:
    teller = Teller()
    last = root = teller.generated("A0", 16)
    for n in range(40):
        parts = teller.made({f"L{n}": 8, f"R{n}": 8}, {last: 16})
        (last,) = teller.made({f"A{n + 1}": 16}, dict.fromkeys(parts, 8))
    lineage = lineage_of(teller.world)
    down, up = trace(lineage, lineage.rank(root), "down"), trace(lineage, lineage.rank(last), "up")

    assert len(down.nodes) == len(up.nodes) == 121
    assert len(down.edges) == len(up.edges) == 160
    assert down.nodes.content_g[-1] == up.nodes.content_g[0] == 16
    assert down.nodes.depth.max() == 80
