"""The trace of a batch up and down: every batch once, with what of the root's mass went through it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from flows.errors import Unknown
from flows.events import LegalStatus
from flows.ids import EnterpriseId
from graph.arrays import Floats, Ints, Mask, ranges
from graph.cone import Cone, downstream, upstream
from graph.lineage import EVERYTHING, STATUSES, Horizon, Lineage
from graph.mixing import Lines, Mixing, mixing
from graph.prefix import Prefix

Direction: TypeAlias = Literal["up", "down", "both"]
Level: TypeAlias = Literal["enterprise", "material"]

_NO_RANK: Final = -1


@dataclass(frozen=True, slots=True)
class Filter:
    """Which batches a trace shows. It looks at all the others, too: a filter hides, and changes no share."""

    materials: frozenset[str] | None = None
    statuses: frozenset[LegalStatus] | None = None
    waste_codes: frozenset[str] | None = None
    enterprises: frozenset[EnterpriseId] | None = None
    division: str = ""
    """A prefix: 51 is the province, 5101 the prefecture."""
    from_us: int | None = None
    to_us: int | None = None
    """Made from `from_us` on, and before `to_us`."""


ALL: Final = Filter()


@dataclass(frozen=True, slots=True)
class Nodes:
    """Batches by rank. `content_g` is what of the root's mass went through each, by proportional mixing."""

    rank: Ints
    depth: Ints
    """Movements from the root: upstream negative, the root 0."""
    mass_g: Ints
    left_g: Ints
    content_g: Floats
    share: Floats
    """Of the root's mass."""
    holder: Ints
    material: Ints

    def __len__(self) -> int:
        return len(self.rank)


@dataclass(frozen=True, slots=True)
class Edges:
    """From batch to batch: all the mass that went that way by proportional mixing, and what of it is the root's."""

    from_rank: Ints
    to_rank: Ints
    mass_g: Floats
    content_g: Floats
    position: Ints

    def __len__(self) -> int:
        return len(self.from_rank)


@dataclass(frozen=True, slots=True)
class Crossings:
    """Mass over the boundary: where it ended (`what` indexes `FATES`) or came from (`what` indexes `BOUNDARIES`)."""

    position: Ints
    rank: Ints
    """Of a batch's own gap, the batch; else -1."""
    what: Ints
    detail: Ints
    """Of a source, its name in `Lineage.details`."""
    mass_g: Floats
    content_g: Floats

    def __len__(self) -> int:
        return len(self.position)


@dataclass(frozen=True, slots=True)
class Trace:
    """What came of the root and what it came from: columns, in the order of ranks and of the ledger."""

    roots: Ints
    nodes: Nodes
    edges: Edges
    ends: Crossings
    sources: Crossings


@dataclass(frozen=True, slots=True)
class Summary:
    """A trace by enterprise or by material; an edge may lead back to where it began."""

    names: tuple[str, ...]
    batches: Ints
    mass_g: Ints
    left_g: Ints
    from_name: Ints
    """Index into `names`."""
    to_name: Ints
    edge_mass_g: Floats
    edge_content_g: Floats
    edge_count: Ints


def trace(
    lineage: Lineage,
    roots: int | Sequence[int],
    direction: Direction = "both",
    *,
    depth_max: int | None = None,
    horizon: Horizon = EVERYTHING,
    only: Filter = ALL,
) -> Trace:
    """Follow batches down to what was made of them, up to what they were made of, or both.

    Shares count every way that leads to a batch, also one that is longer than `depth_max`.

    Raises:
        Unknown: a root that had not been made by the horizon.
    """
    prefix = Prefix(lineage, horizon)
    ranks = np.unique(np.atleast_1d(np.asarray(roots, np.int64)))
    if len(unmade := ranks[~prefix.has(ranks)]):
        raise Unknown("batch-unknown", batch=", ".join(_names_of(lineage, unmade)))
    if direction == "up":
        return _half(prefix, ranks, depth_max, only, up=True)[0]
    down, passed = _half(prefix, ranks, depth_max, only, up=False)
    if direction == "down":
        return down
    up, _ = _half(prefix, ranks, depth_max, only, up=True, told=passed)
    return _joined(up, down)


def _names_of(lineage: Lineage, ranks: Ints) -> list[str]:
    known = len(lineage.batch_ids)
    return [lineage.batch_ids[int(rank)] if 0 <= rank < known else str(rank) for rank in ranks]


