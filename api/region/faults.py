"""What is wrong in the region on purpose: which scale, which clerk, which trader, from when; each acts where it lies."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from api.region.making import run
from api.region.moving import NEVER, arrive, depart, ship
from api.region.plants import tonnes_g
from api.region.processes import Charge, Recipe, Rhythm, Route
from api.region.programme import ROUTES
from api.region.recyclers import BALER
from api.region.world import Trip, Twist, World
from flows.events import Collected, Generated
from flows.mass import GRAMS_PER_TONNE

BIASED_FROM: Final = date(2026, 2, 16)
BIAS: Final = 0.015
HIDDEN_FROM: Final = date(2025, 7, 1)
HIDDEN: Final = 0.08
DRY_FROM: Final = date(2025, 5, 5)
DRY_UNTIL: Final = date(2025, 5, 31)
SLIPPED_FROM: Final = date(2025, 11, 10)
KILO: Final = 1000
TWICE_ON: Final = date(2025, 9, 15)
LOOPS_ON: Final = (date(2026, 3, 3), date(2026, 3, 6), date(2026, 3, 10), date(2026, 3, 13))
LATE_ON: Final = date(2025, 8, 19)
LATE_TOLD: Final = date(2025, 11, 5)
YEAR_ENDS: Final = (date(2024, 12, 31), date(2025, 12, 31))
RELABELLED_ON: Final = date(2026, 1, 2)
LATE: Final = 20
"""At eight in the evening of the year's last day."""

TWIST: Final = Twist(
    biased={("dross", "truck"): (BIASED_FROM, BIAS)},
    hidden={("works", "remelt-dross"): (HIDDEN_FROM, HIDDEN)},
    dry_between={("zinc", "waelz"): (DRY_FROM, DRY_UNTIL)},
    slipped={("waelz", "zinc-leach-residue"): (SLIPPED_FROM, "Ag", KILO)},
)
_ON_PAPER: Final = Route("baler", "works", ("aluminium-scrap",), "R4", "general", NEVER)
_SUPPLIER: Final = ("德阳压铸厂", "510600")


def book_twice(world: World) -> list[Trip]:
    """A collector buys one lot and books it twice: two purchases, two manifests, one lorry."""
    clerk = world.clerks["baler"]
    lorry = world.plants["general"].lorries[0]
    trips: list[Trip] = []
    true_g, book_g = tonnes_g(28.46), None
    for paper in (False, True):
        lot, product = world.new_lot(BALER, "aluminium-scrap", true_g, "truck", book_g=book_g)
        clerk.state(
            Collected(
                **clerk.stamp(), site_id=BALER.site_id, scrap="new", product=product, supplier=_SUPPLIER[0],
                supplier_division=_SUPPLIER[1],
            )
        )  # fmt: skip
        lot.paper = paper
        trips.append(depart(world, _ON_PAPER, [lot], lorry))
        true_g, book_g = 0, trips[0].loads[0][1].book_g
    return trips


def loop(world: World) -> list[Trip]:
    """Two traders sell one lot to each other and back, and nothing moves."""
    there = replace(_ON_PAPER, taker="shredder", days=0)
    back = replace(_ON_PAPER, giver="shredder", taker="baler", days=0)
    turn = LOOPS_ON.index(world.day)
    if turn == 0:
        clerk = world.clerks["baler"]
        lot, product = world.new_lot(BALER, "aluminium-scrap", tonnes_g(31.26), "truck")
        clerk.state(
            Collected(
                **clerk.stamp(), site_id=BALER.site_id, scrap="new", product=product, supplier=_SUPPLIER[0],
                supplier_division=_SUPPLIER[1],
            )
        )  # fmt: skip
        lot.paper = True
    route = back if turn % 2 else there
    lot = next(lot for lot in world.yards[route.giver].lots("aluminium-scrap") if lot.paper)
    trip = depart(world, route, [lot])
    world.road.remove(trip)
    arrive(world, trip)
    if turn == len(LOOPS_ON) - 1:
        for lot in world.yards["baler"].lots("aluminium-scrap"):
            lot.paper = False
    return [trip]


def go_late(world: World) -> list[Trip]:
    """A residue outside the plan leaves on a paper manifest, and everybody tells of it months later."""
    plant, clerks = world.plants["copper"], [world.clerks[key] for key in ("copper", "landfill")]
    for clerk in clerks:
        clerk.told_on, clerk.remark = LATE_TOLD, "纸质联单补录"
    lot, product = world.new_lot(plant, "copper-arsenic-residue", tonnes_g(11.8), "truck")
    clerks[0].state(Generated(**clerks[0].stamp(), site_id=plant.site_id, product=product))
    world.settle(plant, lot)
    route = Route("copper", "landfill", (lot.material,), "D1", "southern", NEVER, days=0)
    trip = depart(world, route, [lot])
    world.road.remove(trip)
    arrive(world, trip)
    for clerk in clerks:
        clerk.told_on = clerk.remark = None
    return [trip]


def send_off(world: World) -> list[Trip]:
    """On the last day of a year lorries leave that arrive in the next."""
    before = len(world.road)
    world.clock.reach(LATE)
    for route in ROUTES:
        if (route.giver, route.taker) in {("smelter", "dross"), ("works", "dross"), ("copper", "landfill")}:
            ship(world, replace(route, least_t=4, trips=1, refused=0.0))
    return world.road[before:]


def relabel(world: World) -> list[Trip]:
    """The works repacks last year's ingots under this year's number, and sells them as this year's output."""
    alloy = "secondary-aluminium-alloy"
    *old, _ = world.yards["works"].lots(alloy)  # the last was cast on New Year's Day
    mass_t = sum(lot.true_g for lot in old) / GRAMS_PER_TONNE
    run(world, Recipe("works", "repack", None, "", Rhythm(1), (Charge((alloy,), mass_t),), ()))
    return []


SCENES: Final[Mapping[date, tuple[str, Callable[[World], list[Trip]]]]] = {
    TWICE_ON: ("booked-twice", book_twice),
    LATE_ON: ("outside-plan", go_late),
    RELABELLED_ON: ("old-stock", relabel),
    **dict.fromkeys(YEAR_ENDS, ("year-end", send_off)),
    **dict.fromkeys(LOOPS_ON, ("closed-loop", loop)),
}
"""What happens once, by its day."""
