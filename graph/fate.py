"""Where the mass of batches ended, and where it came from, by proportional mixing on one basis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from flows.balance import Boundary
from flows.errors import Unknown
from flows.fates import FATES, FateClass
from flows.ids import EnterpriseId
from flows.mass import share_out
from graph.arrays import Floats, Ints, Mask
from graph.bounds import Bounds, bounds
from graph.cone import Cone, downstream, upstream
from graph.lineage import ARISING, BOUNDARIES, EVERYTHING, Horizon, Lineage
from graph.mixing import PROPORTIONAL, Basis, Lines, Mixing, left, mixing
from graph.prefix import AS_WEIGHED, ASSAYED, ASSUMED, Prefix

ROUNDING: Final = 1e-9
"""How far floating-point sums over a cone may be off, as a share: more is a fault of the kernel."""
_FINE: Final = 1 << 60
"""Fractions become whole weights of this fineness before grams are shared out by them."""


@dataclass(frozen=True, slots=True)
class Footing:
    """Of the source's mass as weighed, what part had its moisture assayed, assumed, or taken as none."""

    assayed_g: int
    assumed_g: int
    as_weighed_g: int


@dataclass(frozen=True, slots=True)
class Fate:
    """Where the source's mass is at the horizon: every gram in one class.

    `fractions` is None when there is nothing to divide: no source batch by the horizon, or no dry matter in it.
    """

    mass_g: int
    """Of the source, on the basis."""
    basis: Basis
    footing: Footing
    grams: Mapping[FateClass, int]
    """Every class, summing to `mass_g`."""
    fractions: Mapping[FateClass, float] | None
    bounds: Mapping[FateClass, tuple[int, int]] | None = None
    """The least and most grams that masses alone allow, outer; None where a source was made of another."""
    policy: str = PROPORTIONAL


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a batch: an arising batch, or what came over a boundary into a movement."""

    boundary: Boundary
    holder: EnterpriseId
    material: str
    """Of a gap that came from nowhere: empty."""
    share: float
    grams: int
    rank: int | None = None
    """The arising batch."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a batch's mass came from, the largest first; shares sum to one."""

    mass_g: int
    basis: Basis
    footing: Footing
    sources: Sequence[Source]
    policy: str = PROPORTIONAL

    def grouped(self) -> dict[tuple[EnterpriseId, Boundary, str], float]:
        """Shares by generator, boundary and material."""
        shares: dict[tuple[EnterpriseId, Boundary, str], float] = {}
        for source in self.sources:
            key = source.holder, source.boundary, source.material
            shares[key] = shares.get(key, 0.0) + source.share
        return shares


def arising(
    lineage: Lineage,
    horizon: Horizon = EVERYTHING,
    *,
    holder: EnterpriseId | None = None,
    waste_code: str | None = None,
    material: str | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
) -> Ints:
    """Ranks of the batches that arose: of a generator, a waste code or material, with effective time from ≤ t < to."""
    prefix = Prefix(lineage, horizon)
    ranks = prefix.ranks
    ranks = ranks[np.isin(prefix.origin[ranks], ARISING)]
    if holder is not None:
        ranks = ranks[prefix.holder[ranks] == _or_none(lineage.holders.find(holder))]
    if material is not None:
        ranks = ranks[prefix.material[ranks] == _or_none(lineage.materials.find(material))]
    if waste_code is not None:
        codes = [lineage.catalogue.material(name).waste_code == waste_code for name in lineage.materials.names]
        ranks = ranks[np.array(codes, bool)[prefix.material[ranks]]]
    if from_us is not None:
        ranks = ranks[prefix.made_us[ranks] >= from_us]
    return ranks if to_us is None else ranks[prefix.made_us[ranks] < to_us]


