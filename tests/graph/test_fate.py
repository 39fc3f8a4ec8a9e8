"""Fate and provenance: held to whole fractions on any history, and to what one works out by hand."""

from collections import defaultdict
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.balance import Boundary
from flows.errors import Problem, Unknown
from flows.fates import FATES, FateClass
from flows.materials import catalogue
from graph.fate import Fate, arising, fate, fates, provenance
from graph.lineage import Horizon, Lineage
from graph.mixing import PROPORTIONAL
from tests.graph.exact import Exact
from tests.graph.histories import ENTERPRISES, World, histories
from tests.graph.telling import Teller

BASES = st.sampled_from(["weighed", "dry"])
CLOSE = 1e-9


def lineage_of(world: World, until: int | None = None) -> Lineage:
    lineage = Lineage(catalogue())
    world.follow(lineage, until)
    return lineage


def told(teller: Teller, batch_id: str, basis: Literal["weighed", "dry"] = "weighed") -> dict[FateClass, float]:
    """The classes that hold something."""
    lineage = lineage_of(teller.world)
    found = fate(lineage, lineage.rank(batch_id), basis=basis).fractions
    assert found is not None
    return {kind: pytest.approx(share) for kind, share in found.items() if share}


@given(histories(), BASES)
def test_the_fate_of_every_batch_is_the_exact_one(world: World, basis: Literal["weighed", "dry"]) -> None:
    lineage, exact = lineage_of(world), Exact(world.changes, dry=basis == "dry")
    matrix = fates(lineage, basis=basis)

    for rank, batch_id in enumerate(lineage.batch_ids):
        expected = exact.fate(batch_id)
        for column, kind in enumerate(FATES):
            assert abs(matrix[rank, column] - float(expected.get(kind, Fraction(0)))) <= CLOSE


@given(histories(), BASES)
def test_every_gram_is_in_one_class(world: World, basis: Literal["weighed", "dry"]) -> None:
    lineage = lineage_of(world)

    np.testing.assert_allclose(fates(lineage, basis=basis).sum(axis=1), 1, atol=CLOSE)
    for rank in range(len(lineage.batch_ids)):
        found = fate(lineage, rank, basis=basis)
        assert sum(found.grams.values()) == found.mass_g
        assert set(found.grams) == set(FATES)
        assert found.fractions is not None
        assert abs(sum(found.fractions.values()) - 1) <= CLOSE


@given(histories(), BASES)
def test_the_fate_of_one_batch_is_its_row_among_all(world: World, basis: Literal["weighed", "dry"]) -> None:
    lineage = lineage_of(world)
    matrix = fates(lineage, basis=basis)

    for rank in range(len(lineage.batch_ids)):
        found = fate(lineage, rank, basis=basis).fractions
        assert found is not None
        np.testing.assert_allclose(list(found.values()), matrix[rank], atol=CLOSE)


@given(histories())
def test_the_fate_of_several_batches_is_the_sum_of_theirs(world: World) -> None:
    lineage = lineage_of(world)
    ranks = arising(lineage)
    if not len(ranks):
        return
    mass_g = np.array([world.book.batch(lineage.batch_ids[rank]).mass_g for rank in ranks])
    mask = np.zeros(len(lineage.batch_ids), bool)
    mask[ranks] = True
    found = fate(lineage, mask)

    assert found.mass_g == mass_g.sum()
    assert found.fractions is not None
    assert found == fate(lineage, ranks)
    np.testing.assert_allclose(
        list(found.fractions.values()), mass_g @ fates(lineage)[ranks] / mass_g.sum(), atol=CLOSE
    )


@given(histories(), BASES)
def test_provenance_is_the_exact_one_and_sums_to_one(world: World, basis: Literal["weighed", "dry"]) -> None:
    lineage, exact = lineage_of(world), Exact(world.changes, dry=basis == "dry")

    for rank, batch_id in enumerate(lineage.batch_ids):
        found = defaultdict[object, float](float)
        answer = provenance(lineage, rank, basis=basis)
        for source in answer.sources:
            key = (source.boundary, source.material) if source.rank is None else lineage.batch_ids[source.rank]
            found[key] += source.share
        expected = exact.provenance(batch_id)
        assert set(found) == set(expected)
        assert all(abs(found[key] - float(share)) <= CLOSE for key, share in expected.items())
        assert sum(source.grams for source in answer.sources) == answer.mass_g
        assert abs(sum(answer.grouped().values()) - 1) <= CLOSE


