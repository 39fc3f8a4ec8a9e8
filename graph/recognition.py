"""When mass counts: follows whose waste is in which batch, and marks it where a definition recognizes it."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from datetime import date
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Final, assert_never

from flows.balance import Boundary, Draw, Make, Movement
from flows.batches import Batch
from flows.book import Change, Rereading, Revision
from flows.events import (
    Assayed,
    Collected,
    Decided,
    Delivered,
    Disposed,
    Generated,
    Left,
    Loaded,
    StockDeclared,
    Submitted,
    Tapped,
    Transformed,
)
from flows.ids import BatchId, EnterpriseId
from flows.mass import share_out
from flows.materials import Catalogue, Material, Side
from flows.times import STOPPABLE_US, day_of, latest_us
from graph.contents import NOTHING, Content, Contents, Holdings, Mark, add, marked, take, total_g, unmarked
from graph.counts import NET, Arising, Counts, Kind
from graph.keeping import Found, Keeping
from graph.metals import FORMS, PRODUCTS, Metals, is_liquid_aluminium
from graph.values import PLAIN

WASTES: Final = frozenset({"hazardous_waste", "general_waste"})


class Recognition:
    """Contents of all open batches. Each fact adds its rows to the columns; each gram counts once for each purpose."""

    def __init__(self, catalogue: Catalogue, counts: Counts) -> None:
        self._catalogue = catalogue
        self._counts = counts
        self._holdings = Holdings()
        self._arisen: MutableMapping[BatchId, int] = {}
        self._metals = Metals(catalogue)
        self._position = self._since = 0
        self._effective_us = 0

    def keep(self, keeping: Keeping) -> None:
        """Hand out what it counts from; the rows are the columns' to keep."""
        self._holdings.keep(keeping)
        self._metals.keep(keeping)
        keeping.table("columns.arisen", self._arisen, PLAIN, PLAIN)
        keeping.plain("columns.last", [self._position, self._since, self._effective_us], PLAIN)

    @classmethod
    def found(cls, catalogue: Catalogue, counts: Counts, found: Found) -> "Recognition":
        """The recognition that was kept."""
        own = cls(catalogue, counts)
        own._holdings, own._metals = Holdings.found(found), Metals.found(catalogue, found)
        own._arisen = found.table("columns.arisen", PLAIN, PLAIN)
        own._position, own._since, own._effective_us = found.plain("columns.last", PLAIN)
        return own

    def read(self, change: Change) -> None:
        """Take in the next entry."""
        self._take_in(change, change.position)

    def revise(self, revision: Revision, since: int) -> None:
        """Count anew what a correction changed, and what was mixed out of it: entry by entry, in order.

        A batch that is made of the same grams as before ends the change.
        """
        waiting = sorted(revision.entries)
        planned = set(waiting)
        stale: set[BatchId] = set()
        while waiting:
            position = heappop(waiting)
            reread = revision.entries.get(position) or Rereading(*2 * (revision.again(position),))
            self._counts.end(position, since)
            later = self._count_again(position, reread, since, stale)
            for each in later - planned:
                heappush(waiting, each)
            planned |= later
        self._holdings.come_back(stale)

    def _count_again(self, position: int, reread: Rereading, since: int, stale: set[BatchId]) -> set[int]:
        """One entry once more; returns the entries behind it that are to follow."""
        old_draws, new_draws = _draws_of(reread.was), _draws_of(reread.now)
        old_makes = {batch_id: self._holdings.made(batch_id) for batch_id in _makes_of(reread.was)}
        self._holdings.undo(position, old_draws, old_makes)
        drawn = old_draws.keys() | new_draws.keys()
        for batch_id in drawn:
            self._holdings.go_back(batch_id, position)
        for batch_id in old_makes:
            _ = self._arisen.pop(batch_id, None)
        if reread.now is not None:
            self._take_in(reread.now, since)
        new_makes = {batch_id: self._holdings.made(batch_id) for batch_id in _makes_of(reread.now)}
        made = old_makes.keys() | new_makes.keys()
        otherwise = {name for name in drawn if old_draws.get(name) != new_draws.get(name)}
        otherwise |= {name for name in made if old_makes.get(name, ()) != new_makes.get(name, ())}
        stale |= drawn | made
        return {each for name in otherwise for each in self._holdings.drawn_behind(name, position)}

    def _take_in(self, change: Change, since: int) -> None:
        self._position, self._since, self._effective_us = change.position, since, change.effective_us
        self._note(change)
        drawn = iter(change.draws)
        for number, movement in enumerate(change.movements):
            batches = [next(drawn) for _ in movement.draws]
            self._move(change, number, movement, batches)

    def contents(self) -> Mapping[BatchId, Contents]:
        """What each open batch is made of; the grams sum to what is left of it."""
        return MappingProxyType(self._holdings.now)

    # facts ------------------------------------------------------------------------------------------------------

    def _note(self, change: Change) -> None:
        """What counts without moving: open and late manifests, assays."""
        match change.event:
            case Loaded() as loaded:
                self._count(Kind.MANIFEST_OPENED, change.draws[0])
                if change.record_time_us - latest_us(loaded.event_time) > STOPPABLE_US:
                    self._count(Kind.MANIFEST_LATE, change.draws[0])
            case Decided():
                self._count(Kind.MANIFEST_CLOSED, change.draws[0])
            case Assayed(batch_id=batch_id) if change.batch is not None and change.batch.left_g:
                origin = self._arisen.get(batch_id)
                if origin is not None and not change.batch.assayed:
                    self._row(Kind.ASSAYED, origin, 1)
            case _:
                pass

    def _move(self, change: Change, number: int, movement: Movement, batches: Sequence[Batch]) -> None:
        match event := change.event:
            case StockDeclared() | Generated() | Collected() | Tapped():
                self._arise(event, movement.makes[0])
            case Transformed():
                self._transform(event, movement, batches)
            case Loaded():
                taken = self._one_drawn(movement)
                self._account(Kind.LOADED, taken)
                self._holdings.make(movement.makes[0].batch_id, taken)
            case Decided():
                assert change.manifest is not None
                self._decide(event, number, movement, batches[0], change.manifest.submitted)
            case Disposed() | Delivered() | Left():
                self._end(event, movement, batches)
            case _:
                raise AssertionError(event)

    def _arise(self, event: StockDeclared | Generated | Collected | Tapped, made: Make) -> None:
        material = self._catalogue.material(made.material)
        match event:
            case Generated():
                content = self._generated(made, material, Kind.ARISEN, Arising.WASTE)
            case StockDeclared():
                content = self._generated(made, material, Kind.OPENING, Arising.STOCK)
            case Collected():
                content = Content(metal=self._metals.bought(material))
            case Tapped():
                origin = self._origin(made, Arising.OTHER)
                self._row(Kind.TAPPED, origin, made.mass_g)
                content = Content(metal=self._metals.tapped(origin))
            case _:
                assert_never(event)
        self._holdings.make(made.batch_id, {content: made.mass_g})

    def _generated(self, made: Make, material: Material, kind: Kind, arising: Arising) -> Content:
        """Waste of its generator. Scrap in stock was bought; what is no waste has no origin."""
        if material.legal_status not in WASTES or (arising is Arising.STOCK and material.group == "scrap"):
            return Content(metal=self._metals.bought(material))
        origin = self._origin(made, arising)
        self._new_waste(made, origin, kind)
        self._row(NET + kind, origin, made.mass_g)
        return Content(origin, origin, self._metals.home(made.holder))

    def _transform(self, event: Transformed, movement: Movement, batches: Sequence[Batch]) -> None:
        process = self._catalogue.process(event.process)
        drawn = list(self._draws(movement))
        mix: Contents = {}
        for taken in drawn:
            add(mix, taken.items())
        side: Side | None = None
        if process.changes_substance:
            method = event.method or process.method
            side = self._catalogue.method(method).side if method else None
            self._direct(movement.makes, batches, drawn)
            mix = self._charged(unmarked(mix, Mark.RELEASED), side)
        add(mix, ((self._metals.added(source), source.mass_g) for source in movement.sources))
        inputs = {self._catalogue.material(batch.material) for batch in batches}
        for made in movement.makes:
            contents = take(mix, made.mass_g)
            if process.changes_substance and self._is_new_waste(made, inputs, side):
                contents = self._renewed(made, contents)
            self._holdings.make(made.batch_id, contents)
        for end in movement.ends:
            self._account(Kind.LOST if end.boundary is Boundary.LOSS else Kind.GAP, take(mix, end.mass_g))

    def _decide(self, event: Decided, number: int, movement: Movement, load: Batch, submitted: Submitted) -> None:
        taken = self._one_drawn(movement, unload=True)
        line = event.lines[number]
        for made in movement.makes:
            contents = take(taken, made.mass_g)
            if line.accepted is not None and made.batch_id == line.accepted.batch_id:
                side = self._catalogue.method(line.method or submitted.method).side
                contents = self._filed(contents, side)
                contents = self._left_maker(load, contents, submitted.consignee, Kind.SUPPLIED)
            self._holdings.make(made.batch_id, contents)

    def _end(self, event: Disposed | Delivered | Left, movement: Movement, batches: Sequence[Batch]) -> None:
        for batch, taken in zip(batches, self._draws(movement), strict=True):
            match event:
                case Disposed():
                    self._account(Kind.DISPOSED, taken)
                case Delivered():
                    self._account(Kind.UTILIZED, taken)
                    self._gross(Kind.CHARGED, taken, Mark.CHARGED)
                    self._gross(Kind.RELEASED, taken)
                    _ = self._left_maker(batch, taken, None, Kind.SUPPLIED)
                case Left():
                    self._account(Kind.LEFT, taken)
                    _ = self._left_maker(batch, taken, None, Kind.SUPPLY_LEFT)
                case _:
                    assert_never(event)

    # recognition ------------------------------------------------------------------------------------------------

    def _filed(self, contents: Contents, side: Side) -> Contents:
        """Count for the generators what is not filed yet."""
        self._gross(Kind.UTILIZED if side == "utilization" else Kind.DISPOSED, contents, Mark.FILED)
        return marked(contents, Mark.FILED)

    def _charged(self, contents: Contents, side: Side | None) -> Contents:
        """Charging is own use or disposal of what is not filed yet, and the use at charging of all."""
        if side is None:
            return contents
        contents = self._filed(contents, side)
        if side == "utilization":
            self._gross(Kind.CHARGED, contents, Mark.CHARGED)
            contents = marked(contents, Mark.CHARGED)
        return contents

    def _is_new_waste(self, made: Make, inputs: set[Material], side: Side | None) -> bool:
        """A made waste is a new generation, unless it is the same waste only treated, or scrap sorted out of scrap."""
        material = self._catalogue.material(made.material)
        if material.legal_status not in WASTES:
            return False
        if side is None and material in inputs:
            return False
        return material.group != "scrap" or all(each.group != "scrap" for each in inputs)

    def _renewed(self, made: Make, contents: Contents) -> Contents:
        """The contents as a new waste of whoever made it; the net ledger counts only what was no waste before."""
        origin = self._origin(made, Arising.WASTE)
        home = self._metals.home(made.holder)
        self._new_waste(made, origin, Kind.ARISEN)
        renewed: Contents = {}
        for content, mass_g in contents.items():
            if content.origin != NOTHING and not content.marks & Mark.FILED:
                self._row(Kind.REPLACED, content.origin, mass_g)
            if content.root == NOTHING:
                self._row(NET + Kind.ARISEN, origin, mass_g)
            root = origin if content.root == NOTHING else content.root
            metal = content.metal if self._metals[content.metal].metal in {"external", "home"} else home
            add(renewed, [(Content(origin, root, metal, content.marks & Mark.SUPPLIED), mass_g)])
        return renewed

    def _direct(self, makes: Sequence[Make], batches: Sequence[Batch], drawn: Sequence[Contents]) -> None:
        """Potroom metal that is charged liquid and becomes alloy; what becomes ingot for remelting is not direct."""
        masses_g = {"alloy": 0, "primary_metal": 0}
        for made in makes:
            group = self._catalogue.material(made.material).group
            if group in masses_g:
                masses_g[group] += made.mass_g
        if not masses_g["alloy"]:
            return
        for batch, taken in zip(batches, drawn, strict=True):
            if not is_liquid_aluminium(self._catalogue.material(batch.material)):
                continue
            for content, mass_g in taken.items():
                source = self._metals[content.metal]
                if source.metal == "tapped":
                    direct_g, _ = share_out(mass_g, list(masses_g.values()))
                    self._row(Kind.ALLOYED, source.whose, direct_g)

    def _left_maker(self, batch: Batch, contents: Contents, receiver: EnterpriseId | None, kind: Kind) -> Contents:
        """Count metal and product that leave whoever made them, and mark them as counted."""
        material = self._catalogue.material(batch.material)
        if material.group not in PRODUCTS or not contents:
            return contents
        origin = self._passing(batch.site_id, material.id)
        fresh_g = sum(mass_g for content, mass_g in contents.items() if not content.marks & Mark.RELEASED)
        if kind is Kind.SUPPLIED:
            self._row(Kind.PRODUCED, origin, fresh_g)
        released = marked(contents, Mark.RELEASED)
        if material.group not in FORMS:
            return released
        homes = {self._metals.enterprise(each) for each in (batch.holder, receiver) if each is not None}
        counted: Contents = {}
        new_g = other_g = 0
        for content, mass_g in released.items():
            source = self._metals[content.metal]
            secondary = source.metal == "external" or (source.metal == "home" and source.whose not in homes)
            if secondary and not content.marks & Mark.SUPPLIED:
                new_g += mass_g
                add(counted, [(content._replace(marks=content.marks | Mark.SUPPLIED), mass_g)])
            else:
                other_g += 0 if source.metal == "neutral" else mass_g
                add(counted, [(content, mass_g)])
        if new_g:
            self._row(kind, origin, share_out(total_g(released), [new_g, other_g])[0])
        return counted

    # contents ---------------------------------------------------------------------------------------------------

    def _draws(self, movement: Movement, *, unload: bool = False) -> Iterator[Contents]:
        for draw in movement.draws:
            yield self._draw(draw, unload=unload)

    def _one_drawn(self, movement: Movement, *, unload: bool = False) -> Contents:
        """The contents of a movement with one draw."""
        (draw,) = movement.draws
        return self._draw(draw, unload=unload)

    def _draw(self, draw: Draw, *, unload: bool) -> Contents:
        """Take a portion out of its batch, as weighed: what the scale did not find is a gap, what it found counts."""
        taken = self._holdings.draw(draw.batch_id, self._position, draw.mass_g)
        if unload:
            self._account(Kind.UNLOADED, taken)
        gap_g = draw.mass_g - draw.weighed_g
        if gap_g > 0:
            self._account(Kind.GAP, take(taken, gap_g))
        elif gap_g < 0:
            self._find(taken, -gap_g)
        return taken

    def _find(self, taken: Contents, found_g: int) -> None:
        """More was weighed than the book had: the generator's filing follows the scale, the net ledger does not."""
        parts = share_out(found_g, list(taken.values()))
        for content, part_g in zip(list(taken), parts, strict=True):
            if content.origin != NOTHING and not content.marks & Mark.FILED:
                self._row(Kind.GAP, content.origin, -part_g)
            if part_g:
                add(taken, [(content._replace(root=NOTHING), part_g)])

    def _new_waste(self, made: Make, origin: int, kind: Kind) -> None:
        self._row(kind, origin, made.mass_g)
        self._row(Kind.BATCH, origin, 1)
        self._arisen[made.batch_id] = origin

    # rows -------------------------------------------------------------------------------------------------------

    def _account(self, kind: Kind, contents: Contents) -> None:
        """A row for each generator that has not filed the grams, and one for each first generator."""
        self._gross(kind, contents, Mark.FILED)
        for content, mass_g in contents.items():
            if content.root != NOTHING:
                self._row(NET + kind, content.root, mass_g)

    def _gross(self, kind: Kind, contents: Contents, unless: int = 0) -> None:
        for content, mass_g in contents.items():
            if content.origin != NOTHING and not content.marks & unless:
                self._row(kind, content.origin, mass_g)

    def _origin(self, made: Make, arising: Arising) -> int:
        return self._counts.origin(made.site_id, made.material, self._today(), arising)

    def _passing(self, site_id: str, material: str) -> int:
        """What leaves a site today, as an origin that is no waste."""
        return self._counts.origin(site_id, material, self._today(), Arising.OTHER)

    def _today(self) -> date:
        return day_of(self._effective_us)

    def _count(self, kind: Kind, batch: Batch) -> None:
        self._row(kind, self._passing(batch.site_id, batch.material), 1)

    def _row(self, kind: int, origin: int, amount: int) -> None:
        if amount:
            self._counts.add(self._position, self._since, self._effective_us, kind, origin, amount)


def _draws_of(change: Change | None) -> dict[BatchId, list[Draw]]:
    """What an entry draws, by batch."""
    found: dict[BatchId, list[Draw]] = {}
    for movement in change.movements if change is not None else ():
        for draw in movement.draws:
            found.setdefault(draw.batch_id, []).append(draw)
    return found


def _makes_of(change: Change | None) -> list[BatchId]:
    return [made.batch_id for movement in change.movements for made in movement.makes] if change is not None else []
