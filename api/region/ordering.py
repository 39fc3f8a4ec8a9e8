"""In which order the facts are told: before the workbook, the workbook, after it; by quarter, and by author within it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from api.region.clerk import Row
from flows.events import (
    Arrived,
    Assayed,
    Cancelled,
    Collected,
    Decided,
    Delivered,
    Disposed,
    Event,
    Generated,
    Left,
    Loaded,
    Packed,
    StatusChanged,
    StockDeclared,
    Stored,
    Submitted,
    TakenOut,
    Tapped,
    Transformed,
)
from flows.ids import EnterpriseId, Id

STATEMENT_MOST = 500
"""A turn holds at most so many facts."""


@dataclass
class Parts:
    """The facts in the order in which they are told."""

    before: list[Row] = field(default_factory=list[Row])
    workbook: list[Row] = field(default_factory=list[Row])
    after: list[Row] = field(default_factory=list[Row])


def touched(event: Event) -> Iterator[Id]:
    """The batches and manifests that a fact names."""
    match event:
        case StockDeclared() | Generated() | Collected() | Tapped():
            yield event.product.batch_id
        case Packed() | Stored() | TakenOut() | Assayed() | StatusChanged():
            yield event.batch_id
        case Transformed(inputs=inputs, outputs=outputs):
            yield from (portion.batch_id for portion in inputs)
            yield from (product.batch_id for product in outputs)
        case Submitted(manifest_id=manifest_id, lines=lines):
            yield manifest_id
            yield from (line.batch_id for line in lines)
        case Loaded(manifest_id=manifest_id, lines=lines):
            yield manifest_id
            for line in lines:
                yield from (line.portion.batch_id, line.load_id)
        case Arrived(manifest_id=manifest_id) | Cancelled(manifest_id=manifest_id):
            yield manifest_id
        case Decided(manifest_id=manifest_id, lines=lines):
            yield manifest_id
            for line in lines:
                yield line.load_id
                yield from (part.batch_id for part in (line.accepted, line.rejected) if part)
        case Disposed(portions=portions) | Delivered(portions=portions) | Left(portions=portions):
            yield from (portion.batch_id for portion in portions)
        case _:
            pass


def part(rows: Iterable[Row], workbook: EnterpriseId) -> Parts:
    """Split the journal: what needs none of the workbook, the workbook itself, what needs it.

    Registrations, plans and the like of the workbook's enterprise come first: others need them.
    """
    parts = Parts()
    follows: set[Id] = set()
    booked: set[Id] = set()
    for row in rows:
        names = set(touched(row.event))
        if row.event.enterprise == workbook and names:
            assert follows.isdisjoint(names), "the workbook would need what follows it"
            booked |= names
            parts.workbook.append(row)
        elif not names.isdisjoint(booked) or not names.isdisjoint(follows):
            follows |= names
            parts.after.append(row)
        else:
            parts.before.append(row)
    return parts


def told(rows: Sequence[Row]) -> list[Row]:
    """By the quarter in which they were told, and within it by author, as far as causes allow.

    Two facts that name the same batch or manifest keep their order; so does what one author told of one thing.
    """
    quarter_of: dict[Id, int] = {}
    quarters: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        names = list(touched(row.event))
        own = row.told_on.year * 4 + (row.told_on.month - 1) // 3
        quarter = max([own, *(quarter_of[name] for name in names if name in quarter_of)])
        quarter_of |= dict.fromkeys(names, quarter)
        quarters[quarter].append(row)
    return [row for quarter in sorted(quarters) for row in _by_author(quarters[quarter])]


def _by_author(rows: Sequence[Row]) -> Iterator[Row]:
    """Who is who and what is granted, as it happened; then each author in turn tells all that waits for nobody else."""
    yield from (row for row in rows if next(touched(row.event), None) is None)
    rows = [row for row in rows if next(touched(row.event), None) is not None]
    queue_of: defaultdict[Id, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        for name in set(touched(row.event)):
            queue_of[name].append(number)
    at = dict.fromkeys(queue_of, 0)
    waiting: dict[EnterpriseId, list[int]] = {}
    for number, row in enumerate(rows):
        waiting.setdefault(row.recorded_by, []).append(number)
    while any(waiting.values()):
        author = max(waiting, key=lambda each: _ready(rows, waiting[each], queue_of, at))
        left: list[int] = []
        for number in waiting[author]:
            names = set(touched(rows[number].event))
            if all(queue_of[name][at[name]] == number for name in names):
                for name in names:
                    at[name] += 1
                yield rows[number]
            else:
                left.append(number)
        waiting[author] = left


def _ready(rows: Sequence[Row], numbers: Sequence[int], queue_of: dict[Id, list[int]], at: dict[Id, int]) -> int:
    """How many facts an author could tell now, at least."""
    return sum(
        all(queue_of[name][at[name]] == number for name in set(touched(rows[number].event))) for number in numbers
    )


def statements(rows: Iterable[tuple[Event, EnterpriseId]]) -> Iterator[tuple[EnterpriseId, list[Event]]]:
    """Facts that follow each other and have one author, told together."""
    author, facts = "", list[Event]()
    for event, recorded_by in rows:
        if facts and (recorded_by != author or len(facts) == STATEMENT_MOST):
            yield author, facts
            facts = []
        author = recorded_by
        facts.append(event)
    if facts:
        yield author, facts
