"""The story that the region tells: one dross load that can be followed until nothing of it lies anywhere any more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from api.region.world import Trip, World
from flows.events import (
    Collected,
    Decided,
    Delivered,
    Disposed,
    Event,
    Generated,
    Left,
    Loaded,
    Portion,
    Product,
    StockDeclared,
    Tapped,
    Transformed,
)
from flows.ids import BatchId

MUST_REACH: Final = frozenset({"product", "D1", "primary-salt-slag", "dross-dust", "recovered-aluminium"})
"""A story shows metal, salt slag, dust, a product and the landfill."""
EARLIEST: Final = date(2025, 1, 15)
"""After the turn of the year: plan, numbers and papers of one year."""


@dataclass
class Threads:
    """What became of each batch: its children, how it ended, what is left of it."""

    children: defaultdict[BatchId, set[BatchId]] = field(default_factory=lambda: defaultdict(set[BatchId]))
    ends: defaultdict[BatchId, set[str]] = field(default_factory=lambda: defaultdict(set[str]))
    left_g: dict[BatchId, int] = field(default_factory=dict[BatchId, int])
    material: dict[BatchId, str] = field(default_factory=dict[BatchId, str])

    def read(self, event: Event) -> None:
        match event:
            case StockDeclared() | Generated() | Collected() | Tapped():
                self._make(event.product)
            case Transformed(inputs=inputs, outputs=outputs):
                for product in outputs:
                    self._make(product)
                self._draw(inputs, [product.batch_id for product in outputs])
            case Loaded(lines=lines):
                for line in lines:
                    self._pass_on(line.portion.batch_id, line.load_id, line.portion.mass_g)
                    self._draw([line.portion], [line.load_id])
            case Decided(lines=lines):
                for line in lines:
                    for part in (line.accepted, line.rejected):
                        if part:
                            self._pass_on(line.load_id, part.batch_id, part.mass_g)
                            self.children[line.load_id].add(part.batch_id)
                    self.left_g[line.load_id] = 0
            case Disposed(portions=portions, method=way) | Delivered(portions=portions, use=way):
                self._end(portions, way)
            case Left(portions=portions):
                self._end(portions, "left")
            case _:
                pass

    def _make(self, product: Product) -> None:
        self.left_g[product.batch_id] = product.mass_g
        self.material[product.batch_id] = product.material

    def _pass_on(self, source: BatchId, made: BatchId, mass_g: int) -> None:
        self.left_g[made] = mass_g
        self.material[made] = self.material[source]

    def _draw(self, portions: Iterable[Portion], made: Sequence[BatchId]) -> None:
        for portion in portions:
            left_g = 0 if portion.rest else self.left_g[portion.batch_id] - portion.mass_g
            self.left_g[portion.batch_id] = left_g
            self.children[portion.batch_id].update(made)

    def _end(self, portions: Iterable[Portion], way: str) -> None:
        self._draw(portions, ())
        for portion in portions:
            self.ends[portion.batch_id].add(way)

    def told(self, batch_id: BatchId) -> set[str] | None:
        """The materials and endings downstream, or None while some of it still lies somewhere."""
        seen: set[BatchId] = set()
        reached: set[str] = set()
        waiting = [batch_id]
        while waiting:
            each = waiting.pop()
            if each in seen:
                continue
            if self.left_g[each]:
                return None
            seen.add(each)
            reached |= {self.material[each], *self.ends[each]}
            waiting += self.children[each]
        return reached


def stories(world: World, events: Iterable[Event]) -> Mapping[str, str]:
    """The names by which the demonstration finds its way: one load, its manifest, a batch with a label.

    `dross` is the batch at the smelter, `load` what it was on the road, `manifest` the manifest; `label` is a batch
    in containers that still lies at the smelter; `on_the_road` is a manifest whose lorry has not arrived.
    """
    threads = Threads()
    parent: dict[BatchId, BatchId] = {}
    for event in events:
        threads.read(event)
        if isinstance(event, Loaded):
            parent |= {line.load_id: line.portion.batch_id for line in event.lines}
    trip = next(trip for trip in world.done if _tells(trip, threads, parent))
    load_id = trip.loads[0][2]
    there = next(lot for lot in world.yards["dross"].lots("primary-dross", "remelt-dross"))
    found = {"dross": parent[load_id], "load": load_id, "manifest": trip.manifest_id, "label": there.batch_id}
    return found | ({"on_the_road": world.road[-1].manifest_id} if world.road else {})


def _tells(trip: Trip, threads: Threads, parent: Mapping[BatchId, BatchId]) -> bool:
    if (trip.route.giver, trip.route.taker) != ("smelter", "dross") or trip.loaded_on < EARLIEST:
        return False
    reached = threads.told(parent[trip.loads[0][2]])
    return len(trip.loads) == 1 and reached is not None and reached >= MUST_REACH
