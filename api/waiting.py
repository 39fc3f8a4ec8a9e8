"""待对方登记. Rows on the desk that a partner's statement will let in: kept as they were read, one document an enterprise."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from api.workbook.names import Identity
from api.workbook.report import ImportProblem
from api.workbook.rows import Row, kept_texts, row_of
from api.workbook.values import CellReader
from flows.enterprises import Frozen
from flows.ids import EnterpriseId
from flows.ports import Clock, Desk
from flows.recording import Recording
from flows.times import instant_us

KIND: Final = "waiting"


class KeptRow(Frozen):
    """One row: its number in the file that it came in, and its texts by column."""

    number: int
    told: dict[str, str]


class Kept(Frozen):
    """One record that waits, and under whose authority it will be stated."""

    identity: tuple[str, ...]
    rows: tuple[KeptRow, ...]
    recorded_by: str
    problem: ImportProblem | None = None
    """What stood against it when its partner had spoken, or what of it the catalogue no longer allows."""
    brought: str = ""
    """Which import put it here."""
    withdrawn: tuple["Withdrawn", ...] = ()
    """Imports that put up the same name before this one and failed while this one lay over theirs."""

    @classmethod
    def of(cls, identity: Identity, rows: Iterable[Row], recorded_by: str, brought: str = "") -> "Kept":
        """The rows of a record as they were read."""
        told = (KeptRow(number=row.number, told=dict(kept_texts(row))) for row in rows)
        return cls(identity=identity, rows=tuple(told), recorded_by=recorded_by, brought=brought)

    def read(self, reader: CellReader) -> tuple[list[Row], ImportProblem | None]:
        """The rows again, or none of them and the first thing in them that the catalogue no longer allows."""
        rows: list[Row] = []
        for kept in self.rows:
            match row_of(self.identity[0], kept.number, kept.told, reader):
                case Row() as row:
                    rows.append(row)
                case [problem, *_]:
                    return [], problem
                case _:
                    raise AssertionError(kept)
        return rows, None


class Withdrawn(Frozen):
    """An import that failed, and what had waited under the name before it came."""

    brought: str
    before: Kept | None = None


Kept.model_rebuild()


class Waiting(Frozen):
    """All that one enterprise has waiting."""

    records: tuple[Kept, ...] = ()


def waiting_of(desk: Desk, enterprise: EnterpriseId, clock: Clock) -> tuple[Kept, ...]:
    """What an enterprise has waiting."""
    return _read(desk, enterprise, clock)[0].records


def kept_units(desk: Desk, clock: Clock) -> Iterator[tuple[EnterpriseId, tuple[Kept, ...]]]:
    """All that waits, by enterprise."""
    for document in desk.all(KIND, now_us=instant_us(clock())):
        records = Waiting.model_validate_json(document.body).records
        if records:
            yield document.key, records


def kept_rows(desk: Desk, enterprise: EnterpriseId, recording: Recording) -> Sequence[Row]:
    """The rows that an enterprise has waiting."""
    reader = CellReader(recording.book.catalogue)
    return [row for kept in waiting_of(desk, enterprise, recording.clock) for row in kept.read(reader)[0]]


def keep(desk: Desk, enterprise: EnterpriseId, fresh: Sequence[Kept], clock: Clock) -> tuple[Kept, ...]:
    """Add records, each in place of what waited under its name; returns what waited before."""
    named = {kept.identity for kept in fresh}

    def add(records: tuple[Kept, ...]) -> tuple[Kept, ...]:
        under = {kept.identity: kept.withdrawn for kept in records}
        laid = (kept.model_copy(update={"withdrawn": under.get(kept.identity, ())}) for kept in fresh)
        return (*(kept for kept in records if kept.identity not in named), *laid)

    return _change(desk, enterprise, add, clock) if fresh else waiting_of(desk, enterprise, clock)


def take_back(
    desk: Desk, enterprise: EnterpriseId, fresh: Sequence[Kept], before: Sequence[Kept], clock: Clock
) -> None:
    """Undo a `keep`: each of its records goes for what waited under its name before.

    What another import laid over it meanwhile stays, and is told, so that it does not put ours back when it fails too.
    """
    brought = {kept.identity: kept.brought for kept in fresh}
    earlier = {kept.identity: kept for kept in before}

    def undo(records: tuple[Kept, ...]) -> tuple[Kept, ...]:
        left = (_undone(kept, brought.get(kept.identity), earlier.get(kept.identity)) for kept in records)
        return tuple(kept for kept in left if kept is not None)

    if fresh:
        _ = _change(desk, enterprise, undo, clock)


def _undone(kept: Kept, failed: str | None, before: Kept | None) -> Kept | None:
    """What waits under a name when the import `failed` takes itself back, which had found `before` there."""
    if failed is None:
        return kept
    if kept.brought != failed:
        return kept.model_copy(update={"withdrawn": (*kept.withdrawn, Withdrawn(brought=failed, before=before))})
    gone = {each.brought: each.before for each in kept.withdrawn}
    while before is not None and before.brought in gone:
        before = gone[before.brought]
    return None if before is None else before.model_copy(update={"withdrawn": kept.withdrawn})


def settle(desk: Desk, enterprise: EnterpriseId, after: dict[Identity, Kept | None], clock: Clock) -> None:
    """Take away what was admitted (None), and note what stands against the others."""

    def done(records: tuple[Kept, ...]) -> tuple[Kept, ...]:
        settled = [after.get(kept.identity, kept) for kept in records]
        return tuple(kept for kept in settled if kept is not None)

    _change(desk, enterprise, done, clock)


def give_up(desk: Desk, enterprise: EnterpriseId, identity: Identity, clock: Clock) -> None:
    """Take a record off the desk: its enterprise no longer means it."""
    settle(desk, enterprise, {identity: None}, clock)


def _read(desk: Desk, enterprise: EnterpriseId, clock: Clock) -> tuple[Waiting, int]:
    document = desk.get(KIND, enterprise, now_us=instant_us(clock()))
    if document is None:
        return Waiting(), 0
    return Waiting.model_validate_json(document.body), document.version


def _change(
    desk: Desk, enterprise: EnterpriseId, change: Callable[[tuple[Kept, ...]], tuple[Kept, ...]], clock: Clock
) -> tuple[Kept, ...]:
    """Write what `change` makes of what waits, over and over until nobody came between."""
    while True:
        waiting, version = _read(desk, enterprise, clock)
        body = Waiting(records=change(waiting.records)).model_dump_json(exclude_none=True).encode()
        if desk.put(KIND, enterprise, body, version=version, now_us=instant_us(clock())):
            return waiting.records
