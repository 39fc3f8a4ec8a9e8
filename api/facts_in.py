"""Facts in JSON lines: in by turns of 500 and resumed by their names, out as they stand in the ledger."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import orjson
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from api.faults import faults_of
from api.findings import print_findings
from api.imports import admit_waiting
from api.manners import giving_way
from api.service import Service
from api.workbook.report import ImportFinding, Place
from flows.entries import event_json
from flows.errors import Malformed, Problem
from flows.events import EVENT, Event, Mending
from flows.recording import Statement

TURN: Final = 500
"""Facts of one turn: others who write wait no longer than for that."""


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with a line, in both languages."""

    line: int
    code: str
    zh: str
    en: str
    where: str = ""

    @classmethod
    def of(cls, line: int, problem: Problem) -> "LineFault":
        """A problem at its line."""
        return cls(line, problem.key, problem.text("zh"), problem.text("en"))

    def told(self) -> dict[str, object]:
        """As JSON."""
        return {"line": self.line, "code": self.code, "where": self.where, "zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Lines:
    """A file that was read: its facts with their line numbers, and everything in it that is none."""

    facts: Sequence[tuple[int, Event]]
    faults: Sequence[LineFault]


def read_lines(file: Path) -> Lines:
    """All of a file, each line a fact or an exported entry's ``{"event": …}``; empty lines are nothing."""
    facts: list[tuple[int, Event]] = []
    faults: list[LineFault] = []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                facts.append((number, _fact(line)))
            except orjson.JSONDecodeError:
                faults.append(LineFault.of(number, Malformed("jsonl-unreadable")))
            except ValidationError as fault:
                faults += _shape_faults(number, fault)
    return Lines(facts, faults)


def _fact(line: bytes) -> Event:
    told: Any = orjson.loads(line.lstrip(b"\xef\xbb\xbf"))  # Windows' editors begin a file so
    if isinstance(told, dict) and "event" in told:
        told = cast("Mapping[str, Any]", told)["event"]
    return EVENT.validate_python(told)


def _shape_faults(number: int, fault: ValidationError) -> list[LineFault]:
    zh, en = (faults_of(fault.errors(), language) for language in ("zh", "en"))
    return [
        LineFault(number, first["code"], first["detail"], second["detail"], first["where"])
        for first, second in zip(zh, en, strict=True)
    ]


def import_facts(
    service: Service, file: Path, *, check: bool, out: Console, print_json: Callable[[object], None] | None
) -> bool:
    """Record a file of facts: every line is read before the first is recorded; known facts change nothing.

    Entries bear their own enterprise's name: whoever sits at the machine speaks for all. With a refusal the turns
    before it stand, and the same file after mending goes on from there.
    """
    with giving_way():
        lines = read_lines(file)
        before = service.recording.catch_up()
        faults, findings = list(lines.faults), list[ImportFinding]()
        if not faults:
            faults, findings = (_checked if check else _recorded)(service, lines.facts)
    position = service.book.position
    told = {"facts": len(lines.facts), "recorded": position - before, "position": position, "checked": check}
    if print_json is not None:
        found = [each.model_dump(mode="json") for each in findings]
        print_json(told | {"errors": [each.told() for each in faults], "findings": found})
        return not faults
    for each in faults:
        place = f" {each.where}" if each.where else ""
        out.print(f"[red]✗[/] 第 {each.line} 行{place}：{escape(each.zh)}", highlight=False)
        out.print(f"  line {each.line}{place}: {escape(each.en)}", style="dim", highlight=False)
    print_findings(findings, out)
    out.print(
        f"{escape(file.name)}：{len(lines.facts)} 条事实，新登记 {position - before}，错误 {len(faults)}，"
        f"核查发现 {len(findings)}，台账位置 {position}",
        highlight=False,
    )
    out.print(
        f"{escape(file.name)}: {len(lines.facts)} facts, {position - before} newly recorded, {len(faults)} wrong, "
        f"{len(findings)} findings, ledger position {position}",
        style="dim",
        highlight=False,
    )
    return not faults


def _checked(service: Service, facts: Sequence[tuple[int, Event]]) -> tuple[list[LineFault], list[ImportFinding]]:
    statements = [(number, Statement((event,), event.enterprise)) for number, event in facts]
    service.recording.check(statement for _, statement in statements)
    faults = [LineFault.of(number, each.answer) for number, each in statements if isinstance(each.answer, Problem)]
    return faults, [ImportFinding.of(each, Place(row=number)) for number, told in statements for each in told.findings]


def _recorded(service: Service, facts: Sequence[tuple[int, Event]]) -> tuple[list[LineFault], list[ImportFinding]]:
    """Findings of a turn stand without their lines: facts that were known before have none, and take no part in it."""
    left = iter(facts)
    found: list[ImportFinding] = []
    while turn := list(islice(left, TURN)):
        try:
            statement = service.recording.record([event for _, event in turn], recorded_by="")
        except Problem as problem:
            at = problem.place("facts") or 0
            return [LineFault.of(turn[at][0], problem)], found
        finally:
            admit_waiting(service.recording, service.desk)
        found += (ImportFinding.of(each, Place()) for each in statement.findings)
    return [], found


def export_facts(service: Service, path: Path, *, effective: bool = False) -> None:
    """All facts, one a line, in the ledger's order, in the form that an import takes; of a pinned service those known.

    `effective` writes each as it is read there: without corrections and what they withdrew.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        for entry in service.ledger.entries(until=service.as_of):
            event = service.book.fact(entry.position).event if effective else entry.event
            if event is not None and not (effective and isinstance(event, Mending)):
                out.write(orjson.dumps(event_json(event), option=orjson.OPT_APPEND_NEWLINE))
