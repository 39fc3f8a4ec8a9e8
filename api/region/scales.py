"""How the region weighs: truck scales of class III in steps of 20 kg, floor scales for what is bagged or bundled."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, TypeAlias

from api.region.dice import Dice

Weighing: TypeAlias = Literal["truck", "floor"]

TRUCK_STEP_G: Final = 20_000
"""Class III, e = 20 kg. Source: GB/T 7723, truck scales."""
TRUCK_RANDOM_G: Final = 20_000
FLOOR_STEP_G: Final = 500
FLOOR_RANDOM_G: Final = 1_000
SHARED: Final = 0.0005
"""What all weighings of one scale between two calibrations have in common: 0.05 %."""
EPOCH_DAYS: Final = 365
"""A scale in trade is verified once a year."""


@dataclass
class Scale:
    """One instrument: what it reads of a true mass on a day."""

    dice: Dice
    weighing: Weighing
    biased_from: date | None = None
    bias: float = 0.0
    _shared: dict[int, float] = field(default_factory=dict[int, float])

    def read_g(self, true_g: float, day: date) -> int:
        """A net mass: a multiple of the scale's step, never nothing."""
        epoch = day.toordinal() // EPOCH_DAYS
        if epoch not in self._shared:
            self._shared[epoch] = self.dice.named("epoch", epoch).near(1.0, SHARED)
        truck = self.weighing == "truck"
        step_g, random_g = (TRUCK_STEP_G, TRUCK_RANDOM_G) if truck else (FLOOR_STEP_G, FLOOR_RANDOM_G)
        factor = self._shared[epoch] * (1 + self.bias if self.biased_from and day >= self.biased_from else 1)
        return max(step_g, round((true_g * factor + random_g * self.dice.error()) / step_g) * step_g)
