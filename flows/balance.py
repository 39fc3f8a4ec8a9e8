"""What a fact moves: mass drawn, made, added and ended, to the gram; its postings sum to zero."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, get_args

from flows.batches import Batch, Origin
from flows.events import (
    Collected,
    Decided,
    Delivered,
    Disposed,
    Event,
    Generated,
    Left,
    LegalStatus,
    Loaded,
    Packing,
    Portion,
    Product,
    StockDeclared,
    Tapped,
    Transformed,
)
from flows.ids import BatchId, EnterpriseId, Id, ManifestId, SiteId
from flows.manifests import Manifest
from flows.materials import Catalogue

_STRICTEST_FIRST: Final[tuple[LegalStatus, ...]] = get_args(LegalStatus)
"""As the law lists them: hazardous waste, general waste, recycled raw material, product."""


class Boundary(StrEnum):
    """系统边界. An account outside: where mass comes from that no batch held, and where it ends."""

    OPENING = "opening"
    GENERATION = "generation"
    COLLECTION = "collection"
    TAPPING = "tapping"
    ADDITION = "addition"
    UNACCOUNTED = "unaccounted"
    SCALE_DIFFERENCE = "scale_difference"
    LOSS = "loss"
    DISPOSAL = "disposal"
    DELIVERY = "delivery"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Draw:
    """What a batch gave up: `mass_g` left its account, `weighed_g` went into the movement.

    They differ only where all the rest was taken and weighed otherwise than the book had it.
    """

    batch_id: BatchId
    mass_g: int
    weighed_g: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Mass over the boundary: `detail` is a loss kind, a method code, a use or a material."""

    boundary: Boundary
    mass_g: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Make:
    """A batch that a movement brought into being."""

    batch_id: BatchId
    material: str
    mass_g: int
    holder: EnterpriseId
    site_id: SiteId
    origin: Origin
    code: str | None = None
    packing: Packing | None = None
    manifest_id: ManifestId | None = None
    status: LegalStatus | None = None
    """What it is in law as the same material before it was; None: as the catalogue has the material."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One mixing: everything drawn and added is spread over everything made and ended, by mass.

    A draw's own gap (book less weighed) stays with its batch: a positive one ends under `gap`, a negative one is
    a source of that name, which enters this movement only.
    """

    draws: tuple[Draw, ...] = ()
    sources: tuple[Flow, ...] = ()
    makes: tuple[Make, ...] = ()
    ends: tuple[Flow, ...] = ()
    gap: Boundary = Boundary.UNACCOUNTED

    @property
    def throughput_g(self) -> int:
        """What went through: weighed draws and sources; equal to makes and ends."""
        return sum(draw.weighed_g for draw in self.draws) + sum(source.mass_g for source in self.sources)


@dataclass(frozen=True, slots=True)
class Posting:
    """分录. One signed mass on one account: a batch, or a boundary with its detail."""

    account: BatchId | Boundary
    mass_g: int
    detail: str = ""


class Known(Protocol):
    """What a movement must know of what was before it."""

    def batch(self, batch_id: BatchId) -> Batch:
        """The batch as it stands, or `Unknown`."""
        ...

    def manifest(self, manifest_id: ManifestId) -> Manifest:
        """The manifest as it stands, or `Unknown`."""
        ...


def movements(event: Event, known: Known) -> tuple[Movement, ...]:
    """The mixings of a fact, none for a fact that moves no mass; lines of a manifest do not mix with each other."""
    match event:
        case StockDeclared(product=product):
            return (_arising(event.enterprise, event.site_id, product, Boundary.OPENING, "stock"),)
        case Generated(product=product):
            return (_arising(event.enterprise, event.site_id, product, Boundary.GENERATION, "generated"),)
        case Collected(product=product):
            return (_arising(event.enterprise, event.site_id, product, Boundary.COLLECTION, "collected", event.scrap),)
        case Tapped(product=product):
            return (_arising(event.enterprise, event.site_id, product, Boundary.TAPPING, "tapped"),)
        case Transformed():
            return (_transformed(event, known),)
        case Loaded(lines=lines):
            return tuple(
                _passed_on(_draw(line.portion, known), (line.load_id, line.portion.mass_g), event.manifest_id, known)
                for line in lines
            )
        case Decided():
            return _decided(event, known)
        case Disposed(portions=portions, method=method):
            return (_ended(portions, Boundary.DISPOSAL, method, known),)
        case Delivered(portions=portions, use=use):
            return (_ended(portions, Boundary.DELIVERY, use, known),)
        case Left(portions=portions):
            return (_ended(portions, Boundary.LEFT, "abroad" if event.abroad else "", known),)
        case _:
            return ()


def postings(moved: Iterable[Movement]) -> list[Posting]:
    """The signed masses of a fact, summing to zero."""
    lines: list[Posting] = []
    for movement in moved:
        lines += [Posting(draw.batch_id, -draw.mass_g) for draw in movement.draws]
        lines += [Posting(source.boundary, -source.mass_g, source.detail) for source in movement.sources]
        lines += [Posting(made.batch_id, made.mass_g) for made in movement.makes]
        lines += [Posting(end.boundary, end.mass_g, end.detail) for end in movement.ends]
        gaps_g = [draw.mass_g - draw.weighed_g for draw in movement.draws]
        lines += [Posting(movement.gap, gap_g) for gap_g in gaps_g if gap_g]
    return lines


