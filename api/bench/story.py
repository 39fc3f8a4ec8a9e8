"""A ledger of any length, made up from a seed: one plant whose batches arise, are made into others, and end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from typing import Final, cast

from flows.balance import Movement
from flows.book import Book
from flows.codes import uscc_with_check
from flows.enterprises import Site
from flows.entries import Entry
from flows.events import Disposed, EnterpriseRegistered, Event, Generated, Loss, Portion, Product, SiteRegistered
from flows.events import Transformed as Made
from flows.materials import Catalogue, catalogue
from flows.reading import read
from graph.lineage import Lineage

PLANT: Final = uscc_with_check("91510100", "MA6100AB")
SITE: Final = f"{PLANT}.SITE"
MATERIAL: Final = "copper-smelting-slag"
"""General waste: no permit is asked for, so that what is measured is the core and not one law."""
PROCESS: Final = "shred"
DAY: Final = date(2026, 3, 9)
RECORDED: Final = datetime(2026, 3, 10, tzinfo=UTC)

ARISING_SHARE: Final = 0.2
ENDING_SHARE: Final = 0.05
OPEN_MOST: Final = 1_500
"""A yard is not endless: above it batches end."""
PARTS_MOST: Final = 4
"""Of batches drawn and of batches made by one fact."""
STAGES_MOST: Final = 20
"""Nothing is made over for ever: after so many makings a batch ends."""
_LOSS_PARTS: Final = 50
_LEAST_G, _MOST_G = 10_000, 30_000_000


def clock() -> datetime:
    """The day after all that happened, whenever it is measured."""
    return RECORDED


def facts(batches: int, seed: int = 7) -> Iterator[Event]:
    """Facts that make about so many batches. A longer ledger of the same seed begins as a shorter one does."""
    random = Random(seed)  # noqa: S311 - the same story each time, and no secret
    yield EnterpriseRegistered(
        event_id="E1", enterprise=PLANT, event_time=DAY, name="测量厂", division="510100", roles=("generator",)
    )
    place = Site(site_id=SITE, code="S1", name="测量场所", division="510100")
    yield SiteRegistered(event_id="E2", enterprise=PLANT, event_time=DAY, site=place)
    yard = _Yard(random, {}, {})
    number = 2
    while yard.made < batches:
        number += 1
        yield yard.next_fact(f"E{number}")


@dataclass
class _Yard:
    """What lies in the plant's yard."""

    random: Random
    open_g: dict[str, int]
    stage_of: dict[str, int]
    made: int = 0

    def next_fact(self, event_id: str) -> Event:
        chance = self.random.random()
        if chance < ARISING_SHARE or len(self.open_g) < PARTS_MOST:
            product = self._product(self.random.randint(_LEAST_G, _MOST_G), 0)
            return Generated(event_id=event_id, enterprise=PLANT, event_time=DAY, site_id=SITE, product=product)
        portions = tuple(self._portions())
        stage = max(self.stage_of[portion.batch_id] for portion in portions) + 1
        if chance < ARISING_SHARE + ENDING_SHARE or len(self.open_g) > OPEN_MOST or stage > STAGES_MOST:
            return Disposed(
                event_id=event_id, enterprise=PLANT, event_time=DAY, site_id=SITE, portions=portions, method="D1"
            )
        total_g = sum(portion.mass_g for portion in portions)
        loss_g = total_g // _LOSS_PARTS
        count = min(total_g - loss_g, self.random.randint(1, PARTS_MOST))
        masses_g = [(total_g - loss_g) // count] * count
        masses_g[0] += total_g - loss_g - sum(masses_g)
        return Made(
            event_id=event_id, enterprise=PLANT, event_time=DAY, site_id=SITE, process=PROCESS, inputs=portions,
            outputs=tuple(self._product(mass_g, stage) for mass_g in masses_g),
            losses=(Loss(kind="dust", mass_g=loss_g),) if loss_g else (),
        )  # fmt: skip

    def _product(self, mass_g: int, stage: int) -> Product:
        self.made += 1
        batch_id = f"{PLANT}.B{self.made}"
        self.open_g[batch_id] = mass_g
        self.stage_of[batch_id] = stage
        return Product(batch_id=batch_id, material=MATERIAL, mass_g=mass_g)

    def _portions(self) -> Iterator[Portion]:
        """All or half of some batches."""
        for batch_id in self.random.sample(list(self.open_g), self.random.randint(1, PARTS_MOST)):
            left_g = self.open_g[batch_id]
            mass_g = left_g if self.random.random() < 0.6 else max(1, left_g // 2)  # noqa: PLR2004 - most are used up
            self.open_g[batch_id] -= mass_g
            if not self.open_g[batch_id]:
                del self.open_g[batch_id]
            yield Portion(batch_id=batch_id, mass_g=mass_g)


NO_ENTRY: Final = cast("Entry", None)
"""The index reads what a fact did; the bytes that were kept of it are the ledger's."""


@dataclass(frozen=True)
class Told:
    """A story read into the index, and what it moved, for whoever answers the same questions otherwise."""

    catalogue: Catalogue
    lineage: Lineage
    moved: list[Movement]


def told(story: Iterable[Event]) -> Told:
    """Read facts into the index, without rules and store: they are for `api.bench.writing`."""
    rows = catalogue()
    lineage = Lineage(rows)
    book = Book(rows)
    moved: list[Movement] = []
    for position, event in enumerate(story, 1):
        change = read(book, event, position, 0)
        lineage.read(NO_ENTRY, change)
        moved += change.movements
    return Told(rows, lineage, moved)
