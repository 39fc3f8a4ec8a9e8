"""`huanliu correct`, `corrections`, `agree` and `decline`: entries told anew from the command line."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from json import JSONDecodeError, loads
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from api.amending import Wanted, answer_of, outlook, request_of
from api.commands.printing import JsonOption, out, print_json
from api.corrections import Altered, Change, EntryHistory, Known, correction_of, find_request, open_requests, requests
from api.faults import faults_of
from api.rest.corrections import changes_json, correction_json
from api.retries import Stated as Kept
from api.service import Service
from api.settings import Settings
from flows.access import Caller, Sight
from flows.entries import event_json
from flows.errors import Malformed, Unknown
from flows.events import EVENT, Mending, Stated
from flows.mass import grams, tonnes
from flows.times import shown

OPERATOR: Final = Caller("000000000000000000", "auditor")
"""Whoever sits at the machine sees all of it."""
FAULTS_MOST = 10
"""Faults of a replacement that are told at once: a fact has few values."""

ReasonOption = Annotated[str, typer.Option("--reason", help="理由 · why")]
ByOption = Annotated[str | None, typer.Option("--by", help="以哪个单位的名义（信用代码）· for which enterprise")]
RequesterArgument = Annotated[str, typer.Argument(help="申请单位信用代码 · who asked")]
RequestArgument = Annotated[str, typer.Argument(help="申请编号，见 corrections · the request, see corrections")]


@contextmanager
def _opened() -> Generator[tuple[Service, Sight]]:
    """The installation, as whoever sits at the machine sees it: all of it."""
    service = Service.open(Settings.read())
    try:
        known = service.known()
        yield known, known.sight(OPERATOR)
    finally:
        service.close()


def correct(
    reason: ReasonOption,
    *,
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[POSITION:PATH=VALUE]...",
            help="台账第几条:路径=新值，如 12:product.mass_g=29t；可写多条 · entry, path and value, as often as needed",
        ),
    ] = None,
    withdraw: Annotated[
        list[int] | None, typer.Option("--withdraw", min=1, help="撤销第几条登记，可重复 · withdraw an entry")
    ] = None,
    becomes: Annotated[
        list[Path] | None,
        typer.Option(
            "--becomes", help="新内容的 JSON 文件，含事实编号，可重复 · a fact as a JSON file, by its event_id"
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="只试算，不登记 · only say what would happen")] = False,
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """一并更正或撤销若干登记 · Correct or withdraw entries, all of them in one request."""
    with _opened() as (service, sight):
        wanted = _wanted(Known(sight, service), service, values or [], withdraw or [], becomes or [])
        event = request_of(wanted, by or wanted[0].history.entry.enterprise, reason, service)
        if check:
            seen = outlook(event, service)
            if json:
                told = {"in_force": not seen.others, "others": list(seen.others), "changes": changes_json(seen.changes)}
                print_json(told)
                return
            _print_changes(seen.changes)
            _print_outcome(seen.others, service, checked=True)
            return
        _ = service.recording.record(Kept([event]), "")
        _tell(event.enterprise, event.event_id, service, json=json)


def _wanted(
    known: Known, service: Service, values: Sequence[str], withdrawn: Sequence[int], files: Sequence[Path]
) -> list[Wanted]:
    """What is to be read otherwise, by the place of each entry in the ledger.

    Raises:
        Malformed: nothing is told, or one entry in two ways; a value that cannot be read.
        Unknown: no such entry.
    """
    told: dict[int, Stated | None] = {}
    for position, pairs in _by_entry(values).items():
        told[position] = _with_values(known.history(position), pairs)
    for position, fact in [*((each, None) for each in withdrawn), *(_of_file(each, service) for each in files)]:
        if position in told:
            raise Malformed("correct-one-way", position=position)
        told[position] = fact
    if not told:
        raise Malformed("correct-nothing")
    return [Wanted(known.history(position), told[position]) for position in sorted(told)]


def _by_entry(values: Sequence[str]) -> dict[int, list[tuple[str, str]]]:
    """Values by the entry that they are of."""
    found: dict[int, list[tuple[str, str]]] = {}
    for each in values:
        place, sign, text = each.partition("=")
        position, colon, path = place.partition(":")
        if not sign or not colon or not path.strip() or not position.strip().isdecimal():
            raise Malformed("correct-value-unreadable", read=each[:80])
        found.setdefault(int(position), []).append((path.strip(), text.strip()))
    return found


def corrections(
    *,
    whole: Annotated[bool, typer.Option("--all", help="包括已有结果的 · settled ones too")] = False,
    json: JsonOption = False,
) -> None:
    """列出更正申请（默认只列待确认的）· List requests for correction, those that wait unless --all."""
    with _opened() as (service, sight):
        found = requests(sight, service) if whole else open_requests(sight, service)
        if json:
            print_json([correction_json(each, sight) for each in found])
            return
        table = Table("申请单位", "申请编号", "台账第几条", "内容", "理由", "待谁确认", "状态")
        for each in found:
            table.add_row(
                each.event.enterprise,
                each.event.event_id,
                " ".join(str(change.position) for change in each.changes),
                escape("\n".join(line for change in each.changes for line in _lines(change))),
                escape(each.event.reason),
                " ".join(each.request.others),
                {"open": "待确认", "in_force": "已生效", "declined": "未获同意"}[each.request.state],
            )
        out.print(table)


def agree(
    requester: RequesterArgument, request: RequestArgument, by: ByOption = None, *, json: JsonOption = False
) -> None:
    """以对方单位名义同意更正 · Agree to a correction as the other side."""
    _answer(requester, request, by, None, json=json)


def decline(
    requester: RequesterArgument,
    request: RequestArgument,
    reason: ReasonOption,
    by: ByOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """不同意更正；--by 申请单位为撤回 · Decline a correction; with --by its requester, take it back."""
    _answer(requester, request, by, reason, json=json)


def _answer(requester: str, name: str, by: str | None, reason: str | None, *, json: bool) -> None:
    with _opened() as (service, sight):
        found = find_request(requester, name, sight, service)
        event = answer_of(found, by or found.other or requester, service, reason=reason)
        _ = service.recording.record(Kept([event]), "")
        _tell(requester, name, service, json=json)


def _with_values(history: EntryHistory, pairs: Sequence[tuple[str, str]]) -> Stated:
    """The fact of an entry with some of its values told otherwise.

    Raises:
        Malformed: no such path, or a fact that cannot be.
    """
    told: Any = event_json(history.last or history.entry.event)
    for path, text in pairs:
        _set(told, path, text)
    return _fact(told)


def _of_file(file: Path, service: Service) -> tuple[int, Stated]:
    """The fact in a file, and where the one of its name stands.

    Raises:
        Malformed: no such file, no JSON, or a fact that cannot be.
        Unknown: nobody stated a fact of that name.
    """
    fact = _fact(_file_json(file))
    position = service.book.find_fact(fact.enterprise, fact.event_id)
    if position is None:
        raise Unknown("correction-entry-unknown", enterprise=fact.enterprise, event=fact.event_id)
    return position, fact


def _fact(told: Any) -> Stated:
    try:
        event = EVENT.validate_python(told)
    except ValidationError as fault:
        zh, en = (faults_of(fault.errors(), language)[:FAULTS_MOST] for language in ("zh", "en"))
        raise Malformed("correct-fact-wrong", faults=_listed(zh), faults_en=_listed(en)) from None
    if isinstance(event, Mending):
        raise Malformed("correct-fact-wrong", faults=event.kind, faults_en=event.kind)
    return event


def _listed(faults: Sequence[dict[str, str]]) -> str:
    return "; ".join(f"{each['where']}: {each['detail']}" for each in faults)


def _file_json(file: Path) -> Any:
    try:
        return loads(file.read_text("utf-8-sig"))
    except (OSError, UnicodeError, JSONDecodeError):
        raise Malformed("correct-file-unreadable", file=str(file)) from None


def _set(told: Any, path: str, text: str) -> None:
    """Put one value at a dotted path; an empty one takes it out."""
    *before, last = path.split(".")
    holder: Any = told
    for step in before:
        holder = _step(holder, step, path)
    if isinstance(holder, list):
        if not last.isdecimal() or int(last) >= len(cast("list[Any]", holder)):
            raise Malformed("correct-path-unknown", path=path)
        holder[int(last)] = _read(last, text)
    elif isinstance(holder, dict) and text:
        holder[last] = _read(last, text)
    elif isinstance(holder, dict):
        cast("dict[str, Any]", holder).pop(last, None)
    else:
        raise Malformed("correct-path-unknown", path=path)


def _step(holder: Any, step: str, path: str) -> Any:
    rows = cast("list[Any]", holder)
    if isinstance(holder, list) and step.isdecimal() and int(step) < len(rows):
        return rows[int(step)]
    if isinstance(holder, dict):
        return cast("dict[str, Any]", holder).setdefault(step, {})
    raise Malformed("correct-path-unknown", path=path)


def _read(name: str, text: str) -> Any:
    """A value as people write it: a mass with its unit, else JSON, else the words themselves."""
    if name.endswith("_g") and not text.isdecimal():
        return grams(text)
    try:
        return loads(text) if not name.endswith(("_no", "code", "_id")) else text
    except JSONDecodeError:
        return text


def _tell(requester: str, name: str, service: Service, *, json: bool) -> None:
    after = service.known()
    sight = after.sight(OPERATOR)
    request = after.book.requests.get((requester, name))
    assert request is not None, name
    correction = correction_of(request, sight, after)
    if json:
        print_json(correction_json(correction, sight))
        return
    _print_changes(correction.changes)
    out.print(f"申请 · request {requester} {name}", highlight=False)
    match request.state:
        case "declined":
            out.print("未获同意，内容不变 · declined, nothing changes", highlight=False)
        case "open":
            _print_outcome(request.others, after, checked=False)
        case "in_force":
            _print_outcome((), after, checked=False)


def _print_outcome(others: Sequence[str], service: Service, *, checked: bool) -> None:
    if not others:
        out.print("将立即生效 · would be in force at once" if checked else "已生效 · in force", highlight=False)
    for other in others:
        known = service.book.enterprises.get(other)
        name = escape(known.registered.name) if known else ""
        out.print(f"待对方确认：{name} {other} · waits for {other} to agree", highlight=False)


def _print_changes(changes: Sequence[Change]) -> None:
    for each in changes:
        for line in _lines(each):
            out.print(escape(line), highlight=False)


def _lines(change: Change) -> list[str]:
    """What becomes of one entry, value by value, or of the whole of it."""
    entry = f"第 {change.position} 条"
    if change.altered:
        return [f"{entry} {_line(each)}" for each in change.altered]
    how = "撤销登记 · withdrawn" if change.withdraws else "恢复登记 · stated again"
    return [f"{entry} {how}: {change.fact.kind} {shown(change.fact.event_time)}"]


def _line(each: Altered) -> str:
    return f"{each.path}: {_value(each.path, each.was)} → {_value(each.path, each.becomes)}"


def _value(path: str, value: object) -> str:
    if value is None:
        return "—"
    return tonnes(value) if path.endswith("_g") and isinstance(value, int) else str(value)
