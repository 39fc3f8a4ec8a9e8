"""Facts in JSON lines: in by turns of 500 and resumed by their ids, out as they stand in the ledger."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import orjson
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from api.service import Service
from flows.entries import event_json
from flows.errors import Malformed, Problem
from flows.events import EVENT, Event
from flows.recording import Statement

TURN: Final = 500
"""Facts of one turn: others who write wait no longer than for that."""


def facts_of(file: Path) -> Iterator[tuple[int, Event]]:
    """The facts of a file with their line numbers, each line a fact or an exported entry's ``{event: …}``.

    Raises:
        Malformed: a line that is no JSON, or no fact, with its number.
    """
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _fact(line, number)


def _fact(line: bytes, number: int) -> Event:
    try:
        told = orjson.loads(line)
        return EVENT.validate_python(told["event"] if isinstance(told, dict) and "event" in told else told)
    except orjson.JSONDecodeError as fault:
        raise Malformed("jsonl-unreadable", line=number, fault=str(fault)) from None
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Malformed("jsonl-no-fact", line=number, where=where, fault=first["msg"]) from None


def import_facts(
    service: Service, file: Path, *, check: bool, out: Console, print_json: Callable[[object], None] | None
) -> bool:
    """Record a file of facts: every line is read before the first is recorded; known facts change nothing.

    With a refusal the turns before it stand, and the same file after mending goes on from there.
    """
    facts = list(facts_of(file))
    faults = _checked(service, facts) if check else _recorded(service, facts)
    if print_json is not None:
        print_json({"facts": len(facts), "position": service.book.position, "errors": faults})
    else:
        for each in faults:
            out.print(f"[red]✗[/] 第 {each['line']} 行：{escape(str(each['zh']))}", highlight=False)
        out.print(f"{file.name}：{len(facts)} 条事实，错误 {len(faults)}，台账位置 {service.book.position}")
    return not faults


def _told(number: int, problem: Problem) -> dict[str, object]:
    return {"line": number, "code": problem.key, "zh": problem.text("zh"), "en": problem.text("en")}


def _checked(service: Service, facts: list[tuple[int, Event]]) -> list[dict[str, object]]:
    statements = [(number, Statement((event,), event.enterprise)) for number, event in facts]
    service.recording.check(statement for _, statement in statements)
    return [_told(number, each.answer) for number, each in statements if isinstance(each.answer, Problem)]


def _recorded(service: Service, facts: list[tuple[int, Event]]) -> list[dict[str, object]]:
    left = iter(facts)
    while turn := list(islice(left, TURN)):
        try:
            service.recording.record([event for _, event in turn], "")
        except Problem as problem:
            at = int((problem.where or "facts[0]").removeprefix("facts[").rstrip("]"))
            return [_told(turn[at][0], problem)]
    return []


def export_facts(service: Service, path: Path) -> None:
    """All facts, one a line, in the ledger's order, in the form that an import takes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        for entry in service.ledger.entries():
            out.write(orjson.dumps(event_json(entry.event), option=orjson.OPT_APPEND_NEWLINE))
