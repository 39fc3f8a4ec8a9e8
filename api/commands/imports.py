"""`huanliu import` and `huanliu columns`: files in, their errors back in their own form, and whose columns are called what."""

import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from api import facts_in
from api.commands.moves import DeskOption, import_ledger
from api.commands.printing import REFUSED, JsonOption, err, out, print_json
from api.commands.progress import watched
from api.findings import print_findings
from api.service import Service
from api.settings import Settings
from api.workbook.heads import sheet_called
from api.workbook.manner import Manner, given_columns, normal
from api.workbook.report import HeaderRead, HeaderUnknown, ImportReport
from api.workbook.sheets import BY_KEY
from flows.access import Caller
from flows.codes import uscc
from flows.errors import Malformed
from flows.ids import EnterpriseId

ENDINGS: Final = frozenset({".xlsx", ".xls", ".csv", ".txt", ".et"})
"""By its ending a file is taken for a table, .jsonl for facts; what it is, its content tells."""
SHOWN_MOST: Final = 200
"""Errors that somebody still reads on a terminal; the error file holds all."""
_OF_ERRORS: Final = re.compile(r"-错误(-\d+)?$")
HOW_ZH: Final = {
    "given": "本次给出", "remembered": "已记住", "title": "标题或“工作表”列", "file_name": "文件名", "headers": "表头",
}  # fmt: skip
HOW_EN: Final = {
    "given": "given now", "remembered": "remembered", "title": "its title", "file_name": "the file's name",
    "headers": "its headers",
}  # fmt: skip

columns_app = typer.Typer(help="列名对应：列出、忘记 · own column names", no_args_is_help=True)

AsOption = Annotated[str, typer.Option("--as", help="以哪个单位登记（信用代码）· whose statements")]


def import_file(  # noqa: PLR0913 - one parameter for each option
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="台账 .xlsx、.xls、.csv，或事实 .jsonl · ledger or facts"),
    ],
    *,
    ledger: Annotated[
        bool,
        typer.Option(
            "--ledger", help="文件是 export --ledger 写出的整个台账 · the file is a whole ledger, from export --ledger"
        ),
    ] = False,
    desk: DeskOption = None,
    enterprise: AsOption = "",
    check: Annotated[bool, typer.Option("--check", help="只检查，不登记 · check only")] = False,
    good_rows: Annotated[
        bool, typer.Option("--good-rows", help="登记正确的行，其余列出（默认全部或全不）· record the good rows only")
    ] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="列名对应：其列名=我们的列名，留空为不读取；可重复 · their header=our header"),
    ] = None,
    errors_to: Annotated[
        Path | None, typer.Option(help="带错误的文件写到这里，默认写在原文件旁 · where the error file goes")
    ] = None,
    json: JsonOption = False,
) -> None:
    """导入台账或事实：先检查全部，再全部登记 · Import a ledger or facts: all rows are checked, then all are kept or none."""
    if desk is not None and not ledger:
        raise Malformed("desk-needs-ledger", command="import")
    if ledger:
        import_ledger(file, desk, check=check, json=json)
        return
    with closing(Service.open(Settings.read(), readings=False)) as service:
        if file.suffix.lower() == ".jsonl":
            good = facts_in.import_facts(service, file, check=check, out=out, print_json=print_json if json else None)
        else:
            manner = Manner(file.name, good_rows, given_columns(columns or ()))
            good = _import_table(service, file, _owner(file, enterprise), manner, errors_to, check=check, json=json)
    raise typer.Exit(0 if good else REFUSED)


def _owner(file: Path, enterprise: str) -> EnterpriseId:
    if file.suffix.lower() not in ENDINGS:
        raise Malformed("import-unknown-kind", name=file.name)
    if not enterprise:
        raise Malformed("import-needs-enterprise")
    return uscc(enterprise)


