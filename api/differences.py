"""差异. What two states of knowledge, or two instants, tell otherwise: batches, manifests, figures, and which fact did it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final, Literal, TypeAlias, TypeVar

import numpy as np

from api.corrections import correction_in, leaves
from api.rest.answers import batch_json
from api.service import Service
from flows.access import Caller, Sight
from flows.batches import Batch
from flows.book import Book
from flows.entries import Entry, event_json
from flows.errors import Malformed
from flows.events import Event
from flows.ids import BatchId, ManifestId
from flows.indicators import Question, Value, definition, definitions
from flows.manifests import Manifest, state
from flows.times import earliest_us, moment_of
from graph.figures import Contribution, figures, parts
from graph.lineage import STATUSES, Horizon
from graph.prefix import Prefix

FACTS_MOST: Final = 20
"""Facts that one difference names; it counts the others. More on one figure or batch is a matter of the entries' list."""
How: TypeAlias = Literal["made", "withdrawn", "changed"]
"""新增 · 不再存在 · 变化"""
Name = TypeVar("Name", BatchId, ManifestId)
Thing = TypeVar("Thing", Batch, Manifest)
Leaves: TypeAlias = dict[str, object]


@dataclass(frozen=True)
class State:
    """One side of a comparison: what was known, and of it what had happened."""

    service: Service
    sight: Sight
    horizon: Horizon

    @property
    def position(self) -> int:
        """The last entry that was known."""
        assert self.horizon.as_of is not None, "a side of a comparison is pinned"
        return self.horizon.as_of

    @cached_property
    def prefix(self) -> Prefix:
        """The lineage, as far as it was known and had happened."""
        return Prefix(self.service.lineage, self.horizon)