def _half(
    prefix: Prefix, roots: Ints, depth_max: int | None, only: Filter, *, up: bool, told: Ints | None = None
) -> tuple[Trace, Ints]:
    """One direction, and its movements; `told` are movements that the other half has told of."""
    cone = upstream(prefix, roots) if up else downstream(prefix, roots)
    mix = mixing(prefix, cone.movements)
    content = np.zeros(len(prefix.mass_g))
    content[roots] = prefix.mass_g[roots]
    passed = mix.backward(content) if up else mix.forward(content)
    near = cone.depth <= depth_max if depth_max is not None else np.ones(len(cone.ranks), bool)
    shown = cone.ranks[near & (_passing(prefix, cone.ranks, only) | np.isin(cone.ranks, roots))]
    view = _View(prefix, mix, shown, content, passed, up, ~np.isin(mix.movements, [] if told is None else told))
    nodes = _nodes(prefix, cone, shown, content, roots, up=up)
    return Trace(roots, nodes, view.edges(), view.ends(), view.sources()), cone.movements


def _passing(prefix: Prefix, ranks: Ints, only: Filter) -> Mask:
    lineage = prefix.lineage
    passing = np.ones(len(ranks), bool)
    if only.materials is not None:
        passing &= _named(lineage.materials.names, only.materials)[prefix.material[ranks]]
    if only.waste_codes is not None:
        codes = [lineage.catalogue.material(name).waste_code or "" for name in lineage.materials.names]
        passing &= _named(codes, only.waste_codes)[prefix.material[ranks]]
    if only.statuses is not None:
        passing &= _named(STATUSES, only.statuses)[prefix.status[ranks]]
    if only.enterprises is not None:
        passing &= _named(lineage.holders.names, only.enterprises)[prefix.holder[ranks]]
    if only.division:
        divisions = lineage.divisions_as_of(prefix.horizon.as_of)
        inside = [divisions.get(site, "").startswith(only.division) for site in lineage.sites.names]
        passing &= np.array(inside, bool)[prefix.site[ranks]]
    if only.from_us is not None:
        passing &= prefix.made_us[ranks] >= only.from_us
    if only.to_us is not None:
        passing &= prefix.made_us[ranks] < only.to_us
    return passing


def _named(names: Sequence[str], wanted: frozenset[str] | frozenset[LegalStatus]) -> Mask:
    return np.array([name in wanted for name in names], bool)


def _nodes(prefix: Prefix, cone: Cone, shown: Ints, content: Floats, roots: Ints, *, up: bool) -> Nodes:
    depth = cone.depth[np.searchsorted(cone.ranks, shown)]
    whole = float(prefix.mass_g[roots].sum())
    return Nodes(
        shown,
        -depth if up else depth,
        prefix.mass_g[shown].copy(),
        prefix.left_g(shown),
        content[shown],
        content[shown] / whole,
        prefix.holder[shown].astype(np.int64),
        prefix.material[shown].astype(np.int64),
    )


@dataclass(frozen=True, slots=True)
class _View:
    """What is shown of a half: lines between the batches that are, and over the boundary beside them."""

    prefix: Prefix
    mix: Mixing
    shown: Ints
    content: Floats
    passed: Floats
    up: bool
    fresh: Mask
    """Which movements the other half has not told of."""

    def seen(self) -> Mask:
        """Which of all batches are shown."""
        seen = np.zeros(len(self.prefix.mass_g), bool)
        seen[self.shown] = True
        return seen

    def positions(self, movement: Ints) -> Ints:
        """Of the entries that movements, by their place here, stand in."""
        return self.prefix.position[self.mix.movements[movement]]

    def edges(self) -> Edges:
        """Every draw with every batch that its movement made, both ends shown; two draws on one batch are one."""
        mix, seen = self.mix, self.seen()
        draws = _once(mix.draws, seen[mix.draws.what])
        makes = np.flatnonzero(seen[mix.makes.what])
        own = mix.makes.movement[makes]
        firsts = np.searchsorted(own, draws.movement, "left").astype(np.int64)
        lasts = np.searchsorted(own, draws.movement, "right").astype(np.int64)
        draw = np.repeat(np.arange(len(draws.movement)), lasts - firsts)
        make = makes[ranges(firsts, lasts)]
        giver, taker, movement = draws.what[draw], mix.makes.what[make], draws.movement[draw]
        mass_g = draws.mass[draw] * mix.out_of(mix.makes)[make]
        if self.up:
            root_g = self.content[taker] * draws.mass[draw] / mix.through[movement]
        else:
            root_g = self.content[giver] * mass_g / self.prefix.mass_g[giver]
        edges = Edges(giver, taker, mass_g, root_g, self.positions(movement))
        return _picked(edges, np.lexsort((taker, giver, edges.position)))

    def beside(self) -> Mask:
        """Which movements made a batch that is shown (up), or drew on it (down)."""
        lines = self.mix.makes if self.up else self.mix.draws
        beside = np.zeros(len(self.mix.movements), bool)
        beside[lines.movement[self.seen()[lines.what]]] = True
        return beside & self.fresh

    def ends(self) -> Crossings:
        """Where mass ended: of movements, and of batches as gaps of their own. Upstream nothing of the root did."""
        ends, gaps = self.mix.ends, self.mix.gaps
        hit = self.beside()[ends.movement]
        missing = self.seen()[gaps.what] & self.fresh[gaps.movement]
        own_g = self.passed[ends.movement] * self.mix.out_of(ends)
        gap_g = self.content[gaps.what] * gaps.mass / self.prefix.mass_g[gaps.what]
        content_g = np.append(own_g[hit], gap_g[missing])
        crossings = Crossings(
            self.positions(np.append(ends.movement[hit], gaps.movement[missing])),
            np.append(np.full(int(hit.sum()), _NO_RANK), gaps.what[missing]),
            np.append(ends.what[hit], gaps.detail[missing]),
            np.append(ends.detail[hit], gaps.detail[missing]),
            np.append(ends.mass[hit], gaps.mass[missing]),
            np.zeros(len(content_g)) if self.up else content_g,
        )
        return _in_order(crossings)

    def sources(self) -> Crossings:
        """Where mass came from. Downstream nothing of the root came over the boundary."""
        sources = self.mix.sources
        hit = self.beside()[sources.movement]
        own_g = (self.passed[sources.movement] * self.mix.out_of(sources))[hit]
        crossings = Crossings(
            self.positions(sources.movement[hit]),
            np.full(int(hit.sum()), _NO_RANK),
            sources.what[hit],
            sources.detail[hit],
            sources.mass[hit],
            own_g if self.up else np.zeros(len(own_g)),
        )
        return _in_order(crossings)


