"""Enterprises as a network: who supplies whom, what goes in circles, who is in the middle; and any trace as a graph."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import networkx as nx
import numpy as np

from flows.ids import EnterpriseId
from graph.lineage import EVERYTHING, ORIGINS, STATUSES, Horizon, Lineage
from graph.prefix import Prefix
from graph.tracing import Trace

CYCLE_LENGTH_MAX: Final = 6
"""A longer round is trade, not a circle: hardly two of its members know each other."""
CYCLES_MAX: Final = 200
"""More than anybody reads; the search for simple cycles grows without bound."""
_RECEIVED: Final = ORIGINS.index("received")


@dataclass(frozen=True, slots=True)
class Supply:
    """What one enterprise accepted of another's, of one material."""

    giver: EnterpriseId
    taker: EnterpriseId
    material: str
    mass_g: int
    lines: int
    """How many lines of manifests."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """Enterprises that pass one waste code round, from the first by name; `least_g` is the thinnest link."""

    code: str
    enterprises: tuple[EnterpriseId, ...]
    least_g: int


@dataclass(frozen=True, slots=True)
class ChokePoint:
    """An enterprise that much passes through. `cuts`: without it the network falls apart."""

    enterprise: EnterpriseId
    betweenness: float
    cuts: bool


def supplies(
    lineage: Lineage, horizon: Horizon = EVERYTHING, *, from_us: int | None = None, to_us: int | None = None
) -> list[Supply]:
    """Who supplied whom, with effective time of acceptance from ≤ t < to, by giver, taker and material."""
    prefix = Prefix(lineage, horizon)
    ranks = prefix.ranks
    ranks = ranks[prefix.origin[ranks] == _RECEIVED]
    if from_us is not None:
        ranks = ranks[prefix.made_us[ranks] >= from_us]
    if to_us is not None:
        ranks = ranks[prefix.made_us[ranks] < to_us]
    loads = prefix.draw_batch[prefix.draws_of(prefix.made_by[ranks].astype(np.int64))]  # one load for each line
    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    holders, materials = lineage.holders.names, lineage.materials.names
    for load, rank in zip(loads.tolist(), ranks.tolist(), strict=True):
        giver, taker = holders[int(prefix.holder[load])], holders[int(prefix.holder[rank])]
        found[giver, taker, materials[int(prefix.material[rank])]].append(int(prefix.mass_g[rank]))
    return [Supply(*key, sum(masses), len(masses)) for key, masses in sorted(found.items())]


def enterprise_graph(told: list[Supply]) -> "nx.DiGraph[str]":
    """Enterprises with an edge to each that they supply: `mass_g` in all, `materials` by name."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for each in told:
        known = graph.get_edge_data(each.giver, each.taker, {"mass_g": 0, "materials": {}})
        by_material = {**known["materials"], each.material: each.mass_g}
        graph.add_edge(each.giver, each.taker, mass_g=known["mass_g"] + each.mass_g, materials=by_material)
    return graph


def cycles(
    lineage: Lineage,
    told: list[Supply],
    *,
    length_max: int = CYCLE_LENGTH_MAX,
    count_max: int = CYCLES_MAX,
) -> list[Cycle]:
    """Rounds in which one waste code comes back to an enterprise, at most `count_max`, the heaviest first."""
    by_code: dict[str, list[Supply]] = defaultdict(list)
    for each in told:
        code = lineage.catalogue.material(each.material).waste_code
        if code is not None:
            by_code[code].append(each)
    found = (cycle for code, own in sorted(by_code.items()) for cycle in _rounds(code, own, length_max))
    return sorted(islice(found, count_max), key=lambda cycle: (-cycle.least_g, cycle.code, cycle.enterprises))


def _rounds(code: str, told: list[Supply], length_max: int) -> Iterator[Cycle]:
    graph = enterprise_graph(told)
    for nodes in nx.simple_cycles(graph, length_bound=length_max):
        first = nodes.index(min(nodes))
        names = tuple(nodes[first:] + nodes[:first])
        links = zip(names, (*names[1:], names[0]), strict=True)
        yield Cycle(code, names, min(int(graph.edges[link]["mass_g"]) for link in links))


def communities(told: list[Supply]) -> list[list[EnterpriseId]]:
    """Enterprises that deal mostly with each other, by mass; the largest group first, the same every time."""
    graph: nx.Graph[str] = nx.Graph()
    for each in told:
        known = graph.get_edge_data(each.giver, each.taker, {"mass_g": 0})
        graph.add_edge(each.giver, each.taker, mass_g=known["mass_g"] + each.mass_g)
    if not len(graph):
        return []
    groups = nx.community.greedy_modularity_communities(graph, weight="mass_g")
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group))


def choke_points(told: list[Supply], *, count: int = 10) -> list[ChokePoint]:
    """The enterprises that most of the shortest ways between others lead through, the greatest first."""
    graph = enterprise_graph(told)
    cuts = set(nx.articulation_points(graph.to_undirected()))
    between: dict[str, float] = nx.betweenness_centrality(graph)
    points = [ChokePoint(name, share, name in cuts) for name, share in between.items() if share > 0 or name in cuts]
    return sorted(points, key=lambda point: (-point.betweenness, point.enterprise))[:count]


def to_networkx(lineage: Lineage, traced: Trace, horizon: Horizon = EVERYTHING) -> "nx.DiGraph[str]":
    """A trace as a graph: batches by id. Between two batches there is one edge: a batch is made by one movement."""
    prefix = Prefix(lineage, horizon)
    graph: nx.DiGraph[str] = nx.DiGraph()
    nodes, edges = traced.nodes, traced.edges
    for i, rank in enumerate(map(int, nodes.rank)):
        graph.add_node(
            lineage.batch_ids[rank],
            material=lineage.materials.names[int(nodes.material[i])],
            holder=lineage.holders.names[int(nodes.holder[i])],
            origin=ORIGINS[int(prefix.origin[rank])],
            status=STATUSES[int(prefix.status[rank])],
            depth=int(nodes.depth[i]),
            mass_g=int(nodes.mass_g[i]),
            left_g=int(nodes.left_g[i]),
            content_g=float(nodes.content_g[i]),
        )
    for i, (giver, taker) in enumerate(zip(edges.from_rank, edges.to_rank, strict=True)):
        graph.add_edge(
            lineage.batch_ids[int(giver)],
            lineage.batch_ids[int(taker)],
            position=int(edges.position[i]),
            mass_g=float(edges.mass_g[i]),
            content_g=float(edges.content_g[i]),
        )
    return graph


def graphml(graph: "nx.Graph[str]") -> str:
    """A graph as GraphML, which Gephi, yEd and Cytoscape read."""
    lines: Iterator[str] = nx.generate_graphml(graph)  # pyright: ignore[reportUnknownMemberType] # its stub leaves one argument open
    return "\n".join(lines) + "\n"


def node_link(graph: "nx.Graph[str]") -> str:
    """A graph as node-link JSON, which D3 and NetworkX read."""
    content: dict[str, Any] = nx.node_link_data(graph, edges="links")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] # its stub names no result
    return json.dumps(content, ensure_ascii=False)
