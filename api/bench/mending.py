"""What a correction of an early fact costs until trace, fate and every figure are right again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import count
from statistics import median
from typing import Final

from api.bench.rows import MS, Name, Row, row, timed
from api.bench.story import DAY, NO_ENTRY, PLANT, RECORDED, facts
from flows.book import Book
from flows.events import Amendment, CorrectionRequested, Event, Generated, Transformed
from flows.indicators import Period, Question, definitions
from flows.materials import catalogue
from flows.reading import read
from flows.rules import admit
from flows.times import instant_us
from graph.columns import Columns
from graph.editions import Editions
from graph.fate import fate
from graph.figures import figures
from graph.tracing import trace

CORRECTIONS: Final = 8
"""Of each of two kinds, spread over the first hundredth of the ledger."""
YEAR: Final = Question(Period(date(2026, 1, 1), date(2026, 12, 31)))
_NOW_US: Final = instant_us(RECORDED)


@dataclass
class _Told:
    """A story with everything that follows it."""

    book: Book = field(default_factory=lambda: Book(catalogue()))
    editions: Editions = field(default_factory=lambda: Editions(catalogue()))
    columns: Columns = field(default_factory=lambda: Columns(catalogue()))

    def tell(self, event: Event) -> None:
        change = read(self.book, event, self.book.position + 1, _NOW_US)
        self.editions.read(NO_ENTRY, change)
        self.columns.read(NO_ENTRY, change)

    def correct(self, position: int, becomes: Generated | Transformed, name: str) -> None:
        """Judge a correction and let everybody read it."""
        was = self.book.fact(position).event
        assert isinstance(was, (Generated, Transformed))
        request = CorrectionRequested(
            event_id=name, enterprise=PLANT, event_time=DAY, reason="x",
            changes=(Amendment(stated_by=PLANT, corrects=was.event_id, was=was, becomes=becomes),),
        )  # fmt: skip
        admit(request, self.book, _NOW_US)
        self.tell(request)

    def ask(self, batch_id: str) -> None:
        """Trace and fate of a batch, and all figures."""
        lineage = self.editions.now
        rank = lineage.rank(batch_id)
        trace(lineage, rank, "down")
        fate(lineage, rank)
        figures([each.id for each in definitions().values()], YEAR, self.columns)


def readings_after(batches: int) -> Row:
    """The median of corrections of early facts, beside reading the whole ledger anew."""
    story = list(facts(batches))
    seconds, told = timed(lambda: _read(story))
    taken = sorted(MS * timed(partial(_mend, told, *each))[0] for each in _corrections(story, told))
    note = f"{len(told.editions.now.batch_ids):,} 批 batches；最长 longest {taken[-1]:,.0f} ms"
    what = "更正早期事实后的追踪、去向与全部指标 · readings after a correction"
    return row(Name.MENDED, what, "ms", median(taken), ("全部重读 · all read anew", MS * seconds), note)


def _read(story: list[Event]) -> _Told:
    told = _Told()
    for event in story:
        told.tell(event)
    return told


def _corrections(story: list[Event], told: _Told) -> Iterator[tuple[int, Generated | Transformed, str]]:
    numbers = count(1)
    early = max(len(story) // 100, 4 * CORRECTIONS)
    for kind in (Generated, Transformed):
        places = [place for place, event in enumerate(story[:early], 1) if isinstance(event, kind)]
        for place in places[:: max(1, len(places) // CORRECTIONS)][:CORRECTIONS]:
            event = told.book.fact(place).event
            if isinstance(event, Generated):
                product = event.product.model_copy(update={"mass_g": event.product.mass_g + 1})
                yield place, event.model_copy(update={"product": product}), f"C{next(numbers)}"
            elif isinstance(event, Transformed) and event.outputs:
                first, *others = event.outputs
                larger = first.model_copy(update={"mass_g": first.mass_g + 1})
                yield place, event.model_copy(update={"outputs": (larger, *others)}), f"C{next(numbers)}"


def _mend(told: _Told, position: int, becomes: Generated | Transformed, name: str) -> None:
    told.correct(position, becomes, name)
    told.ask(becomes.product.batch_id if isinstance(becomes, Generated) else becomes.outputs[0].batch_id)
