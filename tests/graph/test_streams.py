"""The streams beside a trace: with them, what enters a batch and what leaves it is what it holds of the root."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from graph.lineage import EVERYTHING, Lineage
from graph.streams import BEYOND, streams
from graph.tracing import Direction, trace
from tests.graph.histories import World, histories

NEARLY = 1e-6


def _sides(
    lineage: Lineage, rank: int, direction: Direction, depth_max: int | None
) -> tuple[dict[int, float], dict[int, float], dict[int, float], dict[int, int], list[str]]:
    traced = trace(lineage, rank, direction, depth_max=depth_max)
    content = dict(zip(traced.nodes.rank.tolist(), traced.nodes.content_g.tolist(), strict=True))
    depth = dict(zip(traced.nodes.rank.tolist(), traced.nodes.depth.tolist(), strict=True))
    into, out = defaultdict(float), defaultdict(float)
    edges = traced.edges
    for giver, taker, mass_g in zip(
        edges.from_rank.tolist(), edges.to_rank.tolist(), edges.content_g.tolist(), strict=True
    ):
        out[giver] += mass_g
        into[taker] += mass_g
    beside = streams(lineage, traced, direction, EVERYTHING)
    for stream in beside:
        (into if stream.inward else out)[stream.rank] += stream.mass_g
    return into, out, content, depth, [stream.name for stream in beside]


@given(histories(), st.data())
def test_both_sides_of_every_batch_hold_what_it_has_of_the_root(world: World, data: st.DataObject) -> None:
    lineage = Lineage(world.book.catalogue)
    world.follow(lineage)
    if not lineage.batch_ids:
        return
    rank = data.draw(st.integers(0, len(lineage.batch_ids) - 1))
    direction = data.draw(st.sampled_from(["up", "down", "both"]))
    depth_max = data.draw(st.sampled_from([None, 1, 2]))
    into, out, content, depth, _ = _sides(lineage, rank, direction, depth_max)

    for each, held_g in content.items():
        if depth[each] < 0 or (depth[each] == 0 and direction != "down") or depth[each] > 0:
            assert abs(into[each] - held_g) < NEARLY * max(1, held_g)
        if depth[each] > 0 or (depth[each] == 0 and direction != "up") or depth[each] < 0:
            assert abs(out[each] - held_g) < NEARLY * max(1, held_g)


@given(histories(), st.data())
def test_without_a_depth_nothing_lies_beyond(world: World, data: st.DataObject) -> None:
    lineage = Lineage(world.book.catalogue)
    world.follow(lineage)
    if not lineage.batch_ids:
        return
    rank = data.draw(st.integers(0, len(lineage.batch_ids) - 1))
    names = _sides(lineage, rank, "both", None)[-1]

    assert BEYOND not in names