def fates(lineage: Lineage, horizon: Horizon = EVERYTHING, basis: Basis = "weighed") -> Floats:
    """The fate of every batch: a row for each rank, a column for each of `FATES`; rows sum to one.

    A batch that had not been made by the horizon, or has no mass on the basis, has a row of zeros.
    """
    prefix = Prefix(lineage, horizon)
    mix = mixing(prefix, prefix.movements, basis)
    shares = np.zeros((len(prefix.mass_g), len(FATES)))
    ranks = prefix.ranks
    rest, where = left(prefix, ranks, mix.held)
    shares[ranks, where] = _over(rest, mix.held[ranks])
    np.add.at(shares, (mix.gaps.what, mix.gaps.detail), _over(mix.gaps.mass, mix.held[mix.gaps.what]))
    ended = np.zeros((len(mix.movements), len(FATES)))
    np.add.at(ended, (mix.ends.movement, mix.ends.what), mix.out_of(mix.ends))
    out, into = mix.out_of(mix.makes), mix.into()
    for _, drawn, made in reversed(list(mix.levels())):
        _add_rows(ended, mix.makes.movement[made], shares[mix.makes.what[made]] * out[made, None])
        order = np.argsort(mix.draws.what[drawn], kind="stable")
        rows = ended[mix.draws.movement[drawn][order]] * into[drawn][order, None]
        _add_rows(shares, mix.draws.what[drawn][order], rows)
    return shares


def fate(
    lineage: Lineage,
    sources: int | Ints | Mask | Sequence[int],
    horizon: Horizon = EVERYTHING,
    basis: Basis = "weighed",
) -> Fate:
    """The fate of a batch, or of several together: by rank, by ranks, or by a mask over all ranks.

    Of several, those that had not been made by the horizon are left out.

    Raises:
        Unknown: a batch that had not been made by the horizon.
    """
    prefix = Prefix(lineage, horizon)
    ranks = _made(prefix, sources) if isinstance(sources, int) else _ranks(prefix, sources)
    cone = downstream(prefix, ranks)
    mix = mixing(prefix, cone.movements, basis)
    content = np.zeros(len(prefix.mass_g))
    content[ranks] = mix.held[ranks]
    passed = mix.forward(content)
    ended = _ended(prefix, cone, mix, content, passed)
    held, total = float(mix.held[ranks].sum()), float(ended.sum())
    assert abs(total - held) <= ROUNDING * held, f"{held} g went in, {total} g came out"
    mass_g = round(held)
    parts = ended / total if total > 0 else ended
    grams = share_out(mass_g, [int(part * _FINE) for part in parts]) if total > 0 and mass_g else [0] * len(FATES)
    outer = bounds(prefix, cone, mix, ranks)
    return Fate(
        mass_g,
        basis,
        _footing(prefix, ranks, basis),
        dict(zip(FATES, grams, strict=True)),
        dict(zip(FATES, parts.tolist(), strict=True)) if total > 0 else None,
        _by_class(outer),
    )


def provenance(lineage: Lineage, rank: int, horizon: Horizon = EVERYTHING, basis: Basis = "weighed") -> Provenance:
    """Where a batch's mass came from: arising batches, additions, and gaps that were found to be too much.

    Raises:
        Unknown: a batch that had not been made by the horizon.
    """
    prefix = Prefix(lineage, horizon)
    ranks = _made(prefix, rank)
    mix = mixing(prefix, upstream(prefix, ranks).movements, basis)
    share = np.zeros(len(prefix.mass_g))
    share[ranks] = mix.held[ranks] > 0
    came = mix.backward(share)
    mass_g = round(float(mix.held[ranks].sum()))
    keyed: dict[tuple[Boundary, EnterpriseId, str, int | None], float] = {}
    for key, part in zip(
        _keys(prefix, mix), (came[mix.sources.movement] * mix.out_of(mix.sources)).tolist(), strict=True
    ):
        if part > 0:
            keyed[key] = keyed.get(key, 0.0) + part
    found = sorted(keyed.items(), key=lambda pair: (-pair[1], str(pair[0])))
    grams = share_out(mass_g, [int(part * _FINE) for _, part in found]) if found and mass_g else [0] * len(found)
    sources = tuple(
        Source(boundary, holder, material, part, part_g, arose)
        for ((boundary, holder, material, arose), part), part_g in zip(found, grams, strict=True)
    )
    return Provenance(mass_g, basis, _footing(prefix, ranks, basis), sources)


