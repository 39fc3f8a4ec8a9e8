"""The region's clock: what arrives, arises, is made, leaves and ends, day after day for two years."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from api.region import programme
from api.region.faults import SCENES
from api.region.figures import declare
from api.region.making import arise, count, end, run
from api.region.moving import arrive, ship
from api.region.plants import ENDS, STARTS
from api.region.registers import join, turn
from api.region.world import Trip, World

QUARTER: Final = 3
"""Stock is counted every third month."""


def days() -> Iterator[date]:
    """Every day of the history."""
    return (STARTS + timedelta(days=n) for n in range((ENDS - STARTS).days + 1))


def live(world: World) -> dict[str, list[Trip]]:
    """Run the two years; the trips that planted faults brought about, by fault."""
    planted: defaultdict[str, list[Trip]] = defaultdict(list)
    join(world)
    for day in days():
        if day > STARTS:
            world.clock.begin(day)
        turn(world)
        _arrivals(world)
        _work(world)
        if scene := SCENES.get(day):
            name, act = scene
            planted[name] += act(world)
        _arrivals(world, same_day=True)
        if (day + timedelta(days=1)).day == 1 and day.month % QUARTER == 0:
            for each in programme.COUNTS:
                count(world, each)
        declare(world)
    return planted


def _work(world: World) -> None:
    """The day's work: what arises in the morning is charged before noon, shipped and sold in the afternoon."""
    world.clock.reach(9)
    for source in programme.SOURCES:
        if source.rhythm.falls_on(world.day):
            arise(world, source)
    world.clock.reach(11)
    for recipe in programme.RECIPES:
        if recipe.rhythm.falls_on(world.day):
            run(world, recipe)
    world.clock.reach(14)
    for route in programme.ROUTES:
        if route.rhythm.falls_on(world.day):
            ship(world, route)
    world.clock.reach(16)
    for ending in programme.ENDINGS:
        if ending.rhythm.falls_on(world.day):
            end(world, ending)


def _arrivals(world: World, *, same_day: bool = False) -> None:
    """Who was on the road arrives: lorries in the morning, what a conveyor moved in the evening."""
    for trip in [trip for trip in world.road if trip.due <= world.day and (trip.loaded_on == world.day) == same_day]:
        world.road.remove(trip)
        arrive(world, trip)
