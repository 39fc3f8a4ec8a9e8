"""How lots travel: a manifest is submitted, loaded, arrives, is decided; what is rejected goes back or goes on."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from api.region.drawing import Drawn, Manner, draw, rest_reason
from api.region.lots import Lot
from api.region.plants import Lorry, Plant, tonnes_g
from api.region.processes import Rhythm, Route
from api.region.world import Trip, World
from flows.events import (
    Arrived,
    ArrivedLine,
    Decided,
    DecidedLine,
    Leg,
    Loaded,
    LoadedLine,
    ManifestLine,
    Part,
    Portion,
    Product,
    Stored,
    Submitted,
    Transformed,
)
from flows.mass import share_out

HANDLING: Final = 0.0008
"""Dust that blows off a load."""
PART_REFUSED: Final = (0.06, 0.18)
"""How much of a load is refused, when some is."""
TRUCK_STEP_G: Final = 20_000
NEVER: Final = Rhythm(every=10_000, first=10_000)
CONVEYOR: Final = "管带输送机（按周汇总，非车辆运输）"


def ship(world: World, route: Route) -> None:
    """As many trips as the route makes and the yard has whole loads for."""
    for _ in range(route.trips):
        if world.yards[route.giver].mass_g(*route.materials) < tonnes_g(route.least_t):
            return
        lots = _picked(world, route)
        if not lots:
            return
        depart(world, route, lots)


def _picked(world: World, route: Route) -> list[Lot]:
    """The oldest lots that one trip holds; a lot larger than a lorry is split first."""
    giver, yard = world.plants[route.giver], world.yards[route.giver]
    most_g = tonnes_g(route.truck_t)
    if not route.partial:
        for lot in yard.lots(*route.materials):
            if lot.true_g > most_g:
                _split(world, giver, lot, -(-lot.true_g // most_g))
            break
    picked: list[Lot] = []
    room_g = most_g
    for lot in yard.lots(*route.materials):
        if len(picked) == route.lines or room_g <= 0:
            break
        if lot.true_g <= room_g or (route.partial and lot.book_g > 0):
            picked.append(lot)
            room_g -= lot.true_g
    return picked


def _split(world: World, plant: Plant, lot: Lot, count: int) -> None:
    """A lot too large for a lorry becomes several, to the gram."""
    clerk = world.clerks[plant.key]
    stored = lot.stored
    world.take_out(plant, lot)
    drawn = draw(world, plant, [lot], lot.true_g, Manner(by_book=True))
    books, trues = share_out(lot.book_g, [1] * count), share_out(lot.true_g, [1] * count)
    made: list[tuple[Lot, Product]] = [
        world.new_lot(plant, lot.material, true_g, "truck", (lot.water, dict(lot.grades)), book_g=book_g)
        for book_g, true_g in zip(books, trues, strict=True)
    ]
    clerk.state(
        Transformed(
            **clerk.stamp(), site_id=plant.site_id, process="split",
            inputs=tuple(each.portion for each in drawn), outputs=tuple(product for _, product in made),
        )
    )  # fmt: skip
    if stored:
        for part, _ in made:
            world.settle(plant, part)


def depart(world: World, route: Route, lots: list[Lot], lorry: Lorry | None = None) -> Trip:
    """The manifest is submitted and the lorry (this one, or any) leaves."""
    giver, taker = world.plants[route.giver], world.plants[route.taker]
    clerk = world.clerks[route.giver]
    internal_no = clerk.code("LD")
    hazardous = world.is_hazardous(lots[0].material)
    official_no = world.official.next(world.day, giver.division) if hazardous else None
    number = official_no or internal_no
    manifest_id = clerk.manifest_id(number)
    room_g = tonnes_g(route.truck_t)
    planned: list[int] = []
    for lot in lots:
        planned.append(min(lot.book_g, max(TRUCK_STEP_G, room_g)) if route.partial else lot.book_g)
        room_g -= lot.true_g
    leg = _leg(world, route, lorry)
    clerk.state(
        Submitted(
            **clerk.stamp(), manifest_id=manifest_id, internal_no=internal_no,
            official_no=official_no,
            consignor_site=giver.site_id, consignee=taker.uscc, consignee_site=taker.site_id,
            lines=tuple(
                ManifestLine(line=at, batch_id=lot.batch_id, mass_g=mass_g)
                for at, (lot, mass_g) in enumerate(zip(lots, planned, strict=True), 1)
            ),
            legs=(leg,), method=route.method, approval_no=approval_no(giver, taker, lots[0].material, world),
        )
    )  # fmt: skip
    world.clock.wait(8, 25)
    trip = Trip(route, manifest_id, [], world.day + timedelta(days=route.days), world.day, hazardous)
    _load(world, trip, lots, number, leg.plate)
    world.road.append(trip)
    return trip


def approval_no(giver: Plant, taker: Plant, material: str, world: World) -> str | None:
    """The number of the approval that a hazardous load over the provincial border names."""
    code = world.catalogue.material(material).waste_code
    if giver.division[:2] == taker.division[:2] or not world.is_hazardous(material):
        return None
    return f"川环跨移〔{world.day.year}〕{code}"


def _leg(world: World, route: Route, lorry: Lorry | None) -> Leg:
    giver, taker = world.plants[route.giver], world.plants[route.taker]
    if not route.carrier:
        return Leg(carrier_name=CONVEYOR, start=giver.site, end=taker.site)
    carrier = world.plants[route.carrier]
    lorry = lorry or world.dice.named("lorry", route.giver, world.day, len(world.journal.rows)).pick(carrier.lorries)
    return Leg(carrier=carrier.uscc, plate=lorry.plate, driver=lorry.driver, start=giver.site, end=taker.site)


def _load(world: World, trip: Trip, lots: list[Lot], number: str, plate: str | None) -> None:
    """Each line is weighed, or stated as booked, and becomes a load on the road."""
    route = trip.route
    giver = world.plants[route.giver]
    loader = world.clerks[route.carrier if route.carrier_loads else route.giver]
    scale = giver.scale_id(SCALE_CODES[route.weighing]) if giver.weighs_out else None
    room_g = tonnes_g(route.truck_t)
    lines: list[LoadedLine] = []
    told: list[tuple[Lot, Portion]] = []
    for at, lot in enumerate(lots, 1):
        manner = Manner(route.weighing, anew=giver.weighs_out, whole_only=not route.partial)
        (taken,) = draw(world, giver, [lot], room_g if route.partial else max(lot.true_g, 1), manner)
        room_g -= taken.true_g
        portion = taken.portion.model_copy(update={"mass_g": _told_g(world, route, taken)})
        load_id = loader.load_id(number, at)
        lines.append(LoadedLine(line=at, portion=portion, load_id=load_id, scale_id=scale))
        told.append((lot, portion))
        moved = Lot(load_id, lot.material, portion.mass_g, taken.true_g, lot.water, lot.grades, paper=lot.paper)
        world.physical[load_id] = taken.true_g
        trip.loads.append((at, moved, load_id))
        if not taken.whole:
            lot.book_g += taken.portion.mass_g - portion.mass_g
    reason = rest_reason(world, giver, told)
    loader.state(
        Loaded(**loader.stamp(), manifest_id=trip.manifest_id, plate=plate, lines=tuple(lines), gap_reason=reason)
    )


def _told_g(world: World, route: Route, taken: Drawn) -> int:
    """What the consignor states: the scale's reading, or by mistake its dry part."""
    since, until = world.twist.dry_between.get((route.giver, route.taker), (None, None))
    if since and until and since <= world.day <= until:
        return max(TRUCK_STEP_G, round(taken.portion.mass_g * (1 - taken.lot.water) / TRUCK_STEP_G) * TRUCK_STEP_G)
    return taken.portion.mass_g


