"""What a plant of the region is made of: its name and numbers, places, scales, lorries and habits, as plain values."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, Literal, TypeAlias

from flows.codes import uscc_with_check
from flows.enterprises import Mode, Role
from flows.ids import EnterpriseId, Id, SiteId, own_id
from flows.mass import GRAMS_PER_TONNE

STARTS: Final = date(2024, 11, 1)
ENDS: Final = date(2026, 10, 31)
"""The history: two years, both days in it."""

Purpose: TypeAlias = Literal["generate", "utilize", "dispose"]
StorageType: TypeAlias = Literal["warehouse", "yard", "tank", "point"]


def tonnes_g(mass_t: float) -> int:
    """Grams of a mass in tonnes."""
    return round(mass_t * GRAMS_PER_TONNE)


@dataclass(frozen=True, slots=True)
class Room:
    """A storage area: its code, its name, what is kept in it."""

    code: str
    name: str
    materials: tuple[str, ...]
    capacity_t: float
    type: StorageType = "warehouse"


@dataclass(frozen=True, slots=True)
class Unit:
    """A furnace, line, kiln or landfill cell, by its code in the discharge permit."""

    code: str
    name: str
    purpose: Purpose = "generate"


@dataclass(frozen=True, slots=True)
class Lorry:
    """A vehicle by its plate."""

    plate: str
    driver: str
    emission_stage: Literal["国三", "国四", "国五", "国六", "新能源"] = "国六"
    dangerous_goods: bool = True


@dataclass(frozen=True, slots=True)
class Licence:
    """A hazardous-waste permit: number, lines of (waste, mode, tonnes a year), from, to."""

    permit_no: str
    lines: tuple[tuple[str, Mode, int], ...]
    valid_from: date
    valid_to: date


@dataclass(frozen=True, slots=True)
class Opening:
    """A batch that lay there before the ledger began."""

    material: str
    mass_t: float
    since: date


@dataclass(frozen=True)
class Plant:
    """An enterprise with one site. Its credit code is composed from division and letters, check digits and all."""

    key: str
    name: str
    name_en: str
    division: str
    letters: str
    """The eight characters of the organisation code before its check digit."""
    roles: tuple[Role, ...]
    site: str = ""
    contact: str = ""
    phone: str = ""
    rooms: tuple[Room, ...] = ()
    units: tuple[Unit, ...] = ()
    lorries: tuple[Lorry, ...] = ()
    licences: tuple[Licence, ...] = ()
    opening: tuple[Opening, ...] = ()
    planned_t: tuple[tuple[str, int, int], ...] = ()
    """The yearly plan: waste code, tonnes to arise, tonnes to move out."""
    days_only: bool = False
    """Its ledger has days, no hours."""
    weighs_out: bool = True
    """It weighs what leaves; otherwise it states what its book has."""

    @cached_property
    def uscc(self) -> EnterpriseId:
        return uscc_with_check(f"91{self.division}", self.letters)

    @cached_property
    def site_id(self) -> SiteId:
        return own_id(self.uscc, "site", SITE_CODE)

    def room_id(self, room: Room) -> Id:
        return own_id(self.uscc, "storage", SITE_CODE, room.code)

    def unit_id(self, code: str) -> Id:
        return own_id(self.uscc, "facility", SITE_CODE, code)

    def scale_id(self, code: str) -> Id:
        return own_id(self.uscc, "scale", SITE_CODE, code)

    def find_room(self, material: str) -> Room | None:
        return next((room for room in self.rooms if material in room.materials), None)


SITE_CODE: Final = "001"
"""Each plant of the region has one site, the first of its discharge permit."""


@dataclass(frozen=True)
class Authority:
    """A regulator: whose organisation code, and what its division's codes begin with."""

    key: str
    name: str
    name_en: str
    prefix: str
    letters: str

    @cached_property
    def uscc(self) -> EnterpriseId:
        return uscc_with_check(f"11{self.prefix.ljust(6, '0')}", self.letters)
