"""What no batch carries: monthly outputs, imports and energy, of the region's own plants and of the world outside."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, TypeAlias

from api.region.dice import Dice
from api.region.plants import ENDS, STARTS, tonnes_g
from api.region.world import World
from flows.events import Event, FigureDeclared, FigureName, Metal, Tapped, Transformed

METALS: Final[Mapping[str, Metal]] = {
    "molten-primary-aluminium": "al",
    "primary-zinc-ingot": "zn",
    "secondary-zinc-ingot": "zn",
    "primary-copper-cathode": "cu",
    "secondary-copper-cathode": "cu",
}
OUTSIDE_PRIMARY_T: Final[Mapping[Metal, float]] = {"al": 700, "zn": 300, "cu": 150, "pb": 320}
"""A month's primary output of plants of the province that are not on the platform."""
OUTSIDE_REFINED_T: Final[Mapping[Metal, float]] = {"zn": 320, "cu": 170, "pb": 480}
OTHER_METALS_T: Final = 200
"""Nickel, tin, antimony, mercury, magnesium and titanium: the rest of the ten."""
IMPORTS_T: Final[Mapping[Metal, float]] = {"al": 1900, "cu": 2600, "zn": 700}
EXPORTS_T: Final[Mapping[Metal, float]] = {"al": 450}
ENERGY_KWH_PER_T: Final[Mapping[Metal, float]] = {"al": 13_450, "zn": 3_900, "cu": 1_050}
"""Source: aluminium, comprehensive AC consumption of the trade; zinc and copper wet smelting, assumed."""
STATISTICS: Final = "四川省有色金属行业统计月报（演示）"
CUSTOMS: Final = "成都海关统计（演示）"

Month: TypeAlias = tuple[int, int]


def declare(world: World) -> None:
    """On the last day of a month the province declares the month's figures."""
    if (world.day + timedelta(days=1)).month == world.day.month:
        return
    month = world.day.year, world.day.month
    primary_g, refined_g = _made_g((row.event for row in world.journal.rows), month)
    dice = world.dice.named("outside", *month)
    for metal, mass_t in OUTSIDE_PRIMARY_T.items():
        primary_g[metal] += tonnes_g(round(dice.near(mass_t, 0.04)))
    for metal, mass_t in OUTSIDE_REFINED_T.items():
        refined_g[metal] += tonnes_g(round(dice.near(mass_t, 0.04)))
    ten_g = primary_g["al"] + sum(refined_g.values()) + tonnes_g(round(dice.near(OTHER_METALS_T, 0.04)))
    for metal, mass_g in primary_g.items():
        _state(world, "primary_output", metal, STATISTICS, mass_g=mass_g)
    for metal, mass_g in refined_g.items():
        _state(world, "refined_output", metal, STATISTICS, mass_g=mass_g)
    _state(world, "ten_metals_output", "all", STATISTICS, mass_g=ten_g)
    _declare_trade(world, dice)
    for metal, kwh in ENERGY_KWH_PER_T.items():
        used = round(primary_g[metal] / tonnes_g(1) * dice.near(kwh, 0.01))
        _state(world, "energy_use", metal, STATISTICS, energy_kwh=used)


def _declare_trade(world: World, dice: Dice) -> None:
    trade: tuple[tuple[FigureName, Mapping[Metal, float]], ...] = (
        ("metal_imports", IMPORTS_T),
        ("metal_exports", EXPORTS_T),
    )
    for figure, masses_t in trade:
        for metal, mass_t in masses_t.items():
            _state(world, figure, metal, CUSTOMS, mass_g=tonnes_g(round(dice.near(mass_t, 0.1))))


def _made_g(events: Iterable[Event], month: Month) -> tuple[Counter[Metal], Counter[Metal]]:
    """Primary and refined metal that the region's plants stated for a month."""
    primary_g, refined_g = Counter[Metal](), Counter[Metal]()
    for event in events:
        if not isinstance(event, (Tapped, Transformed)) or (event.event_time.year, event.event_time.month) != month:
            continue
        products = [event.product] if isinstance(event, Tapped) else event.outputs
        for product in products:
            metal = METALS.get(product.material)
            if metal is None:
                continue
            if isinstance(event, Tapped):
                primary_g[metal] += product.mass_g
            if metal != "al":
                refined_g[metal] += product.mass_g
    return primary_g, refined_g


def _state(
    world: World, figure: FigureName, metal: Metal, source: str, *, mass_g: int | None = None,
    energy_kwh: int | None = None,
) -> None:  # fmt: skip
    clerk = world.clerks["province"]
    first = max(world.day.replace(day=1), STARTS)
    clerk.state(
        FigureDeclared(
            **clerk.stamp(), figure=figure, metal=metal, division="510000", period_from=first,
            period_to=min(world.day, ENDS), mass_g=mass_g, energy_kwh=energy_kwh, source=source,
        )
    )  # fmt: skip
