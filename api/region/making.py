"""How things arise, are made and end at a plant: true masses balance, and what is stated is what scales read."""

from collections.abc import Mapping, Sequence
from typing import Final

from api.region.dice import Dice
from api.region.drawing import Drawn, Manner, draw, rest_reason
from api.region.lots import Lot
from api.region.plants import Plant, tonnes_g
from api.region.processes import Count, Ending, Recipe, Source, Yield
from api.region.world import GRADE_MOST, World
from flows.balance import process_gap_g
from flows.events import (
    Addition,
    Collected,
    Delivered,
    Disposed,
    Generated,
    Left,
    LegalStatus,
    Loss,
    LossKind,
    Product,
    StatusChanged,
    StockTaken,
    Tapped,
    Transformed,
)

LEAKS: Final = 0.0015
"""Dust and handling that nobody declares: 0.1 to 0.5 % a handling."""
LOSS_STEP_G: Final = 10_000
"""Losses are estimated, to ten kilograms."""
WEIGHED_ANEW: Final = 0.25
"""Every fourth whole lot is weighed again before it is charged."""
PPM: Final = 1_000_000
REASONS: Final = ("来料含杂偏高，烧损大于定额", "炉况波动，挂壁未清", "计量与盘点差异，原因待查")


def arise(world: World, source: Source) -> None:
    """Something is tapped, generated or bought, lot by lot."""
    plant, clerk = world.plants[source.plant], world.clerks[source.plant]
    dice = world.dice.named(source.plant, source.material, world.day)
    for _ in range(source.lots):
        true_g = tonnes_g(dice.near(source.mass_t, source.spread)) / source.lots
        lot, product = world.new_lot(plant, source.material, true_g, source.weighing)
        unit = plant.unit_id(source.unit) if source.unit else None
        match source.arising:
            case "tapped":
                clerk.state(Tapped(**clerk.stamp(), site_id=plant.site_id, facility_id=unit, product=product))
            case "generated":
                clerk.state(Generated(**clerk.stamp(), site_id=plant.site_id, facility_id=unit, product=product))
            case "old" | "new":
                supplier, division = dice.pick(source.suppliers)
                clerk.state(
                    Collected(
                        **clerk.stamp(), site_id=plant.site_id, scrap=source.arising, product=product,
                        supplier=supplier, supplier_division=division,
                    )
                )  # fmt: skip
        world.settle(plant, lot)
        if source.meets:
            status: LegalStatus = "recycled_raw_material"
            clerk.state(StatusChanged(**clerk.stamp(), batch_id=lot.batch_id, status=status, basis=source.meets))


def count(world: World, each: Count) -> None:
    """What lies there is counted: a survey of heaps is some percent off, a count of bundles is not."""
    plant, clerk = world.plants[each.plant], world.clerks[each.plant]
    true_g = world.yards[each.plant].mass_g(each.material)
    dice = world.dice.named(each.plant, each.material, "count", world.day)
    counted_g = round(dice.near(true_g, each.error) / LOSS_STEP_G) * LOSS_STEP_G
    clerk.state(StockTaken(**clerk.stamp(), site_id=plant.site_id, material=each.material, counted_g=counted_g))


def run(world: World, recipe: Recipe) -> None:
    """A process runs, if there is enough for it."""
    plant = world.plants[recipe.plant]
    yard = world.yards[recipe.plant]
    there_g = sum(min(yard.mass_g(*charge.materials), tonnes_g(charge.most_t)) for charge in recipe.charges)
    if there_g < tonnes_g(recipe.least_t):
        return
    dice = world.dice.named(recipe.plant, recipe.process, recipe.unit, world.day)
    merging = not world.catalogue.process(recipe.process).changes_substance
    drawn = [
        each
        for charge in recipe.charges
        for each in draw(
            world, plant, yard.lots(*charge.materials), tonnes_g(charge.most_t),
            Manner(anew=dice.chance(WEIGHED_ANEW), by_book=merging),
        )
    ]  # fmt: skip
    if merging:
        _merge(world, recipe, drawn)
    elif drawn:
        _transform(world, recipe, drawn, dice)


def _merge(world: World, recipe: Recipe, drawn: Sequence[Drawn]) -> None:
    """Lots are put together; nothing is weighed."""
    plant = world.plants[recipe.plant]
    if len(drawn) > 1:
        mixed = _mixed(drawn)
        book_g = sum(each.portion.mass_g for each in drawn)
        true_g = sum(each.true_g for each in drawn)
        lot, product = world.new_lot(plant, drawn[0].lot.material, true_g, "floor", mixed, book_g=book_g)
        _state_transformed(world, recipe, drawn, (), (product,), ())
        world.settle(plant, lot)
    else:
        for each in drawn:
            world.yards[plant.key].put(each.lot)


def _mixed(drawn: Sequence[Drawn]) -> tuple[float, dict[str, float]]:
    wet_g = sum(each.true_g for each in drawn)
    dry_g = sum(each.true_g * (1 - each.lot.water) for each in drawn)
    return 1 - dry_g / wet_g, {name: mass / dry_g for name, mass in _elements(drawn).items()}


def _elements(drawn: Sequence[Drawn]) -> dict[str, float]:
    """Grams of each element that truly went in."""
    held: dict[str, float] = {}
    for each in drawn:
        for name, share in each.lot.grades.items():
            held[name] = held.get(name, 0.0) + each.true_g * (1 - each.lot.water) * share
    return held