@given(histories(), BASES)
def test_fate_and_provenance_are_two_sides_of_one_thing(world: World, basis: Literal["weighed", "dry"]) -> None:
    """What of a source lies in stock now, added up over the stock, is what its fate says of stock."""
    lineage, exact = lineage_of(world), Exact(world.changes, dry=basis == "dry")
    found = defaultdict[int, float](float)
    for rank, batch_id in enumerate(lineage.batch_ids):
        lies = exact.left_g(batch_id) * exact.solid(batch_id)
        for source in provenance(lineage, rank, basis=basis).sources if lies else ():
            if source.rank is not None:
                found[source.rank] += source.share * float(lies)

    for rank in arising(lineage).tolist():
        shares = exact.fate(lineage.batch_ids[rank])
        held = shares.get(FateClass.STOCK, Fraction(0)) + shares.get(FateClass.IN_TRANSIT, Fraction(0))
        assert abs(found[rank] - float(held * exact.mass(lineage.batch_ids[rank]))) <= CLOSE


@given(histories(max_facts=10), st.data())
def test_splitting_a_batch_and_merging_the_parts_changes_no_fate(world: World, data: st.DataObject) -> None:
    """Whatever happened before: some of what is left is divided, and put together again."""
    lineage = lineage_of(world)
    before = fates(lineage)
    open_batches = [b for b in world.book.batches.values() if b.place in {"site", "storage"} and b.left_g > 1]
    if not open_batches:
        return
    batch = data.draw(st.sampled_from(open_batches))
    owner = ENTERPRISES.index(batch.holder)
    teller = Teller()
    teller.world, teller.day = world, 60
    cut_g = data.draw(st.integers(1, batch.left_g - 1))
    parts = {"X1": cut_g, "X2": batch.left_g - cut_g}
    ids = teller.made(parts, {batch.batch_id: batch.left_g}, material=batch.material, process="split", owner=owner)
    masses = dict(zip(ids, parts.values(), strict=True))
    teller.made({"X3": batch.left_g}, masses, material=batch.material, process="merge", owner=owner)
    for entry, change in list(zip(world.entries, world.changes, strict=True))[-2:]:
        lineage.read(entry, change)

    np.testing.assert_allclose(fates(lineage)[: len(before)], before, atol=CLOSE)


def test_portions_and_the_parts_of_a_split_have_the_same_fate() -> None:
    direct, split = Teller(), Teller()
    for teller in (direct, split):
        teller.generated("A", 9)
        teller.generated("B", 3)
    a, b = direct.id("A"), direct.id("B")
    direct.made({"M": 7}, {a: 4, b: 3})
    direct.disposed({a: 3})
    x, y, z = split.made({"X": 4, "Y": 3, "Z": 2}, {a: 9}, process="split")
    split.made({"M": 7}, {x: 4, b: 3})
    split.disposed({y: 3})
    for teller in (direct, split):
        teller.delivered({teller.id("M"): 5})

    assert split.world.book.batch(z).left_g == direct.world.book.batch(a).left_g
    assert told(split, a) == told(direct, a)
    assert told(split, b) == told(direct, b)


@given(histories())
def test_with_time_mass_leaves_only_stock_and_transit(world: World) -> None:
    lineage = lineage_of(world)
    ends = [column for column, kind in enumerate(FATES) if kind not in {FateClass.STOCK, FateClass.IN_TRANSIT}]
    before = np.zeros((len(lineage.batch_ids), len(FATES)))
    for position in range(len(world.entries) + 1):
        after = np.zeros_like(before)
        known = fates(lineage, Horizon(as_of=position))
        after[: len(known)] = known
        assert (after[:, ends] >= before[:, ends] - CLOSE).all()
        before = after


