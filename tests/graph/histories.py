"""Random histories that the rules admitted: few enterprises, few names, small masses, so that everything collides.

`histories()` draws a `World`: proposals are made of what is open, and those that `flows.rules.admit` lets in are kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from flows.book import Book, Change
from flows.codes import uscc_with_check
from flows.enterprises import Site, StorageArea
from flows.entries import Entry, head_of, next_entry
from flows.errors import Problem
from flows.events import (
    Addition,
    Arrived,
    ArrivedLine,
    Assayed,
    Cancelled,
    Collected,
    Decided,
    DecidedLine,
    Delivered,
    Disposed,
    EnterpriseRegistered,
    Event,
    Generated,
    Grade,
    Left,
    Leg,
    Loaded,
    LoadedLine,
    Loss,
    ManifestLine,
    Packed,
    Packing,
    Part,
    Portion,
    Product,
    SiteRegistered,
    StatusChanged,
    StockDeclared,
    StockTaken,
    StorageRegistered,
    Stored,
    Submitted,
    TakenOut,
    Tapped,
    Transformed,
)
from flows.manifests import Manifest, State
from flows.materials import catalogue
from flows.ports import Follower
from flows.reading import read
from flows.rules import Finding, admit
from flows.times import SHANGHAI, instant_us

ENTERPRISES = tuple(uscc_with_check("91510100", f"MA60000{number}") for number in range(1, 4))
"""Two in Chengdu and one in Zigong, of the same province."""
DIVISIONS = ("510100", "510100", "510300")
SITES = tuple(f"{enterprise}.SITE" for enterprise in ENTERPRISES)
STORAGES = tuple(f"{enterprise}.YARD" for enterprise in ENTERPRISES)
FIRST_DAY = date(2026, 3, 1)
NOW = datetime(2026, 12, 31, 12, tzinfo=UTC)
"""When everything is recorded: so late that the law only finds, and refuses nothing."""
WASTES = ("zinc-leach-residue", "primary-dross", "copper-tailings")
"""One with an assumed moisture, two as weighed; two hazardous, one not."""
METAL = "primary-aluminium-ingot"
SCRAP = "aluminium-scrap"
MATERIALS = (*WASTES, METAL, SCRAP, "zinc-oxide")
ADDITIVES = ("lime", "water")


@dataclass(repr=False)
class World:
    """A book with the entries it was made from: `tell` admits and reads, as the house does."""

    book: Book = field(default_factory=lambda: Book(catalogue()))
    followers: Sequence[Follower] = ()
    entries: list[Entry] = field(default_factory=list[Entry])
    changes: list[Change] = field(default_factory=list[Change])
    findings: list[Finding] = field(default_factory=list[Finding])

    @property
    def events(self) -> list[Event]:
        """The facts, in order."""
        return [entry.event for entry in self.entries]

    def __repr__(self) -> str:
        """The facts, registrations left out: what a failing example shows."""
        told = [event for event in self.events if not event.kind.endswith("registered")]
        return "\n".join(["World:", *(f"  {event!r}" for event in told)])

    def tell(self, event: Event) -> Change:
        """Admit a fact, or raise the `Problem`."""
        now_us = instant_us(NOW)
        self.findings += admit(event, self.book, now_us)
        entry = next_entry(head_of(self.entries[-1] if self.entries else None), event, now_us, event.enterprise)
        change = read(self.book, event, entry.position, now_us)
        self.entries.append(entry)
        self.changes.append(change)
        for follower in self.followers:
            follower.read(entry, change)
        return change

    def follow(self, follower: Follower, until: int | None = None) -> None:
        """Let somebody read the entries up to and with a position."""
        for entry, change in list(zip(self.entries, self.changes, strict=True))[:until]:
            follower.read(entry, change)

    def name(self) -> str:
        """A name for the next fact."""
        return f"e{len(self.entries) + 1}"


def settled(followers: Sequence[Follower] = (), enterprises: int = 3) -> World:
    """A world in which the enterprises are registered, each with a site and a storage area."""
    world = World(followers=followers)
    for number in range(enterprises):
        for event in _settling(number):
            world.tell(event)
    return world


def _settling(number: int) -> Iterator[Event]:
    own: dict[str, Any] = {"enterprise": ENTERPRISES[number], "event_time": FIRST_DAY}
    division, site_id, storage_id = DIVISIONS[number], SITES[number], STORAGES[number]
    site = Site(site_id=site_id, code="S", name=f"site {number}", division=division)
    storage = StorageArea(storage_id=storage_id, site_id=site_id, code="Y", name="yard", type="yard")
    yield EnterpriseRegistered(
        event_id="r", name=f"enterprise {number}", division=division, roles=("generator",), **own
    )
    yield SiteRegistered(event_id="s", site=site, **own)
    yield StorageRegistered(event_id="y", storage=storage, **own)


@st.composite
def histories(draw: st.DrawFn, max_facts: int = 24, enterprises: int = 3, names: int = 6) -> World:
    """A world of up to `max_facts` facts on top of the registrations, all admitted; each of a few grams."""
    world = settled(enterprises=draw(st.integers(2, enterprises)))
    proposals = _Proposals(draw, world, names)
    for _ in range(draw(st.sampled_from([max_facts, max_facts // 2, 4]))):
        event = proposals.next()
        if event is None:
            continue
        try:
            world.tell(event)
        except Problem:
            continue
    return world


class _Proposals:
    """Facts that fit the open batches and manifests, more or less."""

    def __init__(self, draw: st.DrawFn, world: World, names: int) -> None:
        self.draw = draw
        self.world = world
        self.names = names
        self.day = 0

    def next(self) -> Event | None:
        """A proposal, or None when there is nothing to make it of."""
        arising = [self.stock, self.generated, self.collected, self.tapped]
        others = [
            self.transformed, self.transformed, self.transformed, self.moved, self.moved, self.moved, self.moved,
            self.disposed, self.delivered, self.left, self.remark,
        ]  # fmt: skip
        if not any(True for _ in self.world.book.batches.values()):
            return self.draw(st.sampled_from(arising))()
        begun = any(True for _ in self.world.book.manifests.values())
        if begun and self.draw(st.booleans()):
            return self.moved()
        return self.draw(st.sampled_from([*others, self.draw(st.sampled_from(arising))]))()

    # parts ------------------------------------------------------------------------------------------------------

    def own(self, number: int) -> dict[str, Any]:
        self.day += self.draw(st.sampled_from([0, 0, 0, 1, 2]))
        back = self.draw(st.sampled_from([0] * 15 + [1]))
        day = FIRST_DAY + timedelta(days=max(0, self.day - back))
        hour = self.draw(st.sampled_from([None, None, 9, 9, 9, 10]))
        moment = day if hour is None else datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)
        return {"event_id": self.world.name(), "enterprise": ENTERPRISES[number], "event_time": moment}

    def number(self) -> int:
        count = sum(1 for site in SITES if self.world.book.sites.get(site) is not None)
        return self.draw(st.integers(0, count - 1))

    def holder(self) -> int:
        """Somebody who holds something, mostly."""
        holders = sorted({ENTERPRISES.index(batch.holder) for batch in self.world.book.batches.values()})
        return self.draw(st.sampled_from(holders)) if holders else self.number()

    def fresh(self, number: int) -> str:
        """Mostly a name that was not used: the first of the free ones, so that names stay few."""
        pool = [f"{ENTERPRISES[number]}.B{n}" for n in range(1, self.names + 1)]
        free = [name for name in pool if self.world.book.find_batch(name) is None]
        return free[0] if free else self.draw(st.sampled_from(pool))

    def mass(self, most: int = 6) -> int:
        return self.draw(st.integers(1, max(1, most)))

    def product(self, number: int, material: str | None = None, taken: Sequence[str] = ()) -> Product:
        pool = [f"{ENTERPRISES[number]}.B{n}" for n in range(1, self.names + 1)]
        free = [name for name in pool if self.world.book.find_batch(name) is None and name not in taken]
        name = free[0] if free else self.fresh(number)
        code = self.draw(st.sampled_from([None, None, "C1", "C2"]))
        material = material or self.draw(st.sampled_from(MATERIALS))
        return Product(batch_id=name, material=material, mass_g=self.mass(), code=code)

    def portions(self, holder: str, at_most: int = 3, places: Sequence[str] = ("site", "storage")) -> list[Portion]:
        batches = [b for b in self.world.book.batches.values() if b.holder == holder and b.place in places]
        if not batches:
            return []
        twice = self.draw(st.integers(0, 7)) == 7
        names = st.sampled_from([batch.batch_id for batch in batches])
        picked = self.draw(st.lists(names, min_size=1, max_size=at_most, unique=not twice))
        return [self.portion(name, self.world.book.batch(name).left_g) for name in picked]

    def portion(self, batch_id: str, left_g: int) -> Portion:
        how = self.draw(st.sampled_from(["some", "all", "rest", "rest"]))
        if how == "rest":
            return Portion(batch_id=batch_id, mass_g=max(1, left_g + self.draw(st.integers(-1, 1))), rest=True)
        return Portion(batch_id=batch_id, mass_g=left_g if how == "all" else self.mass(left_g))

    # arising ----------------------------------------------------------------------------------------------------

    def stock(self) -> Event:
        n = self.number()
        return StockDeclared(**self.own(n), site_id=SITES[n], product=self.product(n))

    def generated(self) -> Event:
        n = self.number()
        return Generated(**self.own(n), site_id=SITES[n], product=self.product(n, self.draw(st.sampled_from(WASTES))))

    def collected(self) -> Event:
        n = self.number()
        scrap = self.draw(st.sampled_from(["old", "new"]))
        return Collected(**self.own(n), site_id=SITES[n], scrap=scrap, product=self.product(n, SCRAP))

    def tapped(self) -> Event:
        n = self.number()
        return Tapped(**self.own(n), site_id=SITES[n], product=self.product(n, METAL))

    # making -----------------------------------------------------------------------------------------------------

    def transformed(self) -> Event | None:
        n = self.holder()
        inputs = self.portions(ENTERPRISES[n])
        if not inputs:
            return None
        if self.draw(st.booleans()):
            return self.regrouped(n, inputs)
        additions = [
            Addition(material=self.draw(st.sampled_from(ADDITIVES)), mass_g=self.mass(2))
            for _ in range(self.draw(st.integers(0, 2)))
        ]
        outputs: list[Product] = []
        for _ in range(self.draw(st.integers(0, 3))):
            outputs.append(self.product(n, taken=[product.batch_id for product in outputs]))
        kinds = self.draw(st.lists(st.sampled_from(["moisture", "dust", "combustion"]), max_size=2))
        losses = [Loss(kind=kind, mass_g=self.mass(2)) for kind in kinds]
        return Transformed(
            **self.own(n), site_id=SITES[n], process="remelt", inputs=tuple(inputs), additions=tuple(additions),
            outputs=tuple(outputs), losses=tuple(losses), gap_reason="not weighed",
        )  # fmt: skip

    def regrouped(self, n: int, inputs: list[Portion]) -> Event:
        """A merge or split that loses nothing."""
        material = self.world.book.batch(inputs[0].batch_id).material
        inputs = [each for each in inputs if self.world.book.batch(each.batch_id).material == material]
        left_g = sum(each.mass_g for each in inputs)
        outputs: list[Product] = []
        while left_g:
            mass_g = self.draw(st.integers(1, left_g)) if len(outputs) < 2 else left_g
            product = self.product(n, material, taken=[made.batch_id for made in outputs])
            outputs.append(product.model_copy(update={"mass_g": mass_g}))
            left_g -= mass_g
        process = "merge" if len(inputs) > len(outputs) else "split"
        return Transformed(
            **self.own(n), site_id=SITES[n], process=process, inputs=tuple(inputs), outputs=tuple(outputs)
        )

    # moving -----------------------------------------------------------------------------------------------------

    def moved(self) -> Event | None:
        """The next step of an open manifest, or a new one."""
        manifests = list(self.world.book.manifests.values())
        if not manifests or self.draw(st.integers(0, 5)) == 5:
            return self.submitted()
        manifest = self.draw(st.sampled_from(manifests))
        match manifest.state:
            case State.SUBMITTED:
                return self.loaded(manifest)
            case State.LOADED:
                return self.arrived(manifest)
            case _:
                return self.decided(manifest)

    def submitted(self) -> Event | None:
        n, to = self.holder(), self.number()
        portions = self.portions(ENTERPRISES[n], at_most=2, places=("site", "storage", "gate"))
        if not portions or n == to:
            return None
        lines = tuple(
            ManifestLine(line=line, batch_id=portion.batch_id, mass_g=max(1, portion.mass_g - 1))
            for line, portion in enumerate(portions, 1)
        )
        name = f"M{len(self.world.entries)}"
        return Submitted(
            **self.own(n), manifest_id=f"{ENTERPRISES[n]}.{name}", internal_no=name, consignor_site=SITES[n],
            consignee=ENTERPRISES[to], consignee_site=SITES[to], lines=lines, legs=(Leg(),), method="R4",
        )  # fmt: skip

    def loaded(self, manifest: Manifest) -> Event:
        submitted = manifest.submitted
        n = ENTERPRISES.index(submitted.enterprise)
        used_up = any(self.world.book.batch(line.batch_id).left_g == 0 for line in submitted.lines)
        if used_up or self.draw(st.integers(0, 7)) == 7:
            return Cancelled(**self.own(n), manifest_id=manifest.manifest_id, reason="not needed")
        lines = [
            LoadedLine(
                line=line.line,
                portion=self.portion(line.batch_id, self.world.book.batch(line.batch_id).left_g or 1),
                load_id=f"{manifest.manifest_id}-{line.line}",
            )
            for line in submitted.lines
        ]
        return Loaded(**self.own(n), manifest_id=manifest.manifest_id, lines=tuple(lines))

    def arrived(self, manifest: Manifest) -> Event:
        n = ENTERPRISES.index(manifest.submitted.consignee)
        assert manifest.loaded is not None
        lines = [
            ArrivedLine(line=line.line, mass_g=max(1, line.portion.mass_g + self.draw(st.integers(-1, 1))))
            for line in manifest.loaded.lines
        ]
        return Arrived(**self.own(n), manifest_id=manifest.manifest_id, lines=tuple(lines))

    def decided(self, manifest: Manifest) -> Event:
        n = ENTERPRISES.index(manifest.submitted.consignee)
        assert manifest.arrived is not None
        lines: list[DecidedLine] = []
        for arrived in manifest.arrived.lines:
            loaded = manifest.loaded_line(arrived.line)
            assert loaded is not None
            accepted_g = self.draw(st.integers(0, arrived.mass_g))
            own = f"{ENTERPRISES[n]}.{manifest.manifest_id.partition('.')[2]}-{arrived.line}"
            accepted = Part(batch_id=f"{own}-A", mass_g=accepted_g) if accepted_g else None
            rejected_g = arrived.mass_g - accepted_g
            rejected = Part(batch_id=f"{own}-R", mass_g=rejected_g) if rejected_g else None
            lines.append(
                DecidedLine(
                    line=arrived.line, load_id=loaded.load_id, accepted=accepted, rejected=rejected, reason="wet"
                )
            )
        return Decided(**self.own(n), manifest_id=manifest.manifest_id, lines=tuple(lines))

    # ending and remarks -----------------------------------------------------------------------------------------

    def disposed(self) -> Event | None:
        n = self.holder()
        portions = self.portions(ENTERPRISES[n], at_most=2)
        method = self.draw(st.sampled_from(["D1", "D10", "C1"]))
        return Disposed(**self.own(n), site_id=SITES[n], portions=tuple(portions), method=method) if portions else None

    def delivered(self) -> Event | None:
        n = self.holder()
        portions = self.portions(ENTERPRISES[n], at_most=2)
        use = self.draw(st.sampled_from(["product", "building_material", "energy"]))
        return Delivered(**self.own(n), site_id=SITES[n], portions=tuple(portions), use=use) if portions else None

    def left(self) -> Event | None:
        n = self.holder()
        portions = self.portions(ENTERPRISES[n], at_most=2)
        abroad = self.draw(st.booleans())
        return (
            Left(**self.own(n), site_id=SITES[n], portions=tuple(portions), receiver="elsewhere", abroad=abroad)
            if portions
            else None
        )

    def remark(self) -> Event | None:
        """A fact that moves no mass."""
        batches = list(self.world.book.batches.values())
        if not batches:
            return None
        batch = self.draw(st.sampled_from(batches))
        n = ENTERPRISES.index(batch.holder)
        own = {**self.own(n), "batch_id": batch.batch_id}
        match self.draw(st.sampled_from(["assayed", "assayed", "stored", "taken_out", "packed", "status", "counted"])):
            case "assayed":
                moisture_ppm = self.draw(st.sampled_from([None, 0, 100_000, 500_000, 900_000]))
                return Assayed(**own, moisture_ppm=moisture_ppm, grades=(Grade(element="Al", ppm=500_000),))
            case "stored":
                return Stored(**own, storage_id=STORAGES[n], code=self.draw(st.sampled_from([None, "R1"])))
            case "taken_out":
                return TakenOut(**own, code=self.draw(st.sampled_from([None, "R2"])))
            case "packed":
                return Packed(**own, packing=Packing(code="P1"))
            case "status":
                return StatusChanged(**own, status="recycled_raw_material", basis="GB/T 40382")
            case _:
                own.pop("batch_id")
                return StockTaken(**own, site_id=SITES[n], material=batch.material, counted_g=self.mass())
