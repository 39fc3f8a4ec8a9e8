"""`huanliu correct`, `corrections`, `agree` and `decline`: entries told anew from the command line."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from json import JSONDecodeError, loads
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from api.commands.printing import JsonOption, out, print_json
from api.corrections import (
    Altered,
    Correction,
    EntryHistory,
    Known,
    answer_of,
    correction_of,
    find_request,
    open_requests,
    outlook,
    request_of,
    requests,
)
from api.faults import faults_of
from api.rest.corrections import altered_json, correction_json
from api.retries import Stated as Kept
from api.service import Service
from api.settings import Settings
from flows.access import Caller, Sight
from flows.entries import event_json
from flows.errors import Malformed
from flows.events import EVENT, Mending, Stated
from flows.mass import grams, tonnes
from flows.times import shown

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
        yield known, known.sight(Caller("000000000000000000", "auditor"))
    finally:
        service.close()


def correct(
    position: Annotated[int, typer.Argument(min=1, help="台账位置 · position of the entry")],
    reason: ReasonOption,
    *,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="路径=新值，可重复，如 product.mass_g=29t · path=value, may be repeated"),
    ] = None,
    becomes: Annotated[
        Path | None, typer.Option("--becomes", help="新内容的 JSON 文件 · the fact as a JSON file")
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="撤销登记 · withdraw the entry")] = False,
    check: Annotated[bool, typer.Option("--check", help="只试算，不登记 · only say what would happen")] = False,
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """更正或撤销一条登记 · Correct or withdraw an entry."""
    if bool(values) + (becomes is not None) + withdraw != 1:
        raise Malformed("correct-one-way")
    with _opened() as (service, sight):
        history = Known(sight, service).history(position)
        told = None if withdraw else _replacement(history, values or [], becomes)
        event = request_of(history, by or history.entry.enterprise, told, reason, service)
        if check:
            seen = outlook(event, service)
            if json:
                print_json(
                    {"in_force": not seen.others, "others": list(seen.others), "altered": altered_json(seen.altered)}
                )
                return
            _print_altered(seen.altered, withdrawn=told is None)
            _print_outcome(seen.others, service, checked=True)
            return
        _ = service.recording.record(Kept([event]), "")
        _tell(event.enterprise, event.event_id, service, json=json)


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
                str(each.request.corrects),
                escape("；".join(_line(one) for one in each.altered) or _whole(each)),
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


def _replacement(history: EntryHistory, values: Sequence[str], file: Path | None) -> Stated:
    """The fact that an entry is to be read as: its own values with some told otherwise, or a file's.

    Raises:
        Malformed: no such file or path, no JSON, or a fact that cannot be.
    """
    stated = history.last
    if file is not None:
        told: Any = _file_json(file)
    else:
        told = event_json(stated or history.entry.event)
        for each in values:
            path, sign, text = each.partition("=")
            if not sign:
                raise Malformed("correct-set-unreadable", read=each[:80])
            _set(told, path.strip(), text.strip())
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
    request = after.book.requests.get((requester, name))
    assert request is not None, name
    correction = correction_of(request, after)
    if json:
        print_json(correction_json(correction, after.sight(Caller("000000000000000000", "auditor"))))
        return
    _print_altered(correction.altered, withdrawn=request.event.becomes is None)
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


def _print_altered(altered: Sequence[Altered], *, withdrawn: bool) -> None:
    if withdrawn:
        out.print("撤销登记 · withdrawn", highlight=False)
    for each in altered:
        out.print(escape(_line(each)), highlight=False)


def _line(each: Altered) -> str:
    return f"{each.path}: {_value(each.path, each.was)} → {_value(each.path, each.becomes)}"


def _value(path: str, value: object) -> str:
    if value is None:
        return "—"
    return tonnes(value) if path.endswith("_g") and isinstance(value, int) else str(value)


def _whole(correction: Correction) -> str:
    when = shown(correction.fact.event_time)
    return f"{'撤销' if correction.event.becomes is None else '恢复'} {correction.fact.kind} {when}"
