"""A trace as a picture: boxes, ribbons and stubs with their words, as the reader may see them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeAlias

from api.pages.reading import division_name
from api.pages.words import Words
from api.readings import Seen
from flows.batches import Batch
from flows.times import day_of
from graph.lineage import Horizon
from graph.sankey import Layout, Link, Stub, lay_out
from graph.streams import streams
from graph.tracing import Direction, Trace

Level: TypeAlias = Literal["batch", "enterprise", "material"]
LEVELS: Final[tuple[Level, ...]] = ("batch", "enterprise", "material")
BOXES_MOST: Final = 120
"""Boxes that a person can still tell apart; beyond, a picture is drawn by material unless batches are asked for."""
WIDTH_PX: Final = 1300
"""A drawing as wide as the page of a desktop; wider ones scroll."""
ROWS_MOST: Final = 1_000
ANONYMOUS: Final = "anonymous"


@dataclass(slots=True)
class Spot:
    """One box with its words. `kind` is a legal status, `enterprise`, or `anonymous`."""

    key: str
    name: str
    detail: str
    kind: str
    url: str | None = None
    root: bool = False
    depth: int = 0
    day: str = ""
    batches: int = 0
    batch: Batch | None = None
    content_g: float = 0.0
    beside: list[Stub] = field(default_factory=list[Stub])

    @property
    def seen(self) -> bool:
        """May the reader know what and whose it is?"""
        return self.kind != ANONYMOUS


@dataclass(frozen=True)
class Picture:
    """A trace put together at one level, with the numbers of its drawing."""

    level: Level
    root_g: int
    spots: dict[str, Spot]
    links: Sequence[Link]
    stubs: Sequence[Stub]
    inside_g: int
    """What moved within boxes, and is not drawn."""

    @cached_property
    def layout(self) -> Layout:
        """Where everything goes."""
        return lay_out(list(self.spots), self.links, self.stubs, width=WIDTH_PX)

    @property
    def hops(self) -> list[list[Spot]]:
        """Boxes by layer from left to right, the heaviest first."""
        layer = {box.key: box.layer for box in self.layout.boxes}
        if self.level == "batch":
            layer = {key: spot.depth for key, spot in self.spots.items()}
        found: defaultdict[int, list[Spot]] = defaultdict(list)
        for key, spot in self.spots.items():
            found[layer[key]].append(spot)
        return [sorted(found[each], key=lambda spot: -self.through_g(spot)) for each in sorted(found)]

    def through_g(self, spot: Spot) -> float:
        """What of the root went through a box: of many batches only what came in or went out, not each step within."""
        return spot.content_g if self.level == "batch" else self._through_g[spot.key]

    @cached_property
    def _through_g(self) -> dict[str, int]:
        return {box.key: box.mass_g for box in self.layout.boxes}

    def share(self, mass_g: float) -> float:
        """Of the root's mass."""
        return mass_g / self.root_g if self.root_g else 0.0


@dataclass(frozen=True)
class Painter:
    """Puts a trace into words for one reader."""

    seen: Seen
    t: Words
    trace_url: Callable[[Batch], str]

    def picture(self, traced: Trace, direction: Direction, level: Level, horizon: Horizon) -> Picture:
        """Boxes, ribbons and stubs of a trace at a level."""
        beside = streams(self.seen.lineage, traced, direction, horizon)
        ranks = traced.nodes.rank.tolist()
        key_of = {rank: self._key(rank, level) for rank in ranks}
        spots: dict[str, Spot] = {}
        contents_g = traced.nodes.content_g.tolist()
        for rank, depth, content_g in zip(ranks, traced.nodes.depth.tolist(), contents_g, strict=True):
            spot = spots.get(key_of[rank])
            if spot is None:
                spot = spots[key_of[rank]] = self._spot(rank, key_of[rank], level, depth)
            spot.batches += 1
            spot.root |= depth == 0
            spot.content_g += content_g
        links, inside_g = _links(traced, key_of)
        stubs: dict[tuple[str, str, bool], float] = defaultdict(float)
        for stream in beside:
            stubs[key_of[stream.rank], stream.name, stream.inward] += stream.mass_g
        ends = [Stub(key, name, round(mass_g), inward) for (key, name, inward), mass_g in stubs.items()]
        for stub in ends:
            spots[stub.node].beside.append(stub)
        own = self.seen.lineage.batches.mass_g
        return Picture(
            level,
            sum(own[rank] for rank in traced.roots.tolist()),
            spots,
            links,
            ends,
            inside_g,
        )

    def _key(self, rank: int, level: Level) -> str:
        if level == "batch":
            return f"b{rank}"
        lineage = self.seen.lineage
        if self.seen.batch(rank) is None:
            return f"{ANONYMOUS} {self._prefecture(rank) if level == 'enterprise' else ''}"
        if level == "enterprise":
            return lineage.holders.names[lineage.batches.holder[rank]]
        return lineage.materials.names[lineage.batches.material[rank]]

    def _spot(self, rank: int, key: str, level: Level, depth: int) -> Spot:
        service = self.seen.service
        batch = self.seen.batch(rank)
        day = day_of(self.seen.lineage.batches.made_us[rank]).isoformat()
        if batch is None:
            name = self.t("trace.anonymous_material" if level == "material" else "trace.anonymous")
            return Spot(key, name, self._prefecture(rank), ANONYMOUS, depth=depth, day=day)
        material = service.catalogue.material(batch.material)
        known = service.book.enterprises.get(batch.holder)
        holder = self.t.chosen(known.registered.name, known.registered.name_en) if known else batch.holder
        match level:
            case "batch":
                url = self.trace_url(batch) if self.seen.oversees(rank) else None
                name = material.name(self.t.language)
                return Spot(key, name, holder, batch.status, url, depth=depth, day=day, batch=batch)
            case "enterprise":
                return Spot(key, holder, self._prefecture(rank), "enterprise", depth=depth, day=day)
            case "material":
                code = material.waste_code or ""
                return Spot(key, material.name(self.t.language), code, material.legal_status, depth=depth, day=day)

    def _prefecture(self, rank: int) -> str:
        division = self.seen.where(rank)["prefecture"]
        if not isinstance(division, str):
            return self.t("trace.somewhere")
        return division_name(division, self.seen.service.catalogue, self.t.language)


def _links(traced: Trace, key_of: dict[int, str]) -> tuple[list[Link], int]:
    """Ribbons between boxes, and what moved within them."""
    edges = traced.edges
    masses: dict[tuple[str, str], float] = defaultdict(float)
    inside = 0.0
    for giver, taker, mass_g in zip(
        edges.from_rank.tolist(), edges.to_rank.tolist(), edges.content_g.tolist(), strict=True
    ):
        pair = key_of[giver], key_of[taker]
        if pair[0] == pair[1]:
            inside += mass_g
        else:
            masses[pair] += mass_g
    return [Link(source, target, round(mass_g)) for (source, target), mass_g in masses.items()], round(inside)
