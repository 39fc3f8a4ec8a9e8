"""How portions are drawn from lots: whole lots by their book mass or weighed anew, the last one in part."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from api.region.lots import Lot
from api.region.plants import Plant
from api.region.scales import Weighing
from api.region.world import World
from flows.events import Portion
from flows.materials import WEIGHING
from flows.rows import WHOLE_PPM

CRUMB: Final = 0.03
"""Nobody leaves a thirtieth of a lot lying: it goes with the rest."""

REST_REASONS: Final = ("堆存失水、扬散，以本次过磅为准", "多次零星取用，过磅误差累积", "与入库过磅不符，原因待查")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A portion as stated, and what truly went; `whole` closed the lot."""

    portion: Portion
    lot: Lot
    true_g: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Manner:
    """How a drawing weighs: on which scale, whether whole lots too, whether in whole lots only."""

    weighing: Weighing = "truck"
    anew: bool = False
    whole_only: bool = False
    by_book: bool = False
    """Nothing is weighed: the book's masses are stated."""


def draw(world: World, plant: Plant, lots: Iterable[Lot], want_g: float, manner: Manner) -> list[Drawn]:
    """Draw about `want_g` from the lots, in their order. A stored lot goes whole; what goes whole leaves the yard."""
    drawn: list[Drawn] = []
    for lot in lots:
        if want_g <= 0 or (drawn and manner.whole_only and lot.true_g > want_g):
            break
        whole = lot.stored or manner.whole_only or lot.true_g <= want_g * (1 + CRUMB)
        if lot.stored and lot.true_g > 2 * want_g:
            continue
        part = None if whole else _part(world, plant, lot, want_g, manner)
        taken = part or _whole(world, plant, lot, manner)
        want_g -= taken.true_g
        drawn.append(taken)
    return drawn


def _whole(world: World, plant: Plant, lot: Lot, manner: Manner) -> Drawn:
    world.take_out(plant, lot)
    world.yards[plant.key].remove(lot)
    anew = (manner.anew or lot.drawn) and not (manner.by_book or lot.paper)
    mass_g = world.weigh_g(plant, lot.true_g, manner.weighing) if anew else lot.book_g
    return Drawn(Portion(batch_id=lot.batch_id, mass_g=mass_g, rest=anew), lot, lot.true_g, whole=True)


def _part(world: World, plant: Plant, lot: Lot, want_g: float, manner: Manner) -> Drawn | None:
    """Some of a lot, or None when the book has no more than that."""
    mass_g = round(want_g) if manner.by_book else world.weigh_g(plant, want_g, manner.weighing)
    if mass_g >= lot.book_g * (1 - CRUMB):
        return None
    lot.book_g -= mass_g
    lot.true_g -= round(want_g)
    lot.drawn = True
    return Drawn(Portion(batch_id=lot.batch_id, mass_g=mass_g), lot, round(want_g), whole=False)


def rest_reason(world: World, plant: Plant, told: Iterable[tuple[Lot, Portion]]) -> str | None:
    """Why a rest weighs far otherwise than the book has it; None where none does."""
    tolerance_ppm = world.catalogue.tolerance_ppm(WEIGHING, world.day)
    for lot, portion in told:
        if portion.rest and abs(lot.book_g - portion.mass_g) * WHOLE_PPM > lot.book_g * tolerance_ppm:
            return world.dice.named("rest", plant.key, world.day).pick(REST_REASONS)
    return None
