"""The state of the simulated region: who there is, what truly lies in each yard, what is on the road."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from api.region.clerk import PREFIXES, Clerk, Clock, Journal, OfficialNumbers
from api.region.dice import Dice
from api.region.lots import Lot, Yard
from api.region.plants import STARTS, Authority, Plant
from api.region.processes import Route
from api.region.scales import Scale, Weighing
from api.region.substances import WATER_ERROR, substance
from flows.events import Assayed, Grade, Packing, Product, Stored, TakenOut
from flows.ids import BatchId, ManifestId
from flows.materials import Catalogue

BAG_G: Final = 1_000_000
"""A tonne bag holds a tonne."""
BULK_G: Final = 100_000_000
"""More than a hundred tonnes of a residue lie in bulk."""
PPM: Final = 1_000_000
GRADE_MOST: Final = 0.999


@dataclass(slots=True)
class Trip:
    """Lots on the road: (line, lot, load) under one manifest, and the day they arrive."""

    route: Route
    manifest_id: ManifestId
    loads: list[tuple[int, Lot, BatchId]]
    due: date
    loaded_on: date
    hazardous: bool


@dataclass(frozen=True, slots=True)
class Twist:
    """What a planted fault bends, each looked up where the thing happens."""

    biased: Mapping[tuple[str, Weighing], tuple[date, float]]
    """Scale of a plant: from when, by which share it reads too much."""
    hidden: Mapping[tuple[str, str], tuple[date, float]]
    """Material of a plant: from when, which share of it is never stated."""
    dry_between: Mapping[tuple[str, str], tuple[date, date]]
    """Route, by giver and taker: when it states dry mass for wet."""
    slipped: Mapping[tuple[str, str], tuple[date, str, int]]
    """Material at a plant: from when its next assay states an element so many times too high, once."""


@dataclass
class World:
    """Everything that changes while the region runs."""

    dice: Dice
    clock: Clock
    journal: Journal
    catalogue: Catalogue
    plants: Mapping[str, Plant]
    authorities: Mapping[str, Authority]
    twist: Twist
    official: OfficialNumbers
    clerks: dict[str, Clerk]
    yards: defaultdict[str, Yard] = field(default_factory=lambda: defaultdict(Yard))
    road: list[Trip] = field(default_factory=list[Trip])
    done: list[Trip] = field(default_factory=list[Trip])
    physical: dict[BatchId, int] = field(default_factory=dict[BatchId, int])
    """What each batch truly weighed when it was made."""
    slips: dict[BatchId, int] = field(default_factory=dict[BatchId, int])
    """Grams of an element that a slipped assay stated too much."""
    _scales: dict[tuple[str, Weighing], Scale] = field(default_factory=dict[tuple[str, Weighing], Scale])

    @classmethod
    def new(
        cls,
        seed: int,
        catalogue: Catalogue,
        plants: tuple[Plant, ...],
        authorities: tuple[Authority, ...],
        twist: Twist,
    ) -> "World":
        """An empty region on its first day."""
        dice = Dice("huanliu", seed)
        clock, journal = Clock(dice.named("clock"), STARTS), Journal()
        clerks = {plant.key: Clerk(plant.uscc, clock, journal, days_only=plant.days_only) for plant in plants}
        clerks |= {each.key: Clerk(each.uscc, clock, journal, days_only=True) for each in authorities}
        return cls(
            dice, clock, journal, catalogue, {plant.key: plant for plant in plants},
            {each.key: each for each in authorities}, twist, OfficialNumbers(dice.named("official")), clerks,
        )  # fmt: skip

    @property
    def day(self) -> date:
        return self.clock.day

    def is_hazardous(self, material: str) -> bool:
        return self.catalogue.material(material).legal_status == "hazardous_waste"

    def weigh_g(self, plant: Plant, true_g: float, weighing: Weighing) -> int:
        """What the plant's scale reads."""
        key = plant.key, weighing
        if key not in self._scales:
            since, bias = self.twist.biased.get(key, (None, 0.0))
            self._scales[key] = Scale(self.dice.named(plant.key, weighing), weighing, since, bias)
        return self._scales[key].read_g(true_g, self.day)

    def composition(self, plant: Plant, material: str) -> tuple[float, dict[str, float]]:
        """Water and grades of a new lot, drawn."""
        kind, dice = substance(material), self.dice.named(plant.key, material, len(self.physical))
        water = max(0.0, kind.water[0] + kind.water[1] * dice.error())
        return water, {element: dice.near(*grade) for element, grade in kind.grades.items()}

    def hidden_share(self, plant: Plant, material: str) -> float:
        """Which share of what arises is never stated."""
        since, share = self.twist.hidden.get((plant.key, material), (date.max, 0.0))
        return share if self.day >= since else 0.0

    def new_lot(
        self, plant: Plant, material: str, true_g: float, weighing: Weighing,
        composition: tuple[float, dict[str, float]] | None = None, *, book_g: int | None = None,
    ) -> tuple[Lot, Product]:  # fmt: skip
        """What just came to be, weighed (or stated as `book_g`) and named, and put into the plant's yard."""
        kept_g = true_g * (1 - self.hidden_share(plant, material))
        mass_g = book_g or self.weigh_g(plant, kept_g, weighing)
        clerk = self.clerks[plant.key]
        status = self.catalogue.material(material).legal_status
        code = clerk.code(PREFIXES[status])
        water, grades = composition or self.composition(plant, material)
        bagged = status == "hazardous_waste" and mass_g <= BULK_G
        lot = Lot(clerk.batch_id(code, code if bagged else ""), material, mass_g, round(kept_g), water, grades)
        self.physical[lot.batch_id] = round(true_g)
        self.yards[plant.key].put(lot)
        packing = Packing(code=code, type="吨袋", count=-(-mass_g // BAG_G)) if bagged else None
        return lot, Product(batch_id=lot.batch_id, material=material, mass_g=mass_g, code=code, packing=packing)

    def settle(self, plant: Plant, lot: Lot) -> None:
        """A lot that was just made or received goes to the laboratory, by chance, and into its storage area."""
        dice = self.dice.named("laboratory", lot.batch_id)
        if dice.chance(substance(lot.material).assayed):
            self.assay(plant, lot, dice)
        room = plant.find_room(lot.material)
        if room is not None and not lot.stored:
            clerk = self.clerks[plant.key]
            clerk.state(
                Stored(
                    **clerk.stamp(), batch_id=lot.batch_id, storage_id=plant.room_id(room),
                    code=clerk.code("HWRK") if self.is_hazardous(lot.material) else None,
                )
            )  # fmt: skip
            lot.stored = True

    def assay(self, plant: Plant, lot: Lot, dice: Dice) -> None:
        """What the laboratory found: moisture, and grades of the dry mass."""
        clerk, kind = self.clerks[plant.key], substance(lot.material)
        moisture = None
        if kind.water[0]:
            moisture = max(0, round((lot.water + WATER_ERROR * min(1.0, kind.water[0] * 10) * dice.error()) * PPM))
        since, element, times = self.twist.slipped.get((plant.key, lot.material), (date.max, "", 1))
        slips = self.day >= since and not self.slips
        grades: list[Grade] = []
        for name, share in lot.grades.items():
            ppm = round(min(GRADE_MOST, dice.near(share, kind.assay_error)) * PPM)
            if slips and name == element:
                self.slips[lot.batch_id] = round(ppm * (times - 1) / PPM * lot.dry_g)
                ppm *= times
            grades.append(Grade(element=name, ppm=ppm, uncertainty_ppm=max(1, round(share * kind.assay_error * PPM)),
                                method="X射线荧光"))  # fmt: skip
        clerk.state(
            Assayed(
                **clerk.stamp(), batch_id=lot.batch_id, assay_no=clerk.code("HY"), moisture_ppm=moisture,
                moisture_uncertainty_ppm=None if moisture is None else round(WATER_ERROR * PPM),
                grades=tuple(grades), laboratory=f"{plant.site}化验室",
            )
        )  # fmt: skip

    def take_out(self, plant: Plant, lot: Lot) -> None:
        """A stored lot comes out of its storage area, whole."""
        if lot.stored:
            clerk = self.clerks[plant.key]
            code = clerk.code("HWCK") if self.is_hazardous(lot.material) else None
            clerk.state(TakenOut(**clerk.stamp(), batch_id=lot.batch_id, code=code))
            lot.stored = False
