"""The whole region: its facts in the order they are told, who is in it, what was planted, and the stories it tells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from api.region import finishers, recyclers, smelters
from api.region.clerk import Row
from api.region.days import live
from api.region.faults import TWIST
from api.region.ordering import part, statements, told
from api.region.stories import stories
from api.region.truth import truths
from api.region.world import World
from flows.events import Event
from flows.ids import BatchId, EnterpriseId
from flows.materials import Catalogue, catalogue

PLANTS: Final = (
    smelters.SMELTER, recyclers.WORKS, recyclers.DROSS, recyclers.SALT, smelters.ZINC, recyclers.WAELZ,
    smelters.COPPER, recyclers.COLLECTOR, recyclers.BALER, recyclers.SHREDDER, finishers.BRICKS, finishers.LANDFILL,
    finishers.HAULIER, finishers.SOUTHERN, finishers.GENERAL, recyclers.OUTSIDE,
)  # fmt: skip
AUTHORITIES: Final = (finishers.PROVINCE, finishers.PREFECTURE, finishers.NEIGHBOUR)
WORKBOOK: Final = recyclers.DROSS

Fact: TypeAlias = tuple[Event, EnterpriseId]


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who may sign in: a member enterprise with its division, or a regulator with the prefix of its division."""

    name: str
    name_en: str
    role: Literal["member", "regulator"]
    division: str


@dataclass(frozen=True)
class Region:
    """What `region` made. A fact comes with the organisation that recorded it.

    `facts` is everything in an order in which it is admitted: what the workbook needs, the facts of
    `workbook_enterprise`, what needs them.
    """

    facts_before: list[Fact]
    workbook_facts: list[Fact]
    facts_after: list[Fact]
    workbook_enterprise: EnterpriseId
    organisations: Mapping[EnterpriseId, Organisation]
    truth: list[dict[str, Any]]
    """The planted faults as JSON values: see `api.region.truth.Truth`."""
    stories: Mapping[str, str]
    """Names of things worth showing: see `api.region.stories.stories`."""
    physical: Mapping[BatchId, int]
    """What each batch truly weighed when it came to be: nobody in the region knows."""

    @cached_property
    def facts(self) -> list[Fact]:
        return [*self.facts_before, *self.workbook_facts, *self.facts_after]

    def statements(self) -> Iterator[tuple[EnterpriseId, list[Event]]]:
        """The facts grouped: who recorded, what they recorded together."""
        return statements(self.facts)


def region(seed: int = 1, *, tables: Catalogue | None = None) -> Region:
    """The region of a seed: the same seed gives the same facts, everywhere and always."""
    world = World.new(seed, tables or catalogue(), PLANTS, AUTHORITIES, TWIST)
    planted = live(world)
    parts = part(world.journal.rows, WORKBOOK.uscc)
    return Region(
        _facts(told(parts.before)), _facts(parts.workbook), _facts(told(parts.after)), WORKBOOK.uscc,
        _organisations(), truths(world, planted), stories(world, [row.event for row in world.journal.rows]),
        world.physical,
    )  # fmt: skip


def _facts(rows: list[Row]) -> list[Fact]:
    return [(row.event, row.recorded_by) for row in rows]


def _organisations() -> dict[EnterpriseId, Organisation]:
    members = {each.uscc: Organisation(each.name, each.name_en, "member", each.division) for each in PLANTS}
    return members | {
        each.uscc: Organisation(each.name, each.name_en, "regulator", each.prefix) for each in AUTHORITIES
    }
