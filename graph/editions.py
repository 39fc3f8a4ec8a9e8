"""The lineage as it is read now, and as it was known before each correction: editions, made when somebody asks."""

from collections.abc import Iterable, Mapping, MutableMapping
from threading import Lock
from typing import Final

import numpy as np

from flows.book import Change
from flows.entries import Entry
from flows.materials import Catalogue
from graph.arrays import Batches, Column, Draws, Flows, Ints, Movements, Remarks
from graph.keeping import Found, Keeping
from graph.lineage import NO_LINE, Lineage
from graph.values import PLAIN, optional, record, row, several

KEPT: Final = 4
"""Editions before corrections that are kept for the next who asks: whoever compares two dates asks for two."""
_NOWHERE: Final = -1
_PAST: Final = several(row([PLAIN, optional(record(Change, leaving=frozenset({"revision"})))], tuple))
"""What an earlier entry did until each correction; none of those that mend is ever corrected, so no revision is in it."""


class Editions:
    """A follower of the ledger that reads corrections too.

    `now` is the index as the facts are read today. Corrections wait until somebody asks, and are then taken in together.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._now = Lineage(catalogue)
        self._waiting: dict[int, Change | None] = {}
        self._past: MutableMapping[int, list[tuple[int, Change | None]]] = {}
        self._revised: list[int] = []
        self._made: dict[int, Lineage] = {}
        self._position = 0
        self._lock = Lock()

    def keep(self, keeping: Keeping) -> None:
        """Hand out the index as the facts are read now, and what corrections took out of it."""
        self.now.keep(keeping)
        keeping.plain("lineage.revised", self._revised, PLAIN)
        keeping.table("lineage.past", self._past, PLAIN, _PAST)

    @classmethod
    def found(cls, catalogue: Catalogue, found: Found) -> "Editions":
        """The editions that were kept."""
        own = cls(catalogue)
        own._now = Lineage.found(catalogue, found)
        own._revised = found.plain("lineage.revised", PLAIN)
        own._past = found.table("lineage.past", PLAIN, _PAST)
        own._position = own._now.position
        return own

    def read(self, entry: Entry, change: Change) -> None:
        """Take in the next entry and what it did."""
        _ = entry
        with self._lock:
            if self._waiting and _needs_ranks(change, self._now):
                self._settle()
            if change.revision is not None:
                self._revise(change)
            self._now.read(entry, change)
            self._position = change.position

    @property
    def now(self) -> Lineage:
        """The index as the facts are read now."""
        with self._lock:
            self._settle()
            return self._now

    def as_of(self, position: int | None) -> Lineage:
        """The index without the corrections that came after a position; the entries after it are still in it."""
        with self._lock:
            self._settle()
            if position is None or not self._revised or position >= self._revised[-1]:
                return self._now
            until = next(each for each in self._revised if each > position)
            found = self._made.get(until)
            if found is None or found.position < position:
                then = {
                    place: next(was for since, was in past if since >= until)
                    for place, past in self._past.items()
                    if past[-1][0] >= until
                }
                self._made.pop(until, None)
                found = self._made[until] = revised(self._now, then)
                while len(self._made) > KEPT:
                    del self._made[next(iter(self._made))]
            return found

    def _revise(self, change: Change) -> None:
        assert change.revision is not None
        for position, reread in change.revision.entries.items():
            self._past.setdefault(position, []).append((change.position, reread.was))
            self._waiting[position] = reread.now
        self._revised.append(change.position)

    def _settle(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            self._now = revised(self._now, waiting)


def _needs_ranks(change: Change, lineage: Lineage) -> bool:
    """Does an entry draw on, or make, what only a waiting correction has brought or taken away?"""
    draws = {draw.batch_id for movement in change.movements for draw in movement.draws}
    makes = {made.batch_id for movement in change.movements for made in movement.makes}
    return any(name not in lineage.rank_of for name in draws) or any(name in lineage.rank_of for name in makes)


def revised(old: Lineage, changes: Mapping[int, Change | None]) -> Lineage:
    """Another index in which the entries at some positions did something else, or nothing; `old` stays as it is.

    What those entries wrote is taken out, what they write now is put at the end, and all is brought into entry order.
    """
    places = np.array(sorted(changes), np.int64)
    patch, first_rank, first_movement = _patched(old, [changes[int(place)] for place in places])
    new = Lineage(old.catalogue, old.names)
    new.site_entries = _replaced(old.site_entries, patch.site_entries, changes)
    new.storage_entries = _replaced(old.storage_entries, patch.storage_entries, changes)
    new.divisions = dict(new.site_entries.values())
    new.storage_sites = dict(new.storage_entries.values())

    kept = ~np.isin(old.movements.position.written(), places)
    movement_at = _places(old.movements.position.written()[kept], patch.movements.position.written()[first_movement:])
    moved, added = _new_numbers(kept, movement_at), movement_at[int(kept.sum()) :]
    added = np.concatenate([np.full(first_movement, _NOWHERE, np.int64), added])
    new.movements = Movements(**_merged(old.movements, patch.movements, kept, first_movement, np.argsort(movement_at)))

    kept_batches = kept[old.batches.movement.written()]
    maker = moved[old.batches.movement.written()[kept_batches]]
    patch_maker = added[patch.batches.movement.written()[first_rank:]]
    rank_at = _places(maker, patch_maker)
    order = np.argsort(rank_at)
    new.batches = Batches(**_merged(old.batches, patch.batches, kept_batches, first_rank, order))
    new.batches.movement = Column.of(np.concatenate([maker, patch_maker])[order].astype(np.int32))
    for name in ("batch_ids", "codes"):
        ours, theirs = getattr(old, name), getattr(patch, name)
        both = [*(ours[rank] for rank in np.flatnonzero(kept_batches).tolist()), *theirs[first_rank:]]
        setattr(new, name, [both[place] for place in order.tolist()])
    new.rank_of = {batch_id: rank for rank, batch_id in enumerate(new.batch_ids)}
    ranks = _new_numbers(kept_batches, rank_at)
    _find_again(ranks, old, new)
    patch_ranks = np.array([new.rank_of.get(batch_id, _NOWHERE) for batch_id in patch.batch_ids], np.int64)

    new.draws = _draws(old, patch, kept, (moved, added), (ranks, patch_ranks))
    new.sources = _flows(old.sources, patch.sources, kept, moved, added)
    new.ends = _flows(old.ends, patch.ends, kept, moved, added)
    for name in ("statuses", "places", "moistures"):
        setattr(new, name, _remarks(getattr(old, name), getattr(patch, name), places, ranks, patch_ranks))
    _chain(new)
    _raise_levels(new)
    new.close(old.position)
    return new


def _patched(old: Lineage, changes: Iterable[Change | None]) -> tuple[Lineage, int, int]:
    """The changes in an index of their own, behind a stand-in for each batch of others; and where they begin in it."""
    patch = Lineage(old.catalogue, old.names)
    patch.storage_sites = dict(old.storage_sites)
    known = [change for change in changes if change is not None]
    made = {made.batch_id for change in known for movement in change.movements for made in movement.makes}
    drawn = {draw.batch_id for change in known for movement in change.movements for draw in movement.draws}
    remarked = {change.batch.batch_id for change in known if change.batch is not None}
    for column in vars_of(patch.movements):
        column.append(0)
    for batch_id in sorted((drawn | remarked) - made):
        patch.rank_of[batch_id] = len(patch.batch_ids)
        patch.batch_ids.append(batch_id)
        patch.codes.append(None)
        for column in vars_of(patch.batches):
            column.append(0)
        patch.batches.newest_draw[patch.rank_of[batch_id]] = NO_LINE
    first_rank, first_movement = len(patch.batch_ids), patch.movements.position.size
    for change in known:
        patch.write(change)
    return patch, first_rank, first_movement


def vars_of(table: Batches | Movements) -> list[Column]:
    """The columns of a table."""
    return [getattr(table, name) for name in table.__slots__]


def _replaced(
    old: Mapping[int, tuple[str, str]], new: Mapping[int, tuple[str, str]], changes: Mapping[int, Change | None]
) -> dict[int, tuple[str, str]]:
    kept = {position: told for position, told in old.items() if position not in changes}
    return dict(sorted((kept | dict(new)).items()))


def _places(ours: Ints, theirs: Ints) -> Ints:
    """Where each of two sorted sequences, one behind the other, comes to stand when they are merged."""
    order = np.argsort(np.concatenate([ours, theirs]), kind="stable")
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return places


def _new_numbers(kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]", places: Ints) -> Ints:
    """The new number of each old row; `_NOWHERE` for those taken out."""
    numbers = np.full(len(kept), _NOWHERE, np.int64)
    numbers[kept] = places[: int(kept.sum())]
    return numbers


def _merged(
    old: Batches | Movements, patch: Batches | Movements, kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
    first: int, order: Ints,
) -> dict[str, Column]:  # fmt: skip
    """All columns of two tables, in their new order."""
    merged: dict[str, Column] = {}
    for name in old.__slots__:
        ours, theirs = getattr(old, name).written()[kept], getattr(patch, name).written()[first:]
        merged[name] = Column.of(np.concatenate([ours, theirs])[order])
    return merged


def _find_again(ranks: Ints, old: Lineage, new: Lineage) -> None:
    """A batch that a changed entry makes anew is the same to all who use it."""
    for rank in np.flatnonzero(ranks == _NOWHERE).tolist():
        ranks[rank] = new.rank_of.get(old.batch_ids[rank], _NOWHERE)


def _draws(
    old: Lineage, patch: Lineage, kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
    movements: tuple[Ints, Ints], ranks: tuple[Ints, Ints],
) -> Draws:  # fmt: skip
    ours, theirs = old.draws, patch.draws
    lines = kept[ours.movement.written()]
    movement = np.concatenate([movements[0][ours.movement.written()[lines]], movements[1][theirs.movement.written()]])
    batch = np.concatenate([ranks[0][ours.batch.written()[lines]], ranks[1][theirs.batch.written()]])
    assert (batch >= 0).all(), "a withdrawn batch is drawn on"
    order = np.argsort(movement, kind="stable")

    def both(name: str) -> Ints:
        return np.concatenate([getattr(ours, name).written()[lines], getattr(theirs, name).written()])[order]

    return Draws(
        movement=Column.of(movement[order].astype(np.int32)), batch=Column.of(batch[order].astype(np.int32)),
        mass_g=Column.of(both("mass_g")), weighed_g=Column.of(both("weighed_g")),
    )  # fmt: skip


def _flows(
    ours: Flows, theirs: Flows, kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]", moved: Ints, added: Ints
) -> Flows:
    lines = kept[ours.movement.written()]
    movement = np.concatenate([moved[ours.movement.written()[lines]], added[theirs.movement.written()]])
    order = np.argsort(movement, kind="stable")
    columns: dict[str, Column] = {}
    for name in ours.__slots__:
        both = np.concatenate([getattr(ours, name).written()[lines], getattr(theirs, name).written()])
        columns[name] = Column.of((movement.astype(np.int32) if name == "movement" else both)[order])
    return Flows(**columns)


def _remarks(ours: Remarks, theirs: Remarks, places: Ints, ranks: Ints, patch_ranks: Ints) -> Remarks:
    lines = ~np.isin(ours.position.written(), places)
    batch = np.concatenate([ranks[ours.batch.written()[lines]], patch_ranks[theirs.batch.written()]])
    position = np.concatenate([ours.position.written()[lines], theirs.position.written()])
    order = np.argsort(position, kind="stable")
    order = order[batch[order] >= 0]
    columns: dict[str, Column] = {"batch": Column.of(batch[order].astype(np.int32))}
    for name in ("position", "effective_us", "value"):
        both = np.concatenate([getattr(ours, name).written()[lines], getattr(theirs, name).written()])
        columns[name] = Column.of(both[order])
    return Remarks(**columns)


def _chain(lineage: Lineage) -> None:
    """Each batch's draws as a list again, the newest first."""
    batch = lineage.draws.batch.written()
    order = np.argsort(batch, kind="stable")
    sorted_batch = batch[order]
    same = sorted_batch[1:] == sorted_batch[:-1]
    older = np.full(len(batch), NO_LINE, np.int32)
    older[order[1:][same]] = order[:-1][same]
    newest = np.full(len(lineage.batch_ids), NO_LINE, np.int32)
    newest[sorted_batch] = order  # of several draws on a batch the last stays
    lineage.draws.older = Column.of(older)
    lineage.batches.newest_draw = Column.of(newest)


def _raise_levels(lineage: Lineage) -> None:
    """Each movement stands above those that made what it draws: raised where a correction made it wrong."""
    level = lineage.movements.level.written()
    drawer, maker = lineage.draws.movement.written(), lineage.batches.movement.written()[lineage.draws.batch.written()]
    while (low := level[drawer] <= level[maker]).any():
        np.maximum.at(level, drawer[low], level[maker[low]] + 1)
