"""Random corrections of random histories, and the same histories written right from the start."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from flows.book import Book, Change
from flows.entries import Entry, event_json
from flows.errors import Problem
from flows.events import EVENT, CorrectionAgreed, CorrectionRequested, Event, Mending, Stated
from flows.materials import catalogue
from flows.reading import read
from flows.rules import admit
from flows.times import instant_us
from graph.columns import Columns
from graph.editions import Editions
from tests.graph.histories import FIRST_DAY, NOW, World

NOW_US = instant_us(NOW)


@dataclass
class Mended:
    """A world with what follows it, as it was and as corrections made it."""

    world: World
    editions: Editions = field(default_factory=lambda: Editions(catalogue()))
    columns: Columns = field(default_factory=lambda: Columns(catalogue()))
    refused: list[Problem] = field(default_factory=list[Problem])

    def __post_init__(self) -> None:
        self.world.follow(self.editions)
        self.world.follow(self.columns)
        self.world.followers = (self.editions, self.columns)

    @property
    def book(self) -> Book:
        return self.world.book

    def request(self, position: int, becomes: Stated | None, *, agreed: bool = True) -> Change | Problem:
        """Ask for a correction, and have it agreed where it must be; the change that brought it into force."""
        stated, was = self.book.told(position).event, self.book.fact(position).event
        assert stated is not None
        assert not isinstance(was, Mending)
        event = CorrectionRequested(
            event_id=self.world.name(), enterprise=stated.enterprise, event_time=NOW, stated_by=stated.enterprise,
            corrects=stated.event_id, was=was, becomes=becomes, reason="typed wrongly",
        )  # fmt: skip
        try:
            change = self.world.tell(event)
            request = self.book.requests.get((event.enterprise, event.event_id))
            assert request is not None
            for other in request.others if agreed else ():
                change = self.world.tell(
                    CorrectionAgreed(
                        event_id=self.world.name(), enterprise=other, event_time=NOW,
                        requested_by=event.enterprise, request=event.event_id,
                    )
                )  # fmt: skip
        except Problem as problem:
            self.refused.append(problem)
            return problem
        return change

    def effective(self) -> Iterator[tuple[Entry, Event]]:
        """The facts as they are read now, each at its own position, without those that mend."""
        for entry in self.world.entries:
            event = self.book.fact(entry.position).event
            if event is not None and not isinstance(event, Mending):
                yield entry, event


@dataclass
class Straight:
    """A history written right from the start: the same facts at the same positions."""

    book: Book = field(default_factory=lambda: Book(catalogue()))
    editions: Editions = field(default_factory=lambda: Editions(catalogue()))
    columns: Columns = field(default_factory=lambda: Columns(catalogue()))

    def tell(self, entry: Entry, event: Event) -> Change:
        """Admit and read a fact at its position, or raise the `Problem`."""
        admit(event, self.book, NOW_US)
        change = read(self.book, event, entry.position, NOW_US)
        self.editions.read(entry, change)
        self.columns.read(entry, change)
        return change

    @classmethod
    def of(cls, mended: Mended) -> "Straight":
        """The mended history, told anew."""
        straight = cls()
        for entry, event in mended.effective():
            straight.tell(entry, event)
        return straight


def replacements(draw: st.DataObject, event: Stated) -> Stated | None:
    """Another fact of the same name: withdrawn, or one value of it told otherwise."""
    how = draw.draw(st.sampled_from(["mass", "mass", "mass", "time", "withdrawn", "rest", "other"]), "how")
    if how == "withdrawn":
        return None
    value: Any = json.loads(json.dumps(event_json(event)))
    places = list(_places(value, how))
    if not places:
        return None
    holder, key = draw.draw(st.sampled_from(places), "place")
    match how:
        case "mass":
            holder[key] = max(1, holder[key] + draw.draw(st.sampled_from([-2, -1, 1, 2, 5])))
        case "time":
            day = FIRST_DAY + timedelta(days=draw.draw(st.integers(0, 30)))
            holder[key] = day.isoformat()
        case "rest":
            holder[key] = not holder[key]
        case _:
            holder[key] = draw.draw(st.sampled_from(_OTHERS[key]))
    try:
        return EVENT.validate_python(value)  # pyright: ignore[reportReturnType] - of the same kind
    except ValueError:
        return None


_OTHERS: Mapping[str, list[Any]] = {
    "material": ["zinc-leach-residue", "primary-dross", "copper-tailings", "aluminium-scrap", "zinc-oxide"],
    "status": ["general_waste", "product"],
    "moisture_ppm": [1, 300_000],
    "method": ["D1", "R4", "C1"],
    "division": ["510300", "510100"],
    "name": ["another"],
}


def _places(value: Any, how: str) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        told: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] - JSON
        for key, each in told.items():
            fits = {
                "mass": key == "mass_g", "time": key == "event_time", "rest": key == "rest", "other": key in _OTHERS,
            }  # fmt: skip
            if fits[how]:
                yield told, key
            yield from _places(each, how)
    elif isinstance(value, list):
        several: list[Any] = value  # pyright: ignore[reportUnknownVariableType] - JSON
        for each in several:
            yield from _places(each, how)
