"""What a perfect detector would find: each planted fault with who, which batches and manifests, when, and how large."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, cast

from api.region import faults
from api.region.finishers import LANDFILL_EXPIRES, LANDFILL_RENEWED
from api.region.plants import ENDS
from api.region.programme import SHREDDER_CHEATS
from api.region.world import Trip, World
from flows.events import Arrived, Delivered, Event, Transformed
from flows.ids import BatchId, EnterpriseId, ManifestId


@dataclass(frozen=True, slots=True)
class Truth:
    """A planted fault. `size_g` is the mass that is wrong, missing or misplaced (for an assay: of the element)."""

    id: str
    kind: str
    enterprises: tuple[EnterpriseId, ...]
    size_g: int
    finding_zh: str
    finding_en: str
    since: date
    until: date
    batches: tuple[BatchId, ...] = ()
    manifests: tuple[ManifestId, ...] = ()


def truths(world: World, planted: Mapping[str, Sequence[Trip]]) -> list[dict[str, Any]]:
    """All of it, as JSON values."""
    events = [row.event for row in world.journal.rows]
    found = [
        _scale(world, events),
        _hidden(world, events),
        _aggregate(world, events),
        _twice(world, planted["booked-twice"]),
        _old_stock(world, events),
        _dry(world),
        _assay(world),
        _loop(world, planted["closed-loop"]),
        *_year_ends(world),
        _expired(world),
        _outside_plan(world, planted["outside-plan"]),
    ]
    return [_json(each) for each in found]


def _json(truth: Truth) -> dict[str, Any]:
    plain = asdict(truth)
    return {
        key: value.isoformat()
        if isinstance(value, date)
        else list(cast("tuple[str, ...]", value))
        if isinstance(value, tuple)
        else value
        for key, value in plain.items()
    }


def _uscc(world: World, *keys: str) -> tuple[EnterpriseId, ...]:
    return tuple(world.plants[key].uscc for key in keys)


def _trips(world: World) -> Iterator[Trip]:
    yield from world.done
    yield from world.road


def _load_ids(trips: Iterable[Trip]) -> tuple[BatchId, ...]:
    return tuple(load_id for trip in trips for _, _, load_id in trip.loads)


def _loaded_g(trips: Iterable[Trip]) -> int:
    return sum(lot.book_g for trip in trips for _, lot, _ in trip.loads)


def _scale(world: World, events: Sequence[Event]) -> Truth:
    plant = world.plants["dross"]
    arrived = [
        event
        for event in events
        if isinstance(event, Arrived) and event.enterprise == plant.uscc and event.event_time.isoformat() >= _BIASED
    ]
    read_g = sum(line.mass_g for event in arrived for line in event.lines)
    return Truth(
        "T01", "scale-bias", (plant.uscc,), read_g - round(read_g / (1 + faults.BIAS)),
        "玉屏地磅（DB-01）自 2026-02-16 起读数偏高 1.5%：来自各家的到货一律偏重，嫌疑仅此一台；向外发运的磅差方向相反。",
        "The dross plant's truck scale reads 1.5 % too much from 2026-02-16: loads of all consignors gain, its own lose.",
        faults.BIASED_FROM, ENDS, manifests=tuple(event.manifest_id for event in arrived),
    )  # fmt: skip


_BIASED: Final = faults.BIASED_FROM.isoformat()


def _made(world: World, events: Iterable[Event], plant: str, material: str, since: date) -> list[tuple[BatchId, int]]:
    uscc = world.plants[plant].uscc
    return [
        (product.batch_id, product.mass_g)
        for event in events
        if isinstance(event, Transformed) and event.enterprise == uscc
        if event.event_time.isoformat() >= since.isoformat()
        for product in event.outputs
        if product.material == material
    ]


def _hidden(world: World, events: Sequence[Event]) -> Truth:
    batches = [batch_id for batch_id, _ in _made(world, events, "works", "remelt-dross", faults.HIDDEN_FROM)]
    return Truth(
        "T02", "under-reported", _uscc(world, "works"),
        sum(round(world.physical[batch_id] * faults.HIDDEN) for batch_id in batches),
        "锦澜自 2025-07-01 起少报 8% 铝灰渣：产渣率由约 70 kg/t 降到约 64 kg/t，同期申报烧损上升，原料与合金未变。",
        "The works states 8 % less dross from 2025-07-01: the rate falls from 70 to 64 kg/t while declared burning rises.",
        faults.HIDDEN_FROM, ENDS, batches=tuple(batches),
    )  # fmt: skip


def _aggregate(world: World, events: Sequence[Event]) -> Truth:
    uscc = world.plants["shredder"].uscc
    portions = [
        portion
        for event in events
        if isinstance(event, Delivered) and event.enterprise == uscc and event.use == "building_material"
        for portion in event.portions
    ]
    return Truth(
        "T03", "landfilled-as-product", (uscc,), sum(portion.mass_g for portion in portions),
        "丰谷自 2025-09 起把分选残余记作建材骨料出厂，无收货单位，实际填埋；送往磐安的残余同时归零，投入产出未变。",
        "From 2025-09 the shredder books its residue as aggregate without a receiver and has it buried; loads to the landfill stop.",
        SHREDDER_CHEATS, ENDS, batches=tuple(portion.batch_id for portion in portions),
    )  # fmt: skip


def _twice(world: World, trips: Sequence[Trip]) -> Truth:
    return Truth(
        "T04", "booked-twice", _uscc(world, "baler", "works"), _loaded_g(trips[1:]),
        "双石 2025-09-15 同一车废铝开两份联单：同车号、同净重、时间重叠，第二份没有实物。",
        "One lot under two manifests on 2025-09-15: same plate, same net mass, overlapping times; the second has no metal.",
        faults.TWICE_ON, faults.TWICE_ON, batches=_load_ids(trips),
        manifests=tuple(trip.manifest_id for trip in trips),
    )  # fmt: skip


def _old_stock(world: World, events: Sequence[Event]) -> Truth:
    uscc = world.plants["works"].uscc
    made = [
        product
        for event in events
        if isinstance(event, Transformed) and event.enterprise == uscc and event.process == "repack"
        for product in event.outputs
    ]
    return Truth(
        "T05", "old-stock", (uscc,), sum(product.mass_g for product in made),
        "锦澜 2026-01-02 把上年库存铝合金锭换装成 2026 年批次出售：溯源可见其全部产自 2025 年底以前。",
        "On 2026-01-02 the works repacks last year's ingots into a batch of 2026: upstream, all of it was made before 2026.",
        faults.RELABELLED_ON, ENDS, batches=tuple(product.batch_id for product in made),
    )  # fmt: skip


def _dry(world: World) -> Truth:
    trips = [
        trip
        for trip in _trips(world)
        if (trip.route.giver, trip.route.taker) == ("zinc", "waelz")
        and faults.DRY_FROM <= trip.loaded_on <= faults.DRY_UNTIL
    ]
    true_g = sum(world.physical[load_id] for load_id in _load_ids(trips))
    return Truth(
        "T06", "dry-for-wet", _uscc(world, "zinc"), true_g - _loaded_g(trips),
        "青岩 2025 年 5 月按干基填报浸出渣移出量：流霞湿基收重高出约 29%，差额恰为含水率。",
        "In May 2025 the zinc smelter states dry mass for wet: the kiln receives 29 % more, and the difference is the water.",
        faults.DRY_FROM, faults.DRY_UNTIL, batches=_load_ids(trips),
        manifests=tuple(trip.manifest_id for trip in trips),
    )  # fmt: skip


def _assay(world: World) -> Truth:
    ((batch_id, size_g),) = world.slips.items()
    return Truth(
        "T07", "assay-slip", _uscc(world, "waelz"), size_g,
        "流霞一份浸出渣化验把银 g/t 写成 kg/t，高出 1000 倍：银含量超过同批铅锌之和，凭空多出银。",
        "One assay of leach residue gives silver in kg/t for g/t, a thousand times too high: silver from nowhere.",
        faults.SLIPPED_FROM, faults.SLIPPED_FROM.replace(day=30), batches=(batch_id,),
    )  # fmt: skip


def _loop(world: World, trips: Sequence[Trip]) -> Truth:
    return Truth(
        "T08", "closed-loop", _uscc(world, "baler", "shredder"), _loaded_g(trips),
        "双石与丰谷 2026 年 3 月以四份联单来回买卖同一批 31 t 废铝：四次净重分毫不差，货物从未移动。",
        "Two traders pass one lot of 31 t to and fro under four manifests: net masses equal to the gram, nothing moved.",
        faults.LOOPS_ON[0], faults.LOOPS_ON[-1], batches=_load_ids(trips),
        manifests=tuple(trip.manifest_id for trip in trips),
    )  # fmt: skip


def _year_ends(world: World) -> Iterator[Truth]:
    for number, day in enumerate(faults.YEAR_ENDS, 9):
        trips = [trip for trip in _trips(world) if trip.loaded_on <= day < trip.due]
        yield Truth(
            f"T{number:02d}", "year-end-transit",
            _uscc(world, *sorted({key for trip in trips for key in (trip.route.giver, trip.route.taker)})),
            _loaded_g(trips),
            f"{day.year} 年末在途：移出单位计入当年，接受单位次年才收；应列为在途，不是损失，也不得重复计数。",
            f"On the road over the end of {day.year}: in transit, neither lost nor counted twice.",
            day, date(day.year + 1, 1, 3), batches=_load_ids(trips),
            manifests=tuple(trip.manifest_id for trip in trips),
        )  # fmt: skip


def _expired(world: World) -> Truth:
    trips = [
        trip
        for trip in _trips(world)
        if trip.route.taker == "landfill" and trip.hazardous and LANDFILL_EXPIRES < trip.loaded_on < LANDFILL_RENEWED
    ]
    return Truth(
        "T11", "expired-permit", _uscc(world, "landfill"), _loaded_g(trips),
        "磐安许可证 2026-03-31 到期，2026-05-20 换证，其间仍接受危险废物。",
        "The landfill's permit expired on 2026-03-31 and was renewed on 2026-05-20; it took hazardous waste in between.",
        date(2026, 4, 1), date(2026, 5, 19), batches=_load_ids(trips),
        manifests=tuple(trip.manifest_id for trip in trips),
    )  # fmt: skip


def _outside_plan(world: World, trips: Sequence[Trip]) -> Truth:
    return Truth(
        "T12", "outside-plan-late", _uscc(world, "copper"), _loaded_g(trips),
        "赤霞 2025-08-19 以纸质联单移出计划外的砷渣（321-032-48），十一月才补录，超过 10 个工作日。",
        "The copper smelter moves arsenic residue, not in its plan, on a paper manifest, and enters it eleven weeks late.",
        faults.LATE_ON, faults.LATE_TOLD, batches=_load_ids(trips),
        manifests=tuple(trip.manifest_id for trip in trips),
    )  # fmt: skip
