"""What the rules say of a row, told in the words of the file: its codes for our ids, its columns for our fields."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from api.workbook.general import SENT
from api.workbook.report import ChangedRows, ImportFinding, ImportProblem
from api.workbook.rows import Row
from api.workbook.together import Judged
from api.workbook.world import Unit, World
from flows.errors import Language, Problem, Refusal
from flows.law import Finding
from flows.mending import SHOWN_MOST, Breaks

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
_COLUMN_OF: Final = {
    "overdrawn": "mass", "batch-used-up": "batch", "batch-unknown": "batch", "batch-on-the-road": "batch",
    "batch-at-the-gate": "batch", "batch-not-in-storage": "batch", "batch-id-used": "code", "time-in-future": "time",
    "time-before-cause": "time", "rest-before-use": "time", "rest-with-portion": "rest", "gap-unexplained": "reason",
    "rest-gap-unexplained": "reason", "rest-gap-unexplained-of-another": "reason",
    "permit-not-covering": "method", "permit-not-valid": "consignee", "permit-scale-exceeded": "mass",
    "plan-without-code": "waste", "approval-missing": "approval", "approval-exceeded": "approval",
    "manifest-lines": "manifest", "manifest-id-used": "manifest", "manifest-to-self": "consignee",
    "manifest-state": "manifest", "decided-not-arrived": "mass", "process-changes-nothing": "process",
    "storage-unknown": "storage", "method-not-disposal": "method", "division-unknown": "division",
    "manifest-number-unreadable": "manifest", "manifest-number-elsewhere": "manifest", "plate-unreadable": "plate",
    "event-id-used": "record", "material-not-primary": "material",
}  # fmt: skip


def spoken(found: Iterable[Unit], world: World) -> Mapping[str, str]:
    """Our ids by what the file calls them."""
    words = {batch_id: _called(code, container) for batch_id, (_, code, container) in world.names.called.items()}
    for (_, code), by_container in world.handles.items():
        words.update({handle.batch_id: _called(code, container) for container, handle in by_container.items()})
    words |= {site_id: code for code, site_id in world.sites.items()}
    for known in (world.facilities, world.storages, world.scales):
        words |= {own: code for (_, code), own in known.items()}
    words |= {at: inbound.submitted.number for at, inbound in world.names.inbound.items()}
    for unit in found:
        if unit.sheet.key in SENT:
            words[world.new_id("manifest", unit.site, unit.identity[-1])] = unit.identity[-1]
    return words


def _called(code: str, container: str) -> str:
    return f"{code}（{container}）" if container else code


def judge_told(judged: Judged, found: Sequence[Unit], rows: Mapping[str, Unit], words: Mapping[str, str]) -> None:
    """Put on the records what came of judging them; what stands with one that is refused waits for it."""
    statement, units = judged.trial.statement, judged.units
    for unit in units:
        if unit.changed is not None and judged.trial.asks:
            unit.changed.asked = True
        if any(found[cause].fails for cause in unit.causes):
            unit.skipped = True
    answer = statement.answer
    if isinstance(answer, Problem) and not any(unit.skipped for unit in units):
        unit = judged.unit_about(answer)
        told = broken(unit, answer, rows, words) if isinstance(answer, Breaks) else refused(unit, answer, words)
        unit.problems.append(told)
    elif answer is not None and not isinstance(answer, Problem):
        raise answer
    for unit in units:
        unit.skipped = unit.skipped or (answer is not None and not unit.problems)
    units[0].findings += found_in(units[0], statement.findings, words)


def rows_told(units: Iterable[Unit]) -> str:
    """The rows of records, sheet by sheet, what follows on each other in one: ``B.1 产生 2-40、45；化验 3``."""
    by_sheet: dict[str, set[int]] = {}
    for unit in units:
        by_sheet.setdefault(unit.sheet.zh, set()).update(row.number for row in unit.every)
    return "；".join(f"{sheet} {_ranges(sorted(numbers))}" for sheet, numbers in by_sheet.items())


def _ranges(numbers: Sequence[int]) -> str:
    begins = [each for each in numbers if each - 1 not in {*numbers}]
    ends = [each for each in numbers if each + 1 not in {*numbers}]
    pairs = zip(begins, ends, strict=True)
    return "、".join(str(begin) if begin == end else f"{begin}-{end}" for begin, end in pairs)


def refused(unit: Unit, problem: Problem, words: Mapping[str, str]) -> ImportProblem:
    """What the rules refused, at the row that it is about."""
    told = _told(problem, words)
    row = _row_about(unit, told)
    key = _COLUMN_OF.get(problem.key)
    if key is not None and not row.sheet.has(key):
        key = "record" if row.sheet.has("record") else "code" if row.sheet.has("code") else None
    return row.wrong(told, key).told


def broken(unit: Unit, breaks: Breaks, rows: Mapping[str, Unit], words: Mapping[str, str]) -> ImportProblem:
    """A correction that later facts rest on: each is named, by its row where the file has one for it."""
    named: list[str] = []
    for position, event, problem in breaks.later[:SHOWN_MOST]:
        of = rows.get(event.event_id)
        where = f"{of.sheet.zh} {of.first.number}" if of is not None else f"#{position} {event.event_id}"
        named.append(f"{where}（{_told(problem, words).text('zh')}）")
    count = int(breaks.figures["count"] or 0)
    told = Refusal("file-correction-breaks", count=count, named="；".join(named) or "—")
    key = "mass" if unit.sheet.has("mass") and not unit.cancelled else "cancelled"
    return unit.first.wrong(told, key).told


def rows_by_fact(found: Iterable[Unit], world: World) -> Mapping[str, Unit]:
    """The records of the file by the names of their facts, those in the ledger and those to come."""
    rows: dict[str, Unit] = {}
    for unit in found:
        facts = (*world.names.records.get(unit.identity, ()), *unit.facts)
        rows.update({fact.event_id: unit for fact in facts})
    return rows


def changed_rows(found: Iterable[Unit], words: Mapping[str, str]) -> Iterator[ChangedRows]:
    """What is corrected, withdrawn or stated anew, each with what differs."""
    for unit in found:
        changed = unit.changed
        if changed is None or unit.fails:
            continue
        zh, en = (_changed_text(unit, language, words) for language in LANGUAGES)
        yield ChangedRows(
            sheet=unit.sheet.zh, rows=tuple(row.number for row in unit.every), record=unit.identity[-1],
            change=changed.kind, asked=changed.asked, zh=zh, en=en,
        )  # fmt: skip


def _changed_text(unit: Unit, language: Language, words: Mapping[str, str]) -> str:
    changed = unit.changed
    assert changed is not None
    differs = [
        f"{unit.sheet.zh_of(key)} {words.get(held, held)} → {words.get(read, read)}"
        for key, read, held in changed.columns
    ]
    match changed.kind:
        case "corrected":
            told = Problem("file-change-corrected", changes="；".join(differs) or "—")
        case "withdrawn":
            told = Problem("file-change-withdrawn")
        case _:
            told = Problem("file-change-restored")
    what = told.text(language)
    if changed.asked and changed.later:
        key = "file-change-asked-first" if unit.asks else "file-change-asked-before"
        return Problem(key, what=what, later=changed.later).text(language)
    return Problem("file-change-asked", what=what).text(language) if changed.asked else what


def _told(problem: Problem, words: Mapping[str, str]) -> Problem:
    """The same, with our ids by what the file calls them."""
    told = Problem(problem.key)
    told.figures = {
        name: words.get(value, value) if isinstance(value, str) else value for name, value in problem.figures.items()
    }
    return told


def found_in(unit: Unit, findings: Sequence[Finding], words: Mapping[str, str]) -> Iterable[ImportFinding]:
    """What was admitted and does not add up."""
    for finding in findings:
        figures = {
            name: words.get(value, value) if isinstance(value, str) else value
            for name, value in finding.figures.items()
        }
        yield ImportFinding.of(Finding(finding.key, figures), unit.first.place())


def _row_about(unit: Unit, problem: Problem) -> Row:
    """The row that speaks of the batch which the problem names, else the first."""
    named = problem.figures.get("batch") or problem.figures.get("cause")
    for row in unit.rows:
        if row.sheet.has("batch") and _called(row.said("batch"), row.said("container")) == named:
            return row
    return next((row for row in unit.rows if row.sheet.has("batch") and row.said("batch") == named), unit.first)
