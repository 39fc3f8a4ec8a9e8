"""A workbook is checked whole, then committed whole; what waits for a partner stays on the desk until the partner spoke."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from secrets import token_hex
from typing import Final, TypeAlias

from api.manners import giving_way
from api.turns import Kept as TurnsKept
from api.turns import record_in_turns
from api.waiting import Kept, keep, kept_rows, kept_units, settle, take_back, waiting_of
from api.workbook.holding import held_rows, hold_back
from api.workbook.judging import broken, changed_rows, found_in, refused, rows_by_fact, spoken
from api.workbook.manner import Manner
from api.workbook.names import Names
from api.workbook.reading import read_file
from api.workbook.report import ImportProblem, ImportReport, Place, Progress, WaitingRows
from api.workbook.rows import PLAIN, Reading, Row, read_rows
from api.workbook.sheets import SHEETS, UNIT
from api.workbook.statements import build, in_order, link_causes, units
from api.workbook.values import CellReader
from api.workbook.world import Awaits, Unit, World
from flows.errors import Conflict, Malformed, Problem, Unknown
from flows.events import Mending
from flows.ids import EnterpriseId
from flows.mending import Breaks
from flows.ports import Desk
from flows.recording import Recording
from flows.rehearsal import Trial, rehearse
from flows.times import SHANGHAI

Watch: TypeAlias = Callable[[Progress, int, int], None]
"""Hears what is being done, how much of it is done, and how much there is."""

TOKEN_BYTES: Final = 8
"""Enough that no two imports of one enterprise ever share a token."""
TRIES: Final = 3
"""How often a file that corrects is checked anew when somebody else wrote between its check and its commit."""
_OVERTAKEN: Final = {"correction-outdated", "correction-of-withdrawn", "correction-was-missing", "event-id-used"}
"""What is told of a correction that somebody else came before with."""
_CONSEQUENCES: Final = {"site-unknown", "enterprise-unknown", "storage-unknown", "workbook-site-none"}
"""What follows from a registration that failed."""
_MISSING_SHEET: Final = {"workbook-batch-unknown", "workbook-site-unknown", *_CONSEQUENCES}
"""What follows from a sheet that could not be read."""
_SHEETS: Final = {sheet.zh: at for at, sheet in enumerate(SHEETS)}


@dataclass
class Draft:
    """A file turned into units, judged and not kept."""

    world: World
    found: list[Unit] = field(default_factory=list[Unit])
    ordered: list[Unit] = field(default_factory=list[Unit])
    judged: list[tuple[Unit, Trial]] = field(default_factory=list[tuple[Unit, Trial]])
    """What the file states, in the order in which it is admitted."""

    @property
    def facts(self) -> int:
        """How many facts are new."""
        return sum(not isinstance(fact, Mending) for _, trial in self.judged for fact in trial.statement.facts)

    @property
    def mends(self) -> bool:
        """Does the file correct something?"""
        return any(trial.mends for _, trial in self.judged)

    @property
    def waiting(self) -> list[Unit]:
        """What waits for a partner."""
        return [unit for unit in self.ordered if unit.awaits is not None and not unit.fails]


def check_workbook(
    data: bytes,
    enterprise: EnterpriseId,
    recording: Recording,
    desk: Desk,
    *,
    manner: Manner = PLAIN,
    watch: Watch | None = None,
) -> ImportReport:
    """Judge a workbook and keep nothing: all errors at once, each with its place."""
    with giving_way():
        return _check(data, enterprise, recording, desk, manner, watch)[0]


def commit_workbook(
    data: bytes,
    enterprise: EnterpriseId,
    recording: Recording,
    desk: Desk,
    *,
    recorded_by: str,
    manner: Manner = PLAIN,
    watch: Watch | None = None,
) -> ImportReport:
    """Check a workbook and, when nothing stands against it, record all of it.

    A file of many facts is recorded in turns (`api.turns`); should a neighbour's fact, told meanwhile, stand against one
    of its own, it stops there and the report says what stands. The same file again goes on from there.
    What corrects the ledger is checked anew when it was overtaken: the fact may read otherwise by now, or as the file says.
    Rows that wait for a partner are put on the desk before the rest is recorded, so that a crash between loses nothing.
    Then whatever waited for these facts, here or with a partner, is admitted.
    """
    with giving_way():
        for left in reversed(range(TRIES)):
            report, draft = _check(data, enterprise, recording, desk, manner, watch)
            if draft is None or not report.recordable:
                return report
            told = _commit(report, draft, recording, desk, recorded_by, watch or _nobody)
            if told.committed or not draft.mends or not left:
                return told
        raise AssertionError(TRIES)


def _commit(
    report: ImportReport, draft: Draft, recording: Recording, desk: Desk, recorded_by: str, tell: Watch
) -> ImportReport:
    enterprise = report.enterprise
    fresh = _kept(draft, recorded_by)
    before = keep(desk, enterprise, fresh, recording.clock)
    records = [trial.statement.facts for _, trial in draft.judged]
    count = _facts(draft)
    tell("recording", 0, count)
    kept = record_in_turns(records, recorded_by, recording, lambda done: tell("recording", done, count))
    if kept.problem is not None:  # somebody else wrote between the check and the commit
        take_back(desk, enterprise, fresh, before, recording.clock)
        return report.model_copy(
            update={"errors": (*report.errors, *_late(kept, draft, recording)), **_positions(kept)}
        )
    if before:  # what waited under a name that is recorded now was mended by this file
        mended = (unit for unit in draft.found if unit.awaits is None and not unit.fails)
        settle(desk, enterprise, {unit.key: None for unit in mended}, recording.clock)
    admit_waiting(recording, desk)
    still = {kept.identity for kept in waiting_of(desk, enterprise, recording.clock)}
    waiting = tuple(_waiting_rows(unit for unit in draft.waiting if unit.key in still))
    return report.model_copy(update={"committed": True, "waiting": waiting, **_positions(kept)})


def _nobody(*_: object) -> None:
    """Nobody watches."""


def _positions(kept: TurnsKept) -> dict[str, int | None]:
    """What was recorded anew, for a report."""
    first, last = min(kept.positions, default=None), max(kept.positions, default=None)
    return {"facts": len(kept.positions) - kept.requests, "first_position": first, "last_position": last}


def admit_waiting(recording: Recording, desk: Desk, enterprises: Iterable[EnterpriseId] | None = None) -> int:
    """Admit what waited for facts that now stand, each record on its own; returns how many were admitted.

    To be called after every recording of a loading or a decision. What is still refused stays on the desk with the reason.
    """
    wanted = None if enterprises is None else set(enterprises)
    admitted = 0
    while True:
        fresh = 0
        for enterprise, waiting in kept_units(desk, recording.clock):
            if wanted is None or enterprise in wanted:
                fresh += _admit(enterprise, waiting, recording, desk)
        admitted += fresh
        if not fresh:
            return admitted


def _check(
    data: bytes, enterprise: EnterpriseId, recording: Recording, desk: Desk, manner: Manner, watch: Watch | None
) -> tuple[ImportReport, Draft | None]:
    """Judge a file; anew where somebody corrected the same while it was read: what differs is another thing then."""
    for _ in range(TRIES - 1):
        report, draft = _check_once(data, enterprise, recording, desk, manner, watch)
        if draft is None or not draft.mends or not any(each.key in _OVERTAKEN for each in report.errors):
            return report, draft
    return _check_once(data, enterprise, recording, desk, manner, watch)


def _check_once(
    data: bytes, enterprise: EnterpriseId, recording: Recording, desk: Desk, manner: Manner, watch: Watch | None
) -> tuple[ImportReport, Draft | None]:
    digest = hashlib.sha256(data).hexdigest()
    tell = watch or _nobody
    tell("reading", 0, 1)
    try:
        handed = read_file(data, manner.file_name)
        count = sum(len(table.cells) for table in handed.tables)
        reader = CellReader(recording.book.catalogue)
        read = read_rows(handed, reader, manner, lambda done: tell("reading", done, count))
    except Problem as problem:
        told = ImportProblem.of(problem, Place())
        return ImportReport(enterprise=enterprise, digest=digest, errors=(told,), opened=False), None
    tell("reading", len(read.rows), len(read.rows))
    del handed  # a large file's cells are as large as its rows
    day = recording.clock().astimezone(SHANGHAI).date()
    draft = _draft(read.rows, enterprise, recording, kept_rows(desk, enterprise, recording), (day, manner.file_name))
    errors = [] if read.incomplete else _unregistered(read.rows, draft.world)
    if not errors:
        _judge_settled(draft, recording, watch, good_rows=manner.good_rows)
        errors = _told(read, draft)
    words: Mapping[str, str] = spoken(draft.found, draft.world) if draft.mends else {}
    changed = tuple(changed_rows(draft.found, words))
    findings = [*read.findings, *(each for unit in draft.found for each in unit.findings)]
    report = ImportReport(
        enterprise=enterprise,
        digest=digest,
        rows=len(read.rows),
        facts=draft.facts,
        unchanged=sum(unit.unchanged for unit in draft.found),
        corrected=sum(each.change != "withdrawn" and not each.asked for each in changed),
        withdrawn=sum(each.change == "withdrawn" and not each.asked for each in changed),
        asked=sum(each.asked for each in changed),
        changed=changed,
        errors=tuple(errors),
        waiting=tuple(_waiting_rows(draft.waiting)),
        findings=tuple(findings),
        sheets=tuple(read.sheets),
        headers=tuple(told for head in read.heads for told in head.read),
        headers_unknown=tuple(told for head in read.heads for told in head.unknown),
        held=tuple(held_rows(draft.found, errors)) if errors and manner.good_rows else (),
        good_rows=manner.good_rows,
    )
    return report, draft


def _draft(
    rows: Sequence[Row],
    enterprise: EnterpriseId,
    recording: Recording,
    waiting: Sequence[Row],
    mends: tuple[date, str] | None = None,
) -> Draft:
    """Rows as units of facts; without `mends` what the ledger holds otherwise is an error, as nobody asks for it now."""
    _ = recording.catch_up()
    book = recording.book
    world = World.of(enterprise, book, Names.read(recording.ledger.entries(), enterprise, book))
    world.mends = mends
    found = units(rows, world)
    told = {unit.key for unit in found}
    for unit in units(waiting, world):
        if unit.key not in told:
            world.awaited |= {(site, code) for site, code, _ in unit.gives}
    link_causes(found, book.catalogue)
    ordered = in_order(found)
    build(found, ordered, world)
    return Draft(world, found, ordered)


def _unregistered(rows: Iterable[Row], world: World) -> list[ImportProblem]:
    if world.book.enterprises.get(world.enterprise) is not None:
        return []
    if any(row.sheet.key == "unit" and row.text("type") == "enterprise" for row in rows):
        return []
    problem = Unknown("workbook-enterprise-unregistered", enterprise=world.enterprise)
    return [ImportProblem.of(problem, Place(sheet=UNIT.zh))]


def _judge_settled(draft: Draft, recording: Recording, watch: Watch | None, *, good_rows: bool) -> None:
    """Judge the units; where good rows go in alone, once more without those that failed, until none does."""
    built = [len(unit.findings) for unit in draft.found]
    if good_rows:
        hold_back(draft.found, draft.ordered)
    _judge(draft, recording, watch)
    while good_rows and any(unit.fails for unit, _ in draft.judged):
        hold_back(draft.found, draft.ordered)
        for unit, count in zip(draft.found, built, strict=True):
            del unit.findings[count:]
        _judge(draft, recording, watch)
    if good_rows:
        hold_back(draft.found, draft.ordered)


def _judge(draft: Draft, recording: Recording, watch: Watch | None) -> None:
    stated = [unit for unit in draft.ordered if unit.facts and unit.awaits is None and not unit.fails]
    draft.judged = [(unit, Trial(unit.ways)) for unit in stated]

    tell = watch or _nobody
    tell("checking", 0, len(draft.judged))
    for done in rehearse([trial for _, trial in draft.judged], recording):
        tell("checking", done, len(draft.judged))
    words = spoken(draft.found, draft.world)
    rows: Mapping[str, Unit] = {}
    for unit, trial in draft.judged:
        statement = trial.statement
        if unit.changed is not None and trial.asks:
            unit.changed.asked = True
        if any(draft.found[cause].fails for cause in unit.causes):
            unit.skipped = True
        elif isinstance(statement.answer, Breaks):
            rows = rows or rows_by_fact(draft.found, draft.world)
            unit.problems.append(broken(unit, statement.answer, rows, words))
        elif isinstance(statement.answer, Problem):
            unit.problems.append(refused(unit, statement.answer, words))
        elif statement.answer is not None:
            raise statement.answer
        unit.findings += found_in(unit, statement.findings, words)
    draft.judged.sort(key=lambda each: -1 if each[1].place is None else each[1].place)


def _told(read: Reading, draft: Draft) -> list[ImportProblem]:
    """All errors by their place in the file, less what only follows from another."""
    errors = [*read.problems, *(problem for unit in draft.found for problem in unit.problems)]
    follow = set[str]()
    if any(problem.place.sheet == UNIT.zh and problem.key not in _CONSEQUENCES for problem in errors):
        follow |= _CONSEQUENCES
    if read.incomplete:
        follow |= _MISSING_SHEET
    return sorted(
        (problem for problem in errors if problem.key not in follow),
        key=lambda problem: (
            _SHEETS.get(problem.place.sheet, len(_SHEETS)),
            problem.place.row or 0,
            problem.place.cell,
        ),
    )


def _late(kept: TurnsKept, draft: Draft, recording: Recording) -> Iterator[ImportProblem]:
    """What the commit itself refused: all that now stands against the rest of the file, and how much of it stands already."""
    assert kept.problem is not None
    assert kept.stopped_at is not None
    rest = draft.judged[kept.stopped_at :]
    trials = [Trial(unit.ways) for unit, _ in rest]
    for _ in rehearse(trials, recording):
        pass  # others get their turn after each hold
    trials[0].statement.answer = kept.problem  # whatever has become of it since
    words = spoken(draft.found, draft.world)
    for (unit, _), trial in zip(rest, trials, strict=True):
        unit.skipped = any(draft.found[cause].fails for cause in unit.causes)
        if not unit.skipped and isinstance(trial.statement.answer, Problem):
            unit.problems.append(refused(unit, trial.statement.answer, words))
            yield unit.problems[-1]
    if kept.positions:
        stands = Conflict(
            "import-broke-off", kept=len(kept.positions), left=_facts(draft) - len(kept.positions),
            first=min(kept.positions), last=max(kept.positions),
        )  # fmt: skip
        yield ImportProblem.of(stands, rest[0][0].first.place())


def _facts(draft: Draft) -> int:
    return sum(len(trial.statement.facts) for _, trial in draft.judged)


# waiting ------------------------------------------------------------------------------------------------------------


def _kept(draft: Draft, recorded_by: str) -> list[Kept]:
    brought = token_hex(TOKEN_BYTES)
    return [Kept.of(unit.key, unit.rows, recorded_by, brought) for unit in draft.waiting]


def _waiting_rows(waiting: Iterable[Unit]) -> Iterator[WaitingRows]:
    for unit in waiting:
        assert unit.awaits is not None
        zh, en = awaited_text(unit.awaits)
        rows = tuple(row.number for row in unit.rows)
        yield WaitingRows(sheet=unit.sheet.zh, rows=rows, record=unit.key[2], zh=zh, en=en)


def awaited_text(awaits: Awaits) -> tuple[str, str]:
    """What is awaited, in both languages."""
    told = Malformed(awaits.key)
    told.figures = awaits.figures
    return told.text("zh"), told.text("en")


def _admit(enterprise: EnterpriseId, waiting: Sequence[Kept], recording: Recording, desk: Desk) -> int:
    """State what can be stated now, in order, each record on its own and under whose name it came in."""
    reader = CellReader(recording.book.catalogue)
    read: list[tuple[Kept, Row]] = []
    after: dict[tuple[str, ...], Kept | None] = {}
    for kept in waiting:
        rows, problem = kept.read(reader)
        read += [(kept, row) for row in rows]
        if problem is not None and kept.problem != problem:
            after[kept.identity] = kept.model_copy(update={"problem": problem})
    draft = _draft([row for _, row in read], enterprise, recording, ())
    kept_of = {id(row): kept for kept, row in read}
    words = spoken(draft.found, draft.world)
    for unit in draft.ordered:
        kept = kept_of[id(unit.first)]
        if any(draft.found[cause].fails for cause in unit.causes):
            unit.skipped = True
        if unit.awaits is None and not unit.fails:
            try:
                if unit.facts:
                    recording.record(unit.facts, kept.recorded_by)
                after[kept.identity] = None
            except Problem as problem:
                unit.problems.append(refused(unit, problem, words))
        if unit.problems and kept.problem != unit.problems[0]:
            after[kept.identity] = kept.model_copy(update={"problem": unit.problems[0]})
    if after:
        settle(desk, enterprise, after, recording.clock)
    return sum(kept is None for kept in after.values())
