"""Who enters the platform and with what, and what authorities grant: before the first day, and when years turn."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from api.region.moving import SCALE_CODES
from api.region.plants import SITE_CODE, STARTS, Licence, Plant, tonnes_g
from api.region.scales import FLOOR_RANDOM_G, FLOOR_STEP_G, TRUCK_RANDOM_G, TRUCK_STEP_G
from api.region.world import World
from flows import codes
from flows.enterprises import (
    Approval,
    Facility,
    Mandate,
    Permit,
    PermitLine,
    Plan,
    PlanLine,
    Scale,
    Site,
    StorageArea,
    Vehicle,
)
from flows.events import (
    ApprovalGranted,
    EnterpriseConfirmed,
    EnterpriseRegistered,
    FacilityRegistered,
    MandateGiven,
    PermitGranted,
    PlanFiled,
    ScaleRegistered,
    SiteRegistered,
    StockDeclared,
    StorageRegistered,
    VehicleRegistered,
)
from flows.ids import own_id

JOINED: Final = date(2024, 10, 21)
"""The day on which the region's enterprises entered the platform."""
CONFIRMED: Final = date(2024, 10, 24)
CALIBRATED: Final = (date(2024, 10, 10), date(2025, 10, 8), date(2026, 10, 6))
PLANS: Final[Mapping[int, date]] = {2024: date(2024, 10, 25), 2025: date(2024, 12, 18), 2026: date(2025, 12, 16)}
"""Year of a plan: when it was filed."""
CROSSING: Final = (("321-025-48", "R5", 900), ("321-026-48", "R4", 80))
"""What the smelter may send to the neighbouring province: code, method, tonnes a year."""
DAYS_IN_YEAR: Final = 365


def join(world: World) -> None:
    """Everybody enters, is confirmed, gets what permits stand, and declares what lies there."""
    for plant in world.plants.values():
        _enter(world, plant)
    for plant in world.plants.values():
        authority = _authority(world, plant)
        clerk = world.clerks[authority]
        clerk.state(EnterpriseConfirmed(**clerk.stamp(CONFIRMED), confirmed=plant.uscc))
        for licence in plant.licences:
            if licence.valid_from <= STARTS:
                _grant(world, plant, licence)
    _file_plans(world, 2024)
    _approve(world, 2024)
    for plant in world.plants.values():
        _open(world, plant)


def _authority(world: World, plant: Plant) -> str:
    """The prefecture's regulator where there is one, else the province's."""
    fits = [key for key, each in world.authorities.items() if plant.division.startswith(each.prefix)]
    return max(fits, key=lambda key: len(world.authorities[key].prefix))


def _enter(world: World, plant: Plant) -> None:
    clerk = world.clerks[plant.key]
    clerk.remark = f"排污许可证 {codes.discharge_permit(plant.uscc + SITE_CODE + 'P')}" if plant.units else None
    clerk.state(
        EnterpriseRegistered(
            **clerk.stamp(JOINED), name=plant.name, name_en=plant.name_en, division=plant.division, roles=plant.roles,
            contact=plant.contact, phone=plant.phone,
        )
    )  # fmt: skip
    clerk.remark = None
    site = Site(site_id=plant.site_id, code=SITE_CODE, name=plant.site, division=plant.division, phone=plant.phone)
    clerk.state(SiteRegistered(**clerk.stamp(JOINED), site=site))
    for unit in plant.units:
        facility = Facility(
            facility_id=plant.unit_id(unit.code), site_id=plant.site_id, code=unit.code, name=unit.name,
            purpose=unit.purpose,
        )  # fmt: skip
        clerk.state(FacilityRegistered(**clerk.stamp(JOINED), facility=facility))
    for room in plant.rooms:
        storage = StorageArea(
            storage_id=plant.room_id(room), site_id=plant.site_id, code=room.code, name=room.name, type=room.type,
            capacity_g=tonnes_g(room.capacity_t),
        )  # fmt: skip
        clerk.state(StorageRegistered(**clerk.stamp(JOINED), storage=storage))
    for lorry in plant.lorries:
        vehicle = Vehicle(
            plate=codes.plate(lorry.plate), emission_stage=lorry.emission_stage,
            permit_no=f"川交运管许可{lorry.plate[1]}字{plant.division}0{lorry.plate[-3:]}号",
            dangerous_goods=lorry.dangerous_goods,
        )  # fmt: skip
        clerk.state(VehicleRegistered(**clerk.stamp(JOINED), vehicle=vehicle))
    _calibrate(world, plant, CALIBRATED[0], JOINED)


