"""General waste of one enterprise by material and month: what arose, was stored, used, disposed of, lost or found.

Each posting on a batch of it is counted once: what is held at the end is what was held before, and what came, less what went.
What others entrusted to the enterprise is theirs to tell, and left out.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from api.workbook.general import G3, G6
from api.workbook.official import B4
from api.workbook.remarks import labels_of, read_remarks
from flows.batches import Batch
from flows.book import Book, Change
from flows.events import (
    Decided,
    Delivered,
    Disposed,
    Event,
    Generated,
    Left,
    StatusChanged,
    Stored,
    TakenOut,
    Transformed,
)
from flows.ids import BatchId, EnterpriseId
from flows.reading import read_again
from flows.times import day_of
from flows.touches import Touch

_METHOD_SHEETS: Final = (G6, B4, G3)
"""Where a note tells the method under the header of one of these."""

Month: TypeAlias = tuple[int, int]


class Outlet(NamedTuple):
    """A way out: whose it is, and whether it is use or disposal."""

    entrusted: bool
    disposal: bool

    @property
    def key(self) -> str:
        """The column that it is told in."""
        return f"{'entrusted' if self.entrusted else 'own'}_{'disposal' if self.disposal else 'use'}"


OUTLETS: Final = tuple(Outlet(entrusted, disposal) for disposal in (False, True) for entrusted in (False, True))


@dataclass
class Flows:
    """What happened to one material in one month, in grams; `fetched_g` went out of storage, whatever for."""

    generated_g: int = 0
    stored_g: int = 0
    shelved_g: int = 0
    """Came to lie in storage otherwise: split or merged there, or general waste from now on."""
    fetched_g: int = 0
    more_g: int = 0
    less_g: int = 0
    out_g: dict[tuple[Outlet, str], int] = field(default_factory=lambda: defaultdict[tuple[Outlet, str], int](int))

    def through(self, outlet: Outlet) -> dict[str, int]:
        """Grams by method."""
        return {method: mass_g for (each, method), mass_g in self.out_g.items() if each == outlet}

    @property
    def taken_g(self) -> int:
        """All that was used and disposed of."""
        return sum(self.out_g.values())


def general_flows(book: Book, enterprise: EnterpriseId) -> dict[tuple[str, Month], Flows]:
    """The enterprise's own general waste, by material and month, as the facts are read in this book."""
    reader = _Reader(book, enterprise)
    for position in reader.positions():
        reader.read(position)
    return reader.flows