def _transform(world: World, recipe: Recipe, drawn: Sequence[Drawn], dice: Dice) -> None:
    """Shares of what truly went in become what truly comes out; the yield without a share closes the balance."""
    plant = world.plants[recipe.plant]
    charged_g = sum(each.true_g for each in drawn)
    water_g = sum(each.true_g * each.lot.water for each in drawn)
    elements = _elements(drawn)
    added_g = {dose.material: charged_g * dice.near(dose.share, 0.04) for dose in recipe.doses}
    shed_g: list[tuple[LossKind, float]] = [
        (shed.kind, water_g if shed.share is None else charged_g * dice.near(shed.share, 0.08)) for shed in recipe.sheds
    ]
    out_g = [0.0 if each.share is None else charged_g * dice.near(each.share, each.spread) for each in recipe.yields]
    closing_g = charged_g * (1 - LEAKS) + sum(added_g.values()) - sum(mass for _, mass in shed_g) - sum(out_g)
    made: list[tuple[Lot, Product]] = []
    unsaid_g = 0.0
    for each, mass_g in zip(recipe.yields, out_g, strict=True):
        true_g = closing_g if each.share is None else mass_g
        unsaid_g += true_g * world.hidden_share(plant, each.material)
        composition = _composition(world, plant, each, true_g, elements)
        made += [
            world.new_lot(plant, each.material, true_g / each.lots, each.weighing, composition)
            for _ in range(each.lots)
        ]
    if shed_g and unsaid_g:
        shed_g[0] = (shed_g[0][0], shed_g[0][1] + unsaid_g)  # who hides dross calls it burnt
    losses = [
        Loss(kind=kind, mass_g=max(1, round(mass_g * dice.near(1, 0.01) / LOSS_STEP_G)) * LOSS_STEP_G)
        for kind, mass_g in shed_g
        if mass_g >= LOSS_STEP_G
    ]
    additions = [
        Addition(material=material, mass_g=world.weigh_g(plant, mass_g, "floor"))
        for material, mass_g in added_g.items()
    ]
    _state_transformed(world, recipe, drawn, additions, [product for _, product in made], losses)
    for lot, _ in made:
        world.settle(plant, lot)


def _composition(
    world: World, plant: Plant, each: Yield, true_g: float, elements: Mapping[str, float]
) -> tuple[float, dict[str, float]]:
    """Water and grades of what came out: drawn, and for the elements that it carries what of them came in."""
    water, grades = world.composition(plant, each.material)
    for name, share in each.carries.items():
        if name in elements:
            grades[name] = min(GRADE_MOST, elements[name] * share / (true_g * (1 - water)))
    return water, grades


def _state_transformed(
    world: World,
    recipe: Recipe,
    drawn: Sequence[Drawn],
    additions: Sequence[Addition],
    outputs: Sequence[Product],
    losses: Sequence[Loss],
) -> None:
    plant, clerk = world.plants[recipe.plant], world.clerks[recipe.plant]
    fact = Transformed(
        **clerk.stamp(),
        site_id=plant.site_id,
        facility_id=plant.unit_id(recipe.unit) if recipe.unit else None,
        process=recipe.process,
        method=recipe.method,
        inputs=tuple(each.portion for each in drawn),
        additions=tuple(additions),
        outputs=tuple(outputs),
        losses=tuple(losses),
    )
    went_in_g = sum(each.portion.mass_g for each in drawn) + sum(each.mass_g for each in additions)
    if abs(process_gap_g(fact)) * PPM > went_in_g * world.catalogue.tolerance_ppm(recipe.process, world.day):
        reason = world.dice.named("reason", recipe.plant, world.day).pick(REASONS)
        fact = fact.model_copy(update={"gap_reason": reason})
    clerk.state(fact)


def end(world: World, ending: Ending) -> None:
    """Part of what lies there is delivered, disposed of, or leaves the platform."""
    plant, clerk = world.plants[ending.plant], world.clerks[ending.plant]
    yard = world.yards[ending.plant]
    want_g = yard.mass_g(*ending.materials) * ending.share - tonnes_g(ending.keep_t)
    if want_g < tonnes_g(1):
        return
    drawn = draw(world, plant, yard.lots(*ending.materials), want_g, Manner(weighing="truck"))
    if not drawn:
        return
    portions = tuple(each.portion for each in drawn)
    reason = rest_reason(world, plant, ((each.lot, each.portion) for each in drawn))
    dice = world.dice.named(ending.plant, ending.materials[0], "ends", world.day)
    receiver, division = dice.pick(ending.receivers) if ending.receivers else ("", None)
    match ending.way:
        case "D1" | "D10" | "D16":
            unit = plant.unit_id(ending.unit) if ending.unit else None
            clerk.state(
                Disposed(
                    **clerk.stamp(), site_id=plant.site_id, facility_id=unit, portions=portions, method=ending.way,
                    gap_reason=reason,
                )
            )  # fmt: skip
        case "left":
            clerk.state(
                Left(
                    **clerk.stamp(), site_id=plant.site_id, portions=portions, receiver=receiver,
                    receiver_division=division, gap_reason=reason,
                )
            )  # fmt: skip
        case _:
            clerk.state(
                Delivered(
                    **clerk.stamp(), site_id=plant.site_id, portions=portions, use=ending.way,
                    receiver=receiver, receiver_division=division, gap_reason=reason,
                )
            )  # fmt: skip