def _import_table(
    service: Service,
    file: Path,
    owner: EnterpriseId,
    manner: Manner,
    errors_to: Path | None,
    *,
    check: bool,
    json: bool,
) -> bool:
    caller = Caller(owner, "administrator")
    data = file.read_bytes()
    with watched(err) as watch:
        report = (service.check_import if check else service.commit_import)(caller, owner, data, manner, watch)
    marked = service.marked_import(caller, owner, data, manner, report=report)
    written = _write(file, errors_to, *marked) if marked else None
    if json:
        told = report.model_dump(mode="json") | {"good": report.good, "errors_file": str(written) if written else None}
        print_json(told)
    else:
        _print(report, written)
    return report.good


def _write(file: Path, to: Path | None, body: bytes, ending: str) -> Path | None:
    """The error file, where it was wanted, else beside the file: over nothing that is there, for somebody may be mending it."""
    path = to or _free(file.with_name(f"{_OF_ERRORS.sub('', file.stem)}-错误{ending}"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    except OSError as fault:
        err.print(
            f"带错误的文件未能写到 {escape(str(path))}（{fault.strerror}）；请用 --errors-to 另指位置 · "
            "the error file could not be written; name another place with --errors-to",
            style="yellow",
            highlight=False,
        )
        return None
    return path


def _free(path: Path) -> Path:
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def _print(report: ImportReport, written: Path | None) -> None:
    for zh, en in _lines_of_names(report):
        out.print(f"[cyan]=[/] {escape(zh)}", highlight=False)
        out.print(f"  {escape(en)}", style="dim", highlight=False)
    for problem in report.errors[:SHOWN_MOST]:
        out.print(f"[red]✗[/] {escape(problem.text('zh').removeprefix(': '))}", highlight=False)
        out.print(f"  {escape(problem.text('en').removeprefix(': '))}", style="dim", highlight=False)
    if len(report.errors) > SHOWN_MOST:
        more = len(report.errors) - SHOWN_MOST
        out.print(f"……另有 {more} 处错误，见带错误的文件 · and {more} more, see the error file", highlight=False)
    for held in report.held[:SHOWN_MOST]:
        out.print(f"[yellow]∥[/] {held.sheet} 第 {_rows(held.rows)} 行：{escape(held.zh)}", highlight=False)
        out.print(f"  {escape(held.en)}", style="dim", highlight=False)
    for changed in report.changed[:SHOWN_MOST]:
        out.print(f"[green]±[/] {changed.sheet} 第 {_rows(changed.rows)} 行：{escape(changed.zh)}", highlight=False)
        out.print(f"  {escape(changed.en)}", style="dim", highlight=False)
    if len(report.changed) > SHOWN_MOST:
        more = len(report.changed) - SHOWN_MOST
        out.print(f"……另有 {more} 项更正与撤销 · and {more} more corrections and withdrawals", highlight=False)
    for row in report.waiting:
        out.print(f"[yellow]…[/] {row.sheet} 第 {_rows(row.rows)} 行：{escape(row.zh)}", highlight=False)
        out.print(f"  {escape(row.en)}", style="dim", highlight=False)
    print_findings(report.findings, out)
    _print_end(report)
    if report.headers_unknown:
        told = " ".join(_option(each) for each in report.headers_unknown)
        out.print(f"列名对应，请核对后加上 · to map the columns, check and add:\n  {escape(told)}", highlight=False)
    if written is not None:
        out.print(
            f"带错误的文件 · with its errors: [bold]{escape(str(written))}[/]（在其中改正后再导入 · mend it there and import it）",
            highlight=False,
        )


def _rows(rows: tuple[int, ...]) -> str:
    return "、".join(map(str, rows))


def _lines_of_names(report: ImportReport) -> Iterator[tuple[str, str]]:
    """What was read under another name than ours, and by whose word."""
    for each in report.sheets:
        if normal(each.table) == normal(each.sheet):
            continue
        zh = f"“{each.table}”按“{each.sheet}”读取（依据{HOW_ZH[each.how]}）"
        yield zh, f"“{each.table}” was read as “{each.sheet}” (by {HOW_EN[each.how]})"
    for each in report.headers:
        yield _header_line(each)


def _header_line(each: HeaderRead) -> tuple[str, str]:
    zh = f"按“{each.column}”读取" if each.column else "不读取"
    en = f"was read as “{each.column}”" if each.column else "was not read"
    return (
        f"{each.sheet} {each.cell} 列“{each.header}”{zh}（{HOW_ZH[each.how]}）",
        f"{each.sheet} {each.cell} column “{each.header}” {en} ({HOW_EN[each.how]})",
    )


def _option(each: HeaderUnknown) -> str:
    """The option that maps a header to what it most likely means; none: it is not read."""
    meant = each.suggestions[0] if each.suggestions else ""
    return f"--map {shlex.quote(f'{each.sheet}:{each.header}={meant}')}"


def _print_end(report: ImportReport) -> None:
    partly = report.committed and not report.good
    done = (
        "已登记正确的行"
        if partly
        else "已登记"
        if report.committed
        else "检查通过，未登记"
        if report.good
        else "未登记任何内容"
    )
    held = sum(len(each.rows) for each in report.held)
    out.print(
        f"{done}：{report.rows} 行，新事实 {report.facts}，更正 {report.corrected}，撤销 {report.withdrawn}，"
        f"待对方确认 {report.asked}，未变 {report.unchanged}，错误 {len(report.errors)}，"
        f"暂缓 {held} 行，待对方登记 {len(report.waiting)}，核查发现 {len(report.findings)}",
        highlight=False,
    )
    done_en = "nothing recorded"
    if report.committed or report.good:
        done_en = "good rows recorded" if partly else "recorded" if report.committed else "sound, nothing recorded"
    out.print(
        f"{done_en}: {report.rows} rows, {report.facts} new facts, {report.corrected} corrected, "
        f"{report.withdrawn} withdrawn, {report.asked} waiting for agreement, {report.unchanged} unchanged, "
        f"{len(report.errors)} wrong, {held} held back, {len(report.waiting)} waiting, {len(report.findings)} findings",
        style="dim",
        highlight=False,
    )


@columns_app.command("list")
def list_columns(enterprise: AsOption, *, json: JsonOption = False) -> None:
    """列出记住的列名对应 · List what an enterprise calls its columns."""
    owner = uscc(enterprise)
    with closing(Service.open(Settings.read())) as service:
        kept = service.columns_of(Caller(owner, "administrator"), owner)
    if json:
        print_json({BY_KEY[key].zh: _named(key, each.columns) for key, each in kept.items() if key in BY_KEY})
        return
    table = Table("工作表", "其列名", "我们的列名")
    for key, each in kept.items():
        for header, column in _named(key, each.columns).items() if key in BY_KEY else ():
            table.add_row(BY_KEY[key].zh, escape(header), column or "（不读取 not read）")
    out.print(table)


def _named(key: str, columns: dict[str, str]) -> dict[str, str]:
    return {header: BY_KEY[key].zh_of(column) if column else "" for header, column in columns.items()}


@columns_app.command("forget")
def forget_columns(
    enterprise: AsOption,
    sheet: Annotated[str, typer.Option(help="只忘记此工作表的，如“B.1 产生” · only those of this sheet")] = "",
    *,
    json: JsonOption = False,
) -> None:
    """忘记列名对应 · Forget what an enterprise calls its columns."""
    owner = uscc(enterprise)
    with closing(Service.open(Settings.read())) as service:
        service.forget_columns(Caller(owner, "administrator"), owner, sheet_called(sheet).key if sheet else None)
    if json:
        print_json({"forgotten": sheet or "all"})
    else:
        out.print(f"已忘记列名对应 · forgotten {escape(sheet)}", highlight=False)