class _Reader:
    """Reads entry by entry what moved the enterprise's general waste."""

    def __init__(self, book: Book, enterprise: EnterpriseId) -> None:
        self._book = book
        self._enterprise = enterprise
        self.flows: dict[tuple[str, Month], Flows] = {}

    def positions(self) -> list[int]:
        """The entries that speak of any of it, in order."""
        found: set[int] = set()
        for batch in self._book.batches.every():
            if batch.holder == self._enterprise and self._was_general(batch.batch_id):
                found.update(self._book.touches(Touch("batches", batch.batch_id), until=self._book.position))
        return sorted(found)

    def _was_general(self, batch_id: BatchId) -> bool:
        return any(each is not None and self._counts(each) for each in self._book.batches.past(batch_id).values)

    def _counts(self, batch: Batch) -> bool:
        return batch.status == "general_waste" and batch.holder == self._enterprise and not batch.foreign

    def _month(self, change: Change, material: str) -> Flows:
        day = day_of(change.effective_us)
        return self.flows.setdefault((material, (day.year, day.month)), Flows())

    def read(self, position: int) -> None:
        """Take in one entry, as it is read now; one that was withdrawn says nothing."""
        if self._book.fact(position).event is None:
            return
        change = read_again(self._book, position)
        drawn = iter(change.draws)
        for number, movement in enumerate(change.movements):
            batches = [next(drawn) for _ in movement.draws]
            own = [(draw, batch) for draw, batch in zip(movement.draws, batches, strict=True) if self._counts(batch)]
            born = [made for each in movement.makes if self._counts(made := self._born(each.batch_id, position))]
            for draw, batch in own:
                if batch.place == "storage":
                    self._month(change, batch.material).fetched_g += draw.mass_g
            for made in born:
                if made.place == "storage":
                    self._month(change, made.material).shelved_g += made.mass_g
            inputs = {batch.material for batch in batches}
            for material in {batch.material for _, batch in own} | {made.material for made in born}:
                out_g = sum(draw.mass_g for draw, batch in own if batch.material == material)
                weighed_g = sum(draw.weighed_g for draw, batch in own if batch.material == material)
                in_g = sum(made.mass_g for made in born if made.material == material)
                self._count(change, number, material, (out_g, weighed_g, in_g), new=material not in inputs)
        self._remark(change)

    def _born(self, batch_id: BatchId, position: int) -> Batch:
        """A batch as the entry that made it left it, as it is read now."""
        past = self._book.batches.past(batch_id)
        made = past.values[past.number(position + 1) - 1]
        assert made is not None, batch_id
        return made

    def _count(self, change: Change, number: int, material: str, masses_g: tuple[int, int, int], *, new: bool) -> None:
        """What left, what it weighed, what came: to the outlet it left by, what arose, and the rest of it."""
        out_g, weighed_g, in_g = masses_g
        flow = self._month(change, material)
        outlet = self._outlet(change, number) if out_g else None
        generated_g = in_g if self._arises(change.event, new=new or outlet is not None) else 0
        gone_g = 0
        if outlet is not None:
            gone_g = self._accepted_g(change.event, number) if isinstance(change.event, Decided) else weighed_g
            flow.out_g[outlet] += gone_g
        flow.generated_g += generated_g
        gap_g = out_g - gone_g - (in_g - generated_g)
        flow.less_g += max(0, gap_g)
        flow.more_g += max(0, -gap_g)

    def _arises(self, event: Event, *, new: bool) -> bool:
        """Waste of a process is new, save where the same waste was only treated."""
        return isinstance(event, Generated) or (isinstance(event, Transformed) and self._changes(event) and new)

    def _changes(self, event: Transformed) -> bool:
        return self._book.catalogue.process(event.process).changes_substance

    @staticmethod
    def _accepted_g(event: Decided, number: int) -> int:
        accepted = event.lines[number].accepted
        return accepted.mass_g if accepted is not None else 0

    def _outlet(self, change: Change, number: int) -> tuple[Outlet, str] | None:
        """By which way and method it left; None where nothing was used or disposed of, or no method is told."""
        match event := change.event:
            case Disposed(method=method):
                return self._by(method, entrusted=False)
            case Delivered(use=use):
                return Outlet(entrusted=False, disposal=False), _told_method(event) or use
            case Left():
                method = _told_method(event)
                return self._by(method, entrusted=True) if method else None
            case Transformed() if self._changes(event):
                method = event.method or self._book.catalogue.process(event.process).method
                return self._by(method, entrusted=False) if method else None
            case Decided():
                assert change.manifest is not None
                if not self._accepted_g(event, number):
                    return None
                return self._by(event.lines[number].method or change.manifest.submitted.method, entrusted=True)
            case _:
                return None

    def _by(self, method: str, *, entrusted: bool) -> tuple[Outlet, str]:
        found = self._book.catalogue.method(method)
        return Outlet(entrusted, found.side == "disposal"), found.code

    def _remark(self, change: Change) -> None:
        """Storing and taking out, and what becomes general waste or is none any more."""
        batch = change.batch
        if batch is None or not batch.left_g:
            return
        flow_of, in_storage = self._month, batch.place == "storage"
        match change.event:
            case Stored() if self._counts(batch) and not in_storage:
                flow_of(change, batch.material).stored_g += batch.left_g
            case TakenOut() if self._counts(batch) and in_storage:
                flow_of(change, batch.material).fetched_g += batch.left_g
            case StatusChanged():
                after = self._born(batch.batch_id, change.position)
                if self._counts(batch) and not self._counts(after):
                    flow_of(change, batch.material).less_g += batch.left_g
                    flow_of(change, batch.material).fetched_g += batch.left_g if in_storage else 0
                elif self._counts(after) and not self._counts(batch):
                    flow_of(change, batch.material).more_g += batch.left_g
                    flow_of(change, batch.material).shelved_g += batch.left_g if in_storage else 0
            case _:
                pass


def _told_method(event: Event) -> str:
    """The method that a row of a ledger told, kept in the note."""
    for sheet in _METHOD_SHEETS:
        label = sheet.zh_of("method")
        if found := read_remarks(event.note, labels_of(sheet))[0].get(label):
            return found
    return ""
