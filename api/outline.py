"""A trace on a terminal: batches by depth with their share of the root, then where the root's grams ended."""

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.readings import Seen
from api.rest.batches import find_scanned
from api.service import Service
from api.trails import Trail
from flows.access import Caller
from flows.fates import FATES, FATES_ZH
from flows.mass import plain_tonnes
from graph import network
from graph.fate import fate
from graph.lineage import Horizon
from graph.tracing import ALL, Direction, Filter, Trace, trace

GraphForm: TypeAlias = Literal["graphml", "node-link"]
ROWS_MOST: Final = 60
"""A terminal's two screens; the pages and --json show all."""


def _traced(
    service: Service, caller: Caller, code: str, direction: Direction, depth: int | None, when: Horizon, only: Filter
) -> tuple[str, Trace]:
    batch = find_scanned(code, service.sight(caller), service)
    rank = service.lineage.rank(batch.batch_id)
    return batch.batch_id, trace(service.lineage, rank, direction, depth_max=depth, horizon=when, only=only)


def export_graph(  # one parameter for each option
    service: Service,
    caller: Caller,
    code: str,
    direction: Direction,
    depth: int | None,
    when: Horizon,
    form: GraphForm,
    only: Filter = ALL,
) -> str:
    """The cone as GraphML or node-link JSON."""
    service = service.known(when.as_of)
    _, traced = _traced(service, caller, code, direction, depth, when, only)
    graph = network.to_networkx(service.lineage, traced, when)
    return network.graphml(graph) if form == "graphml" else network.node_link(graph)


def print_trace(  # noqa: PLR0913, PLR0917 - one parameter for each option
    service: Service,
    caller: Caller,
    code: str,
    direction: Direction,
    depth: int | None,
    when: Horizon,
    out: Console,
    print_json: Callable[[object], None] | None,
    only: Filter = ALL,
    *,
    whole: bool = False,
) -> None:
    """The trace as an outline, or as JSON in columns."""
    service = service.known(when.as_of)
    root, traced = _traced(service, caller, code, direction, depth, when, only)
    if print_json is not None:
        told = Trail(traced, Seen(service.sight(caller), service)).columns()
        print_json({"root": root, "position": service.book.position} | told)
        return
    out.print(_outline(service, traced, len(traced.nodes) if whole else ROWS_MOST))
    if len(traced.nodes) > ROWS_MOST and not whole:
        out.print(f"……共 {len(traced.nodes)} 个批次，全部见 --all · {len(traced.nodes)} batches in all")
    if direction != "up":
        out.print(_ends(service, traced, when))


def _outline(service: Service, traced: Trace, most: int) -> Table:
    lineage, nodes = service.lineage, traced.nodes
    table = Table("批次", "物料", "持有人", "重量 t", "剩余 t", "来自本批 t", "占本批")
    order = sorted(range(len(nodes)), key=lambda i: (abs(int(nodes.depth[i])), int(nodes.rank[i])))
    for i in order[:most]:
        rank = int(nodes.rank[i])
        material = service.catalogue.material(lineage.materials.names[int(nodes.material[i])])
        holder = lineage.holders.names[int(nodes.holder[i])]
        known = service.book.enterprises.get(holder)
        table.add_row(
            f"{'· ' * abs(int(nodes.depth[i]))}{escape(lineage.codes[rank] or lineage.batch_ids[rank].partition('.')[2])}",
            material.name_zh,
            escape(known.registered.name) if known else holder,
            plain_tonnes(int(nodes.mass_g[i])),
            plain_tonnes(int(nodes.left_g[i])),
            plain_tonnes(round(float(nodes.content_g[i]))),
            f"{float(nodes.share[i]):.2%}",
        )
    return table


def _ends(service: Service, traced: Trace, when: Horizon) -> Table:
    """Where the root's own grams are, each in one class."""
    found = fate(service.lineage, traced.roots.tolist(), when)
    table = Table("最终去向", "t", "占比")
    for each in FATES:
        if found.grams[each]:
            share = found.fractions[each] if found.fractions else 0.0
            table.add_row(FATES_ZH[each], plain_tonnes(found.grams[each]), f"{share:.2%}")
    table.add_section()
    table.add_row("合计（等于本批重量）", plain_tonnes(sum(found.grams.values())), "100%")
    return table