def total_g(lines: Iterable[Posting]) -> int:
    """The sum of signed masses."""
    return sum(line.mass_g for line in lines)


def process_gap_g(event: Transformed) -> int:
    """Weighed inputs and additions less outputs and losses; positive is missing, negative is found."""
    went_in = sum(portion.mass_g for portion in event.inputs) + sum(extra.mass_g for extra in event.additions)
    return went_in - sum(product.mass_g for product in event.outputs) - sum(loss.mass_g for loss in event.losses)


def _arising(
    holder: EnterpriseId, site_id: SiteId, product: Product, boundary: Boundary, origin: Origin, detail: str = ""
) -> Movement:
    return Movement(sources=(Flow(boundary, product.mass_g, detail),), makes=(_made(product, holder, site_id, origin),))


def _made(
    product: Product, holder: EnterpriseId, site_id: SiteId, origin: Origin, status: LegalStatus | None = None
) -> Make:
    return Make(
        product.batch_id, product.material, product.mass_g, holder, site_id, origin, product.code, product.packing,
        status=status,
    )  # fmt: skip


def _statuses(portions: Sequence[Portion], known: Known) -> dict[str, LegalStatus]:
    """What each material that went in was in law: of batches that differ, the strictest."""
    kept: dict[str, LegalStatus] = {}
    for portion in portions:
        batch = known.batch(portion.batch_id)
        both = {batch.status, kept.get(batch.material, batch.status)}
        kept[batch.material] = next(status for status in _STRICTEST_FIRST if status in both)
    return kept


def _draw(portion: Portion, known: Known) -> Draw:
    if portion.rest:
        return Draw(portion.batch_id, known.batch(portion.batch_id).left_g, portion.mass_g)
    return Draw(portion.batch_id, portion.mass_g, portion.mass_g)


def _draws(portions: Sequence[Portion], known: Known) -> tuple[Draw, ...]:
    return tuple(_draw(portion, known) for portion in portions)


def _transformed(event: Transformed, known: Known) -> Movement:
    sources = [Flow(Boundary.ADDITION, addition.mass_g, addition.material) for addition in event.additions]
    ends = [Flow(Boundary.LOSS, loss.mass_g, loss.kind) for loss in event.losses]
    gap_g = process_gap_g(event)  # shown, never smoothed
    if gap_g > 0:
        ends.append(Flow(Boundary.UNACCOUNTED, gap_g))
    elif gap_g < 0:
        sources.append(Flow(Boundary.UNACCOUNTED, -gap_g))
    statuses = _statuses(event.inputs, known)
    makes = tuple(
        _made(product, event.enterprise, event.site_id, "made", statuses.get(product.material))
        for product in event.outputs
    )
    return Movement(_draws(event.inputs, known), tuple(sources), makes, tuple(ends))


def shelf(event: Event, drawn: Sequence[Batch], catalogue: Catalogue) -> Id | None:
    """The storage area that a part, or a merged batch, is made in: where all lay of which it is made unchanged."""
    if not isinstance(event, Transformed) or catalogue.process(event.process).changes_substance:
        return None
    areas = {batch.storage_id for batch in drawn}
    return areas.pop() if len(areas) == 1 else None


def _passed_on(draw: Draw, load: tuple[BatchId, int], manifest_id: ManifestId, known: Known) -> Movement:
    source = known.batch(draw.batch_id)
    load_id, mass_g = load
    made = Make(
        load_id,
        source.material,
        mass_g,
        source.holder,
        source.site_id,
        "load",
        source.code,
        source.packing,
        manifest_id,
        source.status,
    )
    return Movement(draws=(draw,), makes=(made,))


def _decided(event: Decided, known: Known) -> tuple[Movement, ...]:
    submitted = known.manifest(event.manifest_id).submitted
    moved: list[Movement] = []
    for line in event.lines:
        load = known.batch(line.load_id)
        makes: list[Make] = []
        if accepted := line.accepted:
            makes.append(
                Make(
                    accepted.batch_id, load.material, accepted.mass_g, submitted.consignee, submitted.consignee_site,
                    "received", accepted.code or load.code, load.packing, event.manifest_id, load.status,
                )
            )  # fmt: skip
        if rejected := line.rejected:
            makes.append(
                Make(
                    rejected.batch_id, load.material, rejected.mass_g, load.holder, submitted.consignee_site,
                    "rejected", rejected.code or load.code, load.packing, event.manifest_id, load.status,
                )
            )  # fmt: skip
        weighed_g = sum(made.mass_g for made in makes)
        draw = Draw(line.load_id, load.left_g, weighed_g)
        moved.append(Movement(draws=(draw,), makes=tuple(makes), gap=Boundary.SCALE_DIFFERENCE))
    return tuple(moved)


def _ended(portions: Sequence[Portion], boundary: Boundary, detail: str, known: Known) -> Movement:
    draws = _draws(portions, known)
    return Movement(draws=draws, ends=(Flow(boundary, sum(draw.weighed_g for draw in draws), detail),))