SCALE_CODES: Final = {"truck": "DB-01", "floor": "PC-01"}


def arrive(world: World, trip: Trip) -> None:
    """The lorry is weighed at the consignee's gate, and each line is decided."""
    route = trip.route
    taker, clerk = world.plants[route.taker], world.clerks[route.taker]
    dice = world.dice.named("road", trip.manifest_id)
    weighed: dict[int, int] = {}
    for number, lot, _ in trip.loads:
        if not lot.paper:
            _dry_out(lot, route, dice.between(0.3, 1.7))
        weighed[number] = lot.book_g if lot.paper else world.weigh_g(taker, lot.true_g, route.weighing)
    scale = taker.scale_id(SCALE_CODES[route.weighing])
    clerk.state(
        Arrived(
            **clerk.stamp(), manifest_id=trip.manifest_id,
            lines=tuple(ArrivedLine(line=n, mass_g=mass_g, scale_id=scale) for n, mass_g in weighed.items()),
        )
    )  # fmt: skip
    world.done.append(trip)
    world.clock.wait(10, 35)
    refused = dice.between(*PART_REFUSED) if dice.chance(route.refused) else 0.0
    lines: list[DecidedLine] = []
    kept: list[Lot] = []
    back: list[Lot] = []
    for number, lot, load_id in trip.loads:
        back_g = round(weighed[number] * refused / TRUCK_STEP_G) * TRUCK_STEP_G if lot is trip.loads[0][1] else 0
        line, taken, rejected = _decided(world, trip, (number, lot, load_id), weighed[number], back_g)
        lines.append(line)
        kept.append(taken)
        back += [rejected] if rejected else []
    clerk.state(Decided(**clerk.stamp(), manifest_id=trip.manifest_id, lines=tuple(lines)))
    for lot in kept:
        world.yards[route.taker].put(lot)
        world.settle(taker, lot)
    for lot in back:
        _send_back(world, route, lot)


