"""Bounds of a fate: whatever way the grams were drawn, they hold; and where masses leave no choice, they meet."""

from collections.abc import Callable
from random import Random
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from flows.balance import Draw, Movement
from flows.fates import FATES, FateClass, fate_class
from flows.materials import catalogue
from graph.fate import arising, fate
from graph.lineage import Lineage
from tests.graph.histories import World, histories
from tests.graph.telling import Teller

Grams: TypeAlias = list[bool]
"""One flag a gram: is it the source's?"""
Draws: TypeAlias = Callable[[Grams], Grams]
"""In which order a batch gives up its grams."""

ROUNDING = 1e-6


def first_in(grams: Grams) -> Grams:
    return list(grams)


def last_in(grams: Grams) -> Grams:
    return list(reversed(grams))


def source_first(grams: Grams) -> Grams:
    return sorted(grams, reverse=True)


def source_last(grams: Grams) -> Grams:
    return sorted(grams)


def shuffled(random: Random) -> Draws:
    return lambda grams: random.sample(grams, len(grams))


def played(world: World, sources: set[str], way: Draws) -> dict[FateClass, int]:
    """The source's grams by class when every batch and every movement gives up its grams that way."""
    held: dict[str, Grams] = {}
    load: set[str] = set()
    ended: dict[FateClass, int] = dict.fromkeys(FATES, 0)
    for change in world.changes:
        for movement in change.movements:
            pool = [gram for draw in movement.draws for gram in drawn(held, draw, movement, way, ended)]
            pool = way(pool + [False] * (movement.throughput_g - len(pool)))
            for made in movement.makes:
                held[made.batch_id], pool = pool[: made.mass_g], pool[made.mass_g :]
                if made.batch_id in sources:
                    held[made.batch_id] = [True] * made.mass_g
                load |= {made.batch_id} if made.origin == "load" else set()
            for end in movement.ends:
                ended[fate_class(end, catalogue())] += sum(pool[: end.mass_g])
                pool = pool[end.mass_g :]
            assert pool == []
    for batch_id, grams in held.items():
        ended[FateClass.IN_TRANSIT if batch_id in load else FateClass.STOCK] += sum(grams)
    return ended


def drawn(held: dict[str, Grams], draw: Draw, movement: Movement, way: Draws, ended: dict[FateClass, int]) -> Grams:
    """What a draw puts into its movement; what is missing of it ends."""
    grams = way(held[draw.batch_id])
    gave, held[draw.batch_id] = grams[: draw.mass_g], grams[draw.mass_g :]
    ended[FateClass(movement.gap.value)] += sum(gave[draw.weighed_g :])
    return gave[: draw.weighed_g]


@given(histories(), st.randoms(use_true_random=False))
def test_bounds_hold_whatever_way_grams_were_drawn(world: World, random: Random) -> None:
    lineage = Lineage(catalogue())
    world.follow(lineage)
    ways: list[Draws] = [first_in, last_in, source_first, source_last, shuffled(random), shuffled(random)]
    groups = [[rank] for rank in range(len(lineage.batch_ids))]
    for ranks in [*groups, arising(lineage).tolist()]:
        sources = {lineage.batch_ids[rank] for rank in ranks}
        bounds = fate(lineage, ranks).bounds
        assert bounds is not None
        for way in ways:
            for kind, grams in played(world, sources, way).items():
                least_g, most_g = bounds[kind]
                assert least_g <= grams <= most_g, (kind, way)


@given(histories(), st.sampled_from(["weighed", "dry"]))
def test_bounds_hold_the_proportional_fate(world: World, basis: str) -> None:
    lineage = Lineage(catalogue())
    world.follow(lineage)
    for rank in range(len(lineage.batch_ids)):
        found = fate(lineage, rank, basis="dry" if basis == "dry" else "weighed")
        solid_g = float(found.mass_g)
        assert found.bounds is not None
        assert found.fractions is not None
        for kind, share in found.fractions.items():
            least_g, most_g = found.bounds[kind]
            slack = ROUNDING if basis == "weighed" else 0.5  # a dry source is shown in whole grams
            assert least_g - slack <= share * solid_g <= most_g + slack


def bounds_of(teller: Teller, *batch_ids: str) -> dict[FateClass, tuple[int, int]] | None:
    lineage = Lineage(catalogue())
    teller.world.follow(lineage)
    found = fate(lineage, [lineage.rank(batch_id) for batch_id in batch_ids]).bounds
    return None if found is None else {kind: pair for kind, pair in found.items() if pair != (0, 0)}


def test_where_nothing_is_mixed_least_and_most_meet() -> None:
    teller = Teller()
    a = teller.generated("A", 10)
    teller.disposed({a: 4})
    teller.delivered({a: 3})

    assert bounds_of(teller, a) == {
        FateClass.LANDFILLED: (4, 4),
        FateClass.PRODUCT: (3, 3),
        FateClass.STOCK: (3, 3),
    }


def test_of_a_mixture_a_part_may_hold_all_or_only_what_fits_nowhere_else() -> None:
    """6 of ours and 4 of theirs are mixed; 5 go to landfill: at least 1, at most 5 of them are ours."""
    teller = Teller()
    ours, theirs = teller.generated("A", 6), teller.generated("B", 4)
    (mixed,) = teller.made({"M": 10}, {ours: 6, theirs: 4})
    teller.disposed({mixed: 5})

    assert bounds_of(teller, ours) == {FateClass.LANDFILLED: (1, 5), FateClass.STOCK: (1, 5)}
    assert bounds_of(teller, ours, theirs) == {FateClass.LANDFILLED: (5, 5), FateClass.STOCK: (5, 5)}


def test_sources_that_were_made_of_each_other_have_no_bounds() -> None:
    teller = Teller()
    a = teller.generated("A", 6)
    (made,) = teller.made({"M": 6}, {a: 6})

    assert bounds_of(teller, a, made) is None