def _once(draws: Lines, hit: Mask) -> Lines:
    """Some of the draws, put together to one for each movement and batch."""
    lines = np.flatnonzero(hit)
    order = lines[np.lexsort((draws.what[lines], draws.movement[lines]))]
    movement, what = draws.movement[order], draws.what[order]
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(movement) != 0) | (np.diff(what) != 0)
    mass = np.bincount(np.cumsum(first) - 1, draws.mass[order], int(first.sum())).astype(np.float64)
    return Lines(movement[first], what[first], mass, draws.detail[order][first], draws.line[order][first])


def _in_order(crossings: Crossings) -> Crossings:
    return _picked(crossings, np.lexsort((crossings.detail, crossings.what, crossings.rank, crossings.position)))


def _joined(up: Trace, down: Trace) -> Trace:
    """Both halves; a batch that stands in both, as the root does, once."""
    nodes = _stacked(_picked(up.nodes, np.flatnonzero(~np.isin(up.nodes.rank, down.nodes.rank))), down.nodes)
    return Trace(
        up.roots,
        _picked(nodes, np.argsort(nodes.rank)),
        _stacked(_untold(up.edges, down.edges), down.edges),
        _stacked(up.ends, down.ends),
        _stacked(up.sources, down.sources),
    )


def _untold(up: Edges, down: Edges) -> Edges:
    """The edges of the upper half that the lower does not have: of two roots one may have come of the other."""
    size = 1 + int(max([0, *up.to_rank.tolist(), *down.to_rank.tolist()]))
    told = np.isin(up.from_rank * size + up.to_rank, down.from_rank * size + down.to_rank)
    return _picked(up, np.flatnonzero(~told))


Table = TypeVar("Table", Nodes, Edges, Crossings)


def _picked(table: Table, rows: NDArray[np.intp]) -> Table:
    """Some rows of a table, in the order given."""
    columns: dict[str, Any] = {column.name: getattr(table, column.name)[rows] for column in fields(table)}
    return type(table)(**columns)


def _stacked(first: Table, second: Table) -> Table:
    """The rows of one table, then those of another."""
    columns: dict[str, Any] = {
        column.name: np.append(getattr(first, column.name), getattr(second, column.name)) for column in fields(first)
    }
    return type(first)(**columns)


def summary(lineage: Lineage, traced: Trace, by: Level) -> Summary:
    """A trace with its batches put together by holder or by material."""
    own = traced.nodes.holder if by == "enterprise" else traced.nodes.material
    names = lineage.holders.names if by == "enterprise" else lineage.materials.names
    kinds, place = np.unique(own, return_inverse=True)
    giver = place[np.searchsorted(traced.nodes.rank, traced.edges.from_rank)]
    taker = place[np.searchsorted(traced.nodes.rank, traced.edges.to_rank)]
    pairs, where = np.unique(giver * len(kinds) + taker, return_inverse=True)
    size = len(pairs)
    return Summary(
        tuple(names[int(kind)] for kind in kinds),
        np.bincount(place, minlength=len(kinds)),
        _summed(place, traced.nodes.mass_g, len(kinds)),
        _summed(place, traced.nodes.left_g, len(kinds)),
        pairs // max(1, len(kinds)),
        pairs % max(1, len(kinds)),
        np.bincount(where, traced.edges.mass_g, size).astype(np.float64),
        np.bincount(where, traced.edges.content_g, size).astype(np.float64),
        np.bincount(where, minlength=size),
    )


def _summed(place: Ints, values: Ints, size: int) -> Ints:
    sums = np.zeros(size, np.int64)
    np.add.at(sums, place, values)
    return sums