def _dry_out(lot: Lot, route: Route, factor: float) -> None:
    """Water that a wet load loses on the way, and dust."""
    lost = route.water_lost * factor
    dry_g = lot.dry_g * (1 - HANDLING)
    lot.water = max(0.0, lot.water - lost)
    lot.true_g = round(dry_g / (1 - lot.water))


def _decided(
    world: World, trip: Trip, load: tuple[int, Lot, str], weighed_g: int, back_g: int
) -> tuple[DecidedLine, Lot, Lot | None]:
    number, lot, load_id = load
    clerk = world.clerks[trip.route.taker]
    code = clerk.code("JS")
    accepted = Part(batch_id=clerk.batch_id(code), mass_g=weighed_g - back_g, code=code)
    true_back_g = round(lot.true_g * back_g / weighed_g)
    taken = Lot(accepted.batch_id, lot.material, accepted.mass_g, lot.true_g - true_back_g, lot.water, lot.grades,
                paper=lot.paper)  # fmt: skip
    world.physical[taken.batch_id] = taken.true_g
    rejected = back = None
    if back_g:
        code = clerk.code("TH")
        rejected = Part(batch_id=clerk.refused_id(trip.manifest_id, number), mass_g=back_g, code=code)
        back = Lot(rejected.batch_id, lot.material, back_g, true_back_g, lot.water, lot.grades)
        world.physical[back.batch_id] = true_back_g
    line = DecidedLine(
        line=number, load_id=load_id, accepted=accepted, rejected=rejected,
        reason=trip.route.reason if rejected else "", method=trip.route.method,
    )  # fmt: skip
    return line, taken, back


def _send_back(world: World, route: Route, lot: Lot) -> None:
    """What was rejected is the consignor's, at the consignee's gate: it goes on elsewhere, or home into storage."""
    giver = world.plants[route.giver]
    world.yards[route.giver].put(lot)
    if route.onward:
        onward = replace(
            route, taker=route.onward, method="D1", rhythm=NEVER, refused=0.0, onward="", carrier_loads=False
        )
        depart(world, onward, [lot])
        return
    room = giver.find_room(lot.material)
    if room is not None:
        clerk = world.clerks[route.giver]
        clerk.remark = "拒收退回"
        clerk.state(
            Stored(
                **clerk.stamp(), batch_id=lot.batch_id, storage_id=giver.room_id(room), code=clerk.code("HWRK"),
            )
        )  # fmt: skip
        clerk.remark = None
        lot.stored = True