@dataclass(frozen=True, slots=True)
class Because:
    """A fact that did it, and for a correction the facts that it is about, as far as the caller sees them."""

    entry: Entry
    corrects: tuple[int, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class Changed:
    """A batch or a manifest that is told otherwise. Values and facts are looked up for the rows that somebody reads."""

    name: str
    how: How
    views: Callable[[], tuple[Leaves | None, Leaves | None]]
    facts: Callable[[], tuple[tuple[Because, ...], int]]

    @cached_property
    def fields(self) -> Mapping[str, tuple[object, object]]:
        """By field what was and what is."""
        then, now = (view or {} for view in self.views())
        names = dict.fromkeys([*then, *now])
        return {name: (then.get(name), now.get(name)) for name in names if then.get(name) != now.get(name)}

    @cached_property
    def because(self) -> tuple[Because, ...]:
        """The facts that did it and that the caller may read, the earliest first."""
        return self._told[0]

    @property
    def others(self) -> int:
        """Facts beyond those named, or that the caller does not see."""
        return self._told[1]

    @cached_property
    def _told(self) -> tuple[tuple[Because, ...], int]:
        return self.facts()


@dataclass(frozen=True, slots=True)
class Figured:
    """A figure that is told otherwise."""

    was: Value
    now: Value
    because: tuple[Because, ...]
    others: int = 0


@dataclass(frozen=True)
class Comparison:
    """Two states as one caller may see them."""

    earlier: State
    later: State

    @classmethod
    def of(cls, service: Service, caller: Caller, earlier: Horizon, later: Horizon) -> "Comparison":
        """Compare what was known at one position with what is known at another, or had happened by two instants.

        Raises:
            Malformed: the second lies before the first.
        """
        end = service.recording.catch_up()
        sides: list[State] = []
        for horizon in (earlier, later):
            as_of = end if horizon.as_of is None else horizon.as_of
            known = service.known(as_of)
            sides.append(State(known, known.sight(caller), replace(horizon, as_of=as_of)))
        first, second = sides
        if second.position < first.position:
            raise Malformed("difference-backwards", where="to", earlier=first.position, later=second.position)
        return cls(first, second)

    @property
    def _by_time(self) -> bool:
        return self.earlier.horizon.at_us is not None or self.later.horizon.at_us is not None

    # batches and manifests --------------------------------------------------------------------------------------

    def batches(self) -> Iterator[Changed]:
        """The batches that differ, by id."""
        wrote = self._ground.batches.changes(self.earlier.position, self.later.position)
        for name in sorted(self._moved() | wrote.keys() if self._by_time else wrote):
            was, now = self._seen_batch(self.earlier, name), self._seen_batch(self.later, name)
            whole = all(side is None or known.sight.knows_stock(side) for side, known in self._sides(was, now))
            yield from self._changed(name, (was, now), self._batch_view, wrote.get(name, []), whole=whole)

    def manifests(self) -> Iterator[Changed]:
        """The manifests that differ, by id."""
        wrote = self._ground.manifests.changes(self.earlier.position, self.later.position)
        for name in sorted(self.later.service.book.manifests.keys() if self._by_time else wrote):
            was, now = self._seen_manifest(self.earlier, name), self._seen_manifest(self.later, name)
            yield from self._changed(name, (was, now), self._manifest_view, wrote.get(name, []), whole=True)

    @property
    def _ground(self) -> Book:
        return self.later.service.recording.book

    def _sides(self, was: Thing | None, now: Thing | None) -> tuple[tuple[Thing | None, State], ...]:
        return (was, self.earlier), (now, self.later)

    @staticmethod
    def _seen_batch(side: State, name: BatchId) -> Batch | None:
        batch = side.service.book.find_batch(name)
        return batch if batch is not None and side.sight.sees_batch(batch) else None

    @staticmethod
    def _seen_manifest(side: State, name: ManifestId) -> Manifest | None:
        manifest = side.service.book.find_manifest(name)
        return manifest if manifest is not None and side.sight.sees_manifest(manifest) else None

    def _changed(
        self,
        name: str,
        seen: tuple[Thing | None, Thing | None],
        view: Callable[[State, str], Leaves | None],
        wrote: Sequence[int],
        *,
        whole: bool,
    ) -> Iterator[Changed]:
        """Whether it differs for the caller; who knows `whole` of it need not have every value compared."""
        was, now = seen
        if was == now and not self._by_time:
            return
        views = cache(lambda: (view(self.earlier, name), view(self.later, name)))
        there = (was is not None, now is not None)
        if self._by_time or not whole:
            told = views()
            there = (told[0] is not None, told[1] is not None)
            if told[0] == told[1]:
                return
        how: How = "changed" if all(there) else "made" if there[1] else "withdrawn"

        def facts() -> tuple[tuple[Because, ...], int]:
            happened = self._between(self._ground.history(name)) if self._by_time else set[int]()
            return self._told({*wrote, *happened})

        yield Changed(name, how, views, facts)

    def _batch_view(self, side: State, name: BatchId) -> Leaves | None:
        """All of a batch that the caller may know, at one side; None where there is none for them."""
        batch = self._seen_batch(side, name)
        if batch is None:
            return None
        told = batch_json(batch, side.service, side.sight)
        if side.sight.knows_stock(batch):
            told |= {
                "used": moment_of(batch.used_us).isoformat(),
                "placed": moment_of(batch.placed_us).isoformat() if batch.placed_us else None,
                "packing": batch.packing.model_dump(exclude_none=True) if batch.packing else None,
                "assayed": batch.assayed,
                "foreign": batch.foreign,
            }
        return told if side.horizon.at_us is None else self._at(side, name, told)

    @staticmethod
    def _at(side: State, name: BatchId, told: Leaves) -> Leaves | None:
        """What of it holds at an instant: that it is made, what is left of it, and what it is in law."""
        rank = side.service.lineage.find_rank(name)
        if rank is None or not side.prefix.has(np.array([rank]))[0]:
            return None
        left_g = int(side.prefix.left_g(np.array([rank], dtype=np.int64))[0])
        kept = {key: value for key, value in told.items() if key not in _OF_NOW}
        kept["legal_status"] = STATUSES[int(side.prefix.status[rank])]
        return kept | {"left_g": left_g if told["left_g"] is not None else None}

    def _moved(self) -> set[BatchId]:
        """The batches that were made, drawn on or remarked between two instants, or are known otherwise."""
        found: set[BatchId] = set()
        for side, other in ((self.earlier, self.later), (self.later, self.earlier)):
            prefix, lineage = side.prefix, side.service.lineage
            until_us = other.horizon.at_us
            if until_us is None:
                late = np.zeros(0, np.int64)
            else:
                late = prefix.movements[prefix.effective_us[prefix.movements] > until_us]
            ranks = {*prefix.makes_of(late).tolist(), *prefix.draw_batch[prefix.draws_of(late)].tolist()}
            for remarks in (lineage.statuses,):
                size = remarks.batch.size
                at_us, batch = remarks.effective_us.view(size), remarks.batch.view(size)
                ranks |= set(batch[at_us > until_us].tolist()) if until_us is not None else set()
            found |= {lineage.batch_ids[rank] for rank in ranks}
        return found

    def _between(self, positions: Iterable[int]) -> set[int]:
        """Of these facts those that had happened on one side of two instants only."""
        found: set[int] = set()
        for position in positions:
            told = [self._happened(side, position) for side in (self.earlier, self.later)]
            if told[0] is not told[1]:
                found.add(position)
        return found

    @staticmethod
    def _happened(side: State, position: int) -> bool:
        if position > side.position:
            return False
        event = side.service.book.fact(position).event
        at_us = side.horizon.at_us
        return event is not None and (at_us is None or earliest_us(event.event_time) <= at_us)

    def _manifest_view(self, side: State, name: ManifestId) -> Leaves | None:
        """All of a manifest's facts, value by value, and where it stands."""
        manifest = self._seen_manifest(side, name)
        if manifest is None:
            return None
        history = list(manifest.history)
        at_us = side.horizon.at_us
        if at_us is not None:
            late = (number for number, fact in enumerate(history) if earliest_us(fact.event_time) > at_us)
            history = history[: next(late, len(history))]
        if not history:
            return None
        told: Leaves = {"state": state(tuple(history)).value}
        if at_us is None:
            told["effective"] = moment_of(manifest.effective_us).isoformat()
        for fact in history:
            told |= dict(leaves(event_json(fact), fact.kind))
        return told

    # figures ----------------------------------------------------------------------------------------------------

    def figures(self, asked: Question, only: Sequence[str] = ()) -> Iterator[Figured]:
        """The figures that differ, with the facts whose grams did it."""
        columns = self.later.service.columns
        ids = [definition(each).id for each in only] or list(definitions())
        sides: list[dict[tuple[object, ...], Value]] = []
        for side in (self.earlier, self.later):
            question = replace(asked, as_of=side.position, at_us=side.horizon.at_us)
            sides.append({_key(each): each for each in figures(ids, question, columns)})
        was, now = sides
        for key in dict.fromkeys([*was, *now]):
            before, after = was.get(key), now.get(key)
            if before is not None and after is not None and _amounts(before) != _amounts(after):
                told, others = self._told(self._counted(before, after))
                yield Figured(before, after, told, others)

    def _counted(self, before: Value, after: Value) -> set[int]:
        """The entries whose grams differ: those that came between, and else the corrections that changed the count."""
        columns = self.later.service.columns
        was, now = (_by_place(parts(each, columns)) for each in (before, after))
        differing = {place[1] for place in was.keys() | now.keys() if was.get(place) != now.get(place)}
        table = columns.table()
        found: set[int] = set()
        low, high = self.earlier.position, self.later.position
        for position in differing:
            if low < position <= high:
                found.add(position)
                continue
            rows = table.position == position
            marks = {int(each) for each in (*table.since[rows], *table.until[rows]) if low < each <= high}
            marks |= {
                mark
                for each in columns.figures
                if each.position == position
                for mark in (each.since, each.until)
                if low < mark <= high
            }
            found |= marks or self._moved_sites() or ({position} if self._by_time else set())
        return found

    def _moved_sites(self) -> set[int]:
        """A site that was registered anew in another division takes its grams with it."""
        wrote = self._ground.sites.changes(self.earlier.position, self.later.position)
        return {position for positions in wrote.values() for position in positions}

    # facts ------------------------------------------------------------------------------------------------------

    def _told(self, positions: Iterable[int]) -> tuple[tuple[Because, ...], int]:
        """The facts that the caller may read, the earliest first, and how many more there are."""
        wanted = sorted(positions)
        told: list[Because] = []
        for position in wanted:
            entry = next(self.later.service.ledger.entries(after=position - 1, until=position))
            if self._sees(entry.event):
                told.append(self._because(entry))
            if len(told) == FACTS_MOST:
                break
        return tuple(told), len(wanted) - len(told)

    def _sees(self, event: Event) -> bool:
        return self.later.sight.sees_entry(event) or self.earlier.sight.sees_entry(event)

    def _because(self, entry: Entry) -> Because:
        asked = correction_in(entry.event, self.later.sight, self.later.service)
        if asked is None:
            return Because(entry)
        return Because(entry, tuple(each.position for each in asked.changes), asked.event.reason)


_OF_NOW: Final = frozenset({"place", "storage_id", "site_id", "division", "used", "placed", "packing", "assayed"})
"""What the book keeps of a batch as it stands last, and of no instant."""


def _key(value: Value) -> tuple[object, ...]:
    return value.definition.id, value.boundary, value.period


def _amounts(value: Value) -> tuple[object, ...]:
    return value.numerator_g, value.denominator_g, value.reason, dict(value.parts)


def _by_place(rows: Iterable[Contribution]) -> dict[tuple[str, int], int]:
    return {(each.part, each.position): each.mass_g for each in rows}
