"""What happens at a plant, as plain values: what arises, what is made of what, what moves where, how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

from api.region.plants import ENDS, STARTS
from api.region.scales import Weighing
from flows.events import LossKind, Use

Arising: TypeAlias = Literal["tapped", "generated", "old", "new"]
Way: TypeAlias = Use | Literal["D1", "D10", "D16", "left"]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Every so many days, counted from the first day of the history, within two dates."""

    every: int
    first: int = 0
    since: date = STARTS
    until: date = ENDS

    def falls_on(self, day: date) -> bool:
        passed = (day - STARTS).days - self.first
        return self.since <= day <= self.until and passed >= 0 and passed % self.every == 0


@dataclass(frozen=True, slots=True)
class Source:
    """Something arises, or is bought: so much, in so many lots, at this rhythm."""

    plant: str
    arising: Arising
    material: str
    mass_t: float
    rhythm: Rhythm
    spread: float = 0.05
    lots: int = 1
    unit: str = ""
    weighing: Weighing = "truck"
    suppliers: tuple[tuple[str, str], ...] = ()
    """Name and division of those who sold it."""
    meets: str = ""
    """The standard by which it is no waste any more."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What goes in: these materials, the oldest lots first, up to so many tonnes."""

    materials: tuple[str, ...]
    most_t: float


@dataclass(frozen=True, slots=True)
class Dose:
    """What is added, as a share of the charge."""

    material: str
    share: float


@dataclass(frozen=True, slots=True)
class Yield:
    """What comes out, as a share of the charge; without a share it is all the rest.

    `carries` says which part of an element of the charge it holds; else its grades are drawn.
    """

    material: str
    share: float | None = None
    spread: float = 0.04
    lots: int = 1
    weighing: Weighing = "floor"
    carries: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Shed:
    """A declared loss as a share of the charge; without a share it is all the water of the charge."""

    kind: LossKind
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A process of a plant: charges and doses become yields and losses."""

    plant: str
    process: str
    method: str | None
    unit: str
    rhythm: Rhythm
    charges: tuple[Charge, ...]
    yields: tuple[Yield, ...]
    doses: tuple[Dose, ...] = ()
    sheds: tuple[Shed, ...] = ()
    least_t: float = 1.0


@dataclass(frozen=True, slots=True)
class Route:
    """Who sends what to whom, how often, on what. `truck_t` is one trip's load; without a carrier it is a conveyor."""

    giver: str
    taker: str
    materials: tuple[str, ...]
    method: str
    carrier: str
    rhythm: Rhythm
    truck_t: float = 32
    trips: int = 1
    least_t: float = 6
    lines: int = 1
    days: int = 1
    """From loading to arrival."""
    partial: bool = False
    """Some of a lot may go; else whole lots only."""
    water_lost: float = 0.0
    """Points of water lost on the way."""
    refused: float = 0.0
    """How often part of a load is rejected."""
    reason: str = ""
    onward: str = ""
    """Where a rejected part goes on to; else it is taken back."""
    carrier_loads: bool = False
    weighing: Weighing = "truck"


@dataclass(frozen=True, slots=True)
class Count:
    """What is counted at each quarter's end, and how far off a survey of it is."""

    plant: str
    material: str
    error: float


@dataclass(frozen=True, slots=True)
class Ending:
    """How material leaves the platform's sight or is ended: a share of what lies there, at this rhythm."""

    plant: str
    materials: tuple[str, ...]
    way: Way
    rhythm: Rhythm
    share: float = 1.0
    keep_t: float = 0.0
    receivers: tuple[tuple[str, str], ...] = ()
    """Name and division of those who take it."""
    unit: str = ""
