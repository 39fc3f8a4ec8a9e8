"""Short words for small histories that figures are asked of, and the check that parts sum to their figure."""

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

from flows.events import (
    Arrived,
    ArrivedLine,
    Decided,
    DecidedLine,
    FigureDeclared,
    Leg,
    Loaded,
    LoadedLine,
    ManifestLine,
    Part,
    Portion,
    Product,
    Submitted,
    Transformed,
)
from flows.indicators import Boundary, Period, Question, Value
from flows.materials import catalogue
from graph.columns import Columns
from graph.figures import figures, parts
from tests.graph.histories import ENTERPRISES, SITES, World, settled

MARCH, APRIL, YEAR = Period.month(2026, 3), Period.month(2026, 4), Period.year(2026)
HAZARDOUS = "use-and-disposal-hazardous"
DROSS, ALLOY, MOLTEN = "primary-dross", "secondary-aluminium-alloy", "molten-primary-aluminium"
PROVINCE = Boundary("province", "51")


@dataclass
class Telling:
    """A world with columns, and short words for what happens in it."""

    columns: Columns = field(default_factory=lambda: Columns(catalogue()))
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = settled([self.columns])

    def own(self, n: int, on: date) -> dict[str, Any]:
        return {"event_id": self.world.name(), "enterprise": ENTERPRISES[n], "event_time": on}

    def arise(self, kind: Any, n: int, day: date, name: str, material: str, mass_g: int, **more: Any) -> None:
        product = Product(batch_id=own_id(n, name), material=material, mass_g=mass_g)
        _ = self.world.tell(kind(**self.own(n, day), site_id=SITES[n], product=product, **more))

    def make(
        self, n: int, day: date, process: str, took: dict[str, int], made: dict[str, tuple[str, int]], **more: Any
    ) -> None:
        fact = Transformed(
            **self.own(n, day),
            site_id=SITES[n],
            process=process,
            inputs=tuple(Portion(batch_id=own_id(n, name), mass_g=mass_g) for name, mass_g in took.items()),
            outputs=tuple(
                Product(batch_id=own_id(n, name), material=material, mass_g=mass_g)
                for name, (material, mass_g) in made.items()
            ),
            gap_reason="seen" if "loose" in more else None,
            **{key: value for key, value in more.items() if key != "loose"},
        )
        _ = self.world.tell(fact)

    def move(
        self, n: int, to: int, day: date, name: str, mass_g: int, became: str, *,
        accepted_g: int | None = None, rejected_g: int = 0, method: str = "R4", rest: bool = False,
    ) -> None:  # fmt: skip
        """A manifest from submission to decision in a day; the rejected part is called `became` with an R."""
        accepted_g = mass_g if accepted_g is None else accepted_g
        manifest, load = own_id(n, f"M{len(self.world.entries)}"), own_id(n, f"L{len(self.world.entries)}")
        line = ManifestLine(line=1, batch_id=own_id(n, name), mass_g=mass_g)
        submitted = Submitted(
            **self.own(n, day), manifest_id=manifest, internal_no="1", consignor_site=SITES[n],
            consignee=ENTERPRISES[to], consignee_site=SITES[to], lines=(line,), legs=(Leg(),), method=method,
        )  # fmt: skip
        portion = Portion(batch_id=own_id(n, name), mass_g=mass_g, rest=rest)
        _ = self.world.tell(submitted)
        loaded = LoadedLine(line=1, portion=portion, load_id=load)
        _ = self.world.tell(Loaded(**self.own(n, day), manifest_id=manifest, lines=(loaded,)))
        arrived = ArrivedLine(line=1, mass_g=accepted_g + rejected_g)
        _ = self.world.tell(Arrived(**self.own(to, day), manifest_id=manifest, lines=(arrived,)))
        decided = DecidedLine(
            line=1,
            load_id=load,
            accepted=Part(batch_id=own_id(to, became), mass_g=accepted_g) if accepted_g else None,
            rejected=Part(batch_id=own_id(to, became + "R"), mass_g=rejected_g) if rejected_g else None,
            reason="wet" if rejected_g else "",
        )
        _ = self.world.tell(Decided(**self.own(to, day), manifest_id=manifest, lines=(decided,)))

    def end(self, kind: Any, n: int, day: date, name: str, mass_g: int, **more: Any) -> None:
        portion = Portion(batch_id=own_id(n, name), mass_g=mass_g)
        _ = self.world.tell(kind(**self.own(n, day), site_id=SITES[n], portions=(portion,), **more))

    def declare(self, figure: str, metal: str, period: Period, mass_g: int, division: str = "510000") -> None:
        own = self.own(0, date(2026, 12, 31))
        _ = self.world.tell(
            FigureDeclared.model_validate(
                {**own, "figure": figure, "metal": metal, "division": division, "mass_g": mass_g, "source": "s",
                 "period_from": period.first, "period_to": period.last}
            )
        )  # fmt: skip

    def value(self, name: str, period: Period = YEAR, boundary: Boundary | None = None, **horizon: int) -> Value:
        question = Question(period, boundary or Boundary(), **horizon)
        value = figures([name], question, self.columns)[0]
        check_parts(value, self.columns)
        return value


def own_id(n: int, name: str) -> str:
    return f"{ENTERPRISES[n]}.{name}"


def day(month: int, number: int) -> date:
    return date(2026, month, number)


def enterprise(n: int) -> Boundary:
    return Boundary("enterprise", ENTERPRISES[n])


def check_parts(value: Value, columns: Columns) -> None:
    found = parts(value, columns)
    for name in (*value.definition.numerator, *value.definition.denominator):
        assert sum(each.mass_g for each in found if each.part == name) == value.parts.get(name, 0), name
    assert all(before.position < after.position for before, after in pairwise(found) if before.part == after.part)
