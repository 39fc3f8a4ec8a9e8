"""Random corrections of random histories, and the same histories written right from the start."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from hypothesis import strategies as st

from flows.book import Book, Change
from flows.entries import Entry, event_json
from flows.errors import Problem
from flows.events import EVENT, Amendment, CorrectionAgreed, CorrectionRequested, Event, Mending, Stated
from flows.materials import catalogue
from flows.reading import manifest_of, read, sides
from flows.rules import admit
from flows.times import instant_us
from flows.touches import touched
from graph.columns import Columns
from graph.editions import Editions
from tests.graph.histories import FIRST_DAY, NOW, World

NOW_US = instant_us(NOW)
Becoming: TypeAlias = dict[int, Stated | None]
"""What facts are to be read as, by their positions; None: as never stated."""


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

    def amendment(self, position: int, becomes: Stated | None) -> Amendment:
        """A fact, as it is read now, that is to be read otherwise."""
        stated, was = self.book.told(position).event, self.book.fact(position).event
        assert stated is not None
        assert not isinstance(was, Mending)
        return Amendment(stated_by=stated.enterprise, corrects=stated.event_id, was=was, becomes=becomes)

    def request(self, becoming: Becoming, *, agreed: bool = True) -> Change | Problem:
        """Ask for a correction of facts by their positions, in the name of a stater who may ask for all of them, and have
        it agreed where it must be; the change that brought it into force.
        """
        changes = tuple(self.amendment(position, becomes) for position, becomes in becoming.items())
        requester = next(
            (each.stated_by for each in changes if all(_may_ask(self.book, at, each.stated_by) for at in becoming)),
            changes[0].stated_by,
        )
        event = CorrectionRequested(
            event_id=self.world.name(), enterprise=requester, event_time=NOW, changes=changes,
            reason="typed wrongly",
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


def corrections(draw: st.DataObject, book: Book) -> Becoming:
    """One fact to be read otherwise, or several that speak of the same: each at will, one mass told anew in all of them,
    or all that came after withdrawn with it.
    """
    linked = {each: near for each in _stated(book) if (near := _near(book, each))}
    some = list(linked) if linked and draw.draw(st.booleans(), "linked") else _stated(book)
    position = draw.draw(st.sampled_from(some), "position")
    near = linked.get(position, [])
    how = draw.draw(st.sampled_from(["one", "each", "mass", "mass", "withdrawn"]), "corrections") if near else "one"
    masses = sorted(set(_masses(book.fact(position).event)))
    if how == "mass" and masses:
        old = draw.draw(st.sampled_from(masses), "mass")
        new = max(1, old + draw.draw(st.sampled_from([-2, -1, 1, 2]), "by"))
        becoming = {each: _reweighed(book.fact(each).event, old, new) for each in (position, *near)}
    elif how == "withdrawn":
        becoming = dict.fromkeys([position, *(each for each in near if each > position)])
    else:
        more = draw.draw(st.lists(st.sampled_from(near), unique=True, max_size=2), "more") if how == "each" else []
        becoming = {each: _anew(draw, book, each) for each in (position, *more)}
    changed = {each: becomes for each, becomes in becoming.items() if becomes != book.fact(each).event}
    return changed or {position: becoming[position]}


def _stated(book: Book) -> list[int]:
    told = ((position, book.told(position).event) for position in range(1, book.position + 1))
    return [position for position, event in told if not isinstance(event, Mending)]


def _near(book: Book, position: int) -> list[int]:
    """Facts that speak of what a fact speaks of, as far as its stater may have them corrected, in no order of theirs."""
    fact, stater = book.fact(position).event, book.told(position).event
    if fact is None or stater is None:
        return []
    names = [str(each.name) for each in touched(fact, book) if each.register in {"batches", "manifests"}]
    found = {each for name in names for each in book.history(name)}
    return sorted(each for each in found - {position} if _may_ask(book, each, stater.enterprise))


def _may_ask(book: Book, position: int, requester: str) -> bool:
    stated = book.told(position).event
    assert stated is not None
    if stated.enterprise == requester:
        return True
    manifest_id = None if isinstance(stated, Mending) else manifest_of(stated)
    manifest = book.find_manifest(manifest_id) if manifest_id is not None else None
    return manifest is not None and requester in sides(manifest)


def _anew(draw: st.DataObject, book: Book, position: int) -> Stated | None:
    now, told = book.fact(position).event, book.told(position).event
    return replacements(draw, now) if now is not None else told  # pyright: ignore[reportArgumentType, reportReturnType]


def _masses(event: Event | None) -> Iterator[int]:
    if event is not None:
        yield from (holder[key] for holder, key in _places(json.loads(json.dumps(event_json(event))), "mass"))


def _reweighed(event: Event | None, old: int, new: int) -> Stated | None:
    """The fact with every mass of so many grams told otherwise."""
    if event is None:
        return None
    value: Any = json.loads(json.dumps(event_json(event)))
    for holder, key in _places(value, "mass"):
        holder[key] = new if holder[key] == old else holder[key]
    return EVENT.validate_python(value)  # pyright: ignore[reportReturnType] - of the same kind


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