def test_dross_is_part_metal_part_landfill_part_loss_and_part_stock() -> None:
    teller = Teller()
    dross = teller.generated("D", 1000, material="primary-dross")
    metal, ash = teller.made({"AL": 400, "ASH": 500}, {dross: 800}, additions={"flux-salt": 200}, losses={"dust": 50})
    teller.delivered({metal: 400})
    teller.disposed({ash: 250})

    assert told(teller, dross) == {
        FateClass.PRODUCT: 0.32,
        FateClass.LANDFILLED: 0.2,
        FateClass.STOCK: 0.4,
        FateClass.LOSS_DUST: 0.04,
        FateClass.UNACCOUNTED: 0.04,
    }


def test_a_rest_that_weighs_less_leaves_its_gap_with_its_batch() -> None:
    teller = Teller()
    a, b = teller.generated("A", 10), teller.generated("B", 10)
    (mixed,) = teller.made({"M": 18}, {a: 8, b: 10}, rest=True)
    teller.delivered({mixed: 18})

    assert told(teller, a) == {FateClass.PRODUCT: 0.8, FateClass.UNACCOUNTED: 0.2}
    assert told(teller, b) == {FateClass.PRODUCT: 1.0}


def test_a_rest_that_weighs_more_is_a_source_of_what_is_made_and_no_share_is_negative() -> None:
    teller = Teller()
    a = teller.generated("A", 5)
    (made,) = teller.made({"M": 7}, {a: 7}, rest=True)
    lineage = lineage_of(teller.world)
    answer = provenance(lineage, lineage.rank(made))

    assert told(teller, a) == {FateClass.STOCK: 1.0}
    assert [(s.boundary, s.rank, s.grams) for s in answer.sources] == [
        (Boundary.GENERATION, 0, 5),
        (Boundary.UNACCOUNTED, None, 2),
    ]
    assert answer.policy == PROPORTIONAL


def test_on_the_road_it_is_in_transit_and_between_two_scales_it_is_a_difference() -> None:
    teller = Teller()
    a = teller.generated("A", 10)
    teller.loaded("M", {a: 8}, to=1)

    assert told(teller, a) == {FateClass.STOCK: 0.2, FateClass.IN_TRANSIT: 0.8}
    teller.received("M", [5], [2], to=1)
    assert told(teller, a) == {FateClass.STOCK: 0.9, FateClass.SCALE_DIFFERENCE: 0.1}


def test_dry_a_wet_residue_counts_by_its_solids_and_the_water_is_no_loss() -> None:
    """10 g at half moisture are 5 g; dried to 5 g at none they are all there."""
    teller = Teller()
    wet = teller.generated("W", 10, material="copper-acid-sludge")  # assumed: half water
    (dried,) = teller.made({"D": 5}, {wet: 10}, losses={"moisture": 5})
    teller.delivered({dried: 5})

    assert told(teller, wet) == {FateClass.PRODUCT: 0.5, FateClass.LOSS_MOISTURE: 0.5}
    assert told(teller, wet, "dry") == {FateClass.PRODUCT: 1.0}


def test_dry_water_that_is_added_brings_no_mass() -> None:
    teller = Teller()
    dry = teller.generated("A", 6)
    (cake,) = teller.made({"C": 10}, {dry: 6}, additions={"water": 4})
    teller.assayed(cake, 400_000)
    lineage = lineage_of(teller.world)

    assert told(teller, dry, "dry") == {FateClass.STOCK: 1.0}
    assert [source.share for source in provenance(lineage, 1, basis="dry").sources] == [1.0]


def test_dry_what_the_assays_do_not_account_for_is_unaccounted() -> None:
    teller = Teller()
    wet = teller.generated("W", 10)
    teller.assayed(wet, 500_000)
    (dried,) = teller.made({"D": 5}, {wet: 10}, losses={"moisture": 5})
    teller.assayed(dried, 200_000)
    lineage = lineage_of(teller.world)

    assert told(teller, wet, "dry") == {FateClass.STOCK: 0.8, FateClass.UNACCOUNTED: 0.2}
    assert fate(lineage, 0, basis="dry").mass_g == 5
    assert provenance(lineage, 1, basis="dry").mass_g == 4


def test_a_dry_answer_says_which_moisture_it_rests_on() -> None:
    teller = Teller()
    assayed = teller.generated("A", 3)
    teller.assayed(assayed, 100_000)
    teller.generated("B", 4, material="copper-acid-sludge")
    teller.generated("C", 5)
    footing = fate(lineage_of(teller.world), [0, 1, 2], basis="dry").footing

    assert (footing.assayed_g, footing.assumed_g, footing.as_weighed_g) == (3, 4, 5)