def _keys(prefix: Prefix, mix: Mixing) -> list[tuple[Boundary, EnterpriseId, str, int | None]]:
    """What each source line is: a batch that arose by it, or a material that was added to a movement."""
    lineage = prefix.lineage
    firsts = mix.makes.bounds(np.arange(len(mix.movements), dtype=np.int64))
    drawn = np.bincount(mix.draws.movement, minlength=len(mix.movements))
    keys: list[tuple[Boundary, EnterpriseId, str, int | None]] = []
    for own, boundary, detail in zip(mix.sources.movement, mix.sources.what, mix.sources.detail, strict=True):
        holder = lineage.holders.names[int(prefix.enterprise[mix.movements[own]])]
        if drawn[own]:
            keys.append((BOUNDARIES[int(boundary)], holder, lineage.details.names[int(detail)], None))
        else:
            rank = int(mix.makes.what[firsts[own]])
            keys.append((BOUNDARIES[int(boundary)], holder, lineage.materials.names[int(prefix.material[rank])], rank))
    return keys


def _ended(prefix: Prefix, cone: Cone, mix: Mixing, content: Floats, passed: Floats) -> Floats:
    """What of the content ended in each class."""
    size = len(FATES)
    ended = np.bincount(mix.ends.what, passed[mix.ends.movement] * mix.out_of(mix.ends), size)
    ended = ended + _by(mix.gaps, content, mix.held, size)
    rest, where = left(prefix, cone.ranks, mix.held)
    return ended + np.bincount(where, content[cone.ranks] * _over(rest, mix.held[cone.ranks]), size)


def _by(gaps: Lines, content: Floats, held: Floats | Ints, size: int) -> Floats:
    return np.bincount(gaps.detail, content[gaps.what] * _over(gaps.mass, held[gaps.what]), size).astype(np.float64)


def _over(parts: Floats, wholes: Floats | Ints) -> Floats:
    return np.divide(parts, wholes, out=np.zeros(len(parts)), where=wholes > 0)


def _add_rows(table: Floats, rows: Ints, values: Floats) -> None:
    """Add to rows that are named in ascending order, some more than once."""
    if len(rows):
        firsts = np.flatnonzero(np.diff(rows, prepend=-1))
        table[rows[firsts]] += np.add.reduceat(values, firsts, axis=0)


def _ranks(prefix: Prefix, sources: int | Ints | Mask | Sequence[int]) -> Ints:
    """The sources that had been made by the horizon, each once, in order."""
    given = np.atleast_1d(np.asarray(sources))
    ranks = np.flatnonzero(given) if given.dtype == bool else np.unique(given.astype(np.int64))
    return ranks[prefix.has(ranks)].astype(np.int64)


def _made(prefix: Prefix, rank: int) -> Ints:
    """The one source, which must have been made by the horizon."""
    ranks = _ranks(prefix, rank)
    if not len(ranks):
        raise Unknown("batch-unknown", batch=prefix.lineage.batch_ids[rank])
    return ranks


def _footing(prefix: Prefix, ranks: Ints, basis: Basis) -> Footing:
    mass_g = prefix.mass_g[ranks]
    if basis == "weighed":
        return Footing(0, 0, int(mass_g.sum()))
    how = prefix.moistures.how[ranks]
    return Footing(*(int(mass_g[how == each].sum()) for each in (ASSAYED, ASSUMED, AS_WEIGHED)))


def _by_class(outer: Bounds | None) -> Mapping[FateClass, tuple[int, int]] | None:
    if outer is None:
        return None
    return {each: (least, most) for each, least, most in zip(FATES, outer.least_g, outer.most_g, strict=True)}


def _or_none(number: int | None) -> int:
    return -1 if number is None else number