def _calibrate(world: World, plant: Plant, calibrated: date, told: date) -> None:
    if not plant.units:
        return
    clerk = world.clerks[plant.key]
    steps = {"truck": (TRUCK_STEP_G, TRUCK_RANDOM_G), "floor": (FLOOR_STEP_G, FLOOR_RANDOM_G)}
    for weighing, code in SCALE_CODES.items():
        interval_g, uncertainty_g = steps[weighing]
        scale = Scale(
            scale_id=plant.scale_id(code), site_id=plant.site_id, code=code, interval_g=interval_g,
            uncertainty_g=uncertainty_g, calibrated_on=calibrated,
            calibrated_until=date.fromordinal(calibrated.toordinal() + DAYS_IN_YEAR),
        )  # fmt: skip
        clerk.state(ScaleRegistered(**clerk.stamp(told), scale=scale))


def _grant(world: World, plant: Plant, licence: Licence) -> None:
    """A province's regulator grants what its own plants may take."""
    clerk = world.clerks["province" if plant.division.startswith("51") else "neighbour"]
    permit = Permit(
        permit_no=licence.permit_no, holder=plant.uscc, valid_from=licence.valid_from, valid_to=licence.valid_to,
        lines=tuple(
            PermitLine(waste=waste, mode=mode, annual_g=tonnes_g(mass_t)) for waste, mode, mass_t in licence.lines
        ),
    )  # fmt: skip
    clerk.state(PermitGranted(**clerk.stamp(licence.valid_from), permit=permit))


def _file_plans(world: World, year: int) -> None:
    for plant in world.plants.values():
        if plant.planned_t:
            clerk = world.clerks[plant.key]
            lines = tuple(
                PlanLine(waste=waste, generated_g=tonnes_g(arising), moved_g=tonnes_g(moved))
                for waste, arising, moved in plant.planned_t
            )
            plan_id = own_id(plant.uscc, "plan", SITE_CODE, str(year))
            plan = Plan(plan_id=plan_id, site_id=plant.site_id, year=year, lines=lines)
            clerk.state(PlanFiled(**clerk.stamp(PLANS[year]), plan=plan))


def _approve(world: World, year: int) -> None:
    """The sending province lets the smelter's residues cross its border for a year."""
    clerk, consignor, consignee = world.clerks["province"], world.plants["smelter"], world.plants["outside"]
    since = date(year, 1, 1)
    for code, method, mass_t in CROSSING:
        approval = Approval(
            approval_no=f"川环跨移〔{year}〕{code}", consignor=consignor.uscc, consignee=consignee.uscc, waste_code=code,
            method=method, mass_g=tonnes_g(mass_t), valid_from=since, valid_to=date(year, 12, 31),
        )  # fmt: skip
        clerk.state(ApprovalGranted(**clerk.stamp(PLANS[year]), approval=approval))


def _open(world: World, plant: Plant) -> None:
    clerk = world.clerks[plant.key]
    for each in plant.opening:
        lot, product = world.new_lot(plant, each.material, tonnes_g(each.mass_t), "truck")
        stamp = clerk.stamp(STARTS)
        clerk.state(StockDeclared(**stamp, site_id=plant.site_id, product=product, since=each.since))
        world.settle(plant, lot)


def _delegate(world: World) -> None:
    """The smallest collector lets its neighbour keep its ledger."""
    clerk, giver, delegate = world.clerks["baler"], world.plants["baler"], world.plants["collector"]
    mandate = Mandate(
        mandate_id=own_id(giver.uscc, "mandate", "1"), delegate=delegate.uscc, valid_from=date(2025, 1, 1),
        valid_to=date(2026, 12, 31),
    )  # fmt: skip
    clerk.state(MandateGiven(**clerk.stamp(), mandate=mandate))


def turn(world: World) -> None:
    """What falls on this day: plans for the next year, approvals, new permits, verified scales."""
    for year, filed in PLANS.items():
        if filed == world.day:
            _file_plans(world, year)
            _approve(world, year)
    for plant in world.plants.values():
        if world.day in CALIBRATED:
            _calibrate(world, plant, world.day, world.day)
        for licence in plant.licences:
            if licence.valid_from == world.day:
                _grant(world, plant, licence)
    if act := ONCE.get(world.day):
        act(world)


ONCE: Final[Mapping[date, Callable[[World], None]]] = {date(2024, 12, 27): _delegate}