def test_the_last_assay_by_its_time_holds_and_one_after_the_horizon_is_not_known() -> None:
    teller = Teller()
    batch = teller.generated("A", 10)
    teller.day = 5
    teller.assayed(batch, 500_000)
    known = teller.world.entries[-1].position
    teller.day = 2
    teller.assayed(batch, 900_000)  # told later, measured earlier
    lineage = lineage_of(teller.world)

    assert fate(lineage, 0, basis="dry").mass_g == 5
    assert fate(lineage, 0, Horizon(as_of=known - 1), "dry").mass_g == 10
    assert fate(lineage, 0, Horizon.of(at=teller.world.events[-1].event_time), "dry").mass_g == 1


def test_a_batch_that_is_all_water_has_no_dry_fate() -> None:
    teller = Teller()
    batch = teller.generated("A", 10)
    teller.assayed(batch, 1_000_000)
    lineage = lineage_of(teller.world)
    found: Fate = fate(lineage, 0, basis="dry")

    assert (found.mass_g, found.fractions, sum(found.grams.values())) == (0, None, 0)
    assert not fates(lineage, basis="dry").any()
    assert provenance(lineage, 0, basis="dry").sources == ()


def test_before_it_arose_a_batch_has_no_fate() -> None:
    teller = Teller()
    teller.day = 3
    teller.generated("A", 10)
    lineage = lineage_of(teller.world)

    assert fate(lineage, [0], Horizon(as_of=1)).fractions is None
    for read in (fate, provenance):
        with pytest.raises(Unknown):
            read(lineage, 0, Horizon(as_of=1))
    assert fate(lineage, [0, 7, -1]).mass_g == 10


def test_the_waste_of_a_generator_a_code_and_a_period_arises_together() -> None:
    teller = Teller()
    teller.generated("A", 1, material="primary-dross")
    teller.day = 10
    teller.generated("B", 2, material="primary-dross")
    teller.generated("C", 4, material="copper-tailings")
    teller.generated("D", 8, material="primary-dross", owner=1)
    lineage = lineage_of(teller.world)
    later_us = int(lineage.batches.made_us[1])

    assert arising(lineage, waste_code="321-024-48").tolist() == [0, 1, 3]
    assert arising(lineage, holder=ENTERPRISES[0], waste_code="321-024-48").tolist() == [0, 1]
    assert arising(lineage, holder=ENTERPRISES[0], from_us=later_us).tolist() == [1, 2]
    assert arising(lineage, to_us=later_us).tolist() == [0]
    assert arising(lineage, material="copper-tailings").tolist() == [2]
    assert arising(lineage, holder="nobody").tolist() == []


def test_no_path_is_walked_twice_however_many_there_are() -> None:
    """Forty diamonds: a batch divided in two and put together again, 2^40 ways from end to end."""
    teller = Teller()
    last = teller.generated("A0", 16)
    for n in range(40):
        parts = teller.made({f"L{n}": 8, f"R{n}": 8}, {last: 16})
        (last,) = teller.made({f"A{n + 1}": 16}, dict.fromkeys(parts, 8))
    teller.disposed({last: 16})
    lineage = lineage_of(teller.world)

    assert told(teller, teller.id("A0")) == {FateClass.LANDFILLED: 1.0}
    assert provenance(lineage, lineage.rank(last)).sources[0].rank == 0


def test_grams_are_shared_out_to_the_gram_of_the_largest_mass() -> None:
    teller = Teller()
    a = teller.generated("A", 10**15)
    b = teller.generated("B", 10**15)
    mixed = teller.made({"X": 666_666_666_666_667, "Y": 10**15}, {a: 10**15, b: 666_666_666_666_667})
    teller.disposed({mixed[0]: 333_333_333_333_333})
    found = fate(lineage_of(teller.world), [0, 1])

    assert sum(found.grams.values()) == found.mass_g == 2 * 10**15


def test_a_refused_fact_leaves_no_trace() -> None:
    teller = Teller(lineage := Lineage(catalogue()))
    a = teller.generated("A", 5)
    with pytest.raises(Problem):
        teller.disposed({a: 6})

    assert fate(lineage, 0).grams[FateClass.STOCK] == 5
